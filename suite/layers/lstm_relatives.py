"""Cells that are an LSTM but for one idea: coupled gates, one gate, layer normalisation, a state that multiplies."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops
from keras.ops import sigmoid, tanh

from suite import initializers
from suite.initializers import Initializer
from suite.layers import normal
from suite.recurrence import Cell
from suite.stepping import Recur

Tensor = Any


@keras.saving.register_keras_serializable("suite")
class CoupledLSTM(Cell):
    """f, o = sigmoid(x W + h U + b);  g = tanh(x W + h U + b);  c' = f * c + (1 - f) * g;  h' = o * tanh(c')

    It writes where it forgets, so that c stays within (-1, 1). x: (batch, features); h, c: (batch, units). `forget_bias` is what
    b_f begins at: a number, or "chrono:T".

    Source: Greff et al. (2015), arXiv:1503.04069, there with peepholes.
    """

    gates = ("f", "o", "g")
    states = ("h", "c")
    options = ("forget_bias",)
    initializations = initializers.GATED

    def __init__(self, units: int, *, forget_bias: float | str = 1.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(forget_bias)
        self.forget_bias = forget_bias

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        h, c = states
        f, o, g = recur(h, add=x)
        f = sigmoid(f)
        c = f * c + (1 - f) * tanh(g)
        return sigmoid(o) * tanh(c), c

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, f=self.forget_bias)


@keras.saving.register_keras_serializable("suite")
class JANET(Cell):
    """s = x W + h U + b;  g = tanh(x W + h U + b);  h' = sigmoid(s) * h + (1 - sigmoid(s - beta)) * g

    Just a forget gate; beta makes it write more than it forgets. x: (batch, features); h: (batch, units). `forget_bias` is what
    b_s begins at: a number, or "chrono:T", which is the source's choice.

    Source: van der Westhuizen & Lasenby (2018), arXiv:1804.04849.
    """

    gates = ("s", "g")
    states = ("h",)
    options = ("beta", "forget_bias")
    initializations = initializers.GATED

    def __init__(self, units: int, *, beta: float = 1.0, forget_bias: float | str = 1.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(forget_bias)
        if not math.isfinite(beta):
            raise ValueError(f"beta must be a finite number, got {beta!r}")
        self.beta, self.forget_bias = beta, forget_bias

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        s, g = recur(h, add=x)
        return (sigmoid(s) * h + (1 - sigmoid(s - self.beta)) * tanh(g),)

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, s=self.forget_bias)


@keras.saving.register_keras_serializable("suite")
class NormalizedLSTM(Cell):
    """a = LN(x W; gamma_x, beta_x) + LN(h U; gamma_h, beta_h) + b, for all gates at once;  i, f, o = sigmoid(a);  g = tanh(a)
    c' = f * c + i * g;  h' = o * tanh(LN(c'; gamma_c, beta_c));  LN(v; gamma, beta) = gamma * (v - mean) / sqrt(variance + 1e-5) + beta

    LN is over the 4 * units pre-activations, or over the units of c. x: (batch, features); h, c: (batch, units). `forget_bias` is what b_f
    begins at.

    Source: Ba et al. (2016), arXiv:1607.06450.
    """

    gates = ("i", "f", "o", "g")
    states = ("h", "c")
    options = ("forget_bias",)
    initializations = initializers.GATED

    def __init__(self, units: int, *, forget_bias: float | str = 1.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(forget_bias)
        self.forget_bias = forget_bias

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        h, c = states
        read = normal.layer(ops.concatenate(x, axis=-1)) * self.gamma_x + self.beta_x
        kept = normal.layer(ops.concatenate(recur(h), axis=-1)) * self.gamma_h + self.beta_h
        i, f, o, g = ops.split(read + kept + self.b, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(normal.layer(c) * self.gamma_c + self.beta_c), c

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, **initializers.forgetting(self.forget_bias))

    def input_bias(self) -> Tensor:
        return ops.zeros_like(self.bias)  # b stands behind the normalisation

    def weights_of_its_own(self, features: int) -> None:
        widths = {"x": 4 * self.units, "h": 4 * self.units, "c": self.units}
        add = lambda name, begins, width: self.add_weight(name=name, shape=(width,), initializer=begins)
        self.gammas = [add(f"gamma_{path}", "ones", width) for path, width in widths.items()]
        self.betas = [add(f"beta_{path}", "zeros", width) for path, width in widths.items()]

    def vectors(self) -> Mapping[str, Tensor]:
        gammas = zip(("gamma_x", "gamma_h", "gamma_c"), self.gammas, strict=True)
        betas = zip(("beta_x", "beta_h", "beta_c"), self.betas, strict=True)
        return {"b": self.bias, **dict(gammas), **dict(betas)}


@keras.saving.register_keras_serializable("suite")
class MultiplicativeLSTM(Cell):
    """m = x W_m * h U_m;  i, f, o = sigmoid(x W + m U + b);  g = tanh(x W + m U + b);  c' = f * c + i * g;  h' = o * tanh(c')

    The input chooses the matrix by which the state moves. x: (batch, features); h, c, m: (batch, units). `forget_bias` is what
    b_f begins at. Often confused with the mLSTM of xLSTM, whose state is a matrix.

    Source: Krause et al. (2017), arXiv:1609.07959.
    """

    gates = ("i", "f", "o", "g")
    states = ("h", "c")
    only_inputs = ("m",)
    only_products = ("m",)
    options = ("forget_bias",)
    initializations = initializers.GATED

    def __init__(self, units: int, *, forget_bias: float | str = 1.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(forget_bias)
        self.forget_bias = forget_bias

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        h, c = states
        *x, x_m = x
        (h_m,) = recur(h, "m")
        i, f, o, g = recur(x_m * h_m, *self.gates, add=x)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(c), c

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, **initializers.forgetting(self.forget_bias))

    def bias_shape(self) -> tuple[int, ...]:
        return (4 * self.units,)

    def input_bias(self) -> Tensor:
        return ops.concatenate([self.bias, ops.zeros_like(self.bias[: self.units])])
