"""The long short-term memory: one cell, whose presets are activations, biases and initial weights."""

from collections.abc import Sequence
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
class LSTM(Cell):
    """i, f, o = sigmoid(x W + h U + b);  g = phi(x W + h U + b);  c' = f * c + i * g;  h' = o * psi(c')

    x: (batch, features); h, c: (batch, units). phi and psi are the `candidate_activation` and the `output_activation`.
    `forget_bias` is what b_f begins at: a number, or "chrono:T" for log U(1, T - 1), where b_i is its mirror image.
    `double_bias` adds a second, redundant b, as PyTorch and cuDNN have.

    Source: Hochreiter & Schmidhuber (1997), doi:10.1162/neco.1997.9.8.1735; Gers et al. (2000), doi:10.1162/089976600300015015.
    """

    gates = ("i", "f", "o", "g")
    states = ("h", "c")
    options = ("candidate_activation", "output_activation", "forget_bias", "double_bias")

    def __init__(
        self,
        units: int,
        *,
        candidate_activation: str = "tanh",
        output_activation: str = "tanh",
        forget_bias: float | str = 1.0,
        double_bias: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(units, **options)
        initializers.chrono(forget_bias)
        if self.initialization == "uniform" and forget_bias != 0:
            raise ValueError(f"initialization 'uniform' draws the biases too: forget_bias must be 0, got {forget_bias!r}")
        self.candidate_activation, self.output_activation = candidate_activation, output_activation
        self.forget_bias, self.double_bias = forget_bias, double_bias
        self.phi, self.psi = activations.named(candidate_activation), activations.named(output_activation)

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        h, c = states
        i, f, o, g = recur(h, add=x)
        c = sigmoid(f) * c + sigmoid(i) * self.phi(g)
        return sigmoid(o) * self.psi(c), c

    def pair(self) -> Pair | None:
        return by_hand.LSTM if self.candidate_activation == self.output_activation == "tanh" else None

    def initial_bias(self) -> Initializer:
        if self.initialization == "uniform":
            return super().initial_bias()
        return initializers.biases(self.gates, self.units, **initializers.forgetting(self.forget_bias))

    def bias_shape(self) -> tuple[int, ...]:
        return (2, 4 * self.units) if self.double_bias else (4 * self.units,)

    def input_bias(self) -> Tensor:
        return ops.sum(self.bias, axis=0) if self.double_bias else self.bias
