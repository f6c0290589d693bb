"""Rows for `suite list`: what is registered, where it comes from, and what can be had there for nothing."""

from typing import Any

from suite import canonical, plugins
from suite.task import Task


def rows(kind: str) -> list[dict[str, Any]]:
    """Return one plain object for each registered architecture, task or experiment (`kind` is one of these plurals)."""
    make = {"architectures": _architecture, "tasks": _task, "experiments": _experiment}[kind]
    return [{"name": name, **make(entry.value), "module": entry.module} for name, entry in plugins.table(kind.upper()).items()]


def _architecture(architecture: Any) -> dict[str, Any]:
    return {
        "source": architecture.source,
        "family": architecture.family,
        "kinds": sorted(architecture.kinds),
        "causal": architecture.causal,
        "carries": architecture.carries,
        "informed": architecture.informed,
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
