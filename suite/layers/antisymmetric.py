"""Recurrences read as a differential equation that neither decays nor grows: an Euler step along an antisymmetric matrix."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops
from keras.ops import sigmoid, tanh

from suite.initializers import Initializer
from suite.layers import skew
from suite.recurrence import Cell
from suite.stepping import Recur

Tensor = Any


def checked(epsilon: float, gamma: float) -> None:
    """Refuse a step that goes nowhere and a friction that drives.

    Raises:
        ValueError: epsilon is not positive, or gamma is negative.
    """
    if not 0 < epsilon < math.inf:
        raise ValueError(f"epsilon must be a positive number, got {epsilon!r}")
    if not 0 <= gamma < math.inf:
        raise ValueError(f"gamma must be a number of at least 0, got {gamma!r}")


def begins(units: int) -> Initializer:
    """Return N(0, 1 / units), for the entries above the diagonal."""
    return keras.initializers.RandomNormal(stddev=1 / math.sqrt(units))


def kernel(cell: Any) -> Tensor:
    """Return A - gamma I."""
    a = skew.matrix(cell.recurrent_kernel, cell.units)
    return a - cell.gamma * ops.eye(cell.units, dtype=a.dtype)


@keras.saving.register_keras_serializable("suite")
class Antisymmetric(Cell):
    """h' = h + epsilon * tanh(x W + h (A - gamma I) + b);  A = -A^T

    The eigenvalues of A are imaginary, so that what h holds turns round and is kept; the friction gamma pays for the error
    of the step epsilon. x: (batch, features); h: (batch, units); only the triangle above the diagonal of A is a weight.

    Source: Chang et al. (2019), arXiv:1902.09689.
    """

    gates = ("h",)
    states = ("h",)
    options = ("epsilon", "gamma")
    initializations = ("normal",)

    def __init__(self, units: int, *, epsilon: float = 0.1, gamma: float = 0.01, **options: Any) -> None:
        super().__init__(units, **options)
        checked(epsilon, gamma)
        self.epsilon, self.gamma = epsilon, gamma

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        (a,) = recur(h, add=x)
        return (h + self.epsilon * tanh(a),)

    def kernels(self) -> Tensor:
        return kernel(self)

    def recurrent_shape(self, width: int) -> tuple[int, ...]:
        return (skew.size(self.units),)

    def initial_recurrent_kernel(self) -> Initializer:
        return begins(self.units)


@keras.saving.register_keras_serializable("suite")
class GatedAntisymmetric(Cell):
    """m = h (A - gamma I);  z = sigmoid(x W + m + b);  h' = h + epsilon * z * tanh(x W + m + b);  A = -A^T

    The gate has kernel and bias of its own and shares the recurrent matrix. x: (batch, features); h: (batch, units); only the
    triangle above the diagonal of A is a weight.

    Source: Chang et al. (2019), arXiv:1902.09689.
    """

    gates = ("h",)
    states = ("h",)
    only_inputs = ("z",)
    options = ("epsilon", "gamma")
    initializations = ("normal",)

    def __init__(self, units: int, *, epsilon: float = 0.1, gamma: float = 0.01, **options: Any) -> None:
        super().__init__(units, **options)
        checked(epsilon, gamma)
        self.epsilon, self.gamma = epsilon, gamma

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        x_h, x_z = x
        (m,) = recur(h)
        return (h + self.epsilon * sigmoid(x_z + m) * tanh(x_h + m),)

    def kernels(self) -> Tensor:
        return kernel(self)

    def recurrent_shape(self, width: int) -> tuple[int, ...]:
        return (skew.size(self.units),)

    def initial_recurrent_kernel(self) -> Initializer:
        return begins(self.units)
