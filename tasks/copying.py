"""The copying memory problem: repeat a string after a long silence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from suite.task import Array, Baseline, Batch, Meter, Metric, Prediction, Spec
from tasks.counting import counted_nats, mode_share, sorted_share
from tasks.generated import Generated
from tasks.guesses import Guess, of_classes
from tasks.meters import Means, loss


@dataclass(frozen=True, kw_only=True)
class Copying(Generated):
    """Repeat `length` symbols after `delay` steps of silence.

    x: 3 1 2 . . . : . . .      . blank (id 0)    : recall (id symbols + 1)
    y: . . . . . . . 3 1 2      length 3, delay 4; both (batch, delay + 2 * length), every step weighs 1

    arjovsky (default): as above. bai: the recall sign stands to the end of the row, ids come as one number a step,
    x (batch, time, 1), and the sign is a class too. s4: `delay` blanks, then a recall sign for each symbol; only the
    answers weigh. The defaults follow Arjovsky: 10 of 8 symbols.

    Source: Arjovsky et al. (2016), arXiv:1511.06464; Bai et al. (2018), arXiv:1803.01271; Gu et al. (2022), arXiv:2111.00396.
    """

    name: ClassVar[str] = "copying"
    main: ClassVar[str] = "recall"

    length: int = 10
    delay: int = 100
    symbols: int = 8
    convention: Literal["arjovsky", "bai", "s4"] = "arjovsky"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("length", 1), ("delay", 1), ("symbols", 2)):
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        if self.convention not in ("arjovsky", "bai", "s4"):
            raise ValueError(f"convention must be arjovsky, bai or s4, got {self.convention!r}")

    @cached_property
    def spec(self) -> Spec:
        time = self.delay + 2 * self.length
        scalar = self.convention == "bai"
        return Spec(
            kind="steps",
            loss="categorical",
            inputs=1 if scalar else self.symbols + 2,
            outputs=self.symbols + (1 if self.convention == "arjovsky" else 2),
            tokens=not scalar,
            causal=True,
            length=time,
            longest=time,
            lengths=(time,),
        )

    @property
    def solved(self) -> tuple[str, float]:
        return "loss", 0.1 * self._answers * math.log(self.symbols)

    @property
    def _answers(self) -> float:
        """Share of the weighted steps that ask for a symbol."""
        return 1.0 if self.convention == "s4" else self.length / (self.delay + 2 * self.length)

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        string = rng.integers(1, self.symbols + 1, (count, self.length), dtype=np.int32)
        blank = np.zeros((count, self.delay + self.length), np.int32)
        x = np.concatenate([string, blank], axis=1)
        y = np.concatenate([blank, string], axis=1)
        weight = np.ones(y.shape, np.float32)
        sign = self.symbols + 1
        if self.convention == "s4":
            x[:, -self.length :] = sign
            weight[:, : -self.length] = 0
        elif self.convention == "bai":
            x[:, self.length + self.delay - 1 :] = sign
        else:
            x[:, self.length + self.delay - 1] = sign
        return Batch(x=x[:, :, None].astype(np.float32) if self.convention == "bai" else x, y=y, weight=weight)

    def metrics(self, split: str) -> Mapping[str, Metric]:
        uniform = self._answers * math.log(self.symbols)
        counts = self._answers * counted_nats(self.length, self.symbols)
        ratio = {"memoryless": 1.0, "counts only": counts / uniform}
        recall = {"memoryless": 1 / self.symbols, "counts only": mode_share(self.length, self.symbols)}
        exact = {"memoryless": self.symbols**-self.length, "sorted": sorted_share(self.length, self.symbols)}
        return {
            "loss": Metric(
                "nats per step",
                "min",
                {"memoryless": uniform, "counts only": counts},
                0.0,
                "blanks for nothing; each answer a uniform guess, or in proportion to the counts of the string",
            ),
            "relative": Metric("loss / memoryless loss", "min", ratio, 0.0, "the same, in units of the uniform guess"),
            "recall": Metric("share of symbols", "max", recall, 1.0, "one symbol always; the commonest of the string, repeated"),
            "exact": Metric("share of strings", "max", exact, 1.0, "one string always; the string sorted, right for each multiset once"),
        }

    def meter(self, split: str) -> Meter:
        uniform = self._answers * math.log(self.symbols)

        def relative(batch: Batch, prediction: Prediction) -> tuple[Array, Array]:
            return prediction.loss / uniform, batch.weight

        def recall(batch: Batch, prediction: Prediction) -> tuple[Array, Array]:
            return self._hits(batch, prediction), batch.weight[:, -self.length :]

        def exact(batch: Batch, prediction: Prediction) -> tuple[Array, Array]:
            right: Array = np.all(self._hits(batch, prediction), axis=1)
            return right, batch.weight[:, -self.length :].max(axis=1)

        return Means({"loss": loss, "relative": relative, "recall": recall, "exact": exact})

    def _hits(self, batch: Batch, prediction: Prediction) -> Array:
        hits: Array = prediction.best[:, -self.length :] == batch.y[:, -self.length :]
        return hits

    def baselines(self) -> Mapping[str, Baseline]:
        uniform = np.full(self.symbols, 1 / self.symbols)
        return {
            "memoryless": Guess(lambda batch: self._guess(batch, np.broadcast_to(uniform, (len(batch.x), self.length, self.symbols)))),
            "counts only": Guess(lambda batch: self._guess(batch, np.repeat(self._counts(batch)[:, None], self.length, axis=1))),
            "sorted": Guess(self._sorted),
        }

    def _string(self, batch: Batch) -> Array:
        ids = batch.x[:, : self.length]
        return (ids[:, :, 0] if ids.ndim == 3 else ids).astype(int)

    def _counts(self, batch: Batch) -> Array:
        """Return the share of each symbol in the string, (batch, symbols)."""
        return (self._string(batch)[:, :, None] == np.arange(1, self.symbols + 1)).mean(axis=1)

    def _guess(self, batch: Batch, answers: Array) -> Prediction:
        """Return blanks for sure, then these probabilities of the answers, (batch, length, symbols)."""
        probabilities = np.zeros((*batch.y.shape, self.spec.outputs))
        probabilities[:, : -self.length, 0] = 1
        probabilities[:, -self.length :, 1 : self.symbols + 1] = answers
        return of_classes(batch.y, probabilities)

    def _sorted(self, batch: Batch) -> Prediction:
        best = np.zeros(batch.y.shape, np.int32)
        best[:, -self.length :] = np.sort(self._string(batch), axis=1)
        return Prediction(loss=np.full(best.shape, np.nan), best=best)

    def tiny(self) -> "Copying":
        return replace(super().tiny(), length=2, delay=3, symbols=2)
