"""Two cells, one from the left and one from the right, each over the valid part of the row only."""

import importlib
from typing import Any

import keras
from keras import ops

from suite.layers import probing, valid

MERGES = ("concat", "sum")


class Bidirectional(keras.layers.Layer):
    """y_t = [forward_t; backward_t], or their sum; backward_t has read x_T ... x_t.

    Row and mask are turned round together, and a masked step keeps the state, so that the backward cell starts at the
    last valid step wherever the padding stands. `units` is the width of one direction; `cell` names its layer
    ("module:Class"), which gets the other `options`.

    x: (batch, time, features) -> y: (batch, time, 2 * units), or (batch, time, units) for `sum`.

    Source: Schuster & Paliwal (1997), doi:10.1109/78.650093.
    """

    def __init__(
        self,
        units: int,
        *,
        length: int | None = None,
        cell: str = "suite.layers.lstm:LSTM",
        merge: str = "concat",
        name: str | None = None,
        dtype: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.supports_masking = True
        if units < 1:
            raise ValueError(f"units must be at least 1, got {units}")
        if merge not in MERGES:
            raise ValueError(f"merge must be one of {', '.join(MERGES)}, got {merge!r}")
        self.units, self.length, self.cell, self.merge, self.options = units, length, cell, merge, options
        module, _, wanted = cell.partition(":")
        target = getattr(importlib.import_module(module), wanted)
        self.forward, self.backward = (
            target(units, length=length, return_sequences=True, dtype=self.dtype_policy, **options) for _ in range(2)
        )

    def build(self, x_shape: Any) -> None:
        self.forward.build(x_shape)
        self.backward.build(x_shape)
        self.built = True

    def call(self, x: Any, mask: Any = None, training: bool = False, probes: Any = None) -> Any:
        turned = None if mask is None else ops.flip(mask, axis=1)
        ahead, behind = self._probes(probes)
        left = self.forward(x, mask=mask, training=training, **ahead)
        right = ops.flip(self.backward(ops.flip(x, axis=1), mask=turned, training=training, **behind), axis=1)
        return left + right if self.merge == "sum" else ops.concatenate([left, right], axis=-1)

    def last(self, y: Any, mask: Any = None) -> Any:
        """Where each direction has read everything: the last valid step of the one, the first of the other."""
        if self.merge == "sum":
            raise ValueError("a sum of both directions has no last step: use head mean, max or attention")
        forward = valid.last(y[:, :, : self.units], mask)
        return ops.concatenate([forward, valid.first(y[:, :, self.units :], mask)], axis=-1)

    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The states of both directions that take probes, without the batch."""
        return 2 * probing.probe_shapes(self.forward)

    def backward_states(self) -> tuple[bool, ...]:
        """Say of every state whether it is carried from the end to the start."""
        half = len(self.state_shapes()) // 2
        return (False,) * half + (True,) * half

    def get_config(self) -> dict[str, Any]:
        own = {"units": self.units, "length": self.length, "cell": self.cell, "merge": self.merge}
        return {**super().get_config(), **own, **self.options}

    def _probes(self, probes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Probes stand in the order of time, (time, batch, ...): those of the backward cell are turned round."""
        if probes is None:
            return {}, {}
        half = len(probes) // 2
        return {"probes": tuple(probes[:half])}, {"probes": tuple(ops.flip(probe, axis=0) for probe in probes[half:])}
