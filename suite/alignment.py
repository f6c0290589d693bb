"""How much each step of the source matters to a state of the decoder: scores, weights, and the weighted sum."""

from typing import Any, NamedTuple

import keras
from keras import ops

Tensor = Any

SCORES = ("dot", "general", "concat")
LOWEST = -1e9  # the score of a masked step


class Memory(NamedTuple):
    """What attention keeps of a source; every array is (batch, ...)."""

    values: Tensor  # (batch, time, width): the encoder's outputs
    keys: Tensor  # (batch, time, ...): what a score reads of them, computed once a source
    valid: tuple[Tensor, ...]  # the mask (batch, time), or nothing where every step is valid


class Alignment(keras.layers.Layer):
    """a_tj = softmax_j(score(s_t, h_j)) over the valid steps of the source;  c_t = sum_j a_tj h_j
    dot      s_t . h_j
    general  s_t . (h_j W)
    concat   v . tanh(s_t W + h_j U)

    The last one, of `units` units, is a product with [s_t; h_j], and what Bahdanau et al. call additive.
    s: (batch, target time, width), h: (batch, time, width) -> c: (batch, target time, width) and a: (batch, target time,
    time), float32. A masked step weighs 0, and all do in a row without a valid one.

    Source: Bahdanau et al. (2015), arXiv:1409.0473 (concat); Luong et al. (2015), arXiv:1508.04025.
    """

    def __init__(self, score: str, units: int, **options: Any) -> None:
        super().__init__(**options)
        if score not in SCORES:
            raise ValueError(f"score must be one of {', '.join(SCORES)}, got {score!r}")
        self.score, self.units = score, units

    def build(self, shape: Any) -> None:
        width = shape[-1]
        if self.score == "general":
            self.key_kernel = self.add_weight(name="key_kernel", shape=(width, width), initializer="glorot_uniform")
        if self.score == "concat":
            self.query_kernel = self.add_weight(name="query_kernel", shape=(width, self.units), initializer="glorot_uniform")
            self.key_kernel = self.add_weight(name="key_kernel", shape=(width, self.units), initializer="glorot_uniform")
            self.direction = self.add_weight(name="direction", shape=(self.units, 1), initializer="glorot_uniform")
        self.built = True

    def remember(self, values: Tensor, mask: Tensor = None) -> Memory:
        """Return what `weigh` reads of a source; values: (batch, time, width), of the width of the decoder's states."""
        if not self.built:
            self.build(values.shape)
        keys = values if self.score == "dot" else ops.matmul(values, ops.cast(self.key_kernel, values.dtype))
        return Memory(values, keys, () if mask is None else (ops.cast(mask, "bool"),))

    def weigh(self, s: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Return the weighted sums c and the weights a of these states of the decoder."""
        scores = ops.cast(self._scores(s, memory.keys), "float32")
        for mask in memory.valid:
            scores = ops.where(mask[:, None, :], scores, LOWEST)
        a = ops.softmax(scores, axis=-1)
        for mask in memory.valid:
            a = ops.where(mask[:, None, :], a, 0.0)
        return ops.matmul(ops.cast(a, memory.values.dtype), memory.values), a

    def flops(self, time: int, target: int) -> float:
        """Forward FLOPs of a source of `time` steps and of `target` steps that attend to it."""
        width = int(self.key_kernel.shape[0]) if self.score != "dot" else self.units
        keys = {"dot": 0, "general": 2 * width * width, "concat": 2 * width * self.units}[self.score]
        query = {"dot": 0, "general": 0, "concat": 2 * width * self.units}[self.score]
        pair = 2 * (self.units if self.score == "concat" else width) + 2 * width
        return float(time * keys + target * (query + time * pair))

    def _scores(self, s: Tensor, keys: Tensor) -> Tensor:
        if self.score != "concat":
            return ops.matmul(s, ops.transpose(keys, (0, 2, 1)))
        query = ops.matmul(s, ops.cast(self.query_kernel, s.dtype))
        return ops.matmul(ops.tanh(query[:, :, None, :] + keys[:, None, :, :]), ops.cast(self.direction, s.dtype))[..., 0]
