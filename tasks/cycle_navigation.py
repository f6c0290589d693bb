"""Cycle navigation: where a walk on a circle ends."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from tasks.automaton import Automaton
from tasks.regular import Regular


@dataclass(frozen=True, kw_only=True)
class CycleNavigation(Regular):
    """Say where on a circle of `places` a walk from place 0 ends.

    x: < . > > >        ids 0 back, 1 stay, 2 on; x (batch, time), 1 to `length` steps, then masked
    y: 2                of 5 places; y (batch,)

    A function of the counts of symbols, so that these are no floor.

    Source: Delétang et al. (2023), arXiv:2207.02098 (Cycle Navigation).
    """

    name: ClassVar[str] = "cycle-navigation"
    notes: ClassVar[str] = "the counts of symbols tell the class: no order is needed, only counting modulo the number of places"

    places: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.places < 3:
            raise ValueError(f"places must be at least 3, got {self.places}")

    @cached_property
    def automaton(self) -> Automaton:
        moves = tuple(((place - 1) % self.places, place, (place + 1) % self.places) for place in range(self.places))
        return Automaton(moves=moves, answers=tuple(range(self.places)), alphabets=((0, 1, 2),))
