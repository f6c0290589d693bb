"""Where a result comes from: the commit, the versions, the machine, the threads. No TensorFlow.

What a single trial adds (device, load, implementation) is in `circumstances.py`.
"""

import functools
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

PACKAGES = ("sequence-suite", "tensorflow", "keras", "numpy", "mlflow", "optuna", "distributed")


def provenance() -> dict[str, str]:
    """Return commit and dirty flag, versions, machine and threads: the same for every trial of a process."""
    return {**git(Path(__file__).parent), **_versions(), **_machine(), **_threads()}


@functools.cache
def git(folder: Path) -> dict[str, str]:
    """Return the commit of the checkout and whether it holds changes that no commit has; empty for an installed package."""
    try:
        top = _output("git", "-C", str(folder), "rev-parse", "--show-toplevel")
        if not (Path(top) / "suite").is_dir():
            return {}  # another project's repository around an installed package
        commit = _output("git", "-C", str(folder), "rev-parse", "HEAD")
        dirty = bool(_output("git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"git_commit": commit, "git_dirty": str(dirty).lower()}


@functools.cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def _machine() -> dict[str, str]:
    import psutil

    return {
        "host": platform.node(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _processor(),
        "cores": str(os.cpu_count()),
        "memory_gib": f"{psutil.virtual_memory().total / 2**30:.1f}",
    }


def _threads() -> dict[str, str]:
    inside, between = (os.environ.get(f"TF_NUM_{kind}_THREADS", "default") for kind in ("INTRAOP", "INTEROP"))
    return {"threads": f"intra-op {inside}, inter-op {between}"}


def _processor() -> str:
    """The name of the processor, which `platform.processor` leaves empty on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
