"""The encoder-decoder of any layer that carries a state: one reads the source, the other writes the target."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import ops

from suite.dropout import Dropout
from suite.layers import valid
from suite.stack import Stack

CONTEXTS = ("init", "every_step", "both")


class EncoderDecoder(keras.layers.Layer):
    """c = the encoder's last output;  s_t = cell([y_(t-1); c], s_(t-1));  the head reads s_t.

    `context` says how the source reaches the decoder: `init`, the encoder's final states are the decoder's first ones;
    `every_step`, c is an input of every step; or `both`. Source and target are embedded already:
    (batch, time, features), (batch, target time, features) -> (batch, target time, units).

    A layer that is an encoder-decoder by itself has the same three methods: `call(x, target)`, `start` and `next`. It is
    told its `depth`, and where it takes them the shared dropout, `drop`, and in `start` the most target steps, `longest`.

    Source: Cho et al. (2014), arXiv:1406.1078 (every_step); Sutskever et al. (2014), arXiv:1409.3215 (init).
    """

    def __init__(self, make: Callable[..., Any], depth: int, drop: Dropout, *, wiring: Mapping[str, str]) -> None:
        super().__init__()
        self.context = wiring.get("context", "init")
        attention = wiring.get("attention", "none")
        if self.context not in CONTEXTS:
            raise ValueError(f"context must be one of {', '.join(CONTEXTS)}, got {self.context!r}")
        if attention != "none":
            raise ValueError(f"attention {attention!r} is not built yet: use 'none'")
        self.encoder = Stack(make, depth, drop, carries=True)
        self.decoder = Stack(make, depth, drop, carries=True)
        self.built = True

    def call(self, x: Any, target: Any, mask: Any = None, probes: Any = None, training: bool = False) -> Any:
        states, context = self._encode(x, mask, probes, training)
        if context is not None:
            repeated = ops.repeat(context[:, None, :], ops.shape(target)[1], axis=1)
            target = ops.concatenate([target, repeated], axis=-1)
        y, _ = self.decoder(target, states=states, training=training)
        return y

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """Pin no mask to the result: it goes by the argument, and nowhere else."""

    def start(self, x: Any, mask: Any = None) -> Any:
        """Return the decoder's state after reading the source; every array in it is (batch, ...)."""
        states, context = self._encode(x, mask, None, False)
        return states, (() if context is None else (context,))

    def next(self, y: Any, state: Any) -> Any:
        """Return (batch, units) and the new state after one target step; y: (batch, features)."""
        states, context = state
        if context:
            y = ops.concatenate([y, ops.cast(context[0], y.dtype)], axis=-1)
        y, states = self.decoder(y[:, None, :], states=states)
        return y[:, 0], (states, context)

    def _encode(self, x: Any, mask: Any, probes: Any, training: bool) -> Any:
        y, states = self.encoder(x, mask=mask, probes=probes, training=training)
        if self.context == "every_step":
            states = self.decoder.zero_states(ops.shape(x)[0])
        return states, (None if self.context == "init" else valid.last(y, mask))

    def probes(self, batch: int, time: int) -> Any:
        """Zeros to add to the encoder's states; see `Stack.probes`."""
        return self.encoder.probes(batch, time)
