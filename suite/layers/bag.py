"""Baselines on the mean of the steps: an affine map of it, and a deep averaging network."""

from typing import Any

import keras
from keras import ops


class BagOfWords(keras.layers.Layer):
    """y_t = m_t W + b;  m_t = mean over s <= t of x_s: on one-hot symbols, how often each was read so far.

    Nothing here is nonlinear: with a head the outputs are an affine function of the counts. Order plays no part, and the
    length of the row none either.

    x: (batch, time, features) -> y: (batch, time, units).

    Source: Joulin et al. (2017), arXiv:1607.01759.
    """

    layers = 1
    activation = "linear"

    def __init__(self, units: int, *, length: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True
        if units < 1:
            raise ValueError(f"units must be at least 1, got {units}")
        self.units, self.length = units, length
        self.maps = [keras.layers.Dense(units, activation=self.activation, dtype=self.dtype_policy) for _ in range(self.layers)]

    def build(self, x_shape: Any) -> None:
        for index, dense in enumerate(self.maps):
            dense.build(x_shape if index == 0 else (*x_shape[:-1], self.units))
        self.built = True

    def call(self, x: Any, mask: Any = None, training: bool = False) -> Any:
        y = running_mean(x, mask)
        for dense in self.maps:
            y = dense(y)
        return y

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "length": self.length}


class DeepAveraging(BagOfWords):
    """y_t = relu(relu(m_t W_1 + b_1) W_2 + b_2);  m_t = mean over s <= t of x_s.

    It can pair counts, where the bag of words only weighs them; order plays no part. Often confused with the sum-pooled
    MLP, which maps every step before it sums.

    x: (batch, time, features) -> y: (batch, time, units).

    Source: Iyyer et al. (2015), doi:10.3115/v1/P15-1162.
    """

    layers = 2
    activation = "relu"


def running_mean(x: Any, mask: Any = None) -> Any:
    """Return the mean of the valid steps so far, zero before the first, in float32; (batch, time, features)."""
    x = ops.cast(x, "float32")  # a bfloat16 sum stops growing after 256 steps
    steps = ops.ones(ops.shape(x)[:2], "float32") if mask is None else ops.cast(mask, "float32")
    total = ops.cumsum(ops.where(steps[:, :, None] > 0, x, 0.0), axis=1)
    return total / ops.maximum(ops.cumsum(steps, axis=1), 1.0)[:, :, None]
