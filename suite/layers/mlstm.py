"""The mLSTM of xLSTM: an LSTM whose memory is a matrix that keys write to and queries read, and whose gates see the input alone."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from suite import initializers
from suite.linear_recurrence import LinearRecurrence, Recurrence, product
from suite.matrix_state import check_heads, chunks, heads_apart, heads_joined, lower, unchunked, written
from suite.scan import Given, States, Step

Tensor = Any

EPSILON = 1e-6  # keeps a query that meets nothing from dividing by zero, where exp(-m) is no number any more


@keras.saving.register_keras_serializable("suite")
class MLSTM(LinearRecurrence):
    """q, k, v, a_o = x W + b, a block a head, k / sqrt(its width);  a_i, a_f = x W_g + b_g, a number a head
    m' = max(log sigmoid(a_f) + m, a_i);  i = exp(a_i - m');  f = exp(log sigmoid(a_f) + m - m')
    C' = f C + i k^T [v, 1];  [r, n] = q C';  y = sigmoid(a_o) * r / max(|n|, exp(-m'))

    C is linear attention that forgets; its last column, which the source writes as a state of its own, is the sum of the keys. m
    only keeps C within range: exp(m) C is the memory that it stands for, y does not depend on it, and no gradient passes through
    it. W_g begins at 0, so that a fresh layer writes everything alike and forgets at the rates of b_f, 3 to 6 over the heads;
    b_i ~ N(0, 0.1). Layer without the block of the source around it.

    x: (batch, features); C: (batch, heads, units / heads, units / heads + 1); m: (batch, heads, 1); y: (batch, units).

    Source: Beck et al. (2024), arXiv:2405.04517.
    """

    states = ("C", "m")
    no_gradient = ("m",)
    options = ("heads",)
    on_cpu = "parallel"

    def __init__(self, units: int, *, heads: int = 4, **options: Any) -> None:
        super().__init__(units, **options)
        check_heads(units, heads)
        self.heads, self.head = heads, units // heads

    def forward(self, x: Tensor, recur: Recurrence) -> Tensor:
        q, k, v, o = tf.split(product(x, self.kernel, self.bias), 4, axis=-1)
        q, k, v = (heads_apart(one, self.heads) for one in (q, k / math.sqrt(self.head), v))
        i, f = (one[..., None] for one in tf.split(product(x, self.gate_kernel, self.gate_bias), 2, axis=-1))
        v = tf.concat([v, tf.ones_like(v[..., :1])], axis=-1)
        y = recur.scan(Step(_change, _read), q, k, v, i, tf.math.log_sigmoid(f), states=self.states, parallel=_chunked)
        return tf.sigmoid(o) * heads_joined(y)

    def probe_shapes(self) -> tuple[tuple[int, ...], ...]:
        return (self.heads, self.head, self.head + 1), (self.heads, 1)

    def weights_of_its_own(self, features: int) -> None:
        add, h = self.add_weight, self.units
        start = initializers.per_gate(keras.initializers.GlorotUniform, 4)
        self.kernel = add(name="kernel", shape=(features, 4 * h), initializer=start)
        self.bias = add(name="bias", shape=(4 * h,), initializer="zeros")
        self.gate_kernel = add(name="gate_kernel", shape=(features, 2 * self.heads), initializer="zeros")
        self.gate_bias = add(name="gate_bias", shape=(2 * self.heads,), initializer=_gates_begin)

    def flops(self, time: int) -> float:
        """Return the FLOPs of a step: its products, and five for every element of C, which decays, is written and read."""
        return 2.0 * self.kernel.shape[0] * (4 * self.units + 2 * self.heads) + 5.0 * self.units * (self.head + 1)


def _gates_begin(shape: Sequence[int], dtype: Any = None) -> Any:
    heads = shape[0] // 2
    i = keras.initializers.RandomNormal(stddev=0.1)((heads,), dtype=dtype)
    return ops.concatenate([i, ops.cast(ops.linspace(3.0, 6.0, heads), i.dtype)])


def _change(states: States, sequences: tuple[Tensor, ...], _: Any) -> States:
    (c, m), (_, k, v, i, log_f) = states, sequences
    kept = log_f + tf.stop_gradient(m)
    m = tf.stop_gradient(tf.maximum(kept, i))
    i, f = tf.exp(i - m), tf.exp(kept - m)
    return f[..., None] * c + (i * k)[..., :, None] * v[..., None, :], m


def _read(states: States, sequences: tuple[Tensor, ...], _: Any) -> Tensor:
    (c, m), (q, *_) = states, sequences
    return _divided(tf.reduce_sum(q[..., :, None] * c, axis=-2), m)


def _divided(read: Tensor, m: Tensor) -> Tensor:
    """Return r / max(|n|, exp(-m)) of [r, n]: max(|n|, 1) in the scale of m, where the largest weight of a step is 1."""
    least = tf.maximum(tf.exp(-tf.stop_gradient(m)), tf.cast(EPSILON, m.dtype))
    return read[..., :-1] / tf.maximum(tf.abs(read[..., -1:]), least)


def _chunked(given: Given, mask: Tensor | None) -> tuple[Tensor, States]:
    """Return outputs and final states, chunk after chunk.

    With F_t the sum of log f up to t, step s weighs exp(F_t - F_s + a_i) at step t, and what was before the chunk exp(F_t + m);
    m_t is the largest of these exponents, which is what the steps find one after the other.
    """
    q, k, v, i, log_f = given.sequences
    time = q.shape[0]
    valid = chunks(written(tf.ones_like(i), mask))  # 0 behind the last step too
    q, k, v, i, sums = chunks(q), chunks(k), chunks(v), chunks(i), tf.cumsum(chunks(written(log_f, mask)), axis=3)
    seen = lower(q.shape[3], q.dtype, diagonal=True) * tf.linalg.matrix_transpose(valid) > 0
    exponents = sums + tf.linalg.matrix_transpose(i - sums)  # (chunks, batch, heads, t, s)
    exponents = tf.where(seen, exponents, tf.constant(-float("inf"), q.dtype))
    largest, scores = tf.reduce_max(exponents, axis=-1, keepdims=True), tf.matmul(q, k, transpose_b=True)
    (memory, m), outputs = given.states, []
    for c in range(q.shape[0]):
        before = sums[c] + tf.stop_gradient(m)[..., None]
        scale = tf.stop_gradient(tf.maximum(before, largest[c]))
        past, weights = tf.exp(before - scale), tf.exp(exponents[c] - scale)
        outputs.append(_divided(tf.matmul(scores[c] * weights, v[c]) + past * tf.matmul(q[c], memory), scale))
        last = weights[..., -1, :, None] * k[c]
        memory = past[..., -1:, :] * memory + tf.matmul(last, v[c], transpose_a=True)
        m = scale[..., -1, :]
    return unchunked(tf.stack(outputs), time), (memory, m)
