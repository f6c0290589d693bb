"""Summaries of a sequence over its valid steps: the last, the first, the mean, the maximum."""

from typing import Any

from keras import ops


def last(y: Any, mask: Any = None) -> Any:
    """Return the output of the last valid step, (batch, units); y: (batch, time, units), mask: (batch, time)."""
    if mask is None:
        return y[:, -1]
    positions = ops.arange(ops.shape(y)[1], dtype="int32")
    return _at(y, ops.max(ops.where(mask, positions, 0), axis=1))


def first(y: Any, mask: Any = None) -> Any:
    """Return the output of the first valid step, (batch, units)."""
    if mask is None:
        return y[:, 0]
    return _at(y, ops.argmax(ops.cast(mask, "int32"), axis=1))


def mean(y: Any, mask: Any = None) -> Any:
    """Return the mean over the valid steps, (batch, units); zeros for a row that has none."""
    if mask is None:
        return ops.mean(y, axis=1)
    weight = ops.cast(mask, y.dtype)[:, :, None]
    return ops.sum(ops.where(weight > 0, y, 0), axis=1) / ops.maximum(ops.sum(weight, axis=1), 1)


def maximum(y: Any, mask: Any = None) -> Any:
    """Return the maximum over the valid steps, (batch, units); zeros for a row that has none."""
    if mask is None:
        return ops.max(y, axis=1)
    valid = ops.cast(mask, "bool")[:, :, None]
    lowest = ops.min(y, axis=1, keepdims=True)
    highest = ops.max(ops.where(valid, y, lowest), axis=1)
    return ops.where(ops.any(valid, axis=1), highest, 0)


def _at(y: Any, positions: Any) -> Any:
    return ops.take_along_axis(y, positions[:, None, None], axis=1)[:, 0]
