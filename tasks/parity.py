"""Parity: whether the ones of a word are odd in number."""

from dataclasses import dataclass
from typing import ClassVar

from tasks.automaton import Automaton
from tasks.regular import Regular


@dataclass(frozen=True, kw_only=True)
class Parity(Regular):
    """Say whether the number of ones is odd.

    x: 1 0 1 1        x (batch, time), ids 0 and 1, 1 to `length` steps, then masked
    y: 1              three ones; y (batch,)

    A function of the counts of symbols, so that these are no floor; what can be had for nothing is one of two classes.

    Source: Delétang et al. (2023), arXiv:2207.02098 (Parity Check).
    """

    name: ClassVar[str] = "parity"
    notes: ClassVar[str] = "the counts of symbols tell the class: no order is needed, only counting modulo 2"

    @property
    def automaton(self) -> Automaton:
        return Automaton(moves=((0, 1), (1, 0)), answers=(0, 1), alphabets=((0, 1),))
