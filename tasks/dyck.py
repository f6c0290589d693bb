"""Dyck languages of bounded depth: which brackets may follow."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from suite.task import Array, Baseline, Batch, Meter, Metric, Prediction, Spec
from tasks.counting import mode_share
from tasks.generated import Generated
from tasks.guesses import Guess, of_flags
from tasks.meters import Means, Parts, accuracy, loss


@dataclass(frozen=True, kw_only=True)
class Dyck(Generated):
    """Say after every bracket which ones may follow, in words of `kinds` kinds of brackets, at most `depth` deep.

    x: ( [ ] ) (        ids: ( 0, [ 1, then ) and ] as `kinds` more; x (batch, length)
    y: (    any opening       flags: any may open, ) may close, ] may close; y (batch, length, 1 + kinds)
       + 1 1 1 1 1
       ) 1 . 1 . 1
       ] . 1 . . .

    Words are prefixes: at depth 0 one opens, at the deepest one closes, else a coin says which; kinds are alike. The set of next
    symbols asks at every step for what a label of valid words would ask once. In `test/length` only steps from `length` + 1 to
    `longest` weigh. Counts tell the depth, and with two kinds leave open which bracket is on top.

    Source: Suzgun et al. (2019), arXiv:1906.03648; bounded depth, Hewitt et al. (2020), arXiv:2010.07515.
    """

    name: ClassVar[str] = "dyck"
    splits: ClassVar[tuple[str, ...]] = ("train", "validation", "test", "test/length", "probe")
    main: ClassVar[str] = "accuracy"

    kinds: int = 2
    depth: int = 8
    length: int = 40
    longest: int = 100
    test_rows: int = 1_000

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("kinds", 1), ("depth", 2), ("length", 2), ("longest", self.length + 1)):
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="steps",
            loss="binary",
            inputs=2 * self.kinds,
            outputs=1 + self.kinds,
            tokens=True,
            causal=True,
            length=self.length,
            longest=self.longest,
            lengths=(self.length, self.longest),
        )

    @property
    def solved(self) -> tuple[str, float]:
        return "accuracy", 0.99

    def steps(self, split: str) -> Array:
        """Return the numbers of brackets read where a split asks."""
        return np.arange(self.length + 1, self.longest + 1) if split == "test/length" else np.arange(1, self.length + 1)

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        return self.drawn("train", rng, count)

    def drawn(self, split: str, rng: np.random.Generator, count: int) -> Batch:
        time = self.longest if split == "test/length" else self.length
        row, height = np.arange(count), np.zeros(count, int)
        stack = np.zeros((count, self.depth), int)
        x, y = np.empty((count, time), np.int32), np.zeros((count, time, 1 + self.kinds), np.float32)
        for step in range(time):
            opens = (height == 0) | ((height < self.depth) & (rng.random(count) < 0.5))
            kind = rng.integers(0, self.kinds, count)
            top = stack[row, np.maximum(height - 1, 0)]
            x[:, step] = np.where(opens, kind, self.kinds + top)
            stack[row[opens], height[opens]] = kind[opens]
            height += np.where(opens, 1, -1)
            inside = height > 0
            y[:, step, 0] = height < self.depth
            y[row[inside], step, 1 + stack[row[inside], height[inside] - 1]] = 1
        weight = np.isin(np.arange(1, time + 1), self.steps(split)).astype(np.float32)
        return Batch(x=x, y=y, weight=np.repeat(weight[None], count, axis=0))

    @cached_property
    def _heights(self) -> Array:
        """Return how probable each height is with each last bracket, (longest + 1, 2: opened or closed, depth + 1)."""
        found = np.zeros((self.longest + 1, 2, self.depth + 1))
        found[0, 1, 0] = 1
        rises = np.full(self.depth + 1, 0.5)
        rises[0], rises[-1] = 1, 0
        for step in range(self.longest):
            before = found[step].sum(axis=0)
            found[step + 1, 0, 1:] = (before * rises)[:-1]
            found[step + 1, 1, :-1] = (before * (1 - rises))[1:]
        return found

    def metrics(self, split: str) -> Mapping[str, Metric]:
        opened, closed = self._heights[self.steps(split)].transpose(1, 0, 2)  # each (steps, depth + 1)
        heights = range(self.depth + 1)
        share = np.array([1.0, *(mode_share(height, self.kinds) for height in heights[1:])])
        nats = np.array([self._open_nats(height) for height in heights])
        shallow = closed[:, 0] / np.maximum(closed.sum(axis=1), 1e-300)  # nothing is open, given that one just closed
        full = opened[:, -1] / np.maximum(opened.sum(axis=1), 1e-300)
        guess = np.maximum(shallow, (1 - shallow) / self.kinds)
        blind = opened.sum(axis=1) * np.maximum(full, 1 - full) + closed.sum(axis=1) * guess
        blind_nats = opened.sum(axis=1) * _entropy(full) + closed.sum(axis=1) * self.kinds * _entropy((1 - shallow) / self.kinds)
        shares, losses = {"memoryless": float(blind.mean())}, {"memoryless": float(blind_nats.mean())}
        why = "the last bracket and the step; "
        if self.kinds == 1:
            why += "not a floor, since they tell all: counts"
        else:
            shares |= {"counts only": _at(opened + closed, share), "counts and last": _at(closed, share) + float(opened.sum(axis=1).mean())}
            losses |= {"counts only": _at(opened + closed, nats), "counts and last": _at(closed, nats)}
            why += "what stands open, of which any may be on top; that and the last bracket, which is on top if it opens"
        return {
            "loss": Metric("nats per step", "min", losses, 0.0, why),
            "accuracy": Metric("share of steps", "max", shares, 1.0, why),
            "accuracy by length": Metric("share of steps", "max", shares, 1.0, why),
        }

    def _open_nats(self, height: int) -> float:
        """Return the expected entropy of the closing flags, given how many of each kind are open at this height."""
        p = 1 / self.kinds
        ways = [math.comb(height, of_kind) * p**of_kind * (1 - p) ** (height - of_kind) for of_kind in range(height + 1)]
        return self.kinds * float(np.dot(ways, _entropy(np.arange(height + 1) / max(height, 1))))

    def meter(self, split: str) -> Meter:
        return Parts(Means({"loss": loss, "accuracy": accuracy}), name="accuracy by length", term=accuracy, part=_read)

    def baselines(self) -> Mapping[str, Baseline]:
        return {name: Guess(self._guess(known)) for name, known in self._knowledge.items()}

    @property
    def _knowledge(self) -> Mapping[str, Callable[[Batch], tuple[Array, Array]]]:
        return {"memoryless": self._blind, "counts only": self._counted, "counts and last": self._counted_and_last}

    def _guess(self, known: Callable[[Batch], tuple[Array, Array]]) -> Callable[[Batch], Prediction]:
        """Return the guess that knows how probable it is that one may open, (batch, time), and that each kind is on top, (..., kinds)."""

        def predict(batch: Batch) -> Prediction:
            may_open, top = known(batch)
            probabilities = np.concatenate([may_open[..., None], top], axis=2)
            likeliest = np.concatenate([1 - top.sum(axis=2, keepdims=True), top], axis=2).argmax(axis=2)  # 0: nothing is open
            best = np.eye(1 + self.kinds)[likeliest]
            best[..., 0] = may_open > 0.5
            return of_flags(batch.y, probabilities)._replace(best=best.astype(np.float32))

        return predict

    def _blind(self, batch: Batch) -> tuple[Array, Array]:
        heights = self._heights[1 : batch.x.shape[1] + 1]
        of_last = heights / np.maximum(heights.sum(axis=2, keepdims=True), 1e-300)
        opened = batch.x < self.kinds
        may_open = np.where(opened, 1 - of_last[:, 0, -1], 1.0)
        top = np.where(opened[..., None], _one(batch.x, self.kinds), ((1 - of_last[:, 1, 0]) / self.kinds)[:, None])
        return may_open, top

    def _counted(self, batch: Batch) -> tuple[Array, Array]:
        now_open = np.cumsum(_one(batch.x, self.kinds) - _one(batch.x - self.kinds, self.kinds), axis=1)
        height = now_open.sum(axis=2)
        return (height < self.depth) * 1.0, now_open / np.maximum(height, 1)[..., None]

    def _counted_and_last(self, batch: Batch) -> tuple[Array, Array]:
        may_open, top = self._counted(batch)
        return may_open, np.where((batch.x < self.kinds)[..., None], _one(batch.x, self.kinds), top)

    def tiny(self) -> "Dyck":
        return replace(super().tiny(), depth=3, length=6, longest=12)


def _one(ids: Array, count: int) -> Array:
    return (ids[..., None] == np.arange(count)).astype(float)


def _entropy(p: Array) -> Array:
    """Return the entropy of flags that are set with these probabilities, in nats."""
    terms = [np.where(q > 0, -q * np.log(np.where(q > 0, q, 1)), 0.0) for q in (p, 1 - p)]
    return np.asarray(terms[0] + terms[1])


def _at(heights: Array, values: Array) -> float:
    """Return the mean over steps of a value that depends on the height."""
    return float((heights @ values).mean())


def _read(batch: Batch) -> Array:
    return np.broadcast_to(np.arange(1, batch.x.shape[1] + 1), batch.x.shape)
