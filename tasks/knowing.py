"""What little of a word tells of where an automaton stands: the floors of formal languages, exact, and the guesses that reach them."""

import functools
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from suite.task import Array
from tasks.automaton import Automaton

MOST_TRIED = 20_000  # words of one length


@dataclass(frozen=True, eq=False)
class Knowing:
    """What a guess knows of the word so far, beside its length.

    `seen` tells it of every prefix, (rows, time) -> (rows, time) ints; `joint[n - 1]` is how probable each of it is with each
    class after n steps, (known, classes).
    """

    seen: Callable[[Array], Array]
    joint: tuple[Array, ...]

    def accuracy(self, length: int) -> float:
        """Return how often the likeliest class is right after so many steps."""
        return float(self.joint[length - 1].max(axis=1).sum())

    def nats(self, length: int) -> float:
        """Return the entropy of the class after so many steps, given what is known."""
        joint = self.joint[length - 1]
        of_known = joint.sum(axis=1, keepdims=True)
        share = np.divide(joint, of_known, out=np.ones_like(joint), where=joint > 0)
        return float(-(joint * np.log(share)).sum())

    def probabilities(self, words: Array, lengths: Array) -> Array:
        """Return how probable each class is after so many steps, (rows,) or (rows, any), of these words: (..., classes)."""
        seen = np.take_along_axis(self.seen(words), lengths.reshape(len(words), -1) - 1, axis=1).reshape(lengths.shape)
        shares, first = self._shares
        return shares[first[lengths - 1] + seen]

    @functools.cached_property
    def _shares(self) -> tuple[Array, Array]:
        """The tables of all lengths, one below the other, each row a distribution, and where each begins."""
        stacked = np.concatenate(self.joint)
        of_known = stacked.sum(axis=1, keepdims=True)
        sizes = [len(joint) for joint in self.joint]
        return np.divide(stacked, of_known, out=np.zeros_like(stacked), where=of_known > 0), np.cumsum([0, *sizes[:-1]])


@functools.lru_cache(maxsize=32)
def knowledge(automaton: Automaton, longest: int) -> Mapping[str, Knowing]:
    """Return what guesses that know little of a word can make of it, up to `longest` steps.

    majority: nothing; memoryless: the last symbol; first and last: both ends; counts only: how often each symbol came. With over
    two symbols whose order matters, counts are used where a length has at most 20,000 words, and nothing is known of longer ones.
    """
    found = {
        "majority": Knowing(np.zeros_like, _last(automaton, longest, known=False)),
        "memoryless": Knowing(lambda words: words, _last(automaton, longest, known=True)),
        "first and last": Knowing(lambda words: words[:, :1] * automaton.symbols + words, _ends(automaton, longest)),
    }
    if automaton.commutes:
        counts = Knowing(automaton.run, tuple(np.diagflat(joint[0]) for joint in found["majority"].joint))
    elif automaton.symbols == 2:
        counts = Knowing(lambda words: np.cumsum(words, axis=1), _ones(automaton, longest))
    else:
        counts = _tried(automaton, found["majority"].joint)
    return {**found, "counts only": counts}


def _last(automaton: Automaton, longest: int, *, known: bool) -> tuple[Array, ...]:
    states = np.eye(len(automaton.moves))[0]
    found = []
    for step in range(longest):
        joint = automaton.step(states, step)
        states = joint.sum(axis=0)
        found.append(automaton.classed(joint if known else states[None]))
    return tuple(found)


def _ends(automaton: Automaton, longest: int) -> tuple[Array, ...]:
    symbols, classes = automaton.symbols, automaton.classes
    states = automaton.step(np.eye(len(automaton.moves))[0], 0)  # (first symbol, states)
    found = [automaton.classed(np.einsum("fs,fl->fls", states, np.eye(symbols))).reshape(-1, classes)]
    for step in range(1, longest):
        joint = automaton.step(states, step)
        states = joint.sum(axis=1)
        found.append(automaton.classed(joint).reshape(-1, classes))
    return tuple(found)


def _ones(automaton: Automaton, longest: int) -> tuple[Array, ...]:
    """Known is how many of the symbols, 0 or 1, were 1."""
    states = np.eye(len(automaton.moves))[:1]  # (number of ones, states)
    found = []
    for step in range(longest):
        joint = automaton.step(states, step)
        states = np.pad(joint[:, 0], ((0, 1), (0, 0))) + np.pad(joint[:, 1], ((1, 0), (0, 0)))
        found.append(automaton.classed(states))
    return tuple(found)


def _tried(automaton: Automaton, otherwise: tuple[Array, ...]) -> Knowing:
    """Known are the counts of a word where all words of its length can be tried, and nothing of a longer one."""
    found: list[Array] = []
    keys: list[Array] = []
    choices = [automaton.alphabets[step % len(automaton.alphabets)] for step in range(len(otherwise))]
    while len(found) < len(choices) and math.prod(map(len, choices[: len(found) + 1])) <= MOST_TRIED:
        words = np.array(list(itertools.product(*choices[: len(found) + 1])))
        known, which = np.unique(_key(words)[:, -1], return_inverse=True)
        joint = np.zeros((len(known), automaton.classes))
        np.add.at(joint, (which, automaton.run(words)[:, -1]), 1 / len(words))
        found.append(joint)
        keys.append(known)

    def seen(words: Array) -> Array:
        which = np.zeros(words.shape, int)
        for step, (known, key) in enumerate(zip(keys, _key(words[:, : len(keys)]).T, strict=False)):
            which[:, step] = np.searchsorted(known, key)
        return which

    return Knowing(seen, (*found, *otherwise[len(found) :]))


def _key(words: Array) -> Array:
    """Return one number for the counts of the symbols of every prefix of up to 15 steps, (rows, time)."""
    return np.cumsum(16 ** words.astype(np.int64), axis=1)
