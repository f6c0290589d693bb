"""The linear recurrence h_t = a_t * h_(t-1) + b_t: as a step of the time loop, and over all steps at once."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from suite.scan import Given, States

Tensor = Any


class Diagonal(NamedTuple):
    """One step: (a, b) = gates(*sequences, *weights);  h' = a * h + b;  y = read(h', *sequences, *weights), or h'.

    `gates` and `read` act on every element or on the last axes alone, so that they serve one step, (batch, ...), and all
    steps at once, (time, batch, ...). Equal steps share their compiled loops.
    """

    gates: Callable[..., tuple[Tensor, Tensor]]
    read: Callable[..., Tensor] | None = None

    def change(self, states: States, sequences: tuple[Tensor, ...], weights: tuple[Tensor, ...]) -> States:
        """Return the state after the step."""
        (h,) = states
        a, b = self.gates(*sequences, *weights)
        return (a * h + b,)

    def output(self, states: States, sequences: tuple[Tensor, ...], weights: tuple[Tensor, ...]) -> Tensor | None:
        """Return what is read of the state, or None where the state is the output."""
        return None if self.read is None else self.read(*states, *sequences, *weights)


class ComplexDiagonal(NamedTuple):
    """The same step for complex a and b; the states are the real and the imaginary part of h, and `read` gets both.

    Written out in real numbers, which a compiled loop does twice as fast as complex ones.
    """

    gates: Callable[..., tuple[Tensor, Tensor]]
    read: Callable[..., Tensor] | None = None

    def change(self, states: States, sequences: tuple[Tensor, ...], weights: tuple[Tensor, ...]) -> States:
        """Return the two parts of the state after the step."""
        real, imaginary = states
        a, b = self.gates(*sequences, *weights)
        a_real, a_imaginary = tf.math.real(a), tf.math.imag(a)
        return (
            a_real * real - a_imaginary * imaginary + tf.math.real(b),
            a_real * imaginary + a_imaginary * real + tf.math.imag(b),
        )

    def output(self, states: States, sequences: tuple[Tensor, ...], weights: tuple[Tensor, ...]) -> Tensor | None:
        """Return what is read of the state, or None where the state is the output."""
        return None if self.read is None else self.read(*states, *sequences, *weights)


def at_once(step: Diagonal | ComplexDiagonal, given: Given, mask: Tensor | None) -> tuple[tuple[Tensor, ...], States]:
    """Return what the loop over `step` returns, by an associative scan; a masked step has a = 1 and b = 0."""
    a, b = step.gates(*given.sequences, *given.weights)
    a = tf.broadcast_to(a, tf.shape(b))
    if mask is not None:
        valid = _wide(mask, b)
        a, b = tf.where(valid, a, tf.ones_like(a)), tf.where(valid, b, tf.zeros_like(b))
    if given.probes:
        b = b + _one(step, given.probes)
    b = tf.concat([b[:1] + a[:1] * _one(step, given.states), b[1:]], axis=0)
    h = linear_scan(a, b)
    states = (h,) if isinstance(step, Diagonal) else (tf.math.real(h), tf.math.imag(h))
    output = step.output(states, given.sequences, given.weights)
    return states if output is None else (output,), tuple(state[-1] for state in states)


@tf.custom_gradient
def linear_scan(a: Tensor, b: Tensor) -> Any:
    """Return h_t = a_t * h_(t-1) + b_t from h = 0 on, real or complex, (time, ...).

    Its adjoint is the same recurrence in reverse: g_t = dL/dh_t + conj(a_(t+1)) * g_(t+1), da_t = g_t * conj(h_(t-1)), db_t = g_t.
    """
    h = associative(a, b)

    def slopes(d: Tensor) -> tuple[Tensor, Tensor]:
        conjugate = tf.math.conj if a.dtype.is_complex else tf.identity
        later = tf.concat([conjugate(a[1:]), tf.zeros_like(a[:1])], axis=0)
        g = tf.reverse(associative(tf.reverse(later, (0,)), tf.reverse(d, (0,))), (0,))
        before = tf.concat([tf.zeros_like(h[:1]), h[:-1]], axis=0)
        return g * conjugate(before), g

    return h, slopes


def associative(a: Tensor, b: Tensor) -> Tensor:
    """Return h_t = a_t * h_(t-1) + b_t from h = 0 on: steps are joined by twos, solved, and the others filled in.

    Twice the arithmetic of a loop, in 2 log2(time) operations over all steps.

    Source: Blelloch (1990), Prefix sums and their applications, CMU-CS-90-190.
    """
    time = a.shape[0]
    if time == 1:
        return b
    even_a, even_b, odd_a, odd_b = a[: time - 1 : 2], b[: time - 1 : 2], a[1::2], b[1::2]
    odd = associative(odd_a * even_a, odd_a * even_b + odd_b)
    later = (time - 1) // 2  # even steps behind the first one
    even = tf.concat([b[:1], a[2::2] * odd[:later] + b[2::2]], axis=0)
    pairs = tf.stack([even[: time // 2], odd], axis=1)
    joined = tf.reshape(pairs, tf.concat([[2 * (time // 2)], tf.shape(b)[1:]], axis=0))
    return tf.ensure_shape(joined if time % 2 == 0 else tf.concat([joined, even[-1:]], axis=0), b.shape)


def _one(step: Any, parts: tuple[Tensor, ...]) -> Tensor:
    """Return the state as one tensor: complex where it is carried as two."""
    return parts[0] if isinstance(step, Diagonal) else tf.complex(*parts)


def _wide(mask: Tensor, like: Tensor) -> Tensor:
    """Return a mask (time, batch) with the axes of `like`."""
    return tf.reshape(mask, tf.concat([tf.shape(mask), [1] * (len(like.shape) - 2)], axis=0))
