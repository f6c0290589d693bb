"""The simple recurrent unit: gates that see their own unit only, so that no step multiplies by a matrix."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops
from keras.ops import sigmoid

from suite import initializers
from suite.initializers import Initializer
from suite.recurrence import Cell
from suite.stepping import Recur

Tensor = Any

HIGHWAY = math.sqrt(3)  # keeps the variance of h that of x where the gates begin at one half


@keras.saving.register_keras_serializable("suite")
class SRU(Cell):
    """f, r = sigmoid(x W + v * c + b);  c' = f * c + (1 - f) * x W;  r sees c, not c';  h' = r * c' + (1 - r) * sqrt(3) * x W_x

    x: (batch, features); h, c: (batch, units). The source has x itself where it is as wide as h; here it is always projected.
    `forget_bias` is what b_f begins at.

    Source: Lei et al. (2018), arXiv:1709.02755.
    """

    only_inputs = ("f", "r", "c", "x")
    states = ("h", "c")
    options = ("forget_bias",)
    initializations = initializers.GATED

    def __init__(self, units: int, *, forget_bias: float | str = 0.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(forget_bias)
        self.forget_bias = forget_bias

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        _, c = states
        x_f, x_r, x_c, x_x = x
        f, r = sigmoid(x_f + self.v_f * c), sigmoid(x_r + self.v_r * c)
        c = f * c + (1 - f) * x_c
        return r * c + (1 - r) * HIGHWAY * x_x, c

    def bias_shape(self) -> tuple[int, ...]:
        return (2 * self.units,)

    def initial_bias(self) -> Initializer:
        return initializers.biases(("f", "r"), self.units, f=self.forget_bias)

    def input_bias(self) -> Tensor:
        return ops.concatenate([self.bias, ops.zeros_like(self.bias)])

    def weights_of_its_own(self, features: int) -> None:
        begins = keras.initializers.RandomNormal(stddev=0.1)
        self.peephole = self.add_weight(name="peephole", shape=(2 * self.units,), initializer=begins)

    def vectors(self) -> Mapping[str, Tensor]:
        return dict(zip(("v_f", "v_r"), ops.split(self.peephole, 2), strict=True))
