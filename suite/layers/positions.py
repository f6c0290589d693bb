"""Where a step stands in its row: places, their sinusoids, and rotations by them."""

from typing import Any

from keras import ops

KINDS = ("sinusoidal", "learned", "rotary", "none")
LONGEST_WAVE = 10_000.0


def places(x: Any, mask: Any = None) -> Any:
    """Return how many valid steps stand before each step, int32 (batch or 1, time); x: (batch, time, features).

    Padding takes no place, wherever it stands: a padded row has the places of the row alone.
    """
    if mask is None:
        return ops.arange(ops.shape(x)[1], dtype="int32")[None, :]
    return ops.maximum(ops.cumsum(ops.cast(mask, "int32"), axis=1) - 1, 0)


def sinusoids(place: Any, width: int) -> Any:
    """Return [sin(p w_0) ... ; cos(p w_0) ...] with w_j = 10000^(-2j / width), float32 (batch, time, width).

    Source: Vaswani et al. (2017), arXiv:1706.03762.
    """
    angles = _angles(place, width)
    return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)


def rotated(x: Any, place: Any) -> Any:
    """Return x with each pair (x_j, x_(j + width / 2)) turned by the angle p w_j: products then know distances only.

    x: (batch, time, heads, width), place: (batch or 1, time).  Source: Su et al. (2021), arXiv:2104.09864.
    """
    angles = _angles(place, x.shape[-1])[:, :, None, :]
    cos, sin = ops.cast(ops.cos(angles), x.dtype), ops.cast(ops.sin(angles), x.dtype)
    a, b = ops.split(x, 2, axis=-1)
    return ops.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def _angles(place: Any, width: int) -> Any:
    frequencies = LONGEST_WAVE ** (-2.0 * ops.arange(width // 2, dtype="float32") / width)
    return ops.cast(place, "float32")[..., None] * frequencies
