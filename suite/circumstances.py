"""How a trial was computed: device, load, precision, implementation, data and seeds, beside what `provenance` says of the process."""

import tensorflow as tf

from suite import throughput
from suite.program import Program, initial_seed
from suite.result import Trial


def of(trial: Trial, program: Program) -> dict[str, str]:
    """Return what this trial adds to the provenance of its process, all as text."""
    average, busy = throughput.load()
    devices = tf.config.list_physical_devices("GPU")
    implementations = sorted({str(layer.impl) for layer in program.model._flatten_layers() if hasattr(layer, "impl")})
    return {
        "device": "CPU" if not devices else str(tf.config.experimental.get_device_details(devices[0]).get("device_name", "GPU")),
        "load": f"{average:.2f}, {'more than' if busy else 'within'} the cores",
        "precision": trial.experiment.precision,
        "impl": ", ".join(implementations) or "keras",
        "jit": "on" if program.jit else f"off: {program.why_not}",
        "data": trial.setting.task.digest(),
        "seed/initial": f"{initial_seed(trial):032x}",
    }
