"""First-token recall: what came first, after so many other symbols."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from suite.task import Baseline, Batch, Meter, Metric, Prediction, Spec
from tasks.counting import counted_nats, mode_share
from tasks.generated import Generated
from tasks.guesses import Guess, of_classes
from tasks.meters import Means, accuracy, loss


@dataclass(frozen=True, kw_only=True)
class FirstToken(Generated):
    """Say which symbol came first.

    x: 3 0 5 3 1 7        ids 0 to `symbols` - 1; x (batch, length)
    y: 3                  y (batch,)

    All symbols are alike, and nothing marks the first one but that nothing came before. One model a length: the length at which
    accuracy has fallen half-way to chance says how far back an architecture remembers.

    Source: a plain form of the latching problem, Bengio et al. (1994), doi:10.1109/72.279181.
    """

    name: ClassVar[str] = "first-token"
    main: ClassVar[str] = "accuracy"

    length: int = 40
    symbols: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("length", "symbols"):
            if (value := getattr(self, name)) < 2:
                raise ValueError(f"{name} must be at least 2, got {value}")

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="once",
            loss="categorical",
            inputs=self.symbols,
            outputs=self.symbols,
            tokens=True,
            length=self.length,
            longest=self.length,
            lengths=(self.length,),
        )

    @property
    def solved(self) -> tuple[str, float]:
        return "accuracy", 0.99

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        x = rng.integers(0, self.symbols, (count, self.length), dtype=np.int32)
        return Batch(x=x, y=x[:, 0].copy(), weight=np.ones(count, np.float32))

    def metrics(self, split: str) -> Mapping[str, Metric]:
        nats = {"memoryless": math.log(self.symbols), "counts only": counted_nats(self.length, self.symbols)}
        share = {"memoryless": 1 / self.symbols, "counts only": mode_share(self.length, self.symbols)}
        why = "a uniform guess, for the last symbol tells nothing; the counts of the row, of which any may be the first"
        return {"loss": Metric("nats per row", "min", nats, 0.0, why), "accuracy": Metric("share of rows", "max", share, 1.0, why)}

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "accuracy": accuracy})

    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "memoryless": Guess(lambda batch: of_classes(batch.y, np.full(self.symbols, 1 / self.symbols))),
            "counts only": Guess(self._counted),
        }

    def _counted(self, batch: Batch) -> Prediction:
        return of_classes(batch.y, (batch.x[:, :, None] == np.arange(self.symbols)).mean(axis=1))

    def tiny(self) -> "FirstToken":
        return replace(super().tiny(), length=5, symbols=4)
