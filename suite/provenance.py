"""Where and with what a trial was computed, as far as the process that trained it knows."""

import os
import platform
from importlib.metadata import version

import tensorflow as tf

from suite import throughput
from suite.program import Program, initial_seed
from suite.result import Trial

PACKAGES = ("tensorflow", "keras", "numpy", "sequence-suite")


def of(trial: Trial, program: Program) -> dict[str, str]:
    """Return versions, device, threads, precision, implementation, data and load, all as text."""
    average, busy = throughput.load()
    threads = [os.environ.get(f"TF_NUM_{kind}_THREADS", "default") for kind in ("INTRAOP", "INTEROP")]
    devices = tf.config.list_physical_devices("GPU")
    implementations = sorted({str(layer.impl) for layer in _layers(program) if hasattr(layer, "impl")})
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "host": platform.node(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "device": "CPU" if not devices else str(tf.config.experimental.get_device_details(devices[0]).get("device_name", "GPU")),
        "threads": f"intra-op {threads[0]}, inter-op {threads[1]}",
        "load": f"{average:.2f}, {'more than' if busy else 'within'} the cores",
        "precision": trial.experiment.precision,
        "impl": ", ".join(implementations) or "keras",
        "jit": "on" if program.jit else f"off: {program.why_not}",
        "data": trial.setting.task.digest(),
        "seed/initial": f"{initial_seed(trial):032x}",
    }


def _layers(program: Program) -> list[object]:
    return list(program.model._flatten_layers())
