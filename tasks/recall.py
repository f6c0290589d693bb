"""The base of tasks that give a string and later ask for it, symbol by symbol: their floors, scores and baselines."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np

from suite.task import Array, Baseline, Batch, Meter, Metric, Prediction, Spec
from tasks.counting import counted_nats, mode_share, sorted_share
from tasks.generated import Generated
from tasks.guesses import Guess, of_classes
from tasks.meters import Means, accuracy, all_right, loss


@dataclass(frozen=True, kw_only=True)
class Recall(Generated):
    """Give a uniform string once, ask for it in its order: at each recall sign of x stands one of its symbols in y.

    Ids of x: 0 blank, 1 to `symbols` the symbols, `symbols` + 1 the recall sign. y is the symbol's id less 1, weighed at the signs.
    A subclass gives `name`, `longest` (steps) and `asked`.
    """

    main: ClassVar[str] = "recall"

    length: int = 4
    symbols: int = 6

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("length", 1), ("symbols", 2)):
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")

    @property
    @abstractmethod
    def longest(self) -> int: ...

    @abstractmethod
    def asked(self, rng: np.random.Generator, string: Array) -> tuple[Array, Array | None]:
        """Return x (batch, time) that gives this string (batch, length) of ids and then asks for it, and its mask if lengths differ."""

    @cached_property
    def spec(self) -> Spec:
        time = self.longest
        return Spec(
            kind="steps",
            loss="categorical",
            inputs=self.symbols + 2,
            outputs=self.symbols,
            tokens=True,
            causal=True,
            length=time,
            longest=time,
            lengths=(time,),
        )

    @property
    def solved(self) -> tuple[str, float]:
        return "loss", 0.1 * math.log(self.symbols)

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        string = rng.integers(1, self.symbols + 1, (count, self.length), dtype=np.int32)
        x, mask = self.asked(rng, string)
        signs = x == self.symbols + 1
        y = np.zeros_like(x)
        y[signs] = string.ravel() - 1
        return Batch(x=x, y=y, weight=signs.astype(np.float32), mask=mask)

    def metrics(self, split: str) -> Mapping[str, Metric]:
        length, symbols = self.length, self.symbols
        return {
            "loss": Metric(
                "nats per symbol",
                "min",
                {"memoryless": math.log(symbols), "counts only": counted_nats(length, symbols)},
                0.0,
                "a uniform guess; in proportion to the counts of the string",
            ),
            "recall": Metric(
                "share of symbols",
                "max",
                {"memoryless": 1 / symbols, "counts only": mode_share(length, symbols)},
                1.0,
                "one symbol always; the commonest of the string, repeated",
            ),
            "exact": Metric(
                "share of strings",
                "max",
                {"memoryless": symbols**-length, "sorted": sorted_share(length, symbols)},
                1.0,
                "one string always; the string sorted, right for each multiset once",
            ),
        }

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "recall": accuracy, "exact": all_right})

    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "memoryless": Guess(lambda batch: of_classes(batch.y, np.full(self.symbols, 1 / self.symbols))),
            "counts only": Guess(self._counted),
            "sorted": Guess(self._sorted),
        }

    def _string(self, batch: Batch) -> Array:
        """Return the string that each row gave, (batch, length), from 0."""
        given = (batch.x > 0) & (batch.x <= self.symbols)
        return batch.x[given].reshape(len(batch.x), self.length) - 1

    def _counted(self, batch: Batch) -> Prediction:
        shares = (self._string(batch)[:, :, None] == np.arange(self.symbols)).mean(axis=1)
        return of_classes(batch.y, np.repeat(shares[:, None], batch.y.shape[1], axis=1))

    def _sorted(self, batch: Batch) -> Prediction:
        best = np.zeros_like(batch.y)
        best[batch.x == self.symbols + 1] = np.sort(self._string(batch), axis=1).ravel()
        return Prediction(loss=np.full(best.shape, np.nan), best=best)

    def tiny(self) -> Self:
        return replace(super().tiny(), length=2, symbols=2)
