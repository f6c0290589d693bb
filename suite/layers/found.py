"""Cells that no one designed: found by evolution or by a network that was rewarded for them."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops
from keras.ops import relu, sigmoid, tanh

from suite import initializers
from suite.initializers import Initializer
from suite.recurrence import Cell
from suite.stepping import Recur

Tensor = Any


@keras.saving.register_keras_serializable("suite")
class MUT1(Cell):
    """z = sigmoid(x W + b);  r = sigmoid(x W + h U + b);  n = tanh((r * h) U + tanh(x W) + b);  h' = z * n + (1 - z) * h

    z near 1 forgets. x: (batch, features); h: (batch, units). The source adds tanh(x), which is as wide as h there; here it is
    projected. `update_bias` is what -b_z begins at, so that a positive one keeps. MUT2, with its x projected likewise, is
    GRUChung.

    Source: Jozefowicz et al. (2015), https://proceedings.mlr.press/v37/jozefowicz15.html.
    """

    gates = ("r", "n")
    states = ("h",)
    only_inputs = ("z",)
    options = ("update_bias",)
    initializations = initializers.GATED

    def __init__(self, units: int, *, update_bias: float | str = 0.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(update_bias)
        self.update_bias = update_bias

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        x_r, x_n, x_z = x
        (r,) = recur(h, "r", add=(x_r,))
        (n,) = recur(sigmoid(r) * h, "n", add=(tanh(x_n) + self.b_n,))
        z = sigmoid(x_z)
        return (z * tanh(n) + (1 - z) * h,)

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.blocks, self.units, z=initializers.mirrored(self.update_bias))

    def input_bias(self) -> Tensor:
        b_r, b_n, b_z = ops.split(self.bias, 3)
        return ops.concatenate([b_r, ops.zeros_like(b_n), b_z])

    def vectors(self) -> Mapping[str, Tensor]:
        return {"b_n": ops.split(self.bias, 3)[1]}


@keras.saving.register_keras_serializable("suite")
class MUT3(Cell):
    """z = sigmoid(x W + tanh(h) U + b);  r = sigmoid(x W + h U + b);  n = tanh((r * h) U + x W + b);  h' = z * n + (1 - z) * h

    z near 1 forgets. x: (batch, features); h: (batch, units). `update_bias` is what -b_z begins at, so that a positive one keeps.

    Source: Jozefowicz et al. (2015), https://proceedings.mlr.press/v37/jozefowicz15.html.
    """

    gates = ("z", "r", "n")
    states = ("h",)
    options = ("update_bias",)
    initializations = initializers.GATED

    def __init__(self, units: int, *, update_bias: float | str = 0.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(update_bias)
        self.update_bias = update_bias

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        x_z, x_r, x_n = x
        (z,) = recur(tanh(h), "z", add=(x_z,))
        (r,) = recur(h, "r", add=(x_r,))
        (n,) = recur(sigmoid(r) * h, "n", add=(x_n,))
        z = sigmoid(z)
        return (z * tanh(n) + (1 - z) * h,)

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, z=initializers.mirrored(self.update_bias))


@keras.saving.register_keras_serializable("suite")
class NASCell(Cell):
    """a_k = x W_k + h U_k + b_k for k = 0 ... 7, but a_3 = x W_3 * (h U_3 + b_3)
    l_1 = tanh(sigmoid(a_0) * relu(a_1));  l_2 = tanh(sigmoid(a_2) + relu(a_3));  l_3 = tanh(tanh(a_4) * sigmoid(a_5))
    l_4 = sigmoid(tanh(a_6) + sigmoid(a_7));  c' = tanh(l_1 + c) * l_2;  h' = tanh(c' * tanh(l_3 + l_4))

    x: (batch, features); h, c: (batch, units).

    Source: Zoph & Le (2017), arXiv:1611.01578; the code that its authors published.
    """

    gates = tuple("01234567")
    states = ("h", "c")
    initializations = initializers.GATED

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        h, c = states
        a = recur(h, add=(*x[:3], self.b_3, *x[4:]))
        first = tanh(sigmoid(a[0]) * relu(a[1]))
        second = tanh(sigmoid(a[2]) + relu(x[3] * a[3]))
        third = tanh(tanh(a[4]) * sigmoid(a[5]))
        fourth = sigmoid(tanh(a[6]) + sigmoid(a[7]))
        c = tanh(first + c) * second
        return tanh(c * tanh(third + fourth)), c

    def input_bias(self) -> Tensor:
        blocks = ops.split(self.bias, 8)
        return ops.concatenate([*blocks[:3], ops.zeros_like(blocks[3]), *blocks[4:]])

    def vectors(self) -> Mapping[str, Tensor]:
        return {"b_3": ops.split(self.bias, 8)[3]}
