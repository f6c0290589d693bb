"""The gated recurrent units: three small cells that differ in where they reset and in what their update gate means."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops
from keras.ops import sigmoid

from suite import initializers
from suite.initializers import Initializer
from suite.layers import activations, by_hand
from suite.recurrence import Cell
from suite.stepping import Pair, Recur

Tensor = Any


@keras.saving.register_keras_serializable("suite")
class GRU(Cell):
    """z, r = sigmoid(x W + h U + b + d);  n = phi(x W + b + r * (h U + d));  h' = z * h + (1 - z) * n

    Resets after the product, with a second bias d: the form of Keras's default, PyTorch and cuDNN. z near 1 keeps.
    x: (batch, features); h: (batch, units). `update_bias` is what b_z begins at: a number, or "chrono:T" for log U(1, T - 1).

    Source: Cho et al. (2014), arXiv:1406.1078; Appleyard et al. (2016), arXiv:1604.01946 (reset after the product).
    """

    gates = ("z", "r", "n")
    states = ("h",)
    options = ("candidate_activation", "update_bias")

    def __init__(self, units: int, *, candidate_activation: str = "tanh", update_bias: float | str = 0.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(update_bias)
        if self.initialization == "uniform" and update_bias != 0:
            raise ValueError(f"initialization 'uniform' draws the biases too: update_bias must be 0, got {update_bias!r}")
        self.candidate_activation, self.update_bias = candidate_activation, update_bias
        self.phi = activations.named(candidate_activation)

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        x_z, x_r, x_n = x
        z, r, n = recur(h, add=(x_z, x_r, self.d))
        z, n = sigmoid(z), self.phi(x_n + sigmoid(r) * n)
        return (z * h + (1 - z) * n,)

    def pair(self) -> Pair | None:
        return by_hand.GRU if self.candidate_activation == "tanh" else None

    def initial_bias(self) -> Initializer:
        if self.initialization == "uniform":
            return super().initial_bias()
        return initializers.biases(self.gates, self.units, z=self.update_bias)

    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units)

    def input_bias(self) -> Tensor:
        gates = 2 * self.units
        return ops.concatenate([self.bias[0, :gates] + self.bias[1, :gates], self.bias[0, gates:]])

    def vectors(self) -> Mapping[str, Tensor]:
        return {"d": self.bias[1, 2 * self.units :]}


@keras.saving.register_keras_serializable("suite")
class GRUv1(Cell):
    """z, r = sigmoid(x W + h U + b);  n = phi(x W + (r * h) U + b);  h' = z * h + (1 - z) * n

    Resets before the product: Keras's `reset_after=False`. z near 1 keeps. x: (batch, features); h: (batch, units).

    Source: Cho et al. (2014), arXiv:1406.1078.
    """

    gates = ("z", "r", "n")
    states = ("h",)
    options = ("candidate_activation", "update_bias")
    initializations = initializers.GATED

    def __init__(self, units: int, *, candidate_activation: str = "tanh", update_bias: float | str = 0.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(update_bias)
        self.candidate_activation, self.update_bias = candidate_activation, update_bias
        self.phi = activations.named(candidate_activation)

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        x_z, x_r, x_n = x
        z, r = recur(h, "z", "r", add=(x_z, x_r))
        (n,) = recur(sigmoid(r) * h, "n", add=(x_n,))
        z = sigmoid(z)
        return (z * h + (1 - z) * self.phi(n),)

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, z=self.update_bias)


@keras.saving.register_keras_serializable("suite")
class GRUChung(Cell):
    """z, r = sigmoid(x W + h U + b);  n = phi(x W + (r * h) U + b);  h' = (1 - z) * h + z * n

    GRUv1 with an update gate that writes: z near 1 forgets, and negating W_z, U_z and b_z makes the two equal. x: (batch,
    features); h: (batch, units). `update_bias` is what -b_z begins at, so that in all three a positive one keeps.

    Source: Chung et al. (2014), arXiv:1412.3555.
    """

    gates = ("z", "r", "n")
    states = ("h",)
    options = ("candidate_activation", "update_bias")
    initializations = initializers.GATED

    def __init__(self, units: int, *, candidate_activation: str = "tanh", update_bias: float | str = 0.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(update_bias)
        self.candidate_activation, self.update_bias = candidate_activation, update_bias
        self.phi = activations.named(candidate_activation)

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        x_z, x_r, x_n = x
        z, r = recur(h, "z", "r", add=(x_z, x_r))
        (n,) = recur(sigmoid(r) * h, "n", add=(x_n,))
        z = sigmoid(z)
        return ((1 - z) * h + z * self.phi(n),)

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, z=initializers.mirrored(self.update_bias))
