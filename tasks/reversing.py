"""Reversing: say a string backwards, or as it is, once all of it has been read."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal, Self

import numpy as np

from suite.task import Array, Baseline, Batch, Meter, Metric, Prediction, Spec
from tasks.generated import Generated
from tasks.guesses import Guess, of_classes
from tasks.meters import Means, Parts, all_right, loss
from tasks.transduction import START, STOP, SYMBOLS, decoded, paired, symbols

WIDE = 5  # lengths in one point of a curve


@dataclass(frozen=True, kw_only=True)
class Reversing(Generated):
    """Read a string of `shortest` to `longest` symbols, each length as often as the others, and say it backwards.

    x:         4 3 5 .        . padding (id 0), 1 start, 2 stop, symbols from 3; x (batch, longest)
    target_in: 1 5 3 4 2
    y:         5 3 4 2 _      ends with stop; y and target_in (batch, longest + 1)

    `operation` copy says it as it is. An encoder that hands over one state must hold the whole string in it; attention need not.
    Which of the two operations is easier depends on the order alone: reversed, the first symbols to say are the last ones read.

    `exact` takes the likeliest symbol after each right one: greedy decoding gives the whole string if and only if every one of
    these is right, so it costs no decoding. `symbols` is of greedy decoding, and by length a curve.

    Source: Sutskever et al. (2014), arXiv:1409.3215 (order of the source); Cho et al. (2014), arXiv:1409.1259 (length).
    """

    name: ClassVar[str] = "reversing"
    main: ClassVar[str] = "exact"

    operation: Literal["reverse", "copy"] = "reverse"
    shortest: int = 5
    longest: int = 50
    symbols: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.operation not in ("reverse", "copy"):
            raise ValueError(f"operation must be reverse or copy, got {self.operation!r}")
        if not 1 <= self.shortest <= self.longest:
            raise ValueError(f"expected 1 <= shortest <= longest, got {self.shortest} and {self.longest}")
        if self.symbols < 2:
            raise ValueError(f"symbols must be at least 2, got {self.symbols}")

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="sequence",
            loss="categorical",
            inputs=SYMBOLS + self.symbols,
            outputs=SYMBOLS + self.symbols,
            tokens=True,
            length=self.longest,
            longest=self.longest,
            lengths=(self.longest,),
            target_lengths=(self.longest + 1,),
            start=START,
            stop=STOP,
            needs=frozenset({"greedy"}),
        )

    @property
    def solved(self) -> tuple[str, float]:
        return "exact", 0.99

    @property
    def _sizes(self) -> Array:
        return np.arange(self.shortest, self.longest + 1)

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        sizes = rng.integers(self.shortest, self.longest + 1, count)
        strings = rng.integers(SYMBOLS, SYMBOLS + self.symbols, (count, self.longest), dtype=np.int32)
        sources = [string[:size] for string, size in zip(strings, sizes, strict=True)]
        step = -1 if self.operation == "reverse" else 1
        return paired(sources, [source[::step] for source in sources], time=self.longest, target_time=self.longest + 1)

    def metrics(self, split: str) -> Mapping[str, Metric]:
        sizes, count = self._sizes, self.symbols
        nats, choices = sizes.mean() * math.log(count), math.log(len(sizes))
        fixed = sizes % 2  # the symbol in the middle, where turning round changes nothing
        places = {"one symbol": np.full(len(sizes), 1 / count), "the other way round": (fixed + (sizes - fixed) / count) / sizes}
        same = {"one symbol": count ** -sizes.astype(float), "the other way round": count ** -(sizes // 2).astype(float)}
        why = "the string of the right length made of one symbol; the symbols in the order not asked for, right for palindromes"
        return {
            "loss": Metric(
                "nats per symbol",
                "min",
                {"memoryless": (nats + choices) / (sizes.mean() + 1), "length only": nats / (sizes.mean() + 1)},
                0.0,
                "symbols are a uniform guess; the length is drawn uniformly, and guessed or known",
            ),
            "exact": Metric("share of strings", "max", _means(same), 1.0, why),
            "symbols": Metric("share of symbols, mean of strings", "max", _means(places), 1.0, why, final=True),
            "symbols by length": Metric(
                "share of symbols",
                "max",
                {name: self._by_length(values) for name, values in places.items()},
                1.0,
                f"{why}; a point is {WIDE} lengths, at the longest of them",
                final=True,
            ),
        }

    def _by_length(self, values: Array) -> float:
        parts = _part(self._sizes)
        return float(np.mean([values[parts == part].mean() for part in np.unique(parts)]))

    def meter(self, split: str) -> Meter:
        means = Means({"loss": loss, "exact": all_right, "symbols": symbols})
        return Parts(means, name="symbols by length", term=symbols, part=lambda batch: _part(_lengths(batch)))

    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "memoryless": Guess(lambda batch: self._guess(batch, np.broadcast_to(self._hazard(), batch.y.shape))),
            "length only": Guess(lambda batch: self._guess(batch, batch.y == STOP)),
            "one symbol": _writer(lambda source: np.full(len(source), SYMBOLS)),
            "the other way round": _writer(lambda source: source[:: 1 if self.operation == "reverse" else -1]),
        }

    def _hazard(self) -> Array:
        """Return the chance that a string stops at each step, if it has not before: (longest + 1,)."""
        step = np.arange(self.longest + 1)
        return np.where(step < self.shortest, 0.0, 1 / (self.longest - step + 1))

    def _guess(self, batch: Batch, stops: Array) -> Prediction:
        probabilities = np.zeros((*batch.y.shape, self.spec.outputs))
        probabilities[..., STOP] = stops
        probabilities[..., SYMBOLS:] = (1 - stops[..., None]) / self.symbols
        return of_classes(batch.y, probabilities)._replace(best=np.full(batch.y.shape, STOP))

    def tiny(self) -> Self:
        return replace(super().tiny(), shortest=2, longest=4, symbols=3)


def _writer(function: Callable[[Array], Array]) -> Guess:
    """Return the baseline that writes a function of the source."""
    return Guess(lambda batch: decoded([function(x[:size]) for x, size in zip(batch.x, _lengths(batch), strict=True)], batch))


def _lengths(batch: Batch) -> Array:
    """Return how many symbols each row has, (batch,)."""
    return batch.x.astype(bool).sum(axis=1)


def _part(sizes: Array) -> Array:
    return -(-sizes // WIDE) * WIDE


def _means(values: Mapping[str, Array]) -> dict[str, float]:
    return {name: float(value.mean()) for name, value in values.items()}
