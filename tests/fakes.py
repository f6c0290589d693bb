"""Small tasks of every kind, learnt within seconds: the contract of a task by example, and what the engine's tests train on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from suite.task import Array, Baseline, Batch, Meter, Metric, Prediction, Spec, Task
from tasks.generated import Generated
from tasks.guesses import Guess, of_classes, of_flags, of_values
from tasks.meters import Means, accuracy, loss
from tests.fake_streams import CarriedEcho, Reversal


@dataclass(frozen=True, kw_only=True)
class FirstSign(Generated):
    """Say at the end whether the first value was positive: kind "once", float features, classes.

    x: .7 -.1 -1.2 .3        y: 1        x (batch, time, 2), the second feature is noise; y (batch,)

    Source: made for the tests.
    """

    name: ClassVar[str] = "fake-first-sign"
    main: ClassVar[str] = "accuracy"
    balance: ClassVar[Mapping[str, float]] = {"negative": 0.5, "positive": 0.5}

    length: int = 4
    validation_rows: int = 50
    test_rows: int = 50

    @property
    def solved(self) -> tuple[str, float] | None:
        return "accuracy", 0.95

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="once",
            loss="categorical",
            inputs=2,
            outputs=2,
            tokens=False,
            length=self.length,
            longest=self.length,
            lengths=(self.length,),
            needs=frozenset({"probabilities"}),
        )

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        x = rng.normal(size=(count, self.length, 2)).astype(np.float32)
        return Batch(x=x, y=(x[:, 0, 0] > 0).astype(np.int32), weight=np.ones(count, np.float32))

    def metrics(self, split: str) -> Mapping[str, Metric]:
        return {
            "loss": Metric("nats", "min", {"uniform": math.log(2)}, 0.0, "a coin"),
            "accuracy": Metric("share of rows", "max", {"uniform": 0.5}, 1.0, "a coin"),
            "brier": Metric("squared error", "min", {"uniform": 0.5}, 0.0, "a coin: (1/2)^2 for each of two classes"),
        }

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "accuracy": accuracy, "brier": brier})

    def baselines(self) -> Mapping[str, Baseline]:
        return {"uniform": Guess(lambda batch: of_classes(batch.y, np.array([0.5, 0.5])))}


@dataclass(frozen=True, kw_only=True)
class FirstPoint(Generated):
    """Say at the end where the walk began: kind "once", float features, a vector as target.

    x: (.7,-.1) (.3,.2) (-.5,.9)        y: (.7,-.1)        x (batch, time, 2), y (batch, 2)

    Source: made for the tests.
    """

    name: ClassVar[str] = "fake-first-point"

    length: int = 4
    validation_rows: int = 50
    test_rows: int = 50

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="once", loss="squared", inputs=2, outputs=2, tokens=False, length=self.length, longest=self.length, lengths=(self.length,)
        )

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        x = rng.uniform(-1, 1, (count, self.length, 2)).astype(np.float32)
        return Batch(x=x, y=x[:, 0], weight=np.ones(count, np.float32))

    def metrics(self, split: str) -> Mapping[str, Metric]:
        return {"loss": Metric("squared error", "min", {"constant": 2 / 3}, 0.0, "twice the variance of U(-1,1), 1/3")}

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss})

    def baselines(self) -> Mapping[str, Baseline]:
        return {"constant": Guess(lambda batch: of_values(batch.y, np.zeros(2)))}


@dataclass(frozen=True, kw_only=True)
class Occurrence(Generated):
    """Say at the end which of three symbols occurred: kind "once", tokens, flags.

    x: 0 2 2 3        y: 0 1 1        0 is none of the three; x (batch, time), y (batch, 3)

    Source: made for the tests.
    """

    name: ClassVar[str] = "fake-occurrence"
    main: ClassVar[str] = "accuracy"

    length: int = 4
    validation_rows: int = 50
    test_rows: int = 50

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="once", loss="binary", inputs=4, outputs=3, tokens=True, length=self.length, longest=self.length, lengths=(self.length,)
        )

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        x = rng.integers(0, 4, (count, self.length), dtype=np.int32)
        y = (x[:, :, None] == np.arange(1, 4)).any(axis=1)
        return Batch(x=x, y=y.astype(np.float32), weight=np.ones(count, np.float32))

    @property
    def _share(self) -> float:
        return 1 - 0.75**self.length

    def metrics(self, split: str) -> Mapping[str, Metric]:
        p = self._share
        entropy = -3 * (p * math.log(p) + (1 - p) * math.log(1 - p))
        # all three symbols at least once, by inclusion and exclusion
        full = 1 - 3 * 0.75**self.length + 3 * 0.5**self.length - 0.25**self.length
        return {
            "loss": Metric("nats", "min", {"constant": entropy}, 0.0, "three flags, each with its own share"),
            "accuracy": Metric("share of rows", "max", {"constant": full}, 1.0, "all three flags set"),
        }

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "accuracy": accuracy})

    def baselines(self) -> Mapping[str, Baseline]:
        return {"constant": Guess(lambda batch: of_flags(batch.y, np.full(3, self._share)))}


@dataclass(frozen=True, kw_only=True)
class RunningParity(Generated):
    """Say at every step whether the ones so far are odd: kind "steps", tokens, variable length, right-padded.

    x: 1 2 2 1 0 0        1 and 2 stand for zero and one, 0 is padding, where mask is False and weight 0
    y: 0 1 0 0 . .        both (batch, time); half of the rows have at most `length` / 2 steps

    Source: made for the tests.
    """

    name: ClassVar[str] = "fake-running-parity"
    main: ClassVar[str] = "accuracy"
    balance: ClassVar[Mapping[str, float]] = {"even": 0.5, "odd": 0.5}

    length: int = 8
    validation_rows: int = 50
    test_rows: int = 50

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="steps",
            loss="categorical",
            inputs=3,
            outputs=2,
            tokens=True,
            causal=True,
            length=self.length,
            longest=self.length,
            lengths=(self.length // 2, self.length),
        )

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        mask = np.arange(self.length) < rng.integers(1, self.length + 1, count)[:, None]
        ones = rng.integers(0, 2, (count, self.length), dtype=np.int32) * mask
        x = np.where(mask, ones + 1, 0).astype(np.int32)
        y = (np.cumsum(ones, axis=1) % 2 * mask).astype(np.int32)
        return Batch(x=x, y=y, weight=mask.astype(np.float32), mask=mask)

    def metrics(self, split: str) -> Mapping[str, Metric]:
        return {
            "loss": Metric("nats per step", "min", {"uniform": math.log(2)}, 0.0, "a coin"),
            "accuracy": Metric(
                "share of steps", "max", {"memoryless": self._memoryless}, 1.0, "the present symbol: right at first, then a coin"
            ),
        }

    @property
    def _memoryless(self) -> float:
        first_steps = 1 / ((self.length + 1) / 2)  # one of the mean number of steps a row
        return first_steps + (1 - first_steps) / 2

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "accuracy": accuracy})

    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "uniform": Guess(lambda batch: of_classes(batch.y, np.array([0.5, 0.5]))),
            "memoryless": Guess(lambda batch: Prediction(loss=np.full(batch.y.shape, np.nan), best=(batch.x == 2).astype(np.int32))),
        }


def brier(batch: Batch, prediction: Prediction) -> tuple[Array, Array] | None:
    """Return the squared error of the probabilities, summed over classes."""
    if prediction.probabilities is None:
        return None
    truth = np.eye(prediction.probabilities.shape[-1])[batch.y]
    return ((prediction.probabilities - truth) ** 2).sum(axis=-1), batch.weight


FAKES: dict[str, Task] = {task.name: task for task in (FirstSign(), FirstPoint(), Occurrence(), RunningParity(), CarriedEcho(), Reversal())}
