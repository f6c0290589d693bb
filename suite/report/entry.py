"""One row of the report: what a group's document and records say, failures scored as the floor."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from suite.result import Curve, Group, Record
from suite.statistics import Better
from suite.task import Metric

Block = Literal["model", "informed", "baseline", "fitted"]

BLOCKS: Mapping[Block, str] = {
    "model": "Models",
    "informed": "Informed models: told the task's length",
    "baseline": "Trained baselines",
    "fitted": "Fitted baselines: no gradients",
}
ORDER_FREE = frozenset({"pooled", "bag of words"})  # families of baselines that cannot know the order of a row


class TrialRow(NamedTuple):
    """A planned trial of the sweep, its record if it is finished, and its score (a failed one's is the floor)."""

    number: int
    record: Record | None
    score: float | None
    failed: bool


@dataclass(frozen=True)
class Entry:
    """An architecture, or a fitted baseline, on one setting."""

    group: Group

    @property
    def document(self) -> Mapping[str, Any]:
        return self.group.document

    @property
    def name(self) -> str:
        """The architecture's name; a fitted baseline's without its prefix."""
        return self.group.architecture.removeprefix("baseline:")

    @property
    def label(self) -> str:
        return self.group.label

    @property
    def experiment(self) -> Mapping[str, Any]:
        return self.document.get("experiment") or {}

    @property
    def architecture(self) -> Mapping[str, Any]:
        return self.document.get("architecture") or {}

    @property
    def size(self) -> Mapping[str, Any]:
        return self.document.get("size") or {}

    @property
    def chosen(self) -> Mapping[str, Any] | None:
        return self.document.get("chosen")

    @property
    def block(self) -> Block:
        if self.group.role == "model":
            return "informed" if self.architecture.get("informed") else "model"
        return self.group.role

    @property
    def order_free(self) -> bool:
        """Whether this is a baseline that cannot know the order of a row."""
        return self.block == "baseline" and self.architecture.get("family") in ORDER_FREE

    @property
    def maps(self) -> Mapping[str, tuple[Sequence[str], Sequence[str]]]:
        """The curves of the test split that are tables: what their rows and columns are."""
        return {name: (down, across) for name, (down, across) in ((self.document.get("card") or {}).get("maps") or {}).items()}

    @property
    def main(self) -> str:
        return str(self.document["main"])

    @property
    def selects(self) -> str:
        return str(self.document["selects"])

    @cached_property
    def metric(self) -> Metric:
        """The main metric on the test split."""
        return _metric(self.document, "test", self.main)

    @cached_property
    def selection(self) -> Metric:
        """The metric chosen on, on the validation split."""
        return _metric(self.document, "validation", self.selects)

    @cached_property
    def _by_key(self) -> dict[str, Record]:
        return {record.key: record for record in self.group.records}

    @property
    def planned(self) -> int:
        """How many evaluation runs there will be (a fitted baseline is scored once)."""
        return 1 if self.block == "fitted" else len(self.experiment.get("seeds", ()))

    @cached_property
    def evaluated(self) -> dict[int, Record]:
        """The finished evaluation runs by seed, in the order of the plan."""
        keys = self.document.get("keys") or {}
        if self.block == "fitted":
            found = [self._by_key[key] for key in keys.get("baseline", ()) if key in self._by_key]
            return dict(enumerate(found))
        return {int(seed): self._by_key[key] for seed, key in keys.get("evaluation", ()) if key in self._by_key}

    @cached_property
    def scores(self) -> dict[int, float]:
        """The main metric on the test split by seed; failures score the floor, what a fitted baseline cannot define is absent."""
        found = {}
        for seed, record in self.evaluated.items():
            value = score(record, "test", self.main)
            if value is None and self.block == "fitted":
                continue
            found[seed] = self.metric.floor if value is None else value
        return found

    @cached_property
    def validation(self) -> list[float]:
        """The main metric on the validation split of the evaluation runs, where it was computed."""
        found = (score(record, "validation", self.main) for record in self.evaluated.values())
        return [value for value in found if value is not None]

    @property
    def failed(self) -> dict[int, bool]:
        """Which evaluation runs diverged, were capped or crashed, by seed."""
        return {seed: self.failure(self.evaluated[seed]) for seed in self.scores}

    def failure(self, record: Record) -> bool:
        """Whether an evaluation run is scored as the floor."""
        return record.outcome != "done" or score(record, "test", self.main) is None

    @cached_property
    def tuning(self) -> tuple[TrialRow, ...]:
        """The planned trials of the sweep, in order."""
        keys = (self.document.get("keys") or {}).get("tuning", ())
        return tuple(self._trial(number, self._by_key.get(key)) for number, key in enumerate(keys))

    @cached_property
    def finalists(self) -> tuple[tuple[int, int, Record | None], ...]:
        """Trial number, seed and record of each planned run of a finalist."""
        keys = (self.document.get("keys") or {}).get("finalist", ())
        return tuple((int(number), int(seed), self._by_key.get(key)) for number, seed, key in keys)

    def _trial(self, number: int, record: Record | None) -> TrialRow:
        if record is None:
            return TrialRow(number, None, None, False)
        value = score(record, "validation", self.selects)
        failed = record.outcome != "done" or value is None
        return TrialRow(number, record, self.selection.floor if value is None else value, failed)

    @property
    def measures(self) -> dict[tuple[str, str], Metric]:
        """Every metric of every test split, the main one left out."""
        found = {}
        for split, metrics in self.document["metrics"].items():
            for name in metrics if split.partition("/")[0] == "test" else ():
                if (split, name) != ("test", self.main):
                    found[split, name] = _metric(self.document, split, name)
        return found

    def values(self, split: str, name: str) -> list[float]:
        """The scores of the evaluation runs by another metric; failures score its floor, a metric that no run has gives none."""
        found = [score(record, split, name) for record in self.evaluated.values()]
        if all(value is None for value in found):
            return []
        floor = _metric(self.document, split, name).floor
        return [floor if value is None else value for value in found]

    @property
    def finished(self) -> bool:
        return len(self.evaluated) >= max(self.planned, 1)

    @property
    def status(self) -> str:
        """What is still missing, or "finished"."""
        if self.finished:
            return "finished"
        done = sum(trial.record is not None for trial in self.tuning)
        if done < len(self.tuning):
            return f"tuning, {done} of {len(self.tuning)} trials"
        if self.block == "fitted":
            return "not scored yet"
        missing = sum(record is None for *_, record in self.finalists)
        if missing:
            return f"finalists, {len(self.finalists) - missing} of {len(self.finalists)} runs"
        return f"evaluation, {len(self.evaluated)} of {self.planned} runs"

    def cost(self, name: str) -> float | None:
        """The median over evaluation runs of one of their costs."""
        return middle(record.cost.get(name) for record in self.evaluated.values())

    def curves(self, name: str) -> list[Curve]:
        """The finite points of a curve, one list an evaluation run that has any."""
        found = (clean(record.curves.get(name, ())) for record in self.evaluated.values())
        return [curve for curve in found if curve]

    def flow(self, name: str, *, trained: bool) -> float | None:
        """The median over evaluation runs of a gradient-flow number, at initialisation or at the end of training."""
        ends = (record.curves.get(f"grad/{name}", ()) for record in self.evaluated.values())
        return middle(curve[-1 if trained else 0][1] for curve in ends if curve)

    @property
    def lags(self) -> float | None:
        """How many lags the diagnostic batch has: a half-horizon of that many steps is censored."""
        lasts = [curve[-1][0] for name in ("grad/by_lag", "grad/by_lag_init") for curve in self.curves(name)]
        return max(lasts) + 1 if lasts else None


def entries(groups: Sequence[Group]) -> list[Entry]:
    """Return the rows of the report in its order: settings as they come, then blocks, then the architectures of the definition."""
    labels = list(dict.fromkeys(group.label for group in groups))
    blocks = list(BLOCKS)

    def place(entry: Entry) -> tuple[int, int, int, str]:
        names = list(entry.experiment.get("architectures", ()))
        listed = names.index(entry.name) if entry.name in names else len(names)
        return labels.index(entry.label), blocks.index(entry.block), listed, entry.name

    return sorted((Entry(group) for group in groups), key=place)


def by_setting(found: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Return the rows by their setting's label, in order."""
    settings: dict[str, list[Entry]] = {}
    for entry in found:
        settings.setdefault(entry.label, []).append(entry)
    return settings


def score(record: Record, split: str, metric: str) -> float | None:
    """Return a score where it is a finite number, else None."""
    value = record.scores.get(split, {}).get(metric)
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def clean(curve: Curve) -> Curve:
    """Return the points of a curve that are finite."""
    return tuple((float(x), float(y)) for x, y in curve if math.isfinite(x) and math.isfinite(y))


def middle(values: Iterable[float | None]) -> float | None:
    """Return the median of the finite values, or None where there are none."""
    kept = [value for value in values if value is not None and math.isfinite(value)]
    return float(np.median(kept)) if kept else None


def beats(first: float, second: float, better: Better) -> bool:
    """Whether the first score is strictly better."""
    return first > second if better == "max" else first < second


def _metric(document: Mapping[str, Any], split: str, name: str) -> Metric:
    return Metric(**document["metrics"][split][name])
