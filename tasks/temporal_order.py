"""Temporal order: remember which symbols came, and in which order."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from suite.task import Array, Baseline, Batch, Meter, Metric, Spec
from tasks.generated import Generated
from tasks.guesses import Guess, of_classes
from tasks.meters import Means, accuracy, loss

SYMBOLS = "abcdXYEB"
X, Y, FIRST, LAST = (SYMBOLS.index(symbol) for symbol in "XYEB")
WINDOWS = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}  # hundredths of `length`, both ends included


@dataclass(frozen=True, kw_only=True)
class TemporalOrder(Generated):
    """Say in which order the marks X and Y came among distractors a, b, c, d.

    x: E b X d a c Y a c B        y: 1, the class X Y, out of XX, XY, YX, YY        x (batch, time), y (batch,)

    Experiment 6a (`marks` 2, 4 classes) and 6b (`marks` 3, 8 classes): E first, B last after `length` to 1.1 `length` steps, the
    marks anywhere within 10-20 and 50-60 (6b: 10-20, 33-43 and 66-76) hundredths of `length`, rounded down; 100 is the original.
    Ids follow the order a b c d X Y E B; behind B the mask is False.

    Source: Hochreiter & Schmidhuber (1997), doi:10.1162/neco.1997.9.8.1735.
    """

    name: ClassVar[str] = "temporal-order"
    main: ClassVar[str] = "accuracy"

    length: int = 100
    marks: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.marks not in WINDOWS:
            raise ValueError(f"marks must be 2 or 3, got {self.marks}")
        if self.length < 10:
            raise ValueError(f"length must be at least 10 steps, got {self.length}")

    @cached_property
    def spec(self) -> Spec:
        longest = self.length + self.length // 10
        classes = 2**self.marks
        return Spec(
            kind="once",
            loss="categorical",
            inputs=len(SYMBOLS),
            outputs=classes,
            tokens=True,
            length=longest,
            longest=longest,
            lengths=(longest,),
        )

    @property
    def solved(self) -> tuple[str, float]:
        return "accuracy", 0.99

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        time = self.spec.longest
        row = np.arange(count)
        x = rng.integers(0, X, (count, time), dtype=np.int32)
        last = rng.integers(self.length, time + 1, count) - 1
        x[:, 0], x[row, last] = FIRST, LAST
        y = np.zeros(count, np.int32)
        for low, high in WINDOWS[self.marks]:
            mark = rng.integers(0, 2, count, dtype=np.int32)
            x[row, rng.integers(self.length * low // 100, self.length * high // 100 + 1, count)] = X + mark
            y = 2 * y + mark
        mask = np.arange(time) <= last[:, None]
        return Batch(x=x * mask, y=y, weight=np.ones(count, np.float32), mask=mask)

    @cached_property
    def _orders(self) -> Array:
        """Return how probable each class is given the number of Y, (marks + 1, classes)."""
        of_class = np.array([number.bit_count() for number in range(2**self.marks)])
        same = of_class == np.arange(self.marks + 1)[:, None]
        return same / same.sum(axis=1, keepdims=True)

    def metrics(self, split: str) -> Mapping[str, Metric]:
        classes = 2**self.marks
        ways = [math.comb(self.marks, count) for count in range(self.marks + 1)]
        nats = sum(way * math.log(way) for way in ways) / classes
        known = (self.marks + 1) / classes
        why = f"a guess among {classes}; or the number of Y, and a guess among its {', '.join(map(str, ways))} orders"
        return {
            "loss": Metric("nats per row", "min", {"memoryless": math.log(classes), "counts only": nats}, 0.0, why),
            "accuracy": Metric("share of rows", "max", {"memoryless": 1 / classes, "counts only": known}, 1.0, why),
        }

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "accuracy": accuracy})

    def baselines(self) -> Mapping[str, Baseline]:
        uniform = np.full(2**self.marks, 2.0**-self.marks)
        return {
            "memoryless": Guess(lambda batch: of_classes(batch.y, uniform)),
            "counts only": Guess(lambda batch: of_classes(batch.y, self._orders[(batch.x == Y).sum(axis=1)])),
        }

    def tiny(self) -> "TemporalOrder":
        return replace(super().tiny(), length=20)
