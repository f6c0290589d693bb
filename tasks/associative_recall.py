"""Multi-query associative recall: look up the value that was given with a key."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from suite.task import Array, Baseline, Batch, Meter, Metric, Prediction, Spec
from tasks.generated import Generated
from tasks.guesses import Guess, of_classes
from tasks.meters import Means, accuracy, all_right, loss


@dataclass(frozen=True, kw_only=True)
class AssociativeRecall(Generated):
    """Give `pairs` pairs of key and value, then ask for the value of each key once.

    x: 3 9 1 7 1 . . . 3 .      keys 1 to vocabulary / 2 - 1, values from vocabulary / 2 on, no key and no value twice
    y: _ _ _ _ 7 _ _ _ 9 _      2 pairs, length 10; both (batch, length), only answers weigh; y holds ids less vocabulary / 2

    A key asks at one of the even steps behind the pairs; the g-th of them is drawn with weight g^(power - 1), so that most ask soon.
    In the source the first key draws first, so that the place of a question tells something of its answer; here no key goes first.
    `filler` random puts any id where nothing asks, blank puts 0. The defaults run on a CPU; the source has a vocabulary of 8192
    and (length, pairs) of (64, 4), (128, 8), (256, 16), (512, 64).

    Source: Arora et al. (2023), arXiv:2312.04927.
    """

    name: ClassVar[str] = "associative-recall"
    main: ClassVar[str] = "accuracy"

    length: int = 32
    pairs: int = 4
    vocabulary: int = 64
    power: float = 0.01
    filler: Literal["random", "blank"] = "random"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pairs < 2:
            raise ValueError(f"pairs must be at least 2, got {self.pairs}")
        if self.length < 4 * self.pairs:
            raise ValueError(f"length must be at least 4 pairs ({4 * self.pairs} steps), got {self.length}")
        if self.vocabulary % 2 or self.vocabulary < 2 * self.pairs + 2:
            raise ValueError(f"vocabulary must be even and at least {2 * self.pairs + 2}, got {self.vocabulary}")
        if not self.power > 0:
            raise ValueError(f"power must be above 0, got {self.power}")
        if self.filler not in ("random", "blank"):
            raise ValueError(f"filler must be random or blank, got {self.filler!r}")

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="steps",
            loss="categorical",
            inputs=self.vocabulary,
            outputs=self._values,
            tokens=True,
            causal=True,
            length=self.length,
            longest=self.length,
            lengths=(self.length,),
        )

    @property
    def solved(self) -> tuple[str, float]:
        return "accuracy", 0.99

    @property
    def _values(self) -> int:
        return self.vocabulary // 2

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        keys = 1 + rng.random((count, self._values - 1)).argsort(axis=1)[:, : self.pairs]
        values = rng.random((count, self._values)).argsort(axis=1)[:, : self.pairs]
        given = 2 * self.pairs
        x = np.zeros((count, self.length), np.int32)
        if self.filler == "random":
            x = rng.integers(0, self.vocabulary, x.shape, dtype=np.int32)
        x[:, 0:given:2], x[:, 1:given:2] = keys, self._values + values
        steps = given + 2 * self._gaps(rng, count)
        y, weight = np.zeros_like(x), np.zeros(x.shape, np.float32)
        np.put_along_axis(x, steps, keys.astype(np.int32), axis=1)
        np.put_along_axis(y, steps, values.astype(np.int32), axis=1)
        np.put_along_axis(weight, steps, np.float32(1), axis=1)
        return Batch(x=x, y=y, weight=weight)

    def _gaps(self, rng: np.random.Generator, count: int) -> Array:
        """Return for each key where it asks, (batch, pairs): drawn without replacement, as a race of exponential clocks."""
        weight = np.arange(1, (self.length - 2 * self.pairs) // 2 + 1) ** (self.power - 1)
        rung = rng.exponential(size=(count, len(weight))) / weight
        return rng.permuted(rung.argsort(axis=1)[:, : self.pairs], axis=1)

    def metrics(self, split: str) -> Mapping[str, Metric]:
        values, pairs = self._values, self.pairs
        why = "any value; any value of the row"
        return {
            "loss": Metric("nats per query", "min", {"memoryless": math.log(values), "counts only": math.log(pairs)}, 0.0, why),
            "accuracy": Metric("share of queries", "max", {"memoryless": 1 / values, "counts only": 1 / pairs}, 1.0, why),
            "exact": Metric(
                "share of rows",
                "max",
                {"counts only": 0.0, "in order": 1 / math.factorial(pairs)},
                1.0,
                "one value never answers all; the values in the order given, right where the keys ask in it",
            ),
        }

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "accuracy": accuracy, "exact": all_right})

    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "memoryless": Guess(lambda batch: of_classes(batch.y, np.full(self._values, 1 / self._values))),
            "counts only": Guess(self._among),
            "in order": Guess(self._ordered),
        }

    def _among(self, batch: Batch) -> Prediction:
        """Return the prediction that takes the values of a row for equally probable."""
        shares = np.zeros((len(batch.x), self._values))
        np.put_along_axis(shares, batch.x[:, 1 : 2 * self.pairs : 2] - self._values, 1 / self.pairs, axis=1)
        return of_classes(batch.y, np.repeat(shares[:, None], self.length, axis=1))

    def _ordered(self, batch: Batch) -> Prediction:
        """Answer the first question with the first value, and so on."""
        number = np.clip(np.cumsum(batch.weight > 0, axis=1) - 1, 0, self.pairs - 1)
        values = batch.x[:, 1 : 2 * self.pairs : 2] - self._values
        return Prediction(loss=np.full(batch.y.shape, np.nan), best=np.take_along_axis(values, number, axis=1))

    def tiny(self) -> "AssociativeRecall":
        return replace(super().tiny(), length=8, pairs=2, vocabulary=8)
