"""Who is best, and whether that can be told from the others: paired by seed, one family of tests a setting."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from suite import seeding, statistics
from suite.report.entry import Entry, beats
from suite.statistics import Interval

FEWEST_PAIRS = 5  # of fewer, all differences have one sign too often by chance
ALPHA = 0.05  # at five pairs, whose smallest p is .0625, all differences must have one sign


@dataclass(frozen=True)
class Pair:
    """The best model against another row; differences are positive where the best one is better."""

    other: Entry
    count: int  # seeds that both have
    difference: Interval  # IQM of the paired differences
    shift: float  # Hodges-Lehmann
    improvement: Interval  # P(a run of the best beats a run of the other)
    flip: float | None  # p of the exact sign-flip test; None where pairs are too many or too few
    adjusted: float | None  # the same after Holm
    ranks: float | None  # p of the signed-rank test; None where pairs are too few

    @property
    def separated(self) -> bool:
        """Whether the paired interval lies on one side of 0 and the exact test agrees, as far as so few pairs can."""
        p = self.ranks if self.flip is None else self.flip
        if self.count < FEWEST_PAIRS or p is None:
            return False
        return bool(self.difference.low > 0 or self.difference.high < 0) and p <= max(ALPHA, 2.0 ** (1 - self.count))


@dataclass(frozen=True)
class Comparison:
    """One setting: its rows, and what they say about each other."""

    rows: Sequence[Entry]

    @cached_property
    def estimates(self) -> dict[str, Interval]:
        """IQM with its interval, by architecture, of every trained row that has a score."""
        return {
            entry.name: self.interval(entry, "iqm", list(entry.scores.values()))
            for entry in self.rows
            if entry.block != "fitted" and entry.scores
        }

    @staticmethod
    def interval(entry: Entry, what: str, values: list[float]) -> Interval:
        """Return the IQM of these values of a row, and its interval."""
        return statistics.bootstrap(values, statistics.iqm, _generator(entry, what))

    @cached_property
    def best(self) -> Entry | None:
        """The model with the best IQM; informed ones only where there are no others."""
        for block in ("model", "informed"):
            scored = [entry for entry in self.rows if entry.block == block and entry.scores]
            if scored:
                sign = 1.0 if scored[0].metric.better == "max" else -1.0
                return max(scored, key=lambda e: (sign * self.estimates[e.name].value, sign * float(np.mean(list(e.scores.values())))))
        return None

    @cached_property
    def pairs(self) -> list[Pair]:
        """The best model against every other trained row, tests corrected together."""
        if self.best is None:
            return []
        pairs = [_pair(self.best, other) for other in self.rows if other.name in self.estimates and other is not self.best]
        known = [pair for pair in pairs if pair.flip is not None]
        adjusted = statistics.holm([pair.flip for pair in known if pair.flip is not None])
        family = {pair.other.name: float(p) for pair, p in zip(known, adjusted, strict=True)}
        return [replace(pair, adjusted=family.get(pair.other.name)) for pair in pairs]

    def pair(self, name: str) -> Pair | None:
        """Return the best model's pair with the row of this name."""
        return next((pair for pair in self.pairs if pair.other.name == name), None)

    @cached_property
    def trivial(self) -> tuple[str, float] | None:
        """The best of floors and fitted baselines, with its name: what every model must beat."""
        if not self.rows:
            return None
        metric = self.rows[0].metric
        found = [(f"floor: {name}", float(value)) for name, value in metric.floors.items()]
        found += [(entry.name, value) for entry in self.rows if entry.block == "fitted" for value in entry.scores.values()]
        found = [item for item in found if np.isfinite(item[1])]
        if not found:
            return None
        return (max if metric.better == "max" else min)(found, key=lambda item: item[1])

    def flags(self, entry: Entry) -> list[str]:
        """Return what a reader must know of a trained row beside its score."""
        if entry.name not in self.estimates:
            return []
        found, value, better = [], self.estimates[entry.name].value, entry.metric.better
        if self.trivial is not None and not beats(value, self.trivial[1], better):
            found.append(f"not better than {self.trivial[0]}")
        if entry.block in ("model", "informed"):
            found += [
                f"below {other.name}"
                for other in self.rows
                if other.block == "baseline" and other.name in self.estimates and beats(self.estimates[other.name].value, value, better)
            ]
        if abs(float(entry.size.get("deviation") or 0.0)) > 0.02:
            found.append("size off target")
        if entry.chosen and entry.chosen.get("edge"):
            found.append("learning rate at the edge of its range")
        if not entry.finished:
            found.append(entry.status)
        return found


@dataclass(frozen=True)
class Overall:
    """An architecture over all settings, in normalised scores: 0 at the floor, 1 at the ceiling."""

    name: str
    block: str
    iqm: Interval
    mean: float
    runs: int
    improvement: Interval | None  # of the best one over this one; None for the best itself


def overall(comparisons: Sequence[Comparison]) -> list[Overall]:
    """Return the rows of the architectures that have scores on every setting, best first; nothing where there is one setting."""
    if len(comparisons) < 2:
        return []
    tables = [{e.name: e for e in c.rows if e.name in c.estimates and e.metric.floor != e.metric.ceiling} for c in comparisons]
    names = [name for name in tables[0] if all(name in table for table in tables)]
    scaled = {
        name: [statistics.normalised(list(t[name].scores.values()), t[name].metric.floor, t[name].metric.ceiling) for t in tables]
        for name in names
    }
    found = []
    for name in names:
        first, every = tables[0][name], np.concatenate(scaled[name])
        iqm = statistics.stratified(scaled[name], statistics.iqm, _generator(first, "overall"))
        found.append(Overall(name, first.block, iqm, float(every.mean()), len(every), None))
    found.sort(key=lambda row: (-row.iqm.value, -row.mean))
    leader = next((row for row in found if row.block == "model"), None)
    if leader is None:
        return found
    return [
        row
        if row is leader
        else replace(
            row, improvement=statistics.improvement(scaled[leader.name], scaled[row.name], _generator(tables[0][row.name], "overall pair"))
        )
        for row in found
    ]


def _pair(best: Entry, other: Entry) -> Pair:
    sign = 1.0 if best.metric.better == "max" else -1.0
    seeds = [seed for seed in best.scores if seed in other.scores]
    first, second = list(best.scores.values()), list(other.scores.values())
    improvement = statistics.improvement([first], [second], _generator(other, "improvement"), best.metric.better)
    if not seeds:
        nothing = Interval(float("nan"), float("nan"), float("nan"))
        return Pair(other, 0, nothing, float("nan"), improvement, None, None, None)
    d = sign * np.array([best.scores[seed] - other.scores[seed] for seed in seeds])
    testable = 2 <= len(d) <= statistics.MOST_FLIPS
    return Pair(
        other=other,
        count=len(d),
        difference=statistics.bootstrap(d, statistics.iqm, _generator(other, "difference")),
        shift=float(statistics.hodges_lehmann(d)),
        improvement=improvement,
        flip=statistics.sign_flip(d) if testable else None,
        adjusted=None,
        ranks=statistics.signed_rank(d),
    )


def _generator(entry: Entry, what: str) -> np.random.Generator:
    return seeding.generator("report", str(entry.document.get("name", "")), entry.label, entry.name, what)
