"""The clockwork RNN: groups of units with periods of their own, the slow ones telling the fast ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from suite.initializers import Initializer
from suite.recurrence import Cell
from suite.stepping import Recur

Tensor = Any

MOST_GROUPS = 8  # the phase counts to 2^7, which bfloat16 still holds exactly


@keras.saving.register_keras_serializable("suite")
class Clockwork(Cell):
    """h' = tanh(x W + h U + b) for the units whose period divides t, and h for the others;  t' = t + 1

    Group i of `groups` has the period 2^i and reads the groups that are as slow or slower: the other blocks of U are zero and
    are no weights. x: (batch, features); h: (batch, units); t: (batch, 1), modulo the longest period. A masked step does not
    move the clock, and a carried state carries it.

    Source: Koutnik et al. (2014), arXiv:1402.3511.
    """

    gates = ("h",)
    states = ("h", "t")
    no_gradient = ("t",)
    options = ("groups",)
    initializations = ("normal",)

    def __init__(self, units: int, *, groups: int = 8, **options: Any) -> None:
        super().__init__(units, **options)
        if not 1 <= groups <= MOST_GROUPS:
            raise ValueError(f"groups must be from 1 to {MOST_GROUPS}, got {groups!r}")
        if units % groups:
            raise ValueError(f"units must be a multiple of the {groups} groups, got {units}")
        self.groups = groups

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        h, t = states
        (a,) = recur(h, add=x)
        due = ops.equal(ops.mod(t, self.periods), 0)
        return ops.where(due, ops.tanh(a), h), ops.mod(t + 1, 2 ** (self.groups - 1))

    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        return (self.units,), (1,)

    def vectors(self) -> Mapping[str, Tensor]:
        return {"periods": ops.convert_to_tensor(2.0 ** self._group(), self.compute_dtype)}

    def kernels(self) -> Tensor:
        return ops.scatter(np.argwhere(self._reads()), self.recurrent_kernel, (self.units, self.units))

    def recurrent_shape(self, width: int) -> tuple[int, ...]:
        return (int(self._reads().sum()),)

    def initial_recurrent_kernel(self) -> Initializer:
        """Every unit's incoming weights begin with a norm of about 1, as those of an orthogonal kernel do."""
        reads = self._reads()
        scale = np.broadcast_to(1 / np.sqrt(reads.sum(axis=0)), reads.shape)[reads]
        draw = keras.initializers.RandomNormal(stddev=1.0)
        return lambda shape, dtype=None: draw(shape, dtype=dtype) * ops.cast(scale, dtype)

    def flops(self, time: int) -> float:
        """The mean over the clock: a unit of period T is computed in one step of T."""
        per_unit = 2.0 * (self.kernel.shape[0] + self._reads().sum(axis=0))
        return float(np.sum(per_unit / 2.0 ** self._group()))

    def _group(self) -> Any:
        return np.repeat(np.arange(self.groups), self.units // self.groups)

    def _reads(self) -> Any:
        """Say of each pair of units whether the second reads the first."""
        group = self._group()
        return group[:, None] >= group[None, :]
