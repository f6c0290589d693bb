"""Equal runs, the counter languages a^n b^n and a^n b^n c^n: which letter may follow."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from suite.task import Array, Baseline, Batch, Meter, Metric, Prediction, Spec
from tasks.generated import Generated
from tasks.guesses import Guess, of_flags
from tasks.meters import Means, Parts, accuracy, loss


@dataclass(frozen=True, kw_only=True)
class EqualRuns(Generated):
    """Say after every letter of a^n b^n (`letters` 3: a^n b^n c^n) which ones may follow.

    x: a a b b        ids in the order of the alphabet; x (batch, time), then masked
    y: a a b end      flags: each letter, and the end, may follow; y (batch, time, letters + 1)
       b b

    n is 1 to `length` // `letters`, each as often as the others; in `test/length` every n from there to `longest` // `letters`.
    Behind an a both a and b may follow; from the first b on the word is fixed, to who has counted. A word counts as right only
    where all its steps are: a memoryless guess has all of them but the last of each run.

    Source: Suzgun et al. (2019), arXiv:1811.01001; Gers & Schmidhuber (2001), doi:10.1109/72.963769.
    """

    name: ClassVar[str] = "equal-runs"
    splits: ClassVar[tuple[str, ...]] = ("train", "validation", "test", "test/length", "probe")
    main: ClassVar[str] = "exact"
    notes: ClassVar[str] = "counts of letters tell all: no order is needed, only counting without bound"

    letters: int = 2
    length: int = 40
    longest: int = 100
    test_rows: int = 2_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.letters <= 26:
            raise ValueError(f"letters must be 2 to 26, got {self.letters}")
        for name, least in (("length", 3 * self.letters), ("longest", self.length + self.letters)):
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="steps",
            loss="binary",
            inputs=self.letters,
            outputs=self.letters + 1,
            tokens=True,
            causal=True,
            length=self.length,
            longest=self.longest,
            lengths=(self.length, self.longest),
        )

    @property
    def solved(self) -> tuple[str, float]:
        return "exact", 0.99

    def runs(self, split: str) -> Array:
        """Return every n of a split."""
        most = self.length // self.letters
        return np.arange(most + 1, self.longest // self.letters + 1) if split == "test/length" else np.arange(1, most + 1)

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        return self.drawn("train", rng, count)

    def drawn(self, split: str, rng: np.random.Generator, count: int) -> Batch:
        run = rng.choice(self.runs(split), count)[:, None]
        step = np.arange(self.longest if split == "test/length" else self.length)
        mask = step < self.letters * run
        x = (step // run * mask).astype(np.int32)
        follows = np.where(step % run == run - 1, x + 1, x)
        y = (follows[..., None] == np.arange(self.letters + 1)).astype(np.float32)
        y[:, :, :2] = np.where((x == 0)[..., None], 1, y[:, :, :2])
        return Batch(x=x, y=y * mask[..., None], weight=mask.astype(np.float32), mask=mask)

    @property
    def _turn(self) -> float:
        """Share of the letters behind the first run that end theirs, in training."""
        return 1 / float(self.runs("train").mean())

    def metrics(self, split: str) -> Mapping[str, Metric]:
        runs, later = self.runs(split), self.letters - 1
        mean, turn = float(runs.mean()), self._turn
        nats = -2 * ((mean - 1) * np.log(1 - turn) + np.log(turn)) * later / (self.letters * mean)
        exact = {"memoryless": 0.0, "shortest": float((runs == 1).mean())}
        why = "the present letter, and how often it ended its run in training; not a floor, since they tell all: counts"
        return {
            "loss": Metric("nats per step", "min", {"memoryless": float(nats)}, 0.0, why),
            "accuracy": Metric("share of steps", "max", {"memoryless": 1 - later / (self.letters * mean)}, 1.0, why),
            "exact": Metric("share of words", "max", exact, 1.0, "the end of a run is never foreseen; or every run has one letter"),
            "exact by length": Metric("share of words", "max", exact, 1.0, "the same, by the length of the word"),
        }

    def meter(self, split: str) -> Meter:
        terms = {"loss": loss, "accuracy": accuracy, "exact": _all_right}
        return Parts(Means(terms), name="exact by length", term=_all_right, part=_length)

    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "memoryless": Guess(lambda batch: self._guess(batch, self._turn)),
            "shortest": Guess(lambda batch: self._guess(batch, 1.0)),
            "counts only": Guess(self._counted),
        }

    def _guess(self, batch: Batch, turn: float) -> Prediction:
        """Return the prediction that a run behind the first ends with this probability at every step."""
        stay, leave = (batch.x[..., None] + shift == np.arange(self.letters + 1) for shift in (0, 1))
        first = (batch.x == 0)[..., None]
        found = of_flags(batch.y, np.where(first, stay | leave, (1 - turn) * stay + turn * leave))
        best = np.where(first, stay | leave, leave if turn > 0.5 else stay)
        return found._replace(best=best.astype(np.float32))

    def _counted(self, batch: Batch) -> Prediction:
        """Return the prediction that a run ends when it has as many letters as the first."""
        counts = np.cumsum(batch.x[..., None] == np.arange(self.letters), axis=1)
        now = np.take_along_axis(counts, batch.x[..., None], axis=2)[..., 0]
        follows = np.where(now == counts[..., 0], batch.x + 1, batch.x)
        flags = (follows[..., None] == np.arange(self.letters + 1)).astype(float)
        flags[..., :2] = np.where((batch.x == 0)[..., None], 1, flags[..., :2])
        return of_flags(batch.y, flags)

    def tiny(self) -> "EqualRuns":
        return replace(super().tiny(), length=4 * self.letters, longest=7 * self.letters)


def _all_right(batch: Batch, prediction: Prediction) -> tuple[Array, Array]:
    """Return 1 for each word of which every step is right, flag by flag."""
    hit, _ = accuracy(batch, prediction)
    right = (hit | (batch.weight == 0)).all(axis=1)
    return right, batch.weight.max(axis=1)


def _length(batch: Batch) -> Array:
    return np.zeros(len(batch.x)) if batch.mask is None else batch.mask.sum(axis=1)
