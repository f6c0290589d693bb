"""The positional MLP: weights for every place of the row, shared between none."""

from typing import Any

import keras
from keras import ops


class PositionalMLP(keras.layers.Layer):
    """y_t = relu(b + sum over s <= t of x_s W_s): at the last step, a perceptron on the whole row side by side.

    What a recurrent network shares over time this one has anew at every place, so that its weights grow with the length
    and no place is defined beyond it. Places are counted from the first column: padding must stand at the end.

    x: (batch, time, features) -> y: (batch, time, units); weights (length, features, units).

    Source: Rumelhart et al. (1986), doi:10.1038/323533a0.
    """

    def __init__(self, units: int, *, length: int, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True
        for name, number in (("units", units), ("length", length)):
            if number < 1:
                raise ValueError(f"{name} must be at least 1, got {number}")
        self.units, self.length = units, length

    def build(self, x_shape: Any) -> None:
        spread = (6 / (self.length * x_shape[-1] + self.units)) ** 0.5  # Glorot's, of the whole row
        uniform = keras.initializers.RandomUniform(-spread, spread)
        self.kernel = self.add_weight(name="kernel", shape=(self.length, x_shape[-1], self.units), initializer=uniform)
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        self.built = True

    def call(self, x: Any, mask: Any = None, training: bool = False) -> Any:
        x = ops.convert_to_tensor(x, self.compute_dtype)
        time = ops.shape(x)[1]
        if isinstance(time, int) and time > self.length:
            raise ValueError(f"there are weights for {self.length} places, got {time} steps")
        each = ops.cast(ops.einsum("btd,tdu->btu", x, ops.convert_to_tensor(self.kernel)[:time]), "float32")
        if mask is not None:
            each = ops.where(ops.cast(mask, "bool")[:, :, None], each, 0.0)
        return ops.relu(ops.cast(ops.cumsum(each, axis=1), self.compute_dtype) + self.bias)

    def flops(self, time: int) -> float:
        """Forward FLOPs per time step: a step meets the weights of its place only."""
        return 2.0 * self.kernel.shape[1] * self.units

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "length": self.length}
