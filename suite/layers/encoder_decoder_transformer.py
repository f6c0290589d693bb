"""The Transformer of Vaswani et al.: an encoder reads the source, a decoder that looks at it writes the target."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from suite.layers import positions
from suite.layers.attention_block import Block, Remembered, everything, normalisation, past
from suite.layers.transformer import Entry, Transformer

POSITIONS = ("sinusoidal", "rotary", "none")


class EncoderDecoderTransformer(keras.layers.Layer):
    """m = Transformer(x);  y <- Entry(y);  y <- Block(y, m), `depth` times;  y = LN(y)

    The encoder is `depth` Transformer layers, the decoder as many causal blocks that also attend to m. `drop`, if there
    is one, stands between two layers. `start` reads the source and makes room for `longest` target steps, `next` writes
    one: keys and values of all that is past are kept, so that a step costs one step.

    Source x and target y are embedded already: (batch, time, features), (batch, target time, features) ->
    (batch, target time, units). A source that is masked everywhere is read as a whole.

    Source: Vaswani et al. (2017), arXiv:1706.03762; Xiong et al. (2020), arXiv:2002.04745 (normalisation first).
    """

    def __init__(
        self,
        units: int,
        *,
        length: int | None = None,
        inner: int | None = None,
        depth: int = 1,
        drop: Any = None,
        heads: int = 4,
        position: str = "sinusoidal",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.supports_masking = True
        if units < 1:
            raise ValueError(f"units must be at least 1, got {units}")
        if position not in POSITIONS:
            raise ValueError(f"position must be one of {', '.join(POSITIONS)}, got {position!r}")
        self.own = {"units": units, "length": length, "inner": inner, "depth": depth, "heads": heads, "position": position}
        self.units, self.heads, self.drop = units, heads, drop
        given = {"dtype": self.dtype_policy}
        shape: dict[str, Any] = {"inner": inner, "heads": heads}
        self.encoder = [
            Transformer(units, position=position, first=index == 0, last=index == depth - 1, **shape, **given) for index in range(depth)
        ]
        self.entry = Entry(units, length=None, position=position, name="entry", **given)
        self.decoder = [Block(units, rotary=position == "rotary", crosses=True, **shape, **given) for _ in range(depth)]
        self.norm = normalisation(name="norm", **given)

    def build(self, x_shape: Any, target_shape: Any) -> None:
        inside = (*x_shape[:-1], self.units)
        for index, layer in enumerate(self.encoder):
            layer.build(x_shape if index == 0 else inside)
        self.entry.build(target_shape)
        for block in self.decoder:
            block.build(inside)
        self.norm.build(inside)
        self.built = True

    def call(self, x: Any, target: Any, mask: Any = None, training: bool = False) -> Any:
        others, other_seen = self._read(x, mask, training)
        place = positions.places(target)
        y, seen = self.entry(target, place), past(target, None)
        for index, (block, other) in enumerate(zip(self.decoder, others, strict=True)):
            y = block(self._dropped(y, index, training), seen, place, other, other_seen)
        return self.norm(y)

    def start(self, x: Any, mask: Any = None, longest: int | None = None) -> Any:
        """Return the state before the first target step; every array in it is (batch, ...).

        Raises:
            ValueError: it was not told the most target steps that will be asked for.
        """
        if longest is None:
            raise ValueError("a Transformer keeps what it wrote: say the most target steps that it must have room for")
        others, seen = self._read(x, mask, False)
        batch = ops.shape(x)[0]
        seen = ops.broadcast_to(seen, (batch, *ops.shape(seen)[1:]))
        empty = ops.zeros((batch, longest, self.heads, self.units // self.heads), self.compute_dtype)
        return ops.zeros((batch,), "int32"), seen, others, tuple((empty, empty) for _ in self.decoder)

    def next(self, y: Any, state: Any) -> Any:
        """Return (batch, units) and the new state after one target step; y: (batch, features)."""
        step, other_seen, others, kept = state
        room = ops.shape(kept[0][0])[1]
        tf.debugging.assert_less(step, room, message=f"there is room for {room} target steps")
        y, after = self.entry(y[:, None, :], step[:, None]), []
        for block, other, before in zip(self.decoder, others, kept, strict=True):
            y, new = block.next(y, Remembered(*before), step, other, other_seen)
            after.append(tuple(new))
        return self.norm(y)[:, 0], (step + 1, other_seen, others, tuple(after))

    def flops(self, time: int, target: int) -> float:
        """Forward FLOPs of a row: `time` source steps and `target` target steps; a score that the mask hides is not counted."""
        reads = time * sum(layer.flops(time) for layer in self.encoder)
        keys = time * 4.0 * self.units**2  # of the source, for each decoder layer
        writes = 2.0 * sum(block.products() for block in self.decoder) + 2.0 * self.entry.enter.kernel.shape[0] * self.units
        scores = 4.0 * self.units * ((target + 1) / 2 + time)
        return reads + len(self.decoder) * (keys + target * scores) + target * writes

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.own}

    def _read(self, x: Any, mask: Any, training: bool) -> Any:
        """Return the keys and values that every decoder layer has of the source, and which steps of it count."""
        for index, layer in enumerate(self.encoder):
            x = tf.identity(layer(self._dropped(x, index, training), mask=mask))  # drops the mask that Keras pins to the tensor
        return tuple(block.cross.remembered(x) for block in self.decoder), everything(x, mask)

    def _dropped(self, x: Any, index: int, training: bool) -> Any:
        return self.drop(x, training=training) if index and self.drop is not None else x
