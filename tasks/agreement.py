"""Agreement at a distance: whether the verb is plural, when its subject stands far off and other nouns between."""

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
class Agreement(Generated):
    """Say whether the first noun of a row is singular (0) or plural (1), `lag` steps after it, with `attractors` more nouns between.

    x: the old KEYS to the cabinet here ?        y: 1, plural        x (batch, time), y (batch,); lag 5, 1 attractor

    Ids: singular nouns 0 to `nouns` - 1, their plurals the next `nouns`, then `words` other words, and ? as the last. Up to `lead`
    words stand before the subject; numbers of all nouns are coins, attractors stand anywhere between subject and ?, and may be any
    noun, so that only its place tells the subject. Behind ? the mask is False.

    The curve is accuracy by the number of attractors that disagree with the subject (Linzen et al., where errors grow with it).

    Source: Linzen et al. (2016), doi:10.1162/tacl_a_00115.
    """

    name: ClassVar[str] = "agreement"
    main: ClassVar[str] = "accuracy"

    lag: int = 20
    attractors: int = 1
    lead: int = 4
    nouns: int = 8
    words: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("lag", 1), ("lead", 0), ("nouns", 1), ("words", 1)):
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        if not 0 <= self.attractors < self.lag:
            raise ValueError(f"attractors must be 0 to lag - 1 ({self.lag - 1}), got {self.attractors}")

    @cached_property
    def spec(self) -> Spec:
        time = self.lead + 1 + self.lag
        return Spec(
            kind="once",
            loss="categorical",
            inputs=2 * self.nouns + self.words + 1,
            outputs=2,
            tokens=True,
            length=time,
            longest=time,
            lengths=(time,),
        )

    @property
    def solved(self) -> tuple[str, float]:
        return "accuracy", 0.99

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        first = rng.integers(0, self.lead + 1, count)[:, None]
        places = 1 + rng.random((count, self.lag - 1)).argsort(axis=1)[:, : self.attractors]
        number = rng.integers(0, 2, (count, 1 + self.attractors), dtype=np.int32)
        noun = rng.integers(0, self.nouns, number.shape, dtype=np.int32) + self.nouns * number
        x = rng.integers(2 * self.nouns, 2 * self.nouns + self.words, (count, self.spec.longest), dtype=np.int32)
        np.put_along_axis(x, np.concatenate([first, first + places], axis=1), noun, axis=1)
        np.put_along_axis(x, first + self.lag, np.int32(self.spec.inputs - 1), axis=1)
        mask = np.arange(x.shape[1]) <= first + self.lag
        return Batch(x=x * mask, y=number[:, 0].copy(), weight=np.ones(count, np.float32), mask=mask)

    def metrics(self, split: str) -> Mapping[str, Metric]:
        nouns = 1 + self.attractors
        share, nats, curve = {"memoryless": 0.5}, {"memoryless": math.log(2)}, {"memoryless": 0.5}
        why = "a coin, for ? tells nothing; "
        if self.attractors:
            share |= {"counts only": mode_share(nouns, 2), "nearest noun": 0.5}
            nats |= {"counts only": counted_nats(nouns, 2)}
            curve |= {"counts only": self._majority}
            why += "the numbers of all nouns, of which any may be the subject; the number of the last noun"
        else:
            why += "not a floor, since it tells the subject's number: counts, there being one noun"
        return {
            "loss": Metric("nats per row", "min", nats, 0.0, why),
            "accuracy": Metric("share of rows", "max", share, 1.0, why),
            "accuracy by disagreeing attractors": Metric("share of rows", "max", curve, 1.0, why),
        }

    @property
    def _majority(self) -> float:
        """Mean, over the numbers of attractors that disagree, of how often most nouns agree with the subject; a tie is a coin."""
        agree = [1 + self.attractors - disagree for disagree in range(self.attractors + 1)]
        return float(np.mean([0.5 + 0.5 * np.sign(2 * count - 1 - self.attractors) for count in agree]))

    def meter(self, split: str) -> Meter:
        means = Means({"loss": loss, "accuracy": accuracy})
        return Parts(means, name="accuracy by disagreeing attractors", term=accuracy, part=self._disagreeing)

    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "memoryless": Guess(lambda batch: of_classes(batch.y, np.full(2, 0.5))),
            "counts only": Guess(lambda batch: of_classes(batch.y, self._numbers(batch) / (1 + self.attractors))),
            "nearest noun": Guess(self._nearest),
        }

    def _numbers(self, batch: Batch) -> Array:
        """Return how many nouns of each row are singular and plural, (batch, 2)."""
        noun = self._nouns(batch)
        plural = noun & (batch.x >= self.nouns)
        return np.stack([(noun & ~plural).sum(axis=1), plural.sum(axis=1)], axis=1)

    def _nouns(self, batch: Batch) -> Array:
        """Return where nouns stand; masked steps hold id 0 and no noun."""
        valid = True if batch.mask is None else batch.mask
        return (batch.x < 2 * self.nouns) & valid

    def _disagreeing(self, batch: Batch) -> Array:
        return self._numbers(batch)[np.arange(len(batch.x)), 1 - batch.y]

    def _nearest(self, batch: Batch) -> Prediction:
        nouns = self._nouns(batch)
        last = nouns.shape[1] - 1 - np.argmax(nouns[:, ::-1], axis=1)
        best = (batch.x[np.arange(len(last)), last] >= self.nouns).astype(np.int32)
        return Prediction(loss=np.full(best.shape, np.nan), best=best)

    def tiny(self) -> "Agreement":
        return replace(super().tiny(), lag=self.attractors + 3, lead=1, nouns=2, words=2)
