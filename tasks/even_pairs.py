"""Even pairs: whether neighbours differ an odd number of times."""

from dataclasses import dataclass
from typing import ClassVar

from tasks.automaton import Automaton
from tasks.regular import Regular


@dataclass(frozen=True, kw_only=True)
class EvenPairs(Regular):
    """Say whether the number of unequal neighbours is odd.

    x: 0 0 1 1 0 1        x (batch, time), ids 0 and 1, 1 to `length` steps, then masked
    y: 1                  three changes; y (batch,)

    It is odd where the last symbol is not the first, so that both ends are no floor: whoever sees them has solved it.

    Source: Delétang et al. (2023), arXiv:2207.02098 (Even Pairs).
    """

    name: ClassVar[str] = "even-pairs"
    notes: ClassVar[str] = "the first and the last symbol tell the class"

    @property
    def automaton(self) -> Automaton:
        """States: nothing read; then first and last symbol 00, 01, 10, 11."""
        return Automaton(moves=((1, 4), (1, 2), (1, 2), (3, 4), (3, 4)), answers=(0, 0, 1, 1, 0), alphabets=((0, 1),))
