"""The diagonal state space S4D: a small complex state for every channel by itself, whose kernel is a sum of damped waves."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from suite.layers import glu
from suite.linear_recurrence import LinearRecurrence, Recurrence, product, wide

Tensor = Any

STEPS = (0.001, 0.1)  # between which the discretisation steps begin


@keras.saving.register_keras_serializable("suite")
class S4D(LinearRecurrence):
    """u = x W;  lambda = -exp(a) + i w;  L = exp(lambda s);  h' = L * h + u;  s = exp(log_step)
    y = 2 Re sum over modes of (C (L - 1) / lambda * h') + D * u

    Every channel of u has modes of its own, `state_size` / 2 of them, each for a conjugate pair: hence the 2. Over a row, y is a
    causal convolution of u with K_l = 2 Re sum of C (L - 1) / lambda * L^l. The modes begin at -1/2 + i pi n (S4D-Lin), the steps
    s log-uniform. The source has x itself for u; here it is always projected. The layer alone is linear in x; `gated` adds the
    source's GELU and gated linear unit behind it.

    x: (batch, features); u, y: (batch, units); h: complex, carried as (batch, 2, state_size / 2, units).

    Source: Gu et al. (2022), arXiv:2206.11893.
    """

    options = ("state_size", "gated")

    def __init__(self, units: int, *, state_size: int = 64, gated: bool = False, **options: Any) -> None:
        super().__init__(units, **options)
        if state_size < 2 or state_size % 2:
            raise ValueError(f"state_size must be a positive even number, got {state_size}")
        self.state_size, self.modes, self.gated = state_size, state_size // 2, gated

    def forward(self, x: Tensor, recur: Recurrence) -> Tensor:
        u = product(x, self.kernel)
        given = (self.decay, self.frequency, self.log_step, self.read_real, self.read_imaginary, self.direct)
        a, w, log_step, c_real, c_imaginary, direct = (ops.convert_to_tensor(one, wide(self.compute_dtype)) for one in given)
        decay = tf.complex(-tf.exp(a), w)
        turn = tf.exp(decay * tf.cast(tf.exp(log_step), decay.dtype))
        c = tf.complex(c_real, c_imaginary) * (turn - 1) / decay
        parts = (tf.math.real(turn), tf.math.imag(turn), tf.math.real(c), tf.math.imag(c), direct)
        (y,) = recur.complex_diagonal(_gates, u, weights=parts, read=_read)
        return glu.gated(self, y) if self.gated else y

    def probe_shapes(self) -> tuple[tuple[int, ...], ...]:
        return ((2, self.modes, self.units),)

    def weights_of_its_own(self, features: int) -> None:
        add, n, d = self.add_weight, self.modes, self.units

        def frequencies(shape: Any, dtype: Any = None) -> Any:
            return ops.convert_to_tensor(np.broadcast_to(math.pi * np.arange(n)[:, None], shape), dtype)

        self.kernel = add(name="kernel", shape=(features, d), initializer=keras.initializers.GlorotUniform())
        self.decay = add(name="decay", shape=(n, d), initializer=keras.initializers.Constant(math.log(0.5)))
        self.frequency = add(name="frequency", shape=(n, d), initializer=frequencies)
        log_steps = keras.initializers.RandomUniform(*(math.log(step) for step in STEPS))
        self.log_step = add(name="log_step", shape=(d,), initializer=log_steps)
        for name in ("read_real", "read_imaginary"):
            setattr(self, name, add(name=name, shape=(n, d), initializer=keras.initializers.RandomNormal(stddev=math.sqrt(0.5))))
        self.direct = add(name="direct", shape=(d,), initializer=keras.initializers.RandomNormal(stddev=1.0))
        if self.gated:
            glu.add_weights(self, d)

    def flops(self, time: int) -> float:
        """Return the FLOPs of a step: its products, and eleven for every mode, which is turned, added to and read."""
        products = self.kernel.shape[0] * self.units + (2 * self.units**2 if self.gated else 0)
        return 2.0 * products + 11.0 * self.modes * self.units


def _gates(u: Tensor, real: Tensor, imaginary: Tensor, *_: Tensor) -> tuple[Tensor, Tensor]:
    driven = u[..., None, :] * tf.ones_like(real)
    return tf.complex(real, imaginary), tf.complex(driven, tf.zeros_like(driven))


def _read(h_real: Tensor, h_imaginary: Tensor, u: Tensor, _: Tensor, __: Tensor, real: Tensor, imaginary: Tensor, direct: Tensor) -> Tensor:
    return 2 * tf.reduce_sum(real * h_real - imaginary * h_imaginary, axis=-2) + direct * u
