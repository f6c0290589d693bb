"""The Transformer over one row: an encoder that sees all of it, or a decoder that sees the past."""

from typing import Any

import keras
from keras import ops

from suite.layers import positions
from suite.layers.attention_block import Block, everything, normalisation, past


class Entry(keras.layers.Layer):
    """x_t <- sqrt(units) (x_t W + b) + position: how a row enters a Transformer.

    `position`: the sinusoids of the place ("sinusoidal"), sqrt(units) times a row of a trained table ("learned", which
    ends at `length`), or nothing ("rotary", which acts inside the attention, and "none").
    x: (batch, time, features) -> (batch, time, units).
    """

    def __init__(self, units: int, *, length: int | None, position: str, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True
        if position not in positions.KINDS:
            raise ValueError(f"position must be one of {', '.join(positions.KINDS)}, got {position!r}")
        if position == "learned" and length is None:
            raise ValueError("position 'learned' needs a length")
        if position == "sinusoidal" and units % 2:
            raise ValueError(f"sinusoidal positions come in pairs: units must be even, got {units}")
        self.units, self.length, self.position = units, length, position
        self.enter = keras.layers.Dense(units, name="enter", dtype=self.dtype_policy)
        self.table: Any = None

    def build(self, x_shape: Any) -> None:
        self.enter.build(x_shape)
        if self.position == "learned":
            rows = keras.initializers.RandomNormal(stddev=self.units**-0.5)
            self.table = self.add_weight(name="positions", shape=(self.length, self.units), initializer=rows)
        self.built = True

    def call(self, x: Any, place: Any) -> Any:
        scale = self.units**0.5
        x = self.enter(x) * scale
        if self.position == "sinusoidal":
            return x + ops.cast(positions.sinusoids(place, self.units), x.dtype)
        if self.position == "learned":
            return x + ops.take(self.table * ops.cast(scale, x.dtype), place, axis=0)
        return x


class Transformer(keras.layers.Layer):
    """x <- Entry(x) in the first layer;  x <- Block(x);  y = LN(x) after the last layer

    Entry maps the features to the units and tells the places (`position`), Block is self-attention with `heads` and a
    perceptron of width `inner` (4 units unless told), each normalised first. A step sees the whole row; without `future`,
    itself and the past, and of these the last `window` steps where that is not 0. `first` and `last` say where in a
    stack of these the layer stands; one alone is both.

    x: (batch, time, features) -> y: (batch, time, units).

    Source: Vaswani et al. (2017), arXiv:1706.03762; Xiong et al. (2020), arXiv:2002.04745 (normalisation first);
    Devlin et al. (2019), arXiv:1810.04805 (learned); Su et al. (2021), arXiv:2104.09864 (rotary); Haviv et al. (2022),
    arXiv:2203.16634 (none); Beltagy et al. (2020), arXiv:2004.05150 (window).
    """

    def __init__(
        self,
        units: int,
        *,
        length: int | None = None,
        inner: int | None = None,
        heads: int = 4,
        position: str = "sinusoidal",
        future: bool = True,
        window: int = 0,
        first: bool = True,
        last: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.supports_masking = True
        if units < 1:
            raise ValueError(f"units must be at least 1, got {units}")
        if window < 0 or (window and future):
            raise ValueError(f"window must be 0, or the steps that a layer without future sees, got {window}")
        self.own = {"units": units, "length": length, "inner": inner, "heads": heads, "position": position}
        self.own |= {"future": future, "window": window, "first": first, "last": last}
        self.units, self.future, self.window = units, future, window
        given = {"dtype": self.dtype_policy}
        self.entry: Any = Entry(units, length=length, position=position, name="entry", **given) if first else None
        self.block = Block(units, heads=heads, inner=inner, rotary=position == "rotary", name="block", **given)
        self.norm: Any = normalisation(name="norm", **given) if last else None

    def build(self, x_shape: Any) -> None:
        inside = (*x_shape[:-1], self.units)
        if self.entry is not None:
            self.entry.build(x_shape)
        elif x_shape[-1] != self.units:
            raise ValueError(f"a layer that is not the first reads {self.units} units, got {x_shape[-1]}")
        self.block.build(inside)
        if self.norm is not None:
            self.norm.build(inside)
        self.built = True

    def call(self, x: Any, mask: Any = None, training: bool = False) -> Any:
        place = positions.places(x, mask)
        if self.entry is not None:
            x = self.entry(x, place)
        x = self.block(x, everything(x, mask) if self.future else past(x, mask, self.window), place)
        return x if self.norm is None else self.norm(x)

    def flops(self, time: int) -> float:
        """Forward FLOPs per time step; a score that the mask hides is not counted."""
        seen = float(time)
        if not self.future:
            widest = min(self.window or time, time)
            seen = widest * (time - (widest - 1) / 2) / time  # the first steps see less
        enter = 0 if self.entry is None else self.entry.enter.kernel.shape[0] * self.units
        return 2.0 * (enter + self.block.products()) + 4.0 * seen * self.units

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.own}
