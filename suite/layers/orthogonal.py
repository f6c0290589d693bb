"""Recurrences that keep the length of the state: their kernel is orthogonal by construction, and stays so while it is trained."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from suite.initializers import Initializer
from suite.layers import skew
from suite.recurrence import Cell
from suite.stepping import Recur

Tensor = Any

SPREAD = 0.01  # of the bias inside modReLU at first


def modrelu(z: Tensor, b: Tensor) -> Tensor:
    """Return sign(z) * relu(|z| + b), which leaves the sign of z and is z itself at b = 0 (Arjovsky et al. 2016, arXiv:1511.06464)."""
    return ops.sign(z) * ops.relu(ops.abs(z) + b)


@keras.saving.register_keras_serializable("suite")
class ExpRNN(Cell):
    """h' = modReLU(x W + h exp(A); b);  modReLU(z; b) = sign(z) * relu(|z| + b);  A = -A^T

    exp(A) is orthogonal, and every rotation is one. x: (batch, features); h: (batch, units); only the triangle above the
    diagonal of A is a weight. b begins at U(-0.01, 0.01), A at random rotations: `initialization` "henaff" or "cayley". The
    source trains A at a tenth of the learning rate; here all weights have the same one, as in every architecture.

    Source: Lezcano-Casado & Martinez-Rubio (2019), arXiv:1901.08428.
    """

    gates = ("h",)
    states = ("h",)
    initializations = ("henaff", "cayley")

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        (z,) = recur(h, add=x)
        return (modrelu(z, self.b),)

    def kernels(self) -> Tensor:
        return skew.exponential(skew.matrix(self.recurrent_kernel, self.units))

    def recurrent_shape(self, width: int) -> tuple[int, ...]:
        return (skew.size(self.units),)

    def initial_kernel(self) -> Initializer:
        return keras.initializers.GlorotUniform()

    def initial_recurrent_kernel(self) -> Initializer:
        return skew.rotations(self.initialization, self.units)

    def initial_bias(self) -> Initializer:
        return keras.initializers.RandomUniform(-SPREAD, SPREAD)

    def input_bias(self) -> Tensor:
        return ops.zeros_like(self.bias)  # b stands inside modReLU

    def vectors(self) -> Mapping[str, Tensor]:
        return {"b": self.bias}


@keras.saving.register_keras_serializable("suite")
class ScoRNN(Cell):
    """h' = modReLU(x W + h R; b);  R = (I + A)^-1 (I - A) D;  A = -A^T

    D is diagonal and fixed: -1 for the last `negative` share of the units, else 1; without it R could have no eigenvalue -1.
    x: (batch, features); h: (batch, units); only the triangle above the diagonal of A is a weight.

    Source: Helfrich et al. (2018), arXiv:1707.09520.
    """

    gates = ("h",)
    states = ("h",)
    options = ("negative",)
    initializations = ("cayley", "henaff")

    def __init__(self, units: int, *, negative: float = 0.5, **options: Any) -> None:
        super().__init__(units, **options)
        if not 0 <= negative <= 1:
            raise ValueError(f"negative must be a share of the units, from 0 to 1, got {negative!r}")
        self.negative = negative

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        (z,) = recur(h, add=x)
        return (modrelu(z, self.b),)

    def kernels(self) -> Tensor:
        rotation = skew.cayley(skew.matrix(self.recurrent_kernel, self.units))
        signs = ops.where(ops.arange(self.units) < self.units - round(self.negative * self.units), 1.0, -1.0)
        return rotation * ops.cast(signs, rotation.dtype)

    def recurrent_shape(self, width: int) -> tuple[int, ...]:
        return (skew.size(self.units),)

    def initial_kernel(self) -> Initializer:
        return keras.initializers.GlorotUniform()

    def initial_recurrent_kernel(self) -> Initializer:
        return skew.rotations(self.initialization, self.units)

    def initial_bias(self) -> Initializer:
        return keras.initializers.RandomUniform(-SPREAD, SPREAD)

    def input_bias(self) -> Tensor:
        return ops.zeros_like(self.bias)  # b stands inside modReLU

    def vectors(self) -> Mapping[str, Tensor]:
        return {"b": self.bias}
