"""The quasi-recurrent network: gates by convolution, and a recurrence that only pools."""

from typing import Any

import keras
import tensorflow as tf

from suite import initializers
from suite.linear_recurrence import LinearRecurrence, Recurrence, product

Tensor = Any


@keras.saving.register_keras_serializable("suite")
class QRNN(LinearRecurrence):
    """z = tanh(a_z);  f, o = sigmoid(a_f), sigmoid(a_o);  a = x_t W + x_(t-1) V + b;  c' = f * c + (1 - f) * z;  h' = o * c'

    The source's fo-pooling behind a convolution of width 2. What is carried beside c is x_(t-1) V. x: (batch, features);
    c, h: (batch, units). `forget_bias` is what b_f begins at: a number, or "chrono:T"; a positive one keeps.

    Source: Bradbury et al. (2017), arXiv:1611.01576.
    """

    gates = ("z", "f", "o")
    states = ("c",)
    windows = ("window",)
    options = ("forget_bias",)

    def __init__(self, units: int, *, forget_bias: float | str = 0.0, **options: Any) -> None:
        super().__init__(units, **options)
        initializers.chrono(forget_bias)
        self.forget_bias = forget_bias

    def forward(self, x: Tensor, recur: Recurrence) -> Tensor:
        _, before = recur.lags(product(x, self.earlier_kernel), "window")
        z, f, o = tf.split(product(x, self.kernel, self.bias) + before, 3, axis=-1)
        return recur.diagonal(_gates, z, f, o, read=_read, state="c")

    def window_shapes(self) -> tuple[tuple[int, ...], ...]:
        return ((1, 3 * self.units),)

    def weights_of_its_own(self, features: int) -> None:
        for name in ("kernel", "earlier_kernel"):
            start = initializers.per_gate(keras.initializers.GlorotUniform, 3)
            setattr(self, name, self.add_weight(name=name, shape=(features, 3 * self.units), initializer=start))
        start = initializers.biases(self.gates, self.units, f=self.forget_bias)
        self.bias = self.add_weight(name="bias", shape=(3 * self.units,), initializer=start)


def _gates(z: Tensor, f: Tensor, o: Tensor) -> tuple[Tensor, Tensor]:
    f = tf.sigmoid(f)
    return f, (1 - f) * tf.tanh(z)


def _read(c: Tensor, z: Tensor, f: Tensor, o: Tensor) -> Tensor:
    return tf.sigmoid(o) * c
