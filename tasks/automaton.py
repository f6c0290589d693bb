"""Finite automata on random words: where they stand after every step, and how probable that was."""

from dataclasses import dataclass

import numpy as np

from suite.task import Array

Table = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Automaton:
    """Starts in state 0; `moves` (states, symbols) names the next state, `answers` (states,) the class of each.

    The symbol of step t is drawn uniformly from `alphabets[t % len(alphabets)]`, whatever came before.
    """

    moves: Table
    answers: tuple[int, ...]
    alphabets: Table

    @property
    def symbols(self) -> int:
        return len(self.moves[0])

    @property
    def classes(self) -> int:
        return max(self.answers) + 1

    @property
    def commutes(self) -> bool:
        """Whether the order of symbols never matters, so that their counts tell the state."""
        moves = np.array(self.moves)
        return bool((moves[moves] == moves[moves].transpose(0, 2, 1)).all())

    def words(self, rng: np.random.Generator, count: int, time: int) -> Array:
        """Return random words, int32 (count, time)."""
        found, period = np.empty((count, time), np.int32), len(self.alphabets)
        for place, alphabet in enumerate(self.alphabets):
            column = found[:, place::period]
            column[:] = np.array(alphabet, np.int32)[rng.integers(0, len(alphabet), column.shape)]
        return found

    def run(self, words: Array) -> Array:
        """Return the answer after every step, int32 (rows, time)."""
        moves, answers = np.array(self.moves), np.array(self.answers, np.int32)
        state = np.zeros(len(words), int)
        found = np.empty(words.shape, np.int32)
        for step, symbol in enumerate(words.T):
            state = moves[state, symbol]
            found[:, step] = answers[state]
        return found

    def step(self, states: Array, step: int) -> Array:
        """Return how probable each (symbol, state) is after this step, given those before it, (..., states) -> (..., symbols, states)."""
        alphabet = self.alphabets[step % len(self.alphabets)]
        found = np.zeros((*states.shape[:-1], self.symbols, states.shape[-1]))
        for symbol in alphabet:
            flat, to = found[..., symbol, :].reshape(-1, states.shape[-1]), np.array(self.moves)[:, symbol]
            np.add.at(flat.T, to, states.reshape(-1, states.shape[-1]).T / len(alphabet))
            found[..., symbol, :] = flat.reshape(states.shape)
        return found

    def classed(self, states: Array) -> Array:
        """Return how probable each class is, given how probable each state, (..., states) -> (..., classes)."""
        return states @ np.eye(self.classes)[list(self.answers)]
