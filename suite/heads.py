"""Heads: how a sequence becomes one vector, and how vectors become outputs."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from suite.layers import valid

POOLS = ("last", "mean", "max", "attention")


class Pool(keras.layers.Layer):
    """One vector a row out of its valid steps; (batch, time, units) -> (batch, units).

    `last` is where the layer has read everything: the last valid step, or what a `last` method of the layer says (a
    bidirectional layer ends at both ends). `attention` weighs the steps by softmax(y W + b).
    """

    def __init__(self, how: str, **options: Any) -> None:
        super().__init__(**options)
        if how not in POOLS:
            raise ValueError(f"head must be one of {', '.join(POOLS)}, got {how!r}")
        self.how = how
        self.score: Any = keras.layers.Dense(1) if how == "attention" else None
        self.built = True

    def call(self, y: Any, mask: Any = None, last: Callable[..., Any] = valid.last) -> Any:
        if self.how == "last":
            return last(y, mask)
        if self.how == "mean":
            return valid.mean(y, mask)
        if self.how == "max":
            return valid.maximum(y, mask)
        score = ops.cast(self.score(y)[:, :, 0], "float32")
        if mask is not None:
            score = ops.where(mask, score, -1e9)
        weight = ops.cast(ops.softmax(score, axis=1), y.dtype)
        return ops.sum(weight[:, :, None] * y, axis=1)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """Pin no mask to the result: it goes by the argument, and nowhere else."""

    def flops(self, time: int) -> float:
        """Forward FLOPs per time step of scoring and summing."""
        if self.score is None:
            return 0.0
        units = int(self.score.kernel.shape[0])
        return 4.0 * units


class Symbols(keras.layers.Layer):
    """Ids as vectors: one-hot where `width` is None, else rows of a trainable table.

    The rows of the table start with a mean squared norm of 1, as one-hot vectors have. ids: (batch, time) or (batch,).
    """

    def __init__(self, vocabulary: int, width: int | None, **options: Any) -> None:
        super().__init__(**options)
        self.vocabulary, self.width = vocabulary, width
        self.table: Any = None
        if width is not None:
            rows = keras.initializers.RandomNormal(stddev=width**-0.5)
            self.table = self.add_weight(name="table", shape=(vocabulary, width), initializer=rows)
        self.built = True

    def call(self, ids: Any) -> Any:
        if self.table is None:
            return ops.one_hot(ids, self.vocabulary, dtype=self.compute_dtype)
        # The product makes the table's gradient dense: a sparse one has no true norm while rows repeat.
        return ops.take(self.table * ops.ones((), self.compute_dtype), ids, axis=0)


class Outputs(keras.layers.Layer):
    """The last affine map, in float32; (..., units) -> (..., outputs).

    With a table of symbols it is an affine map to the table's width and a product with that table (tied weights).
    Source: Press & Wolf (2017), arXiv:1608.05859.
    """

    def __init__(self, outputs: int, tied: Symbols | None = None, **options: Any) -> None:
        super().__init__(**{**options, "dtype": "float32"})
        self.tied = tied
        self.dense = keras.layers.Dense(outputs if tied is None else tied.width, dtype="float32")
        self.built = True

    def call(self, y: Any) -> Any:
        y = self.dense(y)
        if self.tied is None:
            return y
        return ops.matmul(y, ops.transpose(ops.cast(self.tied.table, "float32")))
