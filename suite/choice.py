"""Chooses on validation: who goes on to the finals, who wins them, and whether the best learning rate lies at the edge."""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from suite.result import Outcome, Value
from suite.task import Metric, Task

EDGE = 0.1  # of the (log) range, at both ends

Scores = Mapping[str, Mapping[str, float]]


class Known(NamedTuple):
    """What the choice needs of a finished run."""

    outcome: Outcome
    scores: Scores
    cost: Mapping[str, float]

    def value(self, split: str, metric: str) -> float:
        """Return a score; NaN where there is none, or where the run failed."""
        return self.scores.get(split, {}).get(metric, math.nan) if self.outcome == "done" else math.nan


def scored(value: float, metric: Metric) -> float:
    """Return a score no worse than the floor: a failed run scores the floor."""
    if math.isnan(value):
        return metric.floor
    return max(value, metric.floor) if metric.better == "max" else min(value, metric.floor)


def ranked(found: Mapping[int, Sequence[float]], metric: Metric) -> list[int]:
    """Return the numbers of the trials, the best median first.

    All at or below the floor score the same; among them a run that ended well goes before a failed one, then the better
    raw score, then the lower number.
    """
    sign = 1.0 if metric.better == "max" else -1.0

    def standing(number: int) -> tuple[float, float, int]:
        values = found[number]
        clipped = median(sign * scored(value, metric) for value in values)
        raw = median(-math.inf if math.isnan(value) else sign * value for value in values)
        return -clipped, -raw, number

    return sorted(found, key=standing)


def at_edge(distribution: Any, value: Value) -> bool:
    """Return whether a value lies in the outer tenth of its range, on a log scale where the range is logarithmic."""
    low, high = getattr(distribution, "low", None), getattr(distribution, "high", None)
    if low is None or high is None or low == high or not isinstance(value, (int, float)):
        return False
    scale = math.log if getattr(distribution, "log", False) else float
    share = (scale(value) - scale(low)) / (scale(high) - scale(low))
    return bool(share < EDGE or share > 1 - EDGE)


def floors(task: Task, *, phase: str) -> dict[str, dict[str, float]]:
    """Return what a trial scores whose process died."""
    splits = ["validation", *(tests(task) if phase == "evaluation" else ())]
    wanted = {split: task.metrics(split) for split in splits}
    return {
        split: {name: metric.floor for name, metric in metrics.items() if not (metric.final and phase == "tuning")}
        for split, metrics in wanted.items()
    }


def tests(task: Task) -> tuple[str, ...]:
    """Return the splits that only the evaluation reads."""
    return tuple(split for split in task.splits if split.partition("/")[0] == "test")
