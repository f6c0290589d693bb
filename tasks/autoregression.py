"""Least squares on the recent past: what a linear forecast gets without training by gradients."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from suite.task import Array


@dataclass(frozen=True)
class Autoregression:
    """A forecast of one value, linear in the last `order` values of every feature.

    y_t = b + sum_k a_k . x_{t-k}, k = 0 .. order - 1, fitted by least squares; x: (time, features); y: (time,).
    """

    weights: Array  # (order, features), latest first
    bias: float

    @classmethod
    def fitted(cls, x: Array, y: Array, order: int) -> "Autoregression":
        """Return the least squares fit to one series.

        Raises:
            ValueError: fewer targets with a whole past than weights.
        """
        if not order >= 1 or len(x) - order + 1 < order * x.shape[1] + 1:
            raise ValueError(f"expected more than {order * x.shape[1]} targets behind {order} values or more, got {len(x) - order + 1}")
        past = _past(x, order)
        design = np.concatenate([past, np.ones((len(past), 1))], axis=1)
        solution: Any = np.linalg.lstsq(design, y[order - 1 :], rcond=None)[0]
        return cls(solution[:-1].reshape(order, x.shape[1]), float(solution[-1]))

    def forecast(self, x: Array) -> Array:
        """Return the forecast at each step of x (batch, time, features), NaN where its past is cut off."""
        order = len(self.weights)
        found = np.full(x.shape[:2], np.nan)
        if x.shape[1] >= order:
            found[:, order - 1 :] = np.stack([_past(row, order) for row in x.astype(np.float64)]) @ self.weights.ravel() + self.bias
        return found


def _past(x: Array, order: int) -> Array:
    """Return the last `order` steps at each step from order - 1 on, latest first: (time - order + 1, order * features)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, order, axis=0)[:, :, ::-1]  # (steps, features, order)
    return windows.transpose(0, 2, 1).reshape(len(windows), -1)
