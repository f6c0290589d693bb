"""The echo state network: a random recurrence that is never trained, for what a read-out alone can do."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from suite.initializers import Initializer
from suite.recurrence import Cell
from suite.stepping import Recur

Tensor = Any


@keras.saving.register_keras_serializable("suite")
class EchoState(Cell):
    """h' = (1 - leak) * h + leak * tanh(x W + h U + b), with W, U and b as they were drawn

    U is uniform, scaled to the spectral radius `radius`: below 1 the state forgets where it began. W and b are U(-1, 1).
    x: (batch, features); h: (batch, units). Only what reads h is trained: the layer has no parameters. Where
    sizes are compared its fixed numbers count all the same, so that it stands beside an Elman network as wide as itself.

    Source: Jaeger (2001), GMD Report 148; Jaeger et al. (2007), doi:10.1016/j.neunet.2007.04.016 (leak).
    """

    gates = ("h",)
    states = ("h",)
    options = ("radius", "leak")
    initializations = ("reservoir",)

    def __init__(self, units: int, *, radius: float = 0.95, leak: float = 1.0, **options: Any) -> None:
        super().__init__(units, **options)
        if not 0 < radius < math.inf:
            raise ValueError(f"radius must be a positive number, got {radius!r}")
        if not 0 < leak <= 1:
            raise ValueError(f"leak must be above 0 and at most 1, got {leak!r}")
        self.radius, self.leak = radius, leak

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        (a,) = recur(h, add=x)
        return ((1 - self.leak) * h + self.leak * ops.tanh(a),)

    def initial_kernel(self) -> Initializer:
        return keras.initializers.RandomUniform(-1.0, 1.0)

    def initial_recurrent_kernel(self) -> Initializer:
        uniform = keras.initializers.RandomUniform(-1.0, 1.0)

        def draw(shape: Sequence[int], dtype: Any = None) -> Any:
            drawn = uniform(shape, dtype=dtype)
            return drawn * (self.radius / tf.reduce_max(tf.abs(tf.linalg.eigvals(drawn))))

        return draw

    def initial_bias(self) -> Initializer:
        return keras.initializers.RandomUniform(-1.0, 1.0)

    def weights_of_its_own(self, features: int) -> None:
        for weight in (self.kernel, self.recurrent_kernel, self.bias):
            weight.trainable = False
