"""What tuning cost and what it bought: expected validation score by budget, and the budget at which the best changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from suite import statistics
from suite.report.entry import Entry, middle
from suite.result import Curve


@dataclass(frozen=True)
class Tuning:
    """The sweep of one row: its finished trials, scored on validation, failures as the floor."""

    entry: Entry

    @cached_property
    def scores(self) -> list[float]:
        """The scores of finished trials; none counts worse than the floor, as in the choice."""
        worst = max if self.entry.selection.better == "max" else min
        return [worst(trial.score, self.entry.selection.floor) for trial in self.entry.tuning if trial.score is not None]

    @cached_property
    def expected(self) -> list[float]:
        """The expected best validation score after 1, 2, ... trials; empty where no trial is finished."""
        if not self.scores:
            return []
        return [float(value) for value in statistics.expected_validation(self.scores, self.entry.selection.better)]

    @property
    def failed(self) -> int:
        return sum(trial.failed for trial in self.entry.tuning)

    @property
    def seconds(self) -> float | None:
        """Wall seconds of one trial, the median."""
        return middle(trial.record.cost.get("speed/wall_seconds") for trial in self.entry.tuning if trial.record is not None)

    @property
    def total_seconds(self) -> float:
        """Wall seconds of all finished runs, evaluation and finalists included."""
        spent = (record.cost.get("speed/wall_seconds", 0.0) for record in self.entry.group.records)
        return float(np.nansum(list(spent) or [0.0]))

    def by_trials(self) -> Curve:
        """Expected best against trials."""
        return tuple((float(n), value) for n, value in enumerate(self.expected, start=1))

    def by_seconds(self) -> Curve:
        """Expected best against the wall seconds of so many trials."""
        each = self.seconds
        return () if not each else tuple((n * each, value) for n, value in self.by_trials())

    @property
    def columns(self) -> list[str]:
        """The names of the values that trials drew: shared ones in their order, then the architecture's own."""
        names: dict[str, None] = {}
        for trial in self.entry.tuning:
            if trial.record is not None:
                names.update(dict.fromkeys(sorted(trial.record.values)))
        first = [name for name in ("learning_rate", "clip", "dropout", "weight_decay") if name in names]
        return first + [name for name in names if name not in first]


def leaders(rows: Sequence[Entry]) -> list[tuple[int, str]]:
    """Return (trials, model): from how many trials on each model leads by expected validation score, over budgets that all have."""
    models = [entry for entry in rows if entry.block == "model"]
    tunings = {entry.name: Tuning(entry) for entry in models}
    if len(models) < 2 or not all(tuning.expected for tuning in tunings.values()):
        return []
    sign = 1.0 if models[0].selection.better == "max" else -1.0
    found: list[tuple[int, str]] = []
    for n in range(min(len(tuning.expected) for tuning in tunings.values())):
        name = max(tunings, key=lambda name: sign * tunings[name].expected[n])
        if not found or found[-1][1] != name:
            found.append((n + 1, name))
    return found
