"""Convolutions over time: one layer of filters, which is also the multilayer perceptron on a window of the last steps."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops


class Convolution(keras.layers.Layer):
    """y_t = relu(sum over j < k of x_(t - lag_j) W_k,j + b_k), for every width k of `widths`, side by side.

    Without `future`, lag_j = k - 1 - j, so that y_t is a perceptron on the last k steps; else the window stands around t.
    Steps outside the row and masked steps are zero. `units` is the number of filters of one width, `widths` reads "3,4,5".

    x: (batch, time, features) -> y: (batch, time, len(widths) * units). Kim's network takes the maximum over time of it
    (a head); it also slides its windows over the ends of the row, where here each stands around a step of the row.

    Source: Kim (2014), arXiv:1408.5882; Waibel et al. (1989), doi:10.1109/29.21701.
    """

    def __init__(self, units: int, *, length: int | None = None, widths: str = "3,4,5", future: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True
        if units < 1:
            raise ValueError(f"units must be at least 1, got {units}")
        self.units, self.length, self.widths, self.future = units, length, widths, future
        self.steps = tuple(int(width) if width.strip().isdigit() else 0 for width in str(widths).split(","))
        if min(self.steps) < 1:
            raise ValueError(f'widths must be positive integers, "3,4,5", got {widths!r}')

    def build(self, x_shape: Any) -> None:
        self.kernels = [self.add_weight(name=f"kernel_{k}", shape=(k, x_shape[-1], self.units)) for k in self.steps]
        self.biases = [self.add_weight(name=f"bias_{k}", shape=(self.units,), initializer="zeros") for k in self.steps]
        self.built = True

    def call(self, x: Any, mask: Any = None, training: bool = False) -> Any:
        x = visible(ops.convert_to_tensor(x, self.compute_dtype), mask)
        maps = [
            convolve(x, kernel, before=(k - 1) // 2 if self.future else k - 1) + bias
            for k, kernel, bias in zip(self.steps, self.kernels, self.biases, strict=True)
        ]
        return ops.relu(ops.concatenate(maps, axis=-1))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "length": self.length, "widths": self.widths, "future": self.future}


def visible(x: Any, mask: Any) -> Any:
    """Return x with its masked steps zero: what a convolution sees outside the row; (batch, time, features)."""
    return x if mask is None else ops.where(ops.cast(mask, "bool")[:, :, None], x, 0)


def convolve(x: Any, kernel: Any, *, before: int, dilation: int = 1) -> Any:
    """Return y_t = sum over j of x_(t - (before - j) * dilation) W_j, zero outside the row.

    x: (batch, time, features), kernel: (width, features, units) -> (batch, time, units). `before` counts the taps in the
    past. Steps that are `dilation` apart are brought side by side: TensorFlow has no gradient of dilated convolutions on
    a processor without XLA.
    """
    kernel = ops.convert_to_tensor(kernel, x.dtype)
    batch, time, features = ops.shape(x)
    if isinstance(time, int):  # taps before the row of every step read zeros
        unseen = max(0, before - (time - 1) // dilation)
        kernel, before = kernel[unseen:], before - unseen
    after = kernel.shape[0] - 1 - before
    if dilation == 1 or before == after == 0:
        return tf.nn.conv1d(tf.pad(x, ((0, 0), (before, after), (0, 0))), kernel, stride=1, padding="VALID")
    rounds = -(-time // dilation)
    side = tf.pad(x, ((0, 0), (0, rounds * dilation - time), (0, 0)))
    side = tf.transpose(tf.reshape(side, (batch, rounds, dilation, features)), (0, 2, 1, 3))
    y = convolve(tf.reshape(side, (batch * dilation, rounds, features)), kernel, before=before)
    y = tf.transpose(tf.reshape(y, (batch, dilation, rounds, kernel.shape[2])), (0, 2, 1, 3))
    return tf.reshape(y, (batch, rounds * dilation, kernel.shape[2]))[:, :time]
