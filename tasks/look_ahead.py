"""Look-ahead labelling: name the symbol that comes some steps later, which only a reader of the future can."""

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
from tasks.meters import Means, accuracy, loss


@dataclass(frozen=True, kw_only=True)
class LookAhead(Generated):
    """Label every step with the symbol that stands `ahead` steps later; say each label `delay` steps after its own.

    x: 3 1 4 1 5        ids 0 to `symbols` - 1; x (batch, length)
    y: 4 1 5 _ _        ahead 2, delay 0; y (batch, length)
       _ 4 1 5 _        ahead 2, delay 1
       _ _ 4 1 5        ahead 2, delay 2: each label is the present symbol

    With `ahead` above `delay`, the most that a model which reads only the past can have is the causal floor, whatever its size;
    a bidirectional one can have all. A `delay` as long as `ahead` is the control: then the past is enough.

    Source: the bidirectional network and its delayed counterpart, Schuster & Paliwal (1997), doi:10.1109/78.650093.
    """

    name: ClassVar[str] = "look-ahead"
    main: ClassVar[str] = "accuracy"
    notes: ClassVar[str] = "where ahead exceeds delay, a model that reads only the past cannot beat 1 / symbols, by design"

    length: int = 20
    symbols: int = 8
    ahead: int = 2
    delay: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.symbols < 2:
            raise ValueError(f"symbols must be at least 2, got {self.symbols}")
        if not 0 <= self.ahead < self.length:
            raise ValueError(f"ahead must be 0 to length - 1 ({self.length - 1} steps), got {self.ahead}")
        if not 0 <= self.delay <= self.ahead:
            raise ValueError(f"delay must be 0 to ahead ({self.ahead} steps), got {self.delay}")

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="steps",
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
        y, weight = np.zeros_like(x), np.zeros(x.shape, np.float32)
        said = slice(self.delay, self.delay + self.length - self.ahead)
        y[:, said], weight[:, said] = x[:, self.ahead :], 1
        return Batch(x=x, y=y, weight=weight)

    def metrics(self, split: str) -> Mapping[str, Metric]:
        blind = "causal" if self.ahead > self.delay else "constant"
        nats = {blind: math.log(self.symbols), "counts only": counted_nats(self.length, self.symbols)}
        share = {blind: 1 / self.symbols, "counts only": mode_share(self.length, self.symbols)}
        why = {
            "causal": "the past tells nothing of what is still to come, so that chance is the ceiling of every causal model; ",
            "constant": "one symbol always, for the present symbol is the label: a memoryless model can have all; ",
        }[blind]
        why += "the counts of the whole row, past and future, of which any may be the label"
        return {"loss": Metric("nats per step", "min", nats, 0.0, why), "accuracy": Metric("share of steps", "max", share, 1.0, why)}

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "accuracy": accuracy})

    def baselines(self) -> Mapping[str, Baseline]:
        uniform = Guess(lambda batch: of_classes(batch.y, np.full(self.symbols, 1 / self.symbols)))
        return {"causal" if self.ahead > self.delay else "constant": uniform, "counts only": Guess(self._counted)}

    def _counted(self, batch: Batch) -> Prediction:
        shares: Array = (batch.x[:, :, None] == np.arange(self.symbols)).mean(axis=1)
        return of_classes(batch.y, np.repeat(shares[:, None], self.length, axis=1))

    def tiny(self) -> "LookAhead":
        return replace(super().tiny(), length=self.ahead + 4, symbols=4)
