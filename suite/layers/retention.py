"""Retention, the layer of RetNet: linear attention without a divisor, whose past decays at a fixed rate a head."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from suite import initializers
from suite.layers import normal
from suite.linear_recurrence import LinearRecurrence, Recurrence, product
from suite.matrix_state import check_heads, chunks, heads_apart, heads_joined, lower, unchunked, written
from suite.scan import Given, States, Step

Tensor = Any


@keras.saving.register_keras_serializable("suite")
class Retention(LinearRecurrence):
    """q, k, v = x W, a block a head, k / sqrt(its width);  S' = gamma R S + k^T v;  gamma = 1 - 2^(-5 - head)
    y = (LN(q S') * swish(x W_g)) W_o;  LN over a head

    R turns the pairs (j, j + width / 2) of the key's entries by 10000^(-2 j / width) a step, so that a query meets a key by
    how many steps lie between them, and places need no telling. v and the gate are twice as wide as y. The gain of LN would
    be absorbed by W_o. Layer without the normalisation, the skip connection and the perceptron around it.

    x: (batch, features); S: (batch, heads, units / heads, 2 units / heads); y: (batch, units).

    Source: Sun et al. (2023), arXiv:2307.08621.
    """

    states = ("S",)
    options = ("heads",)
    on_cpu = "parallel"

    def __init__(self, units: int, *, heads: int = 4, **options: Any) -> None:
        super().__init__(units, **options)
        check_heads(units, heads)
        if units // heads % 2:
            raise ValueError(f"a head must have an even width, whose entries turn in pairs, got {units // heads}")
        self.heads, self.head = heads, units // heads

    def forward(self, x: Tensor, recur: Recurrence) -> Tensor:
        h = self.units
        q, k, v, g = tf.split(product(x, self.kernel), [h, h, 2 * h, 2 * h], axis=-1)
        q, k, v = (heads_apart(one, self.heads) for one in (q, k / math.sqrt(self.head), v))
        angles = 10000.0 ** (-2 * np.arange(self.head // 2) / self.head)
        decays = np.log1p(-(2.0 ** (-5.0 - np.arange(self.heads))))[:, None]
        rates = (tf.constant(angles, "float64"), tf.constant(decays, "float64"))
        o = recur.scan(Step(_change, _read), q, k, v, weights=rates, states=self.states, parallel=_chunked)
        return product(heads_joined(normal.layer(o)) * tf.nn.silu(g), self.output_kernel)

    def probe_shapes(self) -> tuple[tuple[int, ...], ...]:
        return ((self.heads, self.head, 2 * self.head),)

    def weights_of_its_own(self, features: int) -> None:
        glorot, h = keras.initializers.GlorotUniform, self.units
        self.kernel = self.add_weight(name="kernel", shape=(features, 6 * h), initializer=initializers.per_gate(glorot, 6))
        self.output_kernel = self.add_weight(name="output_kernel", shape=(2 * h, h), initializer=glorot())

    def flops(self, time: int) -> float:
        """Return the FLOPs of a step: its products, and five for every element of the state, which decays, is written and read.

        The turning is that of q and k, as it can be written.
        """
        return 2.0 * 6 * self.kernel.shape[0] * self.units + 4.0 * self.units**2 + 5.0 * self.units * 2 * self.head


def _turned(x: Tensor, angle: Tensor) -> Tensor:
    """Return x with its pairs (j, j + width / 2) turned by `angle`; x: (..., width), angle: (..., width / 2)."""
    one, two = tf.split(x, 2, axis=-1)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    return tf.concat([cosine * one - sine * two, sine * one + cosine * two], axis=-1)


def _change(states: States, sequences: tuple[Tensor, ...], rates: tuple[Tensor, ...]) -> States:
    (s,), (_, k, v), (angles, decays) = states, sequences, rates
    turned = tf.linalg.matrix_transpose(_turned(tf.linalg.matrix_transpose(s), angles))
    return (tf.exp(decays)[:, :, None] * turned + k[..., :, None] * v[..., None, :],)


def _read(states: States, sequences: tuple[Tensor, ...], _: Any) -> Tensor:
    (s,), (q, *_) = states, sequences
    return tf.reduce_sum(q[..., :, None] * s, axis=-2)


def _chunked(given: Given, mask: Tensor | None) -> tuple[Tensor, States]:
    """Return outputs and final state, chunk after chunk.

    With p_t valid steps of the chunk up to t, o_t = q_t R^p_t (gamma^p_t S_0 + sum over s <= t of gamma^(p_t - p_s) R^(-p_s) k_s^T v_s):
    q and k are turned back by their places, and what is left is attention whose weights decay.
    """
    q, k, v = given.sequences
    angles, decays = given.weights
    time = q.shape[0]
    place = tf.cumsum(chunks(written(tf.ones_like(q[..., :1]), mask)), axis=3)  # (chunks, batch, heads, length, 1)
    q, k, v = (chunks(one) for one in (q, written(k, mask), v))
    q, k = (_turned(one, -place * angles) for one in (q, k))
    decays = decays[:, :, None]
    apart = tf.maximum(place - tf.linalg.matrix_transpose(place), 0.0)  # 0 above the diagonal, where nothing is read
    weights = tf.matmul(q, k, transpose_b=True) * tf.exp(decays * apart) * lower(q.shape[3], q.dtype, diagonal=True)
    within, end = tf.matmul(weights, v), place[..., -1:, :]
    past, kept = q * tf.exp(decays * place), k * tf.exp(decays * (end - place))
    (s,), outputs = given.states, []
    for c in range(q.shape[0]):
        outputs.append(within[c] + tf.matmul(past[c], s))
        s = tf.exp(decays * end[c]) * s + tf.matmul(kept[c], v[c], transpose_a=True)
        s = tf.linalg.matrix_transpose(_turned(tf.linalg.matrix_transpose(s), end[c] * angles))
    return unchunked(tf.stack(outputs), time), (s,)
