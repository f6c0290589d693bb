"""Refuses a question before any trial starts: what cannot work, and what to do about it."""

import re

from suite import choice, plugins
from suite.architecture import Architecture
from suite.experiment import SHARED_VALUES, Setting
from suite.rows import METRIC_NAME

_NAME = re.compile(r"[\w.\-+=,()@ :]+")  # no quote and no slash: names stand in MLflow's filters and in paths


def check(question: plugins.Question) -> dict[str, Architecture]:
    """Return the architectures of a question by name.

    Raises:
        ValueError: a name that cannot be stored, an architecture that cannot take a task, a corpus that is missing or
            damaged, an empty split, a metric that is not there.
    """
    experiment = question.experiment
    if experiment.sampler != "random":
        raise ValueError(f"sampler {experiment.sampler!r} is not built yet: use 'random', the one that comparisons rest on")
    for name in (question.name, *(setting.label for setting in experiment.settings), *experiment.architectures):
        if not _NAME.fullmatch(name):
            raise ValueError(f"a name holds letters, digits, spaces and any of . - + = , ( ) @ : _, got {name!r}")
    found = {name: plugins.architecture(name) for name in experiment.architectures}
    for name, architecture in found.items():
        if both := set(architecture.space) & set(SHARED_VALUES):
            raise ValueError(f"{name}: {sorted(both)} are shared values and cannot be searched by one architecture alone")
    for setting in experiment.settings:
        setting.task.digest()
        if setting.embedding is not None and not setting.task.spec.embeds:
            raise ValueError(f"{setting.label}: embedding belongs to tasks of tokens, got {setting.embedding} for {setting.task.name!r}")
        for name, architecture in found.items():
            if why := architecture.serves(setting.task.spec.kind, causal=setting.task.spec.causal):
                raise ValueError(f"{name} cannot take {setting.label!r}: it {why}")
        _metrics(setting)
        _splits(setting)
    return found


def _metrics(setting: Setting) -> None:
    task = setting.task
    for split in ("validation", *choice.tests(task)):
        metrics = task.metrics(split)
        for name in metrics:
            if "/" in name or not METRIC_NAME.fullmatch(name):
                raise ValueError(f"{setting.label}: a metric's name holds letters, digits, spaces and . - : _, got {name!r}")
        if split in ("validation", "test") and task.main not in metrics:
            raise ValueError(f"{setting.label}: the main metric {task.main!r} is not among those of {split}: {', '.join(metrics)}")
    if (selects := task.metrics("validation").get(task.selects)) is None or selects.final:
        raise ValueError(f"{setting.label}: trials rank by {task.selects!r}, which must be computed at every validation")


def _splits(setting: Setting) -> None:
    for split in setting.task.splits:
        first = next(iter(setting.task.batches(split, seed=0, batch_size=setting.batch_size)), None)
        if first is None or not first.weight.any():
            raise ValueError(f"{setting.label}: split {split!r} is empty")
