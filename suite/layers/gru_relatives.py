"""Cells that are a GRU but for a part: the gate that is left out, the gates that share, the state that is never forgotten."""

from collections.abc import Sequence
from typing import Any

import keras
from keras.ops import relu, sigmoid, tanh

from suite import initializers
from suite.initializers import Initializer
from suite.recurrence import Cell
from suite.stepping import Recur

Tensor = Any


@keras.saving.register_keras_serializable("suite")
class MGU(Cell):
    """f = sigmoid(x W + h U + b);  n = tanh(x W + (f * h) U + b);  h' = (1 - f) * h + f * n

    The one gate both resets and updates, and f near 1 forgets. x: (batch, features); h: (batch, units). `update_bias` is what
    -b_f begins at, so that a positive one keeps, as in GRU.

    Source: Zhou et al. (2016), arXiv:1603.09420.
    """

    gates = ("f", "n")
    states = ("h",)
    options = ("update_bias",)
    initializations = initializers.GATED

    def __init__(self, units: int, *, update_bias: float | str = 0.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(update_bias)
        self.update_bias = update_bias

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        x_f, x_n = x
        (f,) = recur(h, "f", add=(x_f,))
        f = sigmoid(f)
        (n,) = recur(f * h, "n", add=(x_n,))
        return ((1 - f) * h + f * tanh(n),)

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, f=initializers.mirrored(self.update_bias))


@keras.saving.register_keras_serializable("suite")
class UGRNN(Cell):
    """z = sigmoid(x W + h U + b);  n = tanh(x W + h U + b);  h' = z * h + (1 - z) * n

    An update gate and no reset; z near 1 keeps. x: (batch, features); h: (batch, units). `update_bias` is what b_z begins at.

    Source: Collins et al. (2017), arXiv:1611.09913.
    """

    gates = ("z", "n")
    states = ("h",)
    options = ("update_bias",)
    initializations = initializers.GATED

    def __init__(self, units: int, *, update_bias: float | str = 0.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(update_bias)
        self.update_bias = update_bias

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        z, n = recur(h, add=x)
        z = sigmoid(z)
        return (z * h + (1 - z) * tanh(n),)

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, z=self.update_bias)


@keras.saving.register_keras_serializable("suite")
class LiGRU(Cell):
    """z = sigmoid(x W + h U + b);  n = relu(x W + h U + b);  h' = z * h + (1 - z) * n

    No reset, and a candidate without bounds. z near 1 keeps. The source normalises x W over the batch, which is left out: a row
    would depend on the others, and a norm over the units would take the size of x away. x: (batch, features); h: (batch,
    units). `update_bias` is what b_z begins at.

    Source: Ravanelli et al. (2018), arXiv:1803.10225.
    """

    gates = ("z", "n")
    states = ("h",)
    options = ("update_bias",)
    initializations = initializers.GATED

    def __init__(self, units: int, *, update_bias: float | str = 0.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(update_bias)
        self.update_bias = update_bias

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        z, n = recur(h, add=x)
        z = sigmoid(z)
        return (z * h + (1 - z) * relu(n),)

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, z=self.update_bias)


@keras.saving.register_keras_serializable("suite")
class AddingGRU(Cell):
    """i, r = sigmoid(x W + h U + b);  n = tanh(x W + (r * h) U + b);  h' = h + i * n

    GRUChung without its forgetting: there h' = (1 - i) * h + i * n, and 1 - i is a forget gate that is coupled to the input
    gate. x: (batch, features); h: (batch, units).

    Source: the ablation is ours; Chung et al. (2014), arXiv:1412.3555.
    """

    gates = ("i", "r", "n")
    states = ("h",)
    initializations = initializers.GATED

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        x_i, x_r, x_n = x
        i, r = recur(h, "i", "r", add=(x_i, x_r))
        (n,) = recur(sigmoid(r) * h, "n", add=(x_n,))
        return (h + sigmoid(i) * tanh(n),)
