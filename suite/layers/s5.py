"""The simplified state space layer S5: one complex state for all features, whose eigenvalues begin as those of HiPPO."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from suite.layers import glu
from suite.linear_recurrence import LinearRecurrence, Recurrence, product, wide

Tensor = Any
Array = np.ndarray[Any, Any]

MODES = 32  # of a block: longer rows of units repeat the block's eigenvalues
STEPS = (0.001, 0.1)  # between which the discretisation steps begin


@keras.saving.register_keras_serializable("suite")
class S5(LinearRecurrence):
    """lambda = -exp(a) + i w;  L = exp(lambda s);  h' = L * h + (L - 1) / lambda * (x B);  y = 2 Re(h' C) + x D;  s = exp(log_step)

    x: (batch, features); h: complex, carried as (batch, 2, units); y: (batch, units). h stands for pairs of conjugate modes,
    which is where the 2 is from. Each mode has its own step s of a zero-order hold. The layer alone is linear in x; `gated`
    adds a GELU and a gated linear unit behind it. D is a matrix, since features and units may differ.

    Source: Smith et al. (2023), arXiv:2208.04933.
    """

    options = ("gated",)

    def __init__(self, units: int, *, gated: bool = False, **options: Any) -> None:
        super().__init__(units, **options)
        self.gated = gated

    def forward(self, x: Tensor, recur: Recurrence) -> Tensor:
        given = (self.decay, self.frequency, self.log_step, self.input_real, self.input_imaginary)
        a, w, log_step, *b = (ops.convert_to_tensor(one, wide(self.compute_dtype)) for one in given)
        decay = tf.complex(-tf.exp(a), w)
        eigenvalues = tf.exp(decay * tf.cast(tf.exp(log_step), decay.dtype))
        held = (eigenvalues - 1) / decay * tf.complex(*b)
        parts = (tf.math.real(eigenvalues), tf.math.imag(eigenvalues))
        real, imaginary = recur.complex_diagonal(_gates, product(x, tf.math.real(held)), product(x, tf.math.imag(held)), weights=parts)
        y = 2 * (product(real, self.output_real) - product(imaginary, self.output_imaginary)) + product(x, self.direct)
        return glu.gated(self, y) if self.gated else y

    def probe_shapes(self) -> tuple[tuple[int, ...], ...]:
        return ((2, self.units),)

    def weights_of_its_own(self, features: int) -> None:
        add, n = self.add_weight, self.units

        def normal(rows: int, parts: int) -> Any:
            return keras.initializers.RandomNormal(stddev=1 / math.sqrt(parts * rows))

        def frequencies(shape: Any, dtype: Any = None) -> Any:
            return ops.convert_to_tensor(np.resize(hippo_frequencies(min(n, MODES)), n), dtype)

        log_steps = keras.initializers.RandomUniform(*(math.log(step) for step in STEPS))
        self.decay = add(name="decay", shape=(n,), initializer=keras.initializers.Constant(math.log(0.5)))
        self.frequency = add(name="frequency", shape=(n,), initializer=frequencies)
        self.log_step = add(name="log_step", shape=(n,), initializer=log_steps)
        self.input_real = add(name="input_real", shape=(features, n), initializer=normal(features, 2))
        self.input_imaginary = add(name="input_imaginary", shape=(features, n), initializer=normal(features, 2))
        self.output_real = add(name="output_real", shape=(n, n), initializer=normal(n, 2))
        self.output_imaginary = add(name="output_imaginary", shape=(n, n), initializer=normal(n, 2))
        self.direct = add(name="direct", shape=(features, n), initializer=normal(features, 1))
        if self.gated:
            glu.add_weights(self, n)


def hippo_frequencies(modes: int) -> Array:
    """Return the positive imaginary parts of the eigenvalues of the normal part of HiPPO-LegS of twice the size, ascending.

    The normal part is HiPPO plus half of an outer product; it is -1/2 on the diagonal and antisymmetric beside it.

    Source: Gu et al. (2020), arXiv:2008.07669; Gu et al. (2022), arXiv:2111.00396, theorem 1.
    """
    root = np.sqrt(2 * np.arange(2 * modes) + 1)
    antisymmetric = np.outer(root, root) / 2 * (np.triu(np.ones((2 * modes, 2 * modes)), 1) - np.tril(np.ones((2 * modes, 2 * modes)), -1))
    found: Array = np.linalg.eigvalsh(1j * antisymmetric)[modes:]
    return found


def _gates(b_real: Tensor, b_imaginary: Tensor, real: Tensor, imaginary: Tensor) -> tuple[Tensor, Tensor]:
    return tf.complex(real, imaginary), tf.complex(b_real, b_imaginary)
