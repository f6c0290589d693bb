"""The minimal GRU and LSTM: gates that read the input alone."""

from typing import Any

import keras
import tensorflow as tf

from suite import initializers
from suite.linear_recurrence import LinearRecurrence, Recurrence, product

Tensor = Any


@keras.saving.register_keras_serializable("suite")
class MinGRU(LinearRecurrence):
    """z = sigmoid(x W + b);  v = g(x W + b);  h' = (1 - z) * h + z * v;  g(a) = a + 1/2 for a >= 0, sigmoid(a) below

    x: (batch, features); h: (batch, units). The form of the paper's appendix, where g keeps h positive if it begins so; it
    is computed as it stands and not in logarithms. `update_bias` is what -b_z begins at, as in the GRUs: a positive one keeps.

    Source: Feng et al. (2024), arXiv:2410.01201.
    """

    gates = ("z", "v")
    options = ("update_bias",)

    def __init__(self, units: int, *, update_bias: float | str = 0.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(update_bias)
        self.update_bias = update_bias

    def forward(self, x: Tensor, recur: Recurrence) -> Tensor:
        z, v = tf.split(product(x, self.kernel, self.bias), 2, axis=-1)
        return recur.diagonal(_gru, z, v)

    def weights_of_its_own(self, features: int) -> None:
        _dense(self, features, z=initializers.mirrored(self.update_bias))


@keras.saving.register_keras_serializable("suite")
class MinLSTM(LinearRecurrence):
    """f, i = sigmoid(x W + b);  v = g(x W + b);  h' = f / (f + i) * h + i / (f + i) * v;  g as in MinGRU

    x: (batch, features); h: (batch, units). The two gates are shares of their sum, so that h is a weighted mean of what was
    written. `forget_bias` is what b_f begins at: a number, or "chrono:T", where b_i is its mirror image.

    Source: Feng et al. (2024), arXiv:2410.01201.
    """

    gates = ("f", "i", "v")
    options = ("forget_bias",)

    def __init__(self, units: int, *, forget_bias: float | str = 1.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(forget_bias)
        self.forget_bias = forget_bias

    def forward(self, x: Tensor, recur: Recurrence) -> Tensor:
        f, i, v = tf.split(product(x, self.kernel, self.bias), 3, axis=-1)
        return recur.diagonal(_lstm, f, i, v)

    def weights_of_its_own(self, features: int) -> None:
        _dense(self, features, **initializers.forgetting(self.forget_bias))


def _gru(z: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    z = tf.sigmoid(z)
    return 1 - z, z * positive(v)


def _lstm(f: Tensor, i: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    f, i = tf.sigmoid(f), tf.sigmoid(i)
    return f / (f + i), i / (f + i) * positive(v)


def positive(a: Tensor) -> Tensor:
    """Return a + 1/2 for a >= 0 and sigmoid(a) below: positive, increasing and smooth but for one kink."""
    return tf.where(a >= 0, a + 0.5, tf.sigmoid(a))


def _dense(layer: Any, features: int, **biases: float | str) -> None:
    """Add the kernel and the bias of all gates."""
    width = len(layer.gates) * layer.units
    kernel = initializers.per_gate(keras.initializers.GlorotUniform, len(layer.gates))
    layer.kernel = layer.add_weight(name="kernel", shape=(features, width), initializer=kernel)
    layer.bias = layer.add_weight(name="bias", shape=(width,), initializer=initializers.biases(layer.gates, layer.units, **biases))
