"""A season and an autoregression: a series of which the best forecast is known."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from suite.seeding import generator
from suite.task import Array, Batch, Prediction
from tasks.series import Series, SeriesTask, forecast, scale

SETTLING = 1_000  # steps left out at the start


@dataclass(frozen=True, kw_only=True)
class Seasonal(SeriesTask):
    """Foretell a season with an autoregression of second order around it.

    s_t = amplitude sin(2 pi t / period) + u_t,  u_t = a u_{t-1} + b u_{t-2} + e_t,  e_t ~ N(0, 1)

    Nothing foretells e: h steps ahead the best forecast is off by sum_{j<h} psi_j e_{t+h-j}, psi_0 = 1, psi_1 = a,
    psi_j = a psi_{j-1} + b psi_{j-2}, whose variance sum_{j<h} psi_j^2 is the ceiling. It is for one who
    knows a, b and the season; from a window alone the season must be guessed, so a little less can be had.

    x: (batch, window, 1), y: (batch, window).

    Source: Box & Jenkins (1970), Time Series Analysis: Forecasting and Control, chapters 3 and 5.
    """

    name: ClassVar[str] = "seasonal"

    period: int = 12
    amplitude: float = 3.0
    coefficients: tuple[float, float] = (0.6, 0.2)
    length: int = 10_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.period < 2:
            raise ValueError(f"period must be at least 2 steps, got {self.period}")
        if not self.amplitude >= 0:
            raise ValueError(f"amplitude must not be negative, got {self.amplitude}")
        if len(self.coefficients) != 2:
            raise ValueError(f"coefficients are two, got {self.coefficients}")
        a, b = self.coefficients
        if not (abs(b) < 1 and a + b < 1 and b - a < 1):
            raise ValueError(f"coefficients must be stationary (|b| < 1, a + b < 1, b - a < 1), got {self.coefficients}")
        if self.length < 1:
            raise ValueError(f"length must be at least 1 step, got {self.length}")

    def series(self) -> Series:
        a, b = self.coefficients
        noise = generator(self.name, self.version, "series").normal(size=SETTLING + self.length)
        u = [0.0, 0.0]
        for e in noise.tolist():
            u.append(a * u[-1] + b * u[-2] + e)
        return Series((self._season(np.arange(self.length)) + u[2 + SETTLING :])[:, None], 0)

    def _season(self, step: Array) -> Array:
        turn: Array = 2 * np.pi * (step % self.period) / self.period
        return self.amplitude * np.sin(turn)

    def origin(self) -> tuple[str, str]:
        return "Box & Jenkins (1970), Time Series Analysis: Forecasting and Control", "generated"

    @property
    def noise(self) -> float:
        psi = [1.0, self.coefficients[0]]
        while len(psi) < self.horizon:
            psi.append(self.coefficients[0] * psi[-1] + self.coefficients[1] * psi[-2])
        return math.fsum(value**2 for value in psi[: self.horizon])

    def ideal(self, batch: Batch) -> Prediction:
        """Forecast the autoregression from its last two values and add the season: no baseline, since it knows both."""
        mean, deviation = scale(self)
        step = (batch.extra or {})["step"]
        late = batch.x[:, :, 0].astype(np.float64) * deviation + mean - self._season(step)
        early = np.concatenate([np.full((len(late), 1), np.nan), late[:, :-1]], axis=1)
        for _ in range(self.horizon):
            early, late = late, self.coefficients[0] * late + self.coefficients[1] * early
        return forecast(batch, (late + self._season(step + self.horizon) - mean) / deviation)

    def tiny(self) -> "Seasonal":
        return replace(super().tiny(), length=2_000)
