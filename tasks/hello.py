"""The smallest task there is: the next letter of one word."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from suite.task import Baseline, Batch, Meter, Metric, Spec
from tasks.generated import Generated
from tasks.guesses import Guess, of_classes
from tasks.meters import Means, accuracy, all_right, loss

LETTERS = "helo"


@dataclass(frozen=True, kw_only=True)
class Hello(Generated):
    """Predict e, l, l, o from h, e, l, l.

    x: h e l l        ids in the order h, e, l, o; both (batch, 4)
    y: e l l o        l is followed by l and by o: without a memory 3 of 4 is the most

    There is one word, so every split holds it: this shows that a model can learn at all, and nothing else.

    Source: Karpathy (2015), karpathy.github.io/2015/05/21/rnn-effectiveness.
    """

    name: ClassVar[str] = "hello"
    main: ClassVar[str] = "accuracy"
    notes: ClassVar[str] = "one word: training, validation and test are the same row"

    validation_rows: int = 1
    test_rows: int = 1

    @cached_property
    def spec(self) -> Spec:
        return Spec(kind="steps", loss="categorical", inputs=4, outputs=4, tokens=True, causal=True, length=4, longest=4, lengths=(4,))

    @property
    def solved(self) -> tuple[str, float]:
        return "accuracy", 0.99  # of four letters: all

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        word = np.array([LETTERS.index(letter) for letter in "hello"], np.int32)
        rows = np.tile(word, (count, 1))
        return Batch(x=rows[:, :-1], y=rows[:, 1:], weight=np.ones((count, 4), np.float32))

    def metrics(self, split: str) -> Mapping[str, Metric]:
        why = "the present letter tells all but what follows l: l or o, a coin"
        return {
            "loss": Metric("nats per letter", "min", {"memoryless": math.log(2) / 2}, 0.0, why),
            "accuracy": Metric("share of letters", "max", {"memoryless": 0.75}, 1.0, why),
            "exact": Metric("share of words", "max", {"memoryless": 0.0}, 1.0, "one of the two l is always wrong"),
        }

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "accuracy": accuracy, "exact": all_right})

    def baselines(self) -> Mapping[str, Baseline]:
        follows = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0.5, 0.5], [0, 0, 0, 1]])
        return {"memoryless": Guess(lambda batch: of_classes(batch.y, follows[batch.x]))}
