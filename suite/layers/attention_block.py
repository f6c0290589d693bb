"""What Transformers are made of: attention with many heads, of a row to itself or to another, between normalisations."""

from typing import Any, NamedTuple

import keras
from keras import ops

from suite.layers import positions

HIDDEN = -1e9  # of a score that must not count: finite, so that a row without a valid step stays finite


class Attention(keras.layers.Layer):
    """o_t = [sum over s of a_ts v_s]_heads W_o + b_o;  a_t = softmax over s of q_t . k_s / sqrt(width of a head)

    q = x W_q + b_q,  k = m W_k + b_k,  v = m W_v + b_v, each split into `heads`; m is x itself or another row. With
    `rotary`, q and k are turned by their places first. The bias b_k moves all scores of a query alike and is kept because
    it is everywhere; only with `rotary` does it say anything.

    x: (batch, time, units), m: (batch, other time, units) -> (batch, time, units); 4 units^2 + 4 units weights.

    Source: Vaswani et al. (2017), arXiv:1706.03762.
    """

    def __init__(self, units: int, heads: int, *, rotary: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True
        if heads < 1 or units % heads:
            raise ValueError(f"units must be a multiple of the {heads} heads, got {units}")
        if rotary and units // heads % 2:
            raise ValueError(f"rotary positions turn pairs: the width of a head must be even, got {units} units in {heads} heads")
        self.units, self.heads, self.rotary = units, heads, rotary
        self.query, self.key, self.value, self.out = (
            keras.layers.Dense(units, name=name, dtype=self.dtype_policy) for name in ("query", "key", "value", "out")
        )

    def build(self, x_shape: Any) -> None:
        for dense in (self.query, self.key, self.value, self.out):
            dense.build((*x_shape[:-1], self.units))
        self.built = True

    def call(self, x: Any, keys: Any, values: Any, seen: Any, place: Any = None) -> Any:
        """Attend to keys and values, (batch, other time, heads, width); seen: bool, broadcast to (batch, time, other time)."""
        q = self._heads(self.query(x))
        if self.rotary:
            q = positions.rotated(q, place)
        scores = ops.cast(ops.einsum("bthw,bshw->bhts", q, keys), "float32") * (self.units // self.heads) ** -0.5
        weights = ops.softmax(ops.where(ops.expand_dims(seen, 1), scores, HIDDEN), axis=-1)
        mixed = ops.einsum("bhts,bshw->bthw", ops.cast(weights, values.dtype), values)
        return self.out(ops.reshape(mixed, (*ops.shape(x)[:2], self.units)))

    def remembered(self, m: Any, place: Any = None) -> tuple[Any, Any]:
        """Return the keys and values of a row, (batch, time, heads, width)."""
        keys = self._heads(self.key(m))
        return positions.rotated(keys, place) if self.rotary else keys, self._heads(self.value(m))

    def _heads(self, x: Any) -> Any:
        return ops.reshape(x, (*ops.shape(x)[:2], self.heads, self.units // self.heads))


class FeedForward(keras.layers.Layer):
    """y_t = relu(x_t W_1 + b_1) W_2 + b_2, from `units` over `inner` back; 2 units inner + inner + units weights."""

    def __init__(self, units: int, inner: int, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True
        if inner < 1:
            raise ValueError(f"inner must be at least 1, got {inner}")
        self.units, self.inner = units, inner
        self.wide = keras.layers.Dense(inner, activation="relu", name="wide", dtype=self.dtype_policy)
        self.narrow = keras.layers.Dense(units, name="narrow", dtype=self.dtype_policy)

    def build(self, x_shape: Any) -> None:
        self.wide.build((*x_shape[:-1], self.units))
        self.narrow.build((*x_shape[:-1], self.inner))
        self.built = True

    def call(self, x: Any) -> Any:
        return self.narrow(self.wide(x))


class Remembered(NamedTuple):
    """What a decoder keeps of the steps that it wrote, (batch, room, heads, width) each."""

    keys: Any
    values: Any


class Block(keras.layers.Layer):
    """x <- x + Attention(LN(x));  [x <- x + Attention(LN(x), m);]  x <- x + FeedForward(LN(x))

    The middle line, attention to another row m, stands only where `crosses` is true. LN is layer normalisation with gain
    and bias, before each part and inside its residual connection.

    Source: Vaswani et al. (2017), arXiv:1706.03762; Xiong et al. (2020), arXiv:2002.04745 (normalisation first).
    """

    def __init__(
        self, units: int, *, heads: int, inner: int | None = None, rotary: bool = False, crosses: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.supports_masking = True
        given = {"dtype": self.dtype_policy}
        self.units, self.inner = units, 4 * units if inner is None else inner
        self.attention = Attention(units, heads, rotary=rotary, name="attention", **given)
        self.cross: Any = Attention(units, heads, name="cross", **given) if crosses else None
        self.feed = FeedForward(units, self.inner, name="feed", **given)
        self.norms = [normalisation(**given) for _ in range(3 if crosses else 2)]

    def build(self, x_shape: Any) -> None:
        for part in (self.attention, *([self.cross] if self.cross else []), self.feed, *self.norms):
            part.build((*x_shape[:-1], self.units))
        self.built = True

    def call(self, x: Any, seen: Any, place: Any = None, other: Any = None, other_seen: Any = None) -> Any:
        """Read a whole row; x: (batch, time, units), `other`: the keys and values of another row, `seen` as in Attention."""
        normed = self.norms[0](x)
        x = x + self.attention(normed, *self.attention.remembered(normed, place), seen, place)
        return self._after(x, other, other_seen)

    def next(self, x: Any, kept: Remembered, step: Any, other: Any, other_seen: Any) -> tuple[Any, Remembered]:
        """Read one step, (batch, 1, units), after those that are kept; step: (batch,), how many those are."""
        normed, place = self.norms[0](x), step[:, None]
        room = ops.arange(ops.shape(kept.keys)[1], dtype="int32")[None, :]
        now = (room == place)[:, :, None, None]
        key, value = self.attention.remembered(normed, place)
        kept = Remembered(ops.where(now, key, kept.keys), ops.where(now, value, kept.values))
        x = x + self.attention(normed, *kept, (room <= place)[:, None, :], place)
        return self._after(x, other, other_seen), kept

    def _after(self, x: Any, other: Any, other_seen: Any) -> Any:
        if self.cross is not None:
            x = x + self.cross(self.norms[1](x), *other, other_seen)
        return x + self.feed(self.norms[-1](x))

    def products(self) -> float:
        """Entries of the matrices that every step meets once; of a cross attention those for its queries."""
        return 4.0 * self.units**2 + 2.0 * self.units * self.inner + (2.0 * self.units**2 if self.cross else 0.0)


def normalisation(**options: Any) -> Any:
    """Return a layer normalisation over the units, with gain and bias."""
    return keras.layers.LayerNormalization(epsilon=1e-5, **options)


def everything(x: Any, mask: Any) -> Any:
    """Return which steps a row sees of itself: every valid one; bool (batch or 1, 1, time)."""
    return ops.ones((1, 1, ops.shape(x)[1]), "bool") if mask is None else ops.cast(mask, "bool")[:, None, :]


def past(x: Any, mask: Any, window: int = 0) -> Any:
    """Return which steps a row sees of itself: its own and the valid ones before, `window` in all unless that is 0.

    The steps of a window are counted in columns; bool (batch or 1, time, time).
    """
    column = ops.arange(ops.shape(x)[1], dtype="int32")
    lag = column[:, None] - column[None, :]
    seen = (lag >= 0) & (lag < window) if window else lag >= 0
    return seen[None] & everything(x, mask)
