"""RWKV-4: attention over all of the past whose weights fall off at a fixed rate a channel, and a gated perceptron behind it."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from suite.layers import normal
from suite.linear_recurrence import LinearRecurrence, Recurrence, product
from suite.scan import States, Step

Tensor = Any


@keras.saving.register_keras_serializable("suite")
class RWKV(LinearRecurrence):
    """a = LN(x);  r, k, v = (mu * a_t + (1 - mu) * a_(t-1)) W, a mu each;  w = exp(rate)
    wkv = (A' + exp(u + k) v) / (B' + exp(u + k));  A' = exp(-w) A + exp(k_(t-1)) v_(t-1);  B' = exp(-w) B + exp(k_(t-1))
    x <- x + (sigmoid(r) * wkv) W_o;  c = LN(x);  r, k = (mu * c_t + (1 - mu) * c_(t-1)) W, a mu each
    y = x + sigmoid(r) * (relu(k)^2 W_v)

    One block: time mixing, then channel mixing, whose hidden layer is four times as wide. A and B hold the steps before this one;
    the present one weighs exp(u + k) instead. They are carried as A, B times exp(-p), with p the largest exponent so far,
    through which no gradient passes. x enters as it is where it is as wide as y, else through a matrix.

    Rates, u and mu begin as those of the source's lowest layer: channels forget within a step up to within 150. Its matrices
    begin at zero in part; here they are all Glorot's, so that a fresh network has a gradient to look at.

    x: (batch, features); y and all states (batch, units). Beside them a, c, k and v of the last step are carried.

    Source: Peng et al. (2023), arXiv:2305.13048.
    """

    states = ("A", "B", "p")
    no_gradient = ("p",)
    windows = ("time_shift", "last_written", "channel_shift")

    def forward(self, x: Tensor, recur: Recurrence) -> Tensor:
        if self.enter is not None:
            x = product(x, self.enter)
        r, k, v = self._mixed(recur, x, "time", self.time_mix)
        r, k, v = (product(one, kernel) for one, kernel in zip((r, k, v), tf.unstack(ops.cast(self.time_kernel, x.dtype)), strict=True))
        _, last = recur.lags(tf.concat([k, v, tf.ones_like(k[..., :1])], axis=-1), "last_written")
        before = tf.split(last, [self.units, self.units, 1], axis=-1)
        wkv = recur.scan(WKV, *before, k, v, weights=(self.rate, self.bonus), states=self.states)
        x = x + product(tf.sigmoid(r) * wkv, self.time_output)
        r, k = self._mixed(recur, x, "channel", self.channel_mix)
        hidden = tf.square(tf.nn.relu(product(k, self.channel_key)))
        return x + tf.sigmoid(product(r, self.channel_gate)) * product(hidden, self.channel_value)

    def _mixed(self, recur: Recurrence, x: Tensor, part: str, mix: Any) -> list[Tensor]:
        """Return the mixtures of the normalised x and what it was a step before, one for each row of `mix`."""
        gain, shift = tf.unstack(ops.cast(getattr(self, f"{part}_norm"), x.dtype))
        now, before = recur.lags(normal.layer(x) * gain + shift, f"{part}_shift")
        return [mu * now + (1 - mu) * before for mu in tf.unstack(ops.cast(mix, x.dtype))]

    def window_shapes(self) -> tuple[tuple[int, ...], ...]:
        return (1, self.units), (1, 2 * self.units + 1), (1, self.units)

    def weights_of_its_own(self, features: int) -> None:
        add, h = self.add_weight, self.units
        glorot = keras.initializers.GlorotUniform
        place = np.arange(h) / h  # of a channel
        self.enter = None if features == h else add(name="enter", shape=(features, h), initializer=glorot())
        self.time_norm = add(name="time_norm", shape=(2, h), initializer=_given([np.ones(h), np.zeros(h)]))
        self.time_mix = add(name="time_mix", shape=(3, h), initializer=_given([place**0.5, place, place]))
        self.time_kernel = add(name="time_kernel", shape=(3, h, h), initializer=_square)
        self.rate = add(name="rate", shape=(h,), initializer=_given(-5 + 8 * (np.arange(h) / max(h - 1, 1)) ** 0.7))
        self.bonus = add(name="bonus", shape=(h,), initializer=_given(math.log(0.3) + 0.5 * ((np.arange(h) + 1) % 3 - 1)))
        self.time_output = add(name="time_output", shape=(h, h), initializer=glorot())
        self.channel_norm = add(name="channel_norm", shape=(2, h), initializer=_given([np.ones(h), np.zeros(h)]))
        self.channel_mix = add(name="channel_mix", shape=(2, h), initializer=_given([place, place]))
        self.channel_key = add(name="channel_key", shape=(h, 4 * h), initializer=glorot())
        self.channel_value = add(name="channel_value", shape=(4 * h, h), initializer=glorot())
        self.channel_gate = add(name="channel_gate", shape=(h, h), initializer=glorot())

    def flops(self, time: int) -> float:
        """Return the FLOPs of a step: its products; all else acts on vectors."""
        return 26.0 * self.units**2 + (0.0 if self.enter is None else 2.0 * self.enter.shape[0] * self.units)


def _given(values: Any) -> Any:
    return lambda shape, dtype=None: ops.convert_to_tensor(np.reshape(np.asarray(values), shape), dtype)


def _square(shape: Any, dtype: Any = None) -> Any:
    """Return matrices drawn one by one."""
    draw = keras.initializers.GlorotUniform
    return ops.stack([draw()(shape[1:], dtype=dtype) for _ in range(shape[0])])


def _change(states: States, sequences: tuple[Tensor, ...], weights: tuple[Tensor, ...]) -> States:
    (a, b, p), (k, v, written, *_), (rate, _) = states, sequences, weights
    kept, seen, written = tf.stop_gradient(p) - tf.exp(rate), b > 0, tf.broadcast_to(written > 0, tf.shape(k))
    scale = tf.where(seen & written, tf.maximum(kept, k), tf.where(seen, kept, tf.where(written, k, tf.zeros_like(k))))
    scale = tf.stop_gradient(scale)
    old = tf.exp(tf.where(seen, kept - scale, tf.zeros_like(k)))  # of a and b that are 0 there
    new = tf.where(written, tf.exp(tf.where(written, k - scale, tf.zeros_like(k))), tf.zeros_like(k))
    return old * a + new * v, old * b + new, scale


def _read(states: States, sequences: tuple[Tensor, ...], weights: tuple[Tensor, ...]) -> Tensor:
    (a, b, p), (*_, k, v), (_, bonus) = states, sequences, weights
    now, p, seen = bonus + k, tf.stop_gradient(p), b > 0
    scale = tf.stop_gradient(tf.where(seen, tf.maximum(p, now), now))
    past = tf.exp(tf.where(seen, p - scale, tf.zeros_like(p)))
    now = tf.exp(now - scale)
    return (past * a + now * v) / (past * b + now)


WKV = Step(_change, _read)
