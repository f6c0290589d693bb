"""The fake tasks whose rows go on: windows that carry a state, and targets that are decoded."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from suite.seeding import generator
from suite.task import Array, Baseline, Batch, Meter, Metric, Prediction, Spec
from tasks.generated import Generated
from tasks.guesses import Guess, of_classes
from tasks.meters import Means, accuracy, loss


@dataclass(frozen=True, kw_only=True)
class CarriedEcho(Generated):
    """Repeat what was read one window ago: kind "steps", tokens, carried windows.

    x: | 2 1 | 1 2 | 0 2 | ...        y: | 0 0 | 2 1 | 1 2 | ...        both (batch, length)

    Row r goes on in row r of the next batch; after `windows` batches all rows start afresh: `reset` is True, y is 0.
    Validation and test have two windows in one row of 2 `length`, always reset, and weigh the second.

    Source: made for the tests.
    """

    name: ClassVar[str] = "fake-carried-echo"
    main: ClassVar[str] = "accuracy"

    length: int = 2
    symbols: int = 3
    windows: int = 8
    validation_rows: int = 50
    test_rows: int = 50

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="steps",
            loss="categorical",
            inputs=self.symbols,
            outputs=self.symbols,
            tokens=True,
            causal=True,
            carried=True,
            length=self.length,
            longest=2 * self.length,
            lengths=(self.length, 2 * self.length),
        )

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        x = rng.integers(0, self.symbols, (count, 2 * self.length), dtype=np.int32)
        y, weight = np.zeros_like(x), np.zeros(x.shape, np.float32)
        y[:, self.length :], weight[:, self.length :] = x[:, : self.length], 1
        return Batch(x=x, y=y, weight=weight, reset=np.ones(count, bool))

    def _training(self, seed: int, index: int, batch_size: int) -> Batch:
        x, before = (self._window(seed, number, batch_size) for number in (index, index - 1))
        fresh = index % self.windows == 0
        y = np.zeros_like(x) if fresh else before
        return Batch(x=x, y=y, weight=np.ones(x.shape, np.float32), reset=np.full(batch_size, fresh))

    def _window(self, seed: int, index: int, batch_size: int) -> Array:
        rng = generator(self.name, self.version, "train", seed, index)
        return rng.integers(0, self.symbols, (batch_size, self.length), dtype=np.int32)

    def metrics(self, split: str) -> Mapping[str, Metric]:
        return {
            "loss": Metric("nats per step", "min", {"uniform": math.log(self.symbols)}, 0.0, "a uniform guess"),
            "accuracy": Metric("share of steps", "max", {"uniform": 1 / self.symbols}, 1.0, "a uniform guess"),
        }

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "accuracy": accuracy})

    def baselines(self) -> Mapping[str, Baseline]:
        return {"uniform": Guess(lambda batch: of_classes(batch.y, np.full(self.symbols, 1 / self.symbols)))}


@dataclass(frozen=True, kw_only=True)
class Reversal(Generated):
    """Say a word backwards: kind "sequence", scored by free-running decoding.

    x:         4 3 5 0        0 padding, 1 start, 2 stop, symbols from 3; x (batch, time)
    target_in: 1 5 3 4 2      y shifted right behind the start symbol
    y:         5 3 4 2 2      ends with stop, and is filled with stop at weight 0; both (batch, target time)

    Source: made for the tests.
    """

    name: ClassVar[str] = "fake-reversal"
    main: ClassVar[str] = "exact"

    length: int = 3
    symbols: int = 2
    validation_rows: int = 50
    test_rows: int = 50

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="sequence",
            loss="categorical",
            inputs=self.symbols + 3,
            outputs=self.symbols + 3,
            tokens=True,
            length=self.length,
            longest=self.length,
            lengths=(self.length,),
            target_lengths=(self.length + 1,),
            start=1,
            stop=2,
            needs=frozenset({"greedy"}),
        )

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        size = rng.integers(1, self.length + 1, count)[:, None]
        word = rng.integers(3, self.symbols + 3, (count, self.length), dtype=np.int32)
        mask = np.arange(self.length) < size
        place = np.arange(self.length + 1)
        backwards = np.take_along_axis(word, np.clip(size - 1 - place, 0, None), axis=1)
        y = np.where(place < size, backwards, self.spec.stop).astype(np.int32)
        target_in = np.concatenate([np.full((count, 1), self.spec.start, np.int32), y[:, :-1]], axis=1)
        return Batch(
            x=np.where(mask, word, 0).astype(np.int32), y=y, weight=(place <= size).astype(np.float32), mask=mask, target_in=target_in
        )

    def metrics(self, split: str) -> Mapping[str, Metric]:
        # a copy is right where the word is a palindrome, which has ceil(length / 2) free symbols
        palindromes = np.mean([self.symbols ** -(size // 2) for size in map(float, range(1, self.length + 1))])
        return {
            "loss": Metric("nats per symbol", "min", {"uniform": math.log(self.symbols + 3)}, 0.0, "a uniform guess"),
            "exact": Metric(
                "share of rows", "max", {"copy": float(palindromes)}, 1.0, "the word as it is: right for palindromes", final=True
            ),
        }

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "exact": exact})

    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "uniform": Guess(lambda batch: of_classes(batch.y, np.full(self.symbols + 3, 1 / (self.symbols + 3)))),
            "copy": Guess(self._copied),
        }

    def _copied(self, batch: Batch) -> Prediction:
        copy = np.full(batch.y.shape, self.spec.stop, np.int32)
        copy[:, : batch.x.shape[1]] = np.where(batch.x == 0, self.spec.stop, batch.x)
        return Prediction(loss=np.full(batch.y.shape, np.nan), best=copy, decoded={"greedy": copy})


def exact(batch: Batch, prediction: Prediction) -> tuple[Array, Array] | None:
    """Return 1 for each row that free-running decoding gets right to its stop symbol; ids may be shorter or longer than the targets."""
    if prediction.decoded is None:
        return None
    ids = prediction.decoded["greedy"]
    missing = max(0, batch.y.shape[1] - ids.shape[1])
    if missing:
        ids = np.pad(ids, ((0, 0), (0, missing)), constant_values=2)
    right = ((ids[:, : batch.y.shape[1]] == batch.y) | (batch.weight == 0)).all(axis=1)
    return right, batch.weight.max(axis=1)
