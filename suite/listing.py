"""Rows for `suite list`: what is registered, where it comes from, and what can be had there for nothing."""

from typing import Any

from suite import canonical, plugins
from suite.architecture import Architecture
from suite.sizes_at_128 import SIZES
from suite.task import Task


def rows(kind: str) -> list[dict[str, Any]]:
    """Return one plain object for each registered architecture, task or experiment (`kind` is one of these plurals)."""
    make: Any = {"architectures": _architecture, "tasks": _task, "experiments": _experiment}[kind]
    entries = plugins.table(kind.upper()).items()
    found = [{"name": name, **make(entry.value), "module": entry.module} for name, entry in entries]
    return [row | _sizes(row["name"], entry) for row, (_, entry) in zip(found, entries, strict=True)] if kind == "architectures" else found


def abilities(architecture: Architecture) -> list[str]:
    """Return in words what an architecture can do."""
    if architecture.kinds == {"sequence"}:
        said = ["encoder-decoder"]
    else:
        said = ["causal" if architecture.causal else "reads ahead", *(["step by step"] if architecture.carries else [])]
    if not architecture.extends:
        said.append("up to the training length")
    return [*said, *(["informed"] if architecture.informed else [])]


def _sizes(name: str, entry: plugins.Entry) -> dict[str, Any]:
    """Return parameters and bytes of state at width 128; ours are known, and what other packages bring is built here.

    `state_bytes` is null where what has to be kept grows with the row, and both are where no layer can be built: `missing` says why.
    """
    if entry.module == "suite.architectures" and name in SIZES:
        parameters, state = SIZES[name]
    else:
        from suite import catalogue  # loads TensorFlow

        try:
            parameters, state = catalogue.sizes(entry.value)
        except ValueError as error:
            return {"parameters": None, "state_bytes": None, "state": None, "missing": str(error)}
    return {"parameters": parameters, "state_bytes": state, "state": "the row" if state is None else state}


def _architecture(architecture: Architecture) -> dict[str, Any]:
    return {
        "source": architecture.source,
        "family": architecture.family,
        "kinds": sorted(architecture.kinds),
        "causal": architecture.causal,
        "carries": architecture.carries,
        "extends": architecture.extends,
        "informed": architecture.informed,
        "can": abilities(architecture),
        "role": architecture.role,
        "options": canonical.canonical(architecture.options),
        "target": architecture.target,
    }


def _task(task: Task) -> dict[str, Any]:
    """Floors need the data; where a corpus is missing, they are null and `missing` says what to do."""
    facts: dict[str, Any] = {"fields": canonical.fields(task), "main": task.main, "selects": task.selects, "solved": task.solved}
    try:
        card, metrics = task.describe(), task.metrics("test")
        kind = {"kind": task.spec.kind, "length": task.spec.length}
    except ValueError as error:
        return {"source": None, "floors": None, **facts, "missing": str(error)}
    return {
        "source": card.source,
        "floors": {name: dict(metric.floors) for name, metric in metrics.items()},
        "ceilings": {name: metric.ceiling for name, metric in metrics.items()},
        **kind,
        **facts,
        "licence": card.licence,
    }


def _experiment(experiment: Any) -> dict[str, Any]:
    trials = len(experiment.settings) * len(experiment.architectures) * (experiment.trials + len(experiment.seeds))
    return {
        "source": "frozen definition",
        "question": experiment.question,
        "settings": [setting.label for setting in experiment.settings],
        "architectures": list(experiment.architectures),
        "trials": experiment.trials,
        "seeds": len(experiment.seeds),
        "trainings": trials,
    }
