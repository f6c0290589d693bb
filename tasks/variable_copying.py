"""Variable-length copying: repeat a string when asked, after a silence of unknown length."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from suite.task import Array
from tasks.recall import Recall


@dataclass(frozen=True, kw_only=True)
class VariableCopying(Recall):
    """Repeat `length` symbols after 1 to `delay` blanks, each as often as the others.

    x: 3 1 . . . : :      . blank (id 0)    : recall (id symbols + 1)
    y: _ _ _ _ _ 3 1      length 2, a silence of 3; both (batch, delay + 2 * length), only the answers weigh; y holds ids less 1

    Steps behind the last answer are masked. Counting steps does not tell when to answer, unlike in `copying`.

    Source: Henaff et al. (2016), arXiv:1602.06662, where one sign asks for all and every step weighs; a sign for each answer
    is from Gu et al. (2022), arXiv:2111.00396.
    """

    name: ClassVar[str] = "variable-copying"

    length: int = 10
    symbols: int = 8
    delay: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.delay < 1:
            raise ValueError(f"delay must be at least 1 step, got {self.delay}")

    @property
    def longest(self) -> int:
        return self.delay + 2 * self.length

    def asked(self, rng: np.random.Generator, string: Array) -> tuple[Array, Array]:
        step = np.arange(self.longest)
        first = self.length + rng.integers(1, self.delay + 1, len(string))[:, None]
        mask = step < first + self.length
        x = np.where(mask & (step >= first), self.symbols + 1, 0).astype(np.int32)
        x[:, : self.length] = string
        return x, mask

    def tiny(self) -> Self:
        return replace(super().tiny(), delay=3)
