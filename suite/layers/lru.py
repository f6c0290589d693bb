"""The linear recurrent unit: complex eigenvalues that begin in a ring inside the unit circle."""

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from suite.layers import glu
from suite.linear_recurrence import LinearRecurrence, Recurrence, product

Tensor = Any


@keras.saving.register_keras_serializable("suite")
class LRU(LinearRecurrence):
    """lambda = exp(-exp(nu) + i exp(theta));  h' = lambda * h + exp(gamma) * (x B);  y = Re(h' C) + x D

    x: (batch, features); h: complex, carried as (batch, 2, units); y: (batch, units). |lambda| begins in
    [`least_radius`, `largest_radius`], uniform over that ring's area, and gamma such that white noise of variance 1 in x
    gives h the variance of x B. The layer alone is linear in x; `gated` adds the source's GELU and gated linear unit behind
    it. Its block also has a normalisation and a skip connection, and its D is a vector because all its widths are equal.

    Source: Orvieto et al. (2023), arXiv:2303.06349.
    """

    options = ("least_radius", "largest_radius", "gated")

    def __init__(
        self, units: int, *, least_radius: float = 0.9, largest_radius: float = 0.999, gated: bool = False, **options: Any
    ) -> None:
        super().__init__(units, **options)
        if not 0 <= least_radius < largest_radius < 1:
            raise ValueError(f"radii must be in 0 <= least < largest < 1, got {least_radius} and {largest_radius}")
        self.least_radius, self.largest_radius, self.gated = least_radius, largest_radius, gated

    def forward(self, x: Tensor, recur: Recurrence) -> Tensor:
        radius, angle = ops.exp(-ops.exp(self.nu)), ops.exp(self.theta)
        scale = ops.exp(self.gamma)
        b_real, b_imaginary = (product(x, scale * part) for part in (self.input_real, self.input_imaginary))
        eigenvalues = (radius * ops.cos(angle), radius * ops.sin(angle))
        real, imaginary = recur.complex_diagonal(_gates, b_real, b_imaginary, weights=eigenvalues)
        y = product(real, self.output_real) - product(imaginary, self.output_imaginary) + product(x, self.direct)
        return glu.gated(self, y) if self.gated else y

    def probe_shapes(self) -> tuple[tuple[int, ...], ...]:
        return ((2, self.units),)

    def weights_of_its_own(self, features: int) -> None:
        area, turn = keras.initializers.RandomUniform(0.0, 1.0), keras.initializers.RandomUniform(0.0, 1.0)
        inner, outer = self.least_radius**2, self.largest_radius**2

        def nu(shape: Any, dtype: Any = None) -> Any:
            return ops.log(-0.5 * ops.log(inner + (outer - inner) * area(shape, dtype=dtype)))

        def theta(shape: Any, dtype: Any = None) -> Any:
            return ops.log(2 * math.pi * turn(shape, dtype=dtype))

        def gamma(shape: Any, dtype: Any = None) -> Any:  # an initialiser draws the same twice: this is nu's draw
            return 0.5 * ops.log(1 - (inner + (outer - inner) * area(shape, dtype=dtype)))

        def normal(rows: int, parts: int) -> Any:
            return keras.initializers.RandomNormal(stddev=1 / math.sqrt(parts * rows))

        add, n = self.add_weight, self.units
        self.nu = add(name="nu", shape=(n,), initializer=nu)
        self.theta = add(name="theta", shape=(n,), initializer=theta)
        self.gamma = add(name="gamma", shape=(n,), initializer=gamma)
        self.input_real = add(name="input_real", shape=(features, n), initializer=normal(features, 2))
        self.input_imaginary = add(name="input_imaginary", shape=(features, n), initializer=normal(features, 2))
        self.output_real = add(name="output_real", shape=(n, n), initializer=normal(n, 2))
        self.output_imaginary = add(name="output_imaginary", shape=(n, n), initializer=normal(n, 2))
        self.direct = add(name="direct", shape=(features, n), initializer=normal(features, 1))
        if self.gated:
            glu.add_weights(self, n)


def _gates(b_real: Tensor, b_imaginary: Tensor, real: Tensor, imaginary: Tensor) -> tuple[Tensor, Tensor]:
    return tf.complex(real, imaginary), tf.complex(b_real, b_imaginary)
