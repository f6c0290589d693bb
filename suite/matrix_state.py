"""Heads and chunks: how layers with a matrix for a state are cut up, all products within a chunk at once."""

from typing import Any

import tensorflow as tf

Tensor = Any

CHUNK = 32  # steps: within a chunk the work grows with its square, between chunks it is one product


def check_heads(units: int, heads: int) -> None:
    """Refuse heads that do not divide the units.

    Raises:
        ValueError: they do not.
    """
    if heads < 1 or units % heads:
        raise ValueError(f"units must be a multiple of heads, got {units} units and {heads} heads")


def heads_apart(x: Tensor, heads: int) -> Tensor:
    """Return (time, batch, heads, units / heads); x: (time, batch, units)."""
    return tf.reshape(x, (*_sizes(x, 2), heads, x.shape[2] // heads))


def heads_joined(x: Tensor) -> Tensor:
    """Return (time, batch, heads * width); x: (time, batch, heads, width)."""
    return tf.reshape(x, (*_sizes(x, 2), x.shape[2] * x.shape[3]))


def chunks(x: Tensor, length: int = CHUNK) -> Tensor:
    """Return (chunks, batch, heads, length, width), zeros behind the last step; x: (time, batch, heads, width)."""
    x = tf.pad(x, [[0, -x.shape[0] % length], [0, 0], [0, 0], [0, 0]])
    _, batch, heads, width = _sizes(x, 4)
    return tf.transpose(tf.reshape(x, (x.shape[0] // length, length, batch, heads, width)), (0, 2, 3, 1, 4))


def unchunked(x: Tensor, time: int) -> Tensor:
    """Return (time, batch, heads, width): the inverse of `chunks`."""
    number, batch, heads, length, width = _sizes(x, 5)
    return tf.reshape(tf.transpose(x, (0, 3, 1, 2, 4)), (number * length, batch, heads, width))[:time]


def written(x: Tensor, mask: Tensor | None) -> Tensor:
    """Return zero at masked steps: what is not written keeps the state; x: (time, batch, heads, width)."""
    return x if mask is None else tf.where(mask[:, :, None, None], x, tf.zeros_like(x))


def lower(length: int, dtype: Any, *, diagonal: bool) -> Tensor:
    """Return ones below the diagonal of (length, length), and on it where asked to."""
    place = tf.range(length)
    return tf.cast(place[:, None] >= place if diagonal else place[:, None] > place, dtype)


def _sizes(x: Tensor, count: int) -> list[Any]:
    return [known if known is not None else tf.shape(x)[axis] for axis, known in enumerate(x.shape[:count])]
