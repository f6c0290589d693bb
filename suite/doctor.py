"""Checks of an installation: what a run needs, whether it is there, and what to do where it is not."""

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("tensorflow", "keras", "mlflow", "optuna", "distributed", "numpy", "scipy", "matplotlib", "jinja2", "click", "rich")
_DEVICES = "import tensorflow as tf; print(','.join(d.device_type + ':' + d.name for d in tf.config.list_physical_devices()))"


class Check(NamedTuple):
    """One thing looked at. `good` None means: for information."""

    name: str
    good: bool | None
    found: str
    advice: str = ""


def checks(uri: str, root: Path) -> list[Check]:
    """Look at the interpreter, the packages, the machine, TensorFlow and the store."""
    return [_python(), *_packages(), _plugins(), _machine(), _load(), _tensorflow(), _folder(root), _store(uri)]


def _python() -> Check:
    version = sys.version_info
    good = (3, 11) <= version[:2] < (3, 14)
    return Check("python", good, f"{version.major}.{version.minor}.{version.micro}", "" if good else "use Python 3.11, 3.12 or 3.13")


def _packages() -> list[Check]:
    found = []
    for package in PACKAGES:
        try:
            found.append(Check(package, True, importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            found.append(Check(package, False, "missing", "install again with the first command of the README"))
    return found


def _plugins() -> Check:
    from suite import plugins

    try:
        counts = [f"{len(plugins.table(kind))} {kind.lower()}" for kind in plugins.TABLES]
    except plugins.BrokenPlugin as error:
        return Check("plug-ins", False, str(error), "mend or remove that package")
    return Check("plug-ins", True, ", ".join(counts))


def _machine() -> Check:
    import psutil

    memory = psutil.virtual_memory()
    found = f"{cores()} cores, {memory.total / 2**30:.0f} GiB memory, {memory.available / 2**30:.0f} GiB free"
    good = memory.available > 2 * 2**30
    return Check("machine", good, found, "" if good else "a worker needs about 1 GiB: close something, or use --workers 1")


def _load() -> Check:
    load = os.getloadavg()[0]
    busy = load > cores()
    return Check("load", None, f"{load:.1f} on {cores()} cores", "timings made now would be marked as from a loaded host" if busy else "")


def _tensorflow() -> Check:
    """In a process of its own: a broken TensorFlow may crash the interpreter."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    run = subprocess.run([sys.executable, "-c", _DEVICES], capture_output=True, text=True, env=environment, check=False)
    if run.returncode:
        last = (run.stderr.strip().splitlines() or ["no message"])[-1]
        return Check("tensorflow runs", False, last, "python -c 'import tensorflow' shows the whole message")
    devices = run.stdout.strip().splitlines()[-1]
    return Check("tensorflow runs", True, devices, "" if "GPU" in devices else "no GPU: everything runs on the CPU")


def _folder(root: Path) -> Check:
    good = os.access(root, os.W_OK)
    return Check("folder of the store", good, str(root), "" if good else "make it writable, or give --tracking-uri")


def _store(uri: str) -> Check:
    from suite.tracking import Store

    try:
        state = Store(uri).inspect()
    except ValueError as error:
        return Check("store", False, uri, str(error))
    return Check("store", True, f"{uri} ({state})")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
