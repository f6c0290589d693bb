"""Interpolated Witten-Bell n-grams: what counting alone says of the next symbol."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from suite.task import Array, Batch, Prediction
from tasks.text import Ids, blocks

TOO_MANY = 2**63  # contexts are numbered


class Counts(NamedTuple):
    """What follows the contexts of one length; a context is a number with one digit a symbol, the latest last."""

    contexts: Array  # sorted
    seen: Array  # how often each context occurs
    kinds: Array  # how many different symbols follow it
    commonest: Array  # which follows it most
    pairs: Array  # context * vocabulary + symbol, sorted
    times: Array  # how often each pair occurs


class NGram:
    """Counts of every context up to `order` - 1 symbols.

    P_n(w | h) = (c(h w) + k(h) P_{n-1}(w | h')) / (c(h) + k(h)), k(h) the number of different symbols seen after h,
    h' without its oldest symbol, P_0 = 1 / vocabulary. Unseen contexts and those cut off by the start of a row fall back.

    Source: Witten & Bell (1991), doi:10.1109/18.87000.
    """

    def __init__(self, ids: Ids, *, vocabulary: int, order: int) -> None:
        if order < 1 or vocabulary < 2 or vocabulary**order >= TOO_MANY:
            raise ValueError(f"expected order >= 1 and vocabulary ** order below 2 ** 63, got order {order}, vocabulary {vocabulary}")
        if len(ids) < order:
            raise ValueError(f"expected at least {order} symbols, got {len(ids)}")
        self.vocabulary = vocabulary
        self.counts = [_counted(ids, size, vocabulary) for size in range(order)]

    def predict(self, x: Array, y: Array, order: int) -> Prediction:
        """Return nats and best guess of each y (batch, time) from the last `order` - 1 symbols of x (batch, time) up to its step."""
        probability = np.full(y.shape, 1 / self.vocabulary)
        best = np.zeros(y.shape, np.int32)
        for size, counts in enumerate(self.counts[:order]):
            first = max(size - 1, 0)  # the first step with so long a past
            if first >= y.shape[1]:
                break
            context = _numbers(x, size, self.vocabulary)
            place, known = _found(counts.contexts, context)
            pair, paired = _found(counts.pairs, context * self.vocabulary + y[:, first:])
            times = np.where(paired, counts.times[pair], 0)
            seen, kinds = counts.seen[place], counts.kinds[place]
            mixed = (times + kinds * probability[:, first:]) / (seen + kinds)
            probability[:, first:] = np.where(known, mixed, probability[:, first:])
            best[:, first:] = np.where(known, counts.commonest[place], best[:, first:])
        return Prediction(loss=-np.log(probability), best=best)


@dataclass(frozen=True)
class NGramGuess:
    """The baseline of one order, counted when it is first asked.

    Its best guess is what most often follows the longest context that it has seen.
    """

    counts: Callable[[], NGram]
    order: int

    def predict(self, batch: Batch) -> Prediction:
        return self.counts().predict(batch.x, batch.y, self.order)


def _numbers(x: Array, size: int, vocabulary: int) -> Array:
    """Return the number of the `size` symbols that end at each step of x (batch, time), from step size - 1 on."""
    if size == 0:
        return np.zeros(x.shape, np.int64)
    steps = x.shape[1] - size + 1
    number = np.zeros((len(x), steps), np.int64)
    for offset in range(size):
        number = number * vocabulary + x[:, offset : offset + steps]
    return number


def _counted(ids: Ids, size: int, vocabulary: int) -> Counts:
    """Count what follows the contexts of this length, a block of the text at a time."""
    pairs, times = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for block in blocks(ids, ahead=size):
        pairs, times = _merged(pairs, times, *np.unique(_numbers(block[None], size + 1, vocabulary), return_counts=True))
    known, first, kinds = np.unique(pairs // vocabulary, return_index=True, return_counts=True)
    ranked = np.lexsort((times, pairs // vocabulary))  # within a context, the commonest comes last
    commonest = pairs[ranked[first + kinds - 1]] % vocabulary
    return Counts(known, np.add.reduceat(times, first), kinds, commonest.astype(np.int32), pairs, times)


def _merged(pairs: Array, times: Array, more: Array, more_times: Array) -> tuple[Array, Array]:
    """Return two sorted counts as one."""
    if not len(pairs):
        return more, more_times
    both = np.concatenate([pairs, more])
    order = np.argsort(both, kind="stable")  # merges two runs in linear time
    both = both[order]
    first = np.flatnonzero(np.r_[True, both[1:] != both[:-1]])
    return both[first], np.add.reduceat(np.concatenate([times, more_times])[order], first)


def _found(table: Array, wanted: Array) -> tuple[Array, Array]:
    """Return the place of each number in a sorted table, and whether it is there."""
    place = np.minimum(np.searchsorted(table, wanted), len(table) - 1)
    return place, table[place] == wanted
