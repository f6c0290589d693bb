"""The sLSTM of xLSTM: gates that are exponentials, kept within range by a state that holds their scale."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.ops import exp, sigmoid, tanh

from suite import initializers
from suite.initializers import Initializer
from suite.recurrence import Cell
from suite.stepping import Recur

Tensor = Any


@keras.saving.register_keras_serializable("suite")
class SLSTM(Cell):
    """a_i, a_f, a_z, a_o = x W + h U + b;  m' = max(log sigmoid(a_f) + m, a_i)
    i = exp(a_i - m');  f = exp(log sigmoid(a_f) + m - m');  c' = f * c + i * tanh(a_z);  n' = f * n + i;  h' = sigmoid(a_o) * c' / n'

    h' does not depend on m, which only keeps c and n within range: no gradient passes through it. Where nothing was written
    yet, c = n = 0, m' is a_i and f is 1. x: (batch, features); all states (batch, units). The units form `heads`, and those of one head do
    not see those of another. b_f begins at 3 to 6 over the units.

    Source: Beck et al. (2024), arXiv:2405.04517.
    """

    gates = ("i", "f", "z", "o")
    states = ("h", "c", "n", "m")
    no_gradient = ("m",)
    options = ("heads",)
    initializations = ("per_head",)

    def __init__(self, units: int, *, heads: int = 4, **options: Any) -> None:
        super().__init__(units, **options)
        if heads < 1 or units % heads:
            raise ValueError(f"units must be a multiple of the heads, got {units} units and {heads} heads")
        self.heads = heads

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        h, c, n, m = states
        i, f, z, o = recur(h, add=x)
        kept = ops.log_sigmoid(f) + ops.stop_gradient(m)
        scale = ops.stop_gradient(ops.where(n > 0, ops.maximum(kept, i), i))
        i, f = exp(i - scale), exp(ops.where(n > 0, kept - scale, 0.0))
        c, n = f * c + i * tanh(z), f * n + i
        return sigmoid(o) * c / n, c, n, scale

    def kernels(self) -> Tensor:
        """Blocks (units / heads, units / heads) on the diagonal of every gate."""
        head = np.arange(self.units) // (self.units // self.heads)
        same = np.tile(head[:, None] == head[None, :], (1, 4))
        return ops.where(same, ops.tile(self.recurrent_kernel, (self.heads, 1)), 0.0)

    def recurrent_shape(self, width: int) -> tuple[int, ...]:
        return (self.units // self.heads, 4 * self.units)

    def initial_kernel(self) -> Initializer:
        return initializers.per_gate(keras.initializers.GlorotUniform, 4)

    def initial_recurrent_kernel(self) -> Initializer:
        return initializers.per_gate(keras.initializers.Orthogonal, 4 * self.heads)

    def initial_bias(self) -> Initializer:
        def draw(shape: Sequence[int], dtype: Any = None) -> Any:
            zeros = ops.zeros((self.units,), dtype)
            return ops.concatenate([zeros, ops.cast(ops.linspace(3.0, 6.0, self.units), dtype), zeros, zeros])

        return draw

    def flops(self, time: int) -> float:
        """Of the blocks on the diagonal; the loop multiplies by the zeros beside them too."""
        return 8.0 * self.units * (self.kernel.shape[0] + self.units // self.heads)
