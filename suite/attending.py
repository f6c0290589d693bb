"""Encoder-decoders whose target steps look back at every step of the source: Bahdanau's and Luong's."""

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import ops

from suite.alignment import Alignment, Memory
from suite.dropout import Dropout
from suite.encoder_decoder import EncoderDecoder, State, beside
from suite.layers import valid

Tensor = Any


class Attending(EncoderDecoder):
    """An encoder-decoder with a memory of the encoder's outputs h_1 ... h_T, and a loop over target steps."""

    def __init__(self, make: Callable[..., Any], depth: int, drop: Dropout, *, units: int, context: str = "init", score: str) -> None:
        super().__init__(make, depth, drop, units=units, context=context)
        self.align = Alignment(score, units)

    def attention_map(self, x: Tensor, target: Tensor, mask: Tensor = None) -> Tensor | None:
        """Return the weight of every step of the source for every target step, (batch, target time, time), float32."""
        return self.write(target, self.read(x, mask))[1]

    def flops(self, time: int, target: int) -> float:
        return self.align.flops(time, target)

    def glance(self, s: Tensor, state: State) -> tuple[Tensor, Tensor]:
        """Return c and a for the states of one target step; s: (batch, units)."""
        c, a = self.align.weigh(s[:, None, :], _memory(state))
        return c[:, 0], a[:, 0]

    def loop(self, target: Tensor, state: State, training: bool) -> tuple[Tensor, Tensor]:
        """Take `step` over the target: what attention says enters the next state, so that no step can go ahead of another.

        A plain loop, differentiated by TensorFlow; eagerly, in graphs of unknown sizes, and under XLA.
        """
        static = target.shape[1]
        time = tf.shape(target)[1] if static is None else static
        reads = tf.TensorArray(target.dtype, size=time, element_shape=(target.shape[0], target.shape[2]), clear_after_read=False)
        reads = reads.unstack(tf.transpose(target, (1, 0, 2)))

        def body(t: Tensor, states: Any, fed: Any, outputs: Any, weights: Any) -> Any:
            out, after, a = self.step(reads.read(t), state._replace(states=states, fed=fed), training)
            new = tf.nest.map_structure(_like, (after.states, after.fed), (states, fed))
            return t + 1, *new, outputs.write(t, out), weights.write(t, a)

        (first,) = state.fed  # the outputs are what is fed to the next step
        outputs = tf.TensorArray(first.dtype, size=time, element_shape=first.shape)
        weights = tf.TensorArray(tf.float32, size=time, element_shape=_memory(state).values.shape[:2])
        start = (tf.constant(0), state.states, state.fed, outputs, weights)
        *_, outputs, weights = tf.while_loop(lambda t, *_: t < time, body, start, maximum_iterations=time)
        return tf.transpose(outputs.stack(), (1, 0, 2)), tf.transpose(weights.stack(), (1, 0, 2))


class Bahdanau(Attending):
    """a_t = align(s_(t-1), h);  c_t = sum_j a_tj h_j;  s_t = cell([y_(t-1); c_t], s_(t-1));  the head reads s_t.

    s is the output of the last layer; s_0 is the encoder's last output, or zero where the context is `every_step`. The
    encoder is the same one-way stack as without attention (the source's reads both ways).

    Source: Bahdanau et al. (2015), arXiv:1409.0473.
    """

    impl: ClassVar[str] = "plain: attention inside the target's loop"

    def remember(self, h: Tensor, mask: Tensor, state: State) -> State:
        last = valid.last(h, mask)
        before = ops.zeros_like(last) if self.context == "every_step" else last
        return state._replace(fed=(before,), memory=self.align.remember(h, mask))

    def write(self, target: Tensor, state: State, training: bool = False) -> tuple[Tensor, Tensor | None]:
        return self.loop(target, state, training)

    def step(self, y: Tensor, state: State, training: bool = False) -> tuple[Tensor, State, Tensor | None]:
        (before,) = state.fed
        c, a = self.glance(before, state)
        s, state = self.advance(beside(y, c, *state.context), state, training)
        return s, state._replace(fed=(s,)), a


