"""Linear attention: the softmax of attention replaced by a product of features, so that the past fits into one matrix."""

from typing import Any

import keras
import tensorflow as tf

from suite import initializers
from suite.linear_recurrence import LinearRecurrence, Recurrence, product
from suite.matrix_state import check_heads, chunks, heads_apart, heads_joined, lower, unchunked, written
from suite.scan import Given, States, Step

Tensor = Any

EPSILON = 1e-6  # keeps a state that nothing was written to from dividing by zero


@keras.saving.register_keras_serializable("suite")
class LinearAttention(LinearRecurrence):
    """q, k, v = x W, a block a head;  S' = S + phi(k)^T v;  z' = z + phi(k);  o = phi(q) S' / (phi(q) z');  y = o W_o

    phi = elu + 1 is positive, so that o is a weighted mean of the values. x: (batch, features); S: (batch, heads, units /
    heads, units / heads); z: (batch, heads, units / heads); y: (batch, units). There are no biases and no positions.

    Source: Katharopoulos et al. (2020), arXiv:2006.16236.
    """

    states = ("S", "z")
    options = ("heads",)
    on_cpu = "parallel"

    def __init__(self, units: int, *, heads: int = 4, **options: Any) -> None:
        super().__init__(units, **options)
        check_heads(units, heads)
        self.heads, self.head = heads, units // heads

    def forward(self, x: Tensor, recur: Recurrence) -> Tensor:
        q, k, v = (heads_apart(block, self.heads) for block in tf.split(product(x, self.kernel), 3, axis=-1))
        q, k = tf.nn.elu(q) + 1, tf.nn.elu(k) + 1
        o = recur.scan(Step(_change, _read), q, k, v, states=self.states, parallel=_chunked)
        return product(heads_joined(o), self.output_kernel)

    def probe_shapes(self) -> tuple[tuple[int, ...], ...]:
        return (self.heads, self.head, self.head), (self.heads, self.head)

    def weights_of_its_own(self, features: int) -> None:
        glorot = keras.initializers.GlorotUniform
        self.kernel = self.add_weight(name="kernel", shape=(features, 3 * self.units), initializer=initializers.per_gate(glorot, 3))
        self.output_kernel = self.add_weight(name="output_kernel", shape=(self.units, self.units), initializer=glorot())

    def flops(self, time: int) -> float:
        """Return the FLOPs of a step: its products, and the writing and reading of the matrices."""
        return 6.0 * self.kernel.shape[0] * self.units + 2.0 * self.units**2 + 4.0 * self.units * self.head


def _change(states: States, sequences: tuple[Tensor, ...], _: Any) -> States:
    s, z = states
    _, k, v = sequences
    return s + k[..., :, None] * v[..., None, :], z + k


def _read(states: States, sequences: tuple[Tensor, ...], _: Any) -> Tensor:
    s, z = states
    q, *_ = sequences
    return tf.reduce_sum(q[..., :, None] * s, axis=-2) / (tf.reduce_sum(q * z, axis=-1, keepdims=True) + EPSILON)


def _chunked(given: Given, mask: Tensor | None) -> tuple[Tensor, States]:
    """Return outputs and final states: attention within a chunk, the sum of all chunks before it by one product.

    The values get a column of ones, whose state is z.
    """
    q, k, v = given.sequences
    s, z = given.states
    v = tf.concat([v, tf.ones_like(v[..., :1])], axis=-1)
    q, k, v = chunks(q), chunks(written(k, mask)), chunks(v)
    sums = tf.cumsum(tf.concat([tf.concat([s, z[..., None]], axis=-1)[None], tf.matmul(k, v, transpose_a=True)], axis=0))
    scores = tf.matmul(q, k, transpose_b=True) * lower(q.shape[3], q.dtype, diagonal=True)
    o = unchunked(tf.matmul(scores, v) + tf.matmul(q, sums[:-1]), given.sequences[0].shape[0])
    return o[..., :-1] / (o[..., -1:] + EPSILON), (sums[-1][..., :-1], sums[-1][..., -1])
