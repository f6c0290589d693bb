"""Mackey-Glass: a chaotic series that has no noise, so that every error is a forecast's own."""

import functools
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from suite.task import Array
from tasks.series import Series, SeriesTask

SUBSTEPS = 10  # of the integration, in one unit of time
HISTORY = 1.2  # x(t) for t <= 0
SETTLING = 1_000  # units of time left out at the start


@dataclass(frozen=True, kw_only=True)
class MackeyGlass(SeriesTask):
    """Foretell a chaotic series 84 units of time ahead, as is usual: one unit ahead, least squares err by less than a millionth.

    dx/dt = .2 x(t - tau) / (1 + x(t - tau)^10) - .1 x(t), x(t) = 1.2 for t <= 0, one value a unit of time; chaotic from tau 17 on

    Runge-Kutta of fourth order with steps of .1, where x(t - tau) between two steps is their mean; the first 1,000 units
    are left out. Products and quotients only: a power function may round differently elsewhere, and chaos would show it.

    x: (batch, window, 1), y: (batch, window).

    Source: Mackey & Glass (1977), doi:10.1126/science.267326; Jaeger & Haas (2004), doi:10.1126/science.1091277.
    """

    name: ClassVar[str] = "mackey-glass"

    horizon: int = 84
    tau: int = 17
    length: int = 10_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tau < 1:
            raise ValueError(f"tau must be at least 1 unit of time, got {self.tau}")
        if self.length < 1:
            raise ValueError(f"length must be at least 1 step, got {self.length}")

    def series(self) -> Series:
        return Series(trajectory(self.tau, SETTLING + self.length)[SETTLING:, None], 0)

    def origin(self) -> tuple[str, str]:
        return "Mackey & Glass (1977), doi:10.1126/science.267326", "generated"

    def tiny(self) -> "MackeyGlass":
        return replace(super().tiny(), length=2_000)


@functools.lru_cache(maxsize=4)
def trajectory(tau: int, length: int) -> Array:
    """Return x(0), x(1), .. x(length - 1), float64 (length,)."""
    step, delay = 1 / SUBSTEPS, tau * SUBSTEPS
    x = [HISTORY] * (delay + 1)  # x[-1 - delay] is the delayed value
    for _ in range((length - 1) * SUBSTEPS):
        now, early, late = x[-1], x[-1 - delay], x[-delay]
        begin, end = _feedback(early), _feedback(late)
        middle = _feedback((early + late) / 2)
        first = begin - 0.1 * now
        second = middle - 0.1 * (now + step / 2 * first)
        third = middle - 0.1 * (now + step / 2 * second)
        fourth = end - 0.1 * (now + step * third)
        x.append(now + step / 6 * (first + 2 * second + 2 * third + fourth))
    return np.array(x[delay::SUBSTEPS])


def _feedback(x: float) -> float:
    square = x * x
    fourth = square * square
    return 0.2 * x / (1 + fourth * fourth * square)
