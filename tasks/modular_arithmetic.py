"""Modular arithmetic: the value of an expression without brackets."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from tasks.automaton import Automaton
from tasks.regular import Regular


@dataclass(frozen=True, kw_only=True)
class ModularArithmetic(Regular):
    """Say what an expression of digits with +, - and * is, modulo `modulus`; * binds first.

    x: 1 + 2 * 3        ids: digits 0 to `modulus` - 1, then + - *; x (batch, time), 1, 3, 5, ... steps up to `length`, then masked
    y: 2                7 modulo 5; y (batch,)

    A regular language: the sum so far and the product that is still open are all that must be kept.

    Source: Delétang et al. (2023), arXiv:2207.02098 (Modular Arithmetic, simple).
    """

    name: ClassVar[str] = "modular-arithmetic"
    notes: ClassVar[str] = "the floor of counts is exact up to 7 steps; of longer words it takes nothing to be known"

    modulus: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.modulus <= 10:
            raise ValueError(f"modulus must be 2 to 10, got {self.modulus}")

    @cached_property
    def automaton(self) -> Automaton:
        """State (total, open product): after a digit the value is their sum. The product is kept less 1, so that it starts at 1."""
        m = self.modulus

        def state(total: int, product: int) -> int:
            return total % m * m + (product - 1) % m

        pairs = [(total, (less + 1) % m) for total in range(m) for less in range(m)]
        moves = tuple(
            (*(state(total, product * digit) for digit in range(m)), state(total + product, 1), state(total + product, -1), number)
            for number, (total, product) in enumerate(pairs)
        )
        answers = tuple((total + product) % m for total, product in pairs)
        return Automaton(moves=moves, answers=answers, alphabets=(tuple(range(m)), (m, m + 1, m + 2)))
