"""A recurrent layer and then attention: what came before is both summed up in a state and looked up."""

import importlib
from typing import Any

import keras

from suite.layers import cost
from suite.layers.attention_block import Block, normalisation, past


class Hybrid(keras.layers.Layer):
    """h = cell(x);  y = LN(Block(h)), where the block's attention sees h_1 ... h_t

    The state tells the order, so that places are told nowhere; the block is that of a Transformer, with `heads` and a
    perceptron of width `inner` (4 units unless told). `cell` names the recurrent layer ("module:Class").

    x: (batch, time, features) -> y: (batch, time, units).

    Source: Merity (2019), arXiv:1911.11423.
    """

    attends = True  # an output reads many states at once

    def __init__(
        self,
        units: int,
        *,
        length: int | None = None,
        inner: int | None = None,
        cell: str = "suite.layers.lstm:LSTM",
        heads: int = 4,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.supports_masking = True
        if units < 1:
            raise ValueError(f"units must be at least 1, got {units}")
        self.own = {"units": units, "length": length, "inner": inner, "cell": cell, "heads": heads}
        self.units = units
        module, _, wanted = cell.partition(":")
        given = {"dtype": self.dtype_policy}
        self.recurrent = getattr(importlib.import_module(module), wanted)(units, length=length, return_sequences=True, **given)
        self.block = Block(units, heads=heads, inner=inner, name="block", **given)
        self.norm = normalisation(name="norm", **given)

    def build(self, x_shape: Any) -> None:
        self.recurrent.build(x_shape)
        for part in (self.block, self.norm):
            part.build((*x_shape[:-1], self.units))
        self.built = True

    def call(self, x: Any, mask: Any = None, training: bool = False, probes: Any = None) -> Any:
        more = {} if probes is None else {"probes": probes}
        h = self.recurrent(x, mask=mask, training=training, **more)
        return self.norm(self.block(h, past(h, mask)))

    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of the cell's states, without the batch; they take probes, and are not carried from window to window."""
        shapes: tuple[tuple[int, ...], ...] = self.recurrent.state_shapes()
        return shapes

    def flops(self, time: int) -> float:
        """Forward FLOPs per time step; a score that the mask hides is not counted."""
        return cost.per_step(self.recurrent, time) + 2.0 * self.block.products() + 2.0 * (time + 1) * self.units

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.own}
