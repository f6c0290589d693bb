"""The sum-pooled MLP: what can be had without order."""

from typing import Any

import keras
from keras import ops


class PooledMLP(keras.layers.Layer):
    """y_t = scale * sum over s <= t of MLP(x_s): no step knows its place, so the last one is the sum over the row.

    MLP(x) = relu(relu(x W_1 + b_1) W_2 + b_2). `scale` = 1 / sqrt(number of valid steps so far) keeps long prefixes small.

    x: (batch, time, features) -> y: (batch, time, units). Often confused with an average of embeddings, whose map is
    linear and cannot pair a mark with its value.

    Source: Zaheer et al. (2017), arXiv:1703.06114.
    """

    def __init__(self, units: int, *, length: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True
        if units < 1:
            raise ValueError(f"units must be at least 1, got {units}")
        self.units, self.length = units, length
        self.hidden = keras.layers.Dense(units, activation="relu")
        self.summed = keras.layers.Dense(units, activation="relu")

    def build(self, x_shape: Any) -> None:
        self.hidden.build(x_shape)
        self.summed.build((*x_shape[:-1], self.units))
        self.built = True

    def call(self, x: Any, mask: Any = None, training: bool = False) -> Any:
        y = ops.cast(self.summed(self.hidden(x)), "float32")  # a bfloat16 sum stops growing after 256 steps
        steps = ops.ones(ops.shape(y)[:2], "float32") if mask is None else ops.cast(mask, "float32")
        total = ops.cumsum(ops.where(steps[:, :, None] > 0, y, 0.0), axis=1)
        count = ops.maximum(ops.cumsum(steps, axis=1), 1.0)
        return ops.cast(total / ops.sqrt(count)[:, :, None], self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "length": self.length}
