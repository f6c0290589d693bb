"""The coupled oscillatory RNN: units that swing, driven by the input and by one another."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras.ops import tanh

from suite.recurrence import Cell
from suite.stepping import Recur

Tensor = Any


@keras.saving.register_keras_serializable("suite")
class CoRNN(Cell):
    """z' = z + dt * (tanh(x W + y U_y + z U_z + b) - gamma * y - epsilon * z);  y' = y + dt * z'

    y is where a unit stands and z how fast it moves; gamma is its stiffness, epsilon its damping and dt the length of a step.
    x: (batch, features); y, z: (batch, units). The explicit form of the source: its implicit form damps by z'.

    Source: Rusch & Mishra (2021), arXiv:2010.00951.
    """

    gates = ("y",)
    states = ("y", "z")
    only_products = ("z",)
    options = ("dt", "gamma", "epsilon")

    def __init__(self, units: int, *, dt: float = 0.042, gamma: float = 2.7, epsilon: float = 4.7, **options: Any) -> None:
        super().__init__(units, **options)
        for name, value in (("dt", dt), ("gamma", gamma), ("epsilon", epsilon)):
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be a positive number, got {value!r}")
        self.dt, self.gamma, self.epsilon = dt, gamma, epsilon

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        y, z = states
        (a,) = recur(y, "y", add=x)
        (m,) = recur(z, "z")
        z = z + self.dt * (tanh(a + m) - self.gamma * y - self.epsilon * z)
        return y + self.dt * z, z
