"""State tracking: which order a row of objects is in, after every move."""

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from tasks.automaton import Automaton
from tasks.regular import Regular


@dataclass(frozen=True, kw_only=True)
class StateTracking(Regular):
    """Say after every move in which order `objects` objects are: the word problem of the symmetric group, S3 or S5.

    x: ~ > > ~        0 (~) swaps the first two, 1 (>) moves the last one to the front; both (batch, length)
    y: 2 5 1 4        S3: bac, cba, acb, cab, out of 0 abc, 1 acb, 2 bac, 3 bca, 4 cab, 5 cba

    Every step weighs; in `test/length` only steps beyond training do. Two generators, as in Liu et al. (without their idle move);
    Merrill et al. read any permutation as one symbol, of which there are 120 for S5. S3 and S4 are solvable groups, S5 is not:
    a model of constant depth that runs in parallel cannot track it at every length, unless TC0 = NC1.

    Source: Liu et al. (2023), arXiv:2210.10749; Merrill et al. (2024), arXiv:2404.08819.
    """

    name: ClassVar[str] = "state-tracking"
    every: ClassVar[bool] = True

    objects: int = 5
    test_rows: int = 1_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 3 <= self.objects <= 5:
            raise ValueError(f"objects must be 3 to 5, got {self.objects}")

    @cached_property
    def automaton(self) -> Automaton:
        orders = list(itertools.permutations(range(self.objects)))
        number = {order: index for index, order in enumerate(orders)}
        moves = tuple((number[(b, a, *rest)], number[(order[-1], *order[:-1])]) for order in orders for a, b, *rest in [order])
        return Automaton(moves=moves, answers=tuple(range(len(orders))), alphabets=((0, 1),))
