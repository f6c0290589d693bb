"""The base of regular languages: words short enough to train on, and longer ones for the test of what was learnt."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import ClassVar, Self

import numpy as np

from suite.task import Array, Baseline, Batch, Meter, Metric, Prediction, Spec
from tasks.automaton import Automaton
from tasks.generated import Generated
from tasks.guesses import Guess, of_classes
from tasks.knowing import Knowing, knowledge
from tasks.meters import Means, Parts, accuracy, loss

MOST_LENGTHS = 60  # beyond training, of which a curve is made


@dataclass(frozen=True, kw_only=True)
class Regular(Generated):
    """Say where an automaton stands at the end of a word, or after every step of it where `every` is true.

    Words have 1 to `length` steps, each length as often as the others; in `test/length` up to 60 lengths from `length` + 1 to
    `longest`, evenly spaced, so that its accuracy is the mean over lengths beyond training. Where every step is asked, words are
    whole and the steps are the lengths. A subclass gives `name` and `automaton`.
    """

    splits: ClassVar[tuple[str, ...]] = ("train", "validation", "test", "test/length", "probe")
    main: ClassVar[str] = "accuracy"
    every: ClassVar[bool] = False

    length: int = 40
    longest: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.length < 2:
            raise ValueError(f"length must be at least 2 steps, got {self.length}")
        if self.longest < self.length + 2:
            raise ValueError(f"longest must be at least length + 2 ({self.length + 2} steps), got {self.longest}")

    @property
    @abstractmethod
    def automaton(self) -> Automaton: ...

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="steps" if self.every else "once",
            loss="categorical",
            inputs=self.automaton.symbols,
            outputs=self.automaton.classes,
            tokens=True,
            causal=self.every,
            length=self.length,
            longest=self.longest,
            lengths=(self.length, self.longest),
        )

    @property
    def solved(self) -> tuple[str, float]:
        return "accuracy", 0.99

    def lengths(self, split: str) -> Array:
        """Return the lengths of the words of a split that are asked for, ascending."""
        period = len(self.automaton.alphabets)
        possible = np.arange(1, self.longest + 1, period)
        if split != "test/length":
            return possible[possible <= self.length]
        beyond = possible[possible > self.length]
        kept = np.linspace(0, len(beyond) - 1, min(MOST_LENGTHS, len(beyond))).round().astype(int)
        return beyond[kept]

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        return self.drawn("train", rng, count)

    def drawn(self, split: str, rng: np.random.Generator, count: int) -> Batch:
        time = self.longest if split == "test/length" else self.length
        words = self.automaton.words(rng, count, time)
        y = self.automaton.run(words)
        step = np.arange(1, time + 1)
        if self.every:
            asked = np.isin(step, self.lengths(split)).astype(np.float32)
            return Batch(x=words, y=y, weight=np.repeat(asked[None], count, axis=0))
        length = rng.choice(self.lengths(split), count)
        mask = step <= length[:, None]
        return Batch(x=words * mask, y=y[np.arange(count), length - 1], weight=np.ones(count, np.float32), mask=mask)

    def metrics(self, split: str) -> Mapping[str, Metric]:
        lengths = self.lengths(split).tolist()
        share = {name: _mean([known.accuracy(length) for length in lengths]) for name, known in self._knowledge.items()}
        nats = {name: _mean([known.nats(length) for length in lengths]) for name, known in self._knowledge.items()}
        perfect = [name for name, value in share.items() if value > 1 - 1e-9]
        floors = {name: value for name, value in share.items() if name not in perfect}
        why = "the likeliest class for the length; for the length and the last symbol, both ends, or the counts of symbols"
        why += f"; not a floor, since it tells the class: {', '.join(perfect)}" if perfect else ""
        unit = "share of steps" if self.every else "share of words"
        return {
            "loss": Metric(f"nats per {unit.split()[-1][:-1]}", "min", {name: nats[name] for name in floors}, 0.0, why),
            "accuracy": Metric(unit, "max", floors, 1.0, why),
            "accuracy by length": Metric(unit, "max", floors, 1.0, why),
        }

    def meter(self, split: str) -> Meter:
        return Parts(Means({"loss": loss, "accuracy": accuracy}), name="accuracy by length", term=accuracy, part=_read)

    def baselines(self) -> Mapping[str, Baseline]:
        return {name: Guess(partial(self._guess, known)) for name, known in self._knowledge.items()}

    @cached_property
    def _knowledge(self) -> Mapping[str, Knowing]:
        return knowledge(self.automaton, self.longest)

    def _guess(self, known: Knowing, batch: Batch) -> Prediction:
        return of_classes(batch.y, known.probabilities(batch.x, _read(batch)))

    def tiny(self) -> Self:
        return replace(super().tiny(), length=5, longest=11)


def _read(batch: Batch) -> Array:
    """Return how many symbols each answer rests on, (batch,) or, where every step is asked, (batch, time)."""
    if batch.mask is None:
        return np.broadcast_to(np.arange(1, batch.x.shape[1] + 1), batch.x.shape)
    return batch.mask.sum(axis=1)


def _mean(values: list[float]) -> float:
    return float(np.mean(values))
