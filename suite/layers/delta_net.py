"""DeltaNet: linear attention that corrects what a key holds instead of adding to it."""

from typing import Any

import keras
import tensorflow as tf

from suite import initializers
from suite.linear_recurrence import LinearRecurrence, Recurrence, product
from suite.matrix_state import check_heads, chunks, heads_apart, heads_joined, lower, unchunked, written
from suite.scan import Given, States, Step

Tensor = Any

EPSILON = 1e-6  # in the norm of a key, beside its square


@keras.saving.register_keras_serializable("suite")
class DeltaNet(LinearRecurrence):
    """q, k, v = x W, a block a head, q and k of norm 1;  beta = sigmoid(x W_b), a number a head
    S' = S - beta k^T (k S) + beta k^T v;  o = q S';  y = o W_o

    One step of gradient descent on |k S - v|^2 / 2: beta 1 replaces what k holds by v. S' = (I - beta k^T k) S + ... has the
    eigenvalue 1 - beta along k; with `negative`, beta = 2 sigmoid(x W_b) and it reaches -1, which parity needs. Layer
    without the short convolutions and the normalisation that the sources put around it.

    x: (batch, features); S: (batch, heads, units / heads, units / heads); y: (batch, units).

    Source: Schlag et al. (2021), arXiv:2102.11174; Yang et al. (2024), arXiv:2406.06484 (the form in chunks); Grazzi et al.
    (2024), arXiv:2411.12537 (negative eigenvalues).
    """

    states = ("S",)
    options = ("heads", "negative")
    on_cpu = "parallel"

    def __init__(self, units: int, *, heads: int = 4, negative: bool = False, **options: Any) -> None:
        super().__init__(units, **options)
        check_heads(units, heads)
        self.heads, self.head, self.negative = heads, units // heads, negative

    def forward(self, x: Tensor, recur: Recurrence) -> Tensor:
        q, k, v = (heads_apart(block, self.heads) for block in tf.split(product(x, self.kernel), 3, axis=-1))
        beta = tf.sigmoid(product(x, self.beta_kernel)) * (2 if self.negative else 1)
        o = recur.scan(DELTA, normalised(q), normalised(k), v, beta[..., None], states=self.states, parallel=_chunked)
        return product(heads_joined(o), self.output_kernel)

    def probe_shapes(self) -> tuple[tuple[int, ...], ...]:
        return ((self.heads, self.head, self.head),)

    def weights_of_its_own(self, features: int) -> None:
        glorot = keras.initializers.GlorotUniform
        self.kernel = self.add_weight(name="kernel", shape=(features, 3 * self.units), initializer=initializers.per_gate(glorot, 3))
        self.beta_kernel = self.add_weight(name="beta_kernel", shape=(features, self.heads), initializer=glorot())
        self.output_kernel = self.add_weight(name="output_kernel", shape=(self.units, self.units), initializer=glorot())

    def flops(self, time: int) -> float:
        """Return the FLOPs of a step: its products, and the reading, correcting and reading again of the matrices."""
        features, units = self.kernel.shape[0], self.units
        return 2.0 * features * (3 * units + self.heads) + 2.0 * units**2 + 6.0 * units * self.head


def normalised(x: Tensor) -> Tensor:
    """Return x / |x| along the last axis."""
    return x * tf.math.rsqrt(tf.reduce_sum(tf.square(x), axis=-1, keepdims=True) + tf.cast(EPSILON, x.dtype))


def _change(states: States, sequences: tuple[Tensor, ...], _: Any) -> States:
    (s,) = states
    _, k, v, beta = sequences
    error = v - tf.reduce_sum(k[..., :, None] * s, axis=-2)
    return (s + k[..., :, None] * (beta * error)[..., None, :],)


def _read(states: States, sequences: tuple[Tensor, ...], _: Any) -> Tensor:
    (s,) = states
    q, *_ = sequences
    return tf.reduce_sum(q[..., :, None] * s, axis=-2)


DELTA = Step(_change, _read)


def _chunked(given: Given, mask: Tensor | None) -> tuple[Tensor, States]:
    """Return outputs and final state, chunk after chunk: what the steps of a chunk write follows from one triangular system.

    With u_t = v_t - k_t S_(t-1), S = S_0 + sum of beta_s k_s^T u_s over the chunk, so that (I + L) u = v - k S_0 with
    L_ts = k_t k_s^T beta_s below the diagonal. v and k are solved for in all chunks at once.
    """
    q, k, v, beta = given.sequences
    time = q.shape[0]
    q, k, v, beta = chunks(q), chunks(k), chunks(v), chunks(written(beta, mask))
    length = q.shape[3]
    written_keys = beta * k
    below = lower(length, q.dtype, diagonal=False)
    system = tf.eye(length, dtype=q.dtype) + tf.matmul(k, written_keys, transpose_b=True) * below
    solved = tf.linalg.triangular_solve(system, tf.concat([v, k], axis=-1))
    v, k = tf.split(solved, [v.shape[-1], k.shape[-1]], axis=-1)
    scores = tf.matmul(q, written_keys, transpose_b=True) * lower(length, q.dtype, diagonal=True)
    (s,), outputs = given.states, []
    for c in range(q.shape[0]):
        u = v[c] - tf.matmul(k[c], s)
        outputs.append(tf.matmul(q[c], s) + tf.matmul(scores[c], u))
        s = s + tf.matmul(written_keys[c], u, transpose_a=True)
    return unchunked(tf.stack(outputs), time), (s,)
