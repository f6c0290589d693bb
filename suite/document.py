"""The document of a group: everything of its definition that a report needs, so that reports need no code."""

from collections.abc import Mapping
from typing import Any

from suite import canonical, choice
from suite.architecture import Architecture
from suite.experiment import Experiment, Setting
from suite.plugins import Question, definition_hash
from suite.result import task_identity


def of_setting(question: Question, setting: Setting) -> dict[str, Any]:
    """Return the part that all groups of a setting share."""
    task = setting.task
    metrics = {split: task.metrics(split) for split in ("validation", *choice.tests(task))}
    return {
        "name": question.name,
        "reference": question.reference,
        "definition": definition_hash(question.experiment),
        "experiment": _without(question.experiment, "settings"),
        "setting": _without(setting, "task"),
        "task": task_identity(task),
        "spec": canonical.canonical(task.spec),
        "metrics": {split: {name: _metric(metric) for name, metric in found.items()} for split, found in metrics.items()},
        "main": task.main,
        "selects": task.selects,
        "solved": None if task.solved is None else list(task.solved),
        "card": canonical.canonical(task.describe()),
    }


def of_architecture(
    name: str, architecture: Architecture, experiment: Experiment, setting: Setting, size: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the part of one architecture, before any trial has run."""
    facts = ("target", "options", "wiring", "family", "source", "role", "informed", "carries")
    return {
        "architecture": {"name": name, **{fact: canonical.canonical(getattr(architecture, fact)) for fact in facts}},
        "size": dict(size),
        "space": canonical.canonical(experiment.shared_space(setting)),
        "own_space": canonical.canonical(architecture.space),
        "chosen": None,
    }


def of_baseline(name: str, key: str) -> dict[str, Any]:
    """Return the part of one fitted baseline."""
    return {
        "architecture": {"name": f"baseline:{name}", "role": "fitted", "informed": False},
        "keys": {"baseline": [key]},
        "chosen": None,
    }


def note(question: Question, setting: Setting) -> str:
    """Return the description that MLflow shows of an experiment, in Markdown."""
    task = setting.task
    metric = task.metrics("test")[task.main]
    floors = ", ".join(f"{value:.4g} ({name})" for name, value in metric.floors.items())
    return (
        f"**{question.experiment.question}**\n\n"
        f"{setting.label}: {setting.steps} steps of batch {setting.batch_size}, size {setting.size} ({question.experiment.regime}). "
        f"{task.main} in {metric.unit}: floor {floors}, ceiling {metric.ceiling:.4g}.\n\n"
        "Group runs by the tags `architecture`, `task` and `seed`; the tag `phase` tells tuning, finalist, evaluation and baseline "
        "apart. A parent run holds the definition and the medians of its group.\n"
    )


def _without(instance: Any, *names: str) -> dict[str, Any]:
    return {name: value for name, value in canonical.fields(instance).items() if name not in names}


def _metric(metric: Any) -> dict[str, Any]:
    return {**metric._asdict(), "floors": dict(metric.floors)}
