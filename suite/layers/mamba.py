"""The selective state space of Mamba: a linear recurrence whose decay and input weights are read off the input."""

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from suite.linear_recurrence import LinearRecurrence, Recurrence, product

Tensor = Any

LAGS = 3  # of the convolution, beside the present step
STEPS = (0.001, 0.1)  # between which the discretisation steps begin


@keras.saving.register_keras_serializable("suite")
class S6(LinearRecurrence):
    """x, r = u W_in;  x = silu(conv(x));  s, B, C = x W_x;  s = softplus(s W_s + b_s)
    h' = exp(s A) * h + s * B x;  y = ((h' C + D * x) * silu(r)) W_out;  A = -exp(a)

    One block of Mamba, without its normalisation and skip connection; d = `expand` * units channels.
    u: (batch, features); x, r, s: (batch, d); B, C: (batch, `state_size`); h: (batch, state_size, d); y: (batch, units). W_s has
    rank units / 16, rounded up. The convolution reads 4 steps of each channel; its last three inputs are carried.

    Source: Gu & Dao (2023), arXiv:2312.00752.
    """

    windows = ("window",)
    options = ("state_size", "expand")

    def __init__(self, units: int, *, state_size: int = 16, expand: int = 2, **options: Any) -> None:
        super().__init__(units, **options)
        if min(state_size, expand) < 1:
            raise ValueError(f"state_size and expand must be at least 1, got {state_size} and {expand}")
        self.state_size, self.expand = state_size, expand
        self.channels, self.rank = expand * units, math.ceil(units / 16)

    def forward(self, x: Tensor, recur: Recurrence) -> Tensor:
        x, r = product(x, self.kernel[:, : self.channels]), product(x, self.kernel[:, self.channels :])
        lags = zip(recur.lags(x, "window"), tf.unstack(ops.cast(self.convolution, x.dtype)), strict=True)
        x = tf.nn.silu(tf.add_n([lag * weight for lag, weight in lags]) + ops.cast(self.convolution_bias, x.dtype))
        s, b, c = tf.split(product(x, self.selection), [self.rank, self.state_size, self.state_size], axis=-1)
        s = product(s, self.step_kernel, self.step_bias)
        y = recur.diagonal(_gates, s, b, c, x, weights=(self.decay, self.direct), read=_read)
        return product(y * tf.nn.silu(r), self.output_kernel)

    def probe_shapes(self) -> tuple[tuple[int, ...], ...]:
        return ((self.state_size, self.channels),)

    def window_shapes(self) -> tuple[tuple[int, ...], ...]:
        return ((LAGS, self.channels),)

    def weights_of_its_own(self, features: int) -> None:
        add, d, n = self.add_weight, self.channels, self.state_size
        glorot = keras.initializers.GlorotUniform
        self.kernel = add(name="kernel", shape=(features, 2 * d), initializer=glorot())
        bound = 1 / math.sqrt(1 + LAGS)
        self.convolution = add(name="convolution", shape=(1 + LAGS, d), initializer=keras.initializers.RandomUniform(-bound, bound))
        self.convolution_bias = add(name="convolution_bias", shape=(d,), initializer="zeros")
        self.selection = add(name="selection", shape=(d, self.rank + 2 * n), initializer=glorot())
        bound = 1 / math.sqrt(self.rank)
        self.step_kernel = add(name="step_kernel", shape=(self.rank, d), initializer=keras.initializers.RandomUniform(-bound, bound))
        self.step_bias = add(name="step_bias", shape=(d,), initializer=log_uniform_steps())
        self.decay = add(name="decay", shape=(n, d), initializer=_rates)
        self.direct = add(name="direct", shape=(d,), initializer="ones")
        self.output_kernel = add(name="output_kernel", shape=(d, self.units), initializer=glorot())

    def flops(self, time: int) -> float:
        """Return the FLOPs of a step: its products, and nine for every element of the state, as its source counts."""
        weights = (self.kernel, self.convolution, self.selection, self.step_kernel, self.output_kernel)
        return 2.0 * sum(math.prod(weight.shape) for weight in weights) + 9.0 * self.channels * self.state_size


def log_uniform_steps() -> Any:
    """Return an initialiser of biases b: softplus(b) is log-uniform between 0.001 and 0.1."""
    least, largest = (math.log(step) for step in STEPS)
    shares = keras.initializers.RandomUniform(least, largest)

    def draw(shape: Any, dtype: Any = None) -> Any:
        step = ops.exp(shares(shape, dtype=dtype))
        return step + ops.log(-ops.expm1(-step))

    return draw


def _rates(shape: Any, dtype: Any = None) -> Any:
    """Return log n for the n-th element of every channel's state."""
    return ops.log(ops.broadcast_to(ops.cast(ops.arange(1, shape[0] + 1), dtype)[:, None], shape))


def _gates(s: Tensor, b: Tensor, c: Tensor, x: Tensor, decay: Tensor, direct: Tensor) -> tuple[Tensor, Tensor]:
    s = tf.nn.softplus(s)
    return tf.exp(-s[..., None, :] * tf.exp(decay)), (s * x)[..., None, :] * b[..., :, None]


def _read(h: Tensor, s: Tensor, b: Tensor, c: Tensor, x: Tensor, decay: Tensor, direct: Tensor) -> Tensor:
    return tf.reduce_sum(h * c[..., :, None], axis=-2) + direct * x
