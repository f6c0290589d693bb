"""Selective copying: pick the symbols out of noise, wherever they stand."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from suite.task import Array
from tasks.recall import Recall


@dataclass(frozen=True, kw_only=True)
class SelectiveCopying(Recall):
    """Repeat `length` symbols that stand at random places among `noise` blanks.

    x: . 3 . . 1 . : :      . blank (id 0)    : recall (id symbols + 1)
    y: _ _ _ _ _ _ 3 1      length 2, noise 4; both (batch, noise + 2 * length), only the answers weigh; y holds ids less 1

    All places are alike, so that the time of a step says nothing: what to keep must follow from what is read. 4 of 6 symbols in
    64 blanks run on a CPU; the source has 16 of 14 in 4,096 - 16.

    Source: Gu & Dao (2023), arXiv:2312.00752; the form with blanks, Gu et al. (2022), arXiv:2111.00396.
    """

    name: ClassVar[str] = "selective-copying"

    noise: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise < 1:
            raise ValueError(f"noise must be at least 1 step, got {self.noise}")

    @property
    def longest(self) -> int:
        return self.noise + 2 * self.length

    def asked(self, rng: np.random.Generator, string: Array) -> tuple[Array, None]:
        count = len(string)
        before = self.noise + self.length
        places = np.sort(rng.random((count, before)).argsort(axis=1)[:, : self.length], axis=1)
        x = np.full((count, self.longest), self.symbols + 1, np.int32)
        x[:, :before] = 0
        np.put_along_axis(x, places, string, axis=1)
        return x, None

    def tiny(self) -> Self:
        return replace(super().tiny(), noise=3)