class Luong(Attending):
    """s_t = cell(y_(t-1), s_(t-1));  a_t = align(s_t, h);  c_t = sum_j a_tj h_j;  h~_t = tanh([c_t; s_t] W);  the head reads h~_t.

    Nothing of this enters the recurrence: the decoder's loop is the cell's own, and attention one product over all steps.

    Source: Luong et al. (2015), arXiv:1508.04025 (global attention).
    """

    def __init__(self, make: Callable[..., Any], depth: int, drop: Dropout, *, units: int, context: str = "init", score: str) -> None:
        super().__init__(make, depth, drop, units=units, context=context, score=score)
        self.combine = keras.layers.Dense(units, activation="tanh", use_bias=False)

    def flops(self, time: int, target: int) -> float:
        return super().flops(time, target) + 2.0 * target * math.prod(self.combine.kernel.shape)

    def remember(self, h: Tensor, mask: Tensor, state: State) -> State:
        return state._replace(memory=self.align.remember(h, mask))

    def write(self, target: Tensor, state: State, training: bool = False) -> tuple[Tensor, Tensor | None]:
        s, _ = super().write(target, state, training)
        c, a = self.align.weigh(s, _memory(state))
        return self.combine(ops.concatenate([c, s], axis=-1)), a

    def step(self, y: Tensor, state: State, training: bool = False) -> tuple[Tensor, State, Tensor | None]:
        s, state = self.advance(beside(y, *state.context), state, training)
        c, a = self.glance(s, state)
        return self.combine(ops.concatenate([c, s], axis=-1)), state, a


class LuongFeeding(Luong):
    """Luong's attention with s_t = cell([y_(t-1); h~_(t-1)], s_(t-1)), h~_0 = 0: the decoder knows where it looked before.

    Source: Luong et al. (2015), arXiv:1508.04025 (input feeding).
    """

    impl: ClassVar[str] = "plain: attention inside the target's loop"

    def remember(self, h: Tensor, mask: Tensor, state: State) -> State:
        state = super().remember(h, mask, state)
        return state._replace(fed=(ops.zeros((ops.shape(h)[0], self.units), h.dtype),))

    def write(self, target: Tensor, state: State, training: bool = False) -> tuple[Tensor, Tensor | None]:
        return self.loop(target, state, training)

    def step(self, y: Tensor, state: State, training: bool = False) -> tuple[Tensor, State, Tensor | None]:
        h, state, a = super().step(beside(y, *state.fed), state, training)
        return h, state._replace(fed=(h,)), a


ATTENTIONS: Mapping[str, tuple[Callable[..., EncoderDecoder], Mapping[str, str]]] = {
    "none": (EncoderDecoder, {}),
    "bahdanau": (Bahdanau, {"score": "concat"}),
    "luong_dot": (Luong, {"score": "dot"}),
    "luong_general": (Luong, {"score": "general"}),
    "luong_concat": (Luong, {"score": "concat"}),
    "luong_feeding": (LuongFeeding, {"score": "general"}),
}


def wired(make: Callable[..., Any], depth: int, drop: Dropout, *, units: int, wiring: Mapping[str, str]) -> EncoderDecoder:
    """Return the encoder-decoder that a wiring names by `context` and `attention`.

    Raises:
        ValueError: there is no such context or attention.
    """
    name = wiring.get("attention", "none")
    if name not in ATTENTIONS:
        raise ValueError(f"attention must be one of {', '.join(ATTENTIONS)}, got {name!r}")
    kind, options = ATTENTIONS[name]
    return kind(make, depth, drop, units=units, context=wiring.get("context", "init"), **options)


def _memory(state: State) -> Memory:
    """Return what a state holds of the source."""
    return Memory(*state.memory)


def _like(after: Tensor, before: Tensor) -> Tensor:
    return tf.ensure_shape(tf.cast(after, before.dtype), before.shape)
