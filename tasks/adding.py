"""The adding problem: remember two marked numbers, far apart, and add them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from suite.task import Array, Baseline, Batch, Meter, Metric, Prediction, Spec
from tasks.generated import Generated
from tasks.guesses import Guess, of_values
from tasks.meters import Means, loss

CLOSE = 0.04  # an answer this near counts as right (Hochreiter & Schmidhuber 1997)


@dataclass(frozen=True, kw_only=True)
class Adding(Generated):
    """Add the two marked values of a row; with `ordered`, take the second from the first, which no bag of steps can do.

    value .3 .9 .2 .6 .1 .8        x: (batch, time, 2), value and mark
    mark   .  1  .  .  1  .        y: (batch,), .9 + .1 = 1.0; ordered: .9 - .1 = .8

    arjovsky (default): values U(0,1), one mark in each half. bai: values U(0,1), two marks anywhere.
    hs1997: values U(-1,1), `length` to 1.1 `length` steps, marks -1 at both ends of a row, the first 1 among steps 2 to 10,
    the second in the first half; y = .5 + sum / 4. The original lets the first 1 fall on step 1 and then sets that value to 0.

    Source: Hochreiter & Schmidhuber (1997), doi:10.1162/neco.1997.9.8.1735; Arjovsky et al. (2016), arXiv:1511.06464;
    Bai et al. (2018), arXiv:1803.01271.
    """

    name: ClassVar[str] = "adding"

    length: int = 100
    convention: Literal["arjovsky", "bai", "hs1997"] = "arjovsky"
    ordered: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.convention not in ("arjovsky", "bai", "hs1997"):
            raise ValueError(f"convention must be arjovsky, bai or hs1997, got {self.convention!r}")
        least = 6 if self.convention == "hs1997" else 2
        if self.length < least:
            raise ValueError(f"length must be at least {least} steps, got {self.length}")

    @cached_property
    def spec(self) -> Spec:
        longest = self.length + self.length // 10 if self.convention == "hs1997" else self.length
        return Spec(kind="once", loss="squared", inputs=2, outputs=1, tokens=False, length=longest, longest=longest, lengths=(longest,))

    @property
    def solved(self) -> tuple[str, float]:
        return "loss", 0.06 * self._variance  # .01 where values are U(0,1)

    @property
    def _scale(self) -> float:
        """Units of y for one unit of a U(0,1) value."""
        return 0.5 if self.convention == "hs1997" else 1.0

    @property
    def _variance(self) -> float:
        return self._scale**2 / 6

    @property
    def _mean(self) -> float:
        if self.convention == "hs1997":
            return 0.5
        return 0.0 if self.ordered else 1.0

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        time = self.spec.longest
        low = -1.0 if self.convention == "hs1997" else 0.0
        value = rng.uniform(low, 1.0, (count, time)).astype(np.float32)
        row = np.arange(count)
        first, second = self._marks(rng, count)
        mark = np.zeros((count, time), np.float32)
        mark[row, first], mark[row, second] = 1, 1
        early, late = value[row, np.minimum(first, second)], value[row, np.maximum(first, second)]
        y = early - late if self.ordered else early + late
        if self.convention != "hs1997":
            return Batch(x=np.stack([value, mark], axis=2), y=y, weight=np.ones(count, np.float32))
        last = rng.integers(self.length, time + 1, count) - 1
        mark[row, 0], mark[row, last] = -1, -1
        mask = np.arange(time) <= last[:, None]
        x = np.stack([value, mark], axis=2) * mask[:, :, None]
        return Batch(x=x, y=0.5 + y / 4, weight=np.ones(count, np.float32), mask=mask)

    def _marks(self, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
        """Return the steps of the two marks, each (batch,), in no order of time for bai and hs1997."""
        half = self.length // 2
        if self.convention == "arjovsky":
            return rng.integers(0, half, count), rng.integers(half, 2 * half, count)
        if self.convention == "bai":
            first = rng.integers(0, self.length, count)
            return first, (first + rng.integers(1, self.length, count)) % self.length
        first = rng.integers(1, min(10, half), count)
        second = 1 + (first - 1 + rng.integers(1, half - 1, count)) % (half - 1)
        return first, second

    def metrics(self, split: str) -> Mapping[str, Metric]:
        near = CLOSE / self._scale
        why = "the sum (or difference) of two U(0,1) has variance 1/6"
        return {
            "loss": Metric(
                "squared error", "min", {"constant": self._variance}, 0.0, f"{why}, times {self._scale**2:g}; order-free is no better"
            ),
            "accuracy": Metric(
                "share of rows", "max", {"constant": 2 * near - near**2}, 1.0, f"mass of a triangle within {near:g} of its middle"
            ),
        }

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "accuracy": close})

    def baselines(self) -> Mapping[str, Baseline]:
        return {"constant": Guess(lambda batch: of_values(batch.y, np.array(self._mean)))}

    def tiny(self) -> "Adding":
        return replace(super().tiny(), length=12)


def close(batch: Batch, prediction: Prediction) -> tuple[Array, Array]:
    """Return 1 where the answer is within .04 of the truth."""
    return np.abs(prediction.best.reshape(batch.y.shape) - batch.y) < CLOSE, batch.weight
