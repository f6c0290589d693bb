"""Induction heads: say what followed the sign when it came before, in rows far longer than those of training."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from suite.task import Array, Baseline, Batch, Meter, Metric, Prediction, Spec
from tasks.counting import counted_nats, mode_share
from tasks.generated import Generated
from tasks.guesses import Guess, of_classes
from tasks.meters import Means, Parts, accuracy, loss


@dataclass(frozen=True, kw_only=True)
class InductionHeads(Generated):
    """Say which symbol stood behind the sign => when it came the first time.

    x: 3 1 0 => 2 2 1 3 =>        y: 2        x (batch, time), ids 0 to `symbols` - 1 and => as `symbols`; y (batch,)

    Rows of `length` steps, the first sign at any step but the last two; `test/length` has rows of each of `test_lengths` instead,
    as many of one as of another on average, padded and masked. The defaults run on a CPU; the source trains on 256 steps and
    tests on 64 to 2^20.

    Source: Gu & Dao (2023), arXiv:2312.00752; Olsson et al. (2022), arXiv:2209.11895.
    """

    name: ClassVar[str] = "induction-heads"
    splits: ClassVar[tuple[str, ...]] = ("train", "validation", "test", "test/length", "probe")
    main: ClassVar[str] = "accuracy"

    length: int = 32
    symbols: int = 14
    test_lengths: tuple[int, ...] = (16, 32, 64, 128, 256)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.length < 4:
            raise ValueError(f"length must be at least 4 steps, got {self.length}")
        if self.symbols < 2:
            raise ValueError(f"symbols must be at least 2, got {self.symbols}")
        if not self.test_lengths or min(self.test_lengths) < 4 or len(set(self.test_lengths)) != len(self.test_lengths):
            raise ValueError(f"test_lengths must be different lengths of at least 4 steps, got {self.test_lengths}")

    @cached_property
    def spec(self) -> Spec:
        lengths = sorted({self.length, *self.test_lengths})
        return Spec(
            kind="once",
            loss="categorical",
            inputs=self.symbols + 1,
            outputs=self.symbols,
            tokens=True,
            length=self.length,
            longest=lengths[-1],
            lengths=tuple(lengths),
        )

    @property
    def solved(self) -> tuple[str, float]:
        return "accuracy", 0.99

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        return self._of(rng, np.full(count, self.length), self.length)._replace(mask=None)

    def drawn(self, split: str, rng: np.random.Generator, count: int) -> Batch:
        if split != "test/length":
            return self.rows(rng, count)
        return self._of(rng, rng.choice(self.test_lengths, count), self.spec.longest)

    def _of(self, rng: np.random.Generator, lengths: Array, time: int) -> Batch:
        row = np.arange(len(lengths))
        x = rng.integers(0, self.symbols, (len(lengths), time), dtype=np.int32)
        first = rng.integers(0, lengths - 2)
        x[row, first], x[row, lengths - 1] = self.symbols, self.symbols
        mask = np.arange(time) < lengths[:, None]
        return Batch(x=x * mask, y=x[row, first + 1], weight=np.ones(len(lengths), np.float32), mask=mask)

    def metrics(self, split: str) -> Mapping[str, Metric]:
        known = [length - 2 for length in (self.test_lengths if split == "test/length" else (self.length,))]
        nats = {"memoryless": math.log(self.symbols), "counts only": float(np.mean([counted_nats(n, self.symbols) for n in known]))}
        share = {"memoryless": 1 / self.symbols, "counts only": float(np.mean([mode_share(n, self.symbols) for n in known]))}
        why = "a uniform guess; the counts of the symbols of the row, of which the answer is one"
        return {
            "loss": Metric("nats per row", "min", nats, 0.0, why),
            "accuracy": Metric("share of rows", "max", share, 1.0, why),
            "accuracy by length": Metric("share of rows", "max", share, 1.0, why),
        }

    def meter(self, split: str) -> Meter:
        return Parts(Means({"loss": loss, "accuracy": accuracy}), name="accuracy by length", term=accuracy, part=steps)

    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "memoryless": Guess(lambda batch: of_classes(batch.y, np.full(self.symbols, 1 / self.symbols))),
            "counts only": Guess(self._counted),
        }

    def _counted(self, batch: Batch) -> Prediction:
        counts = ((batch.x[:, :, None] == np.arange(self.symbols)) & _valid(batch)[:, :, None]).sum(axis=1)
        return of_classes(batch.y, counts / counts.sum(axis=1, keepdims=True))

    def tiny(self) -> "InductionHeads":
        return replace(super().tiny(), length=8, test_lengths=(8, 16), symbols=4)


def steps(batch: Batch) -> Array:
    """Return the valid steps of each row, (batch,)."""
    return _valid(batch).sum(axis=1)


def _valid(batch: Batch) -> Array:
    return np.ones(batch.x.shape, bool) if batch.mask is None else batch.mask
