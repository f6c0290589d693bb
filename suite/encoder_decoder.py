"""The encoder-decoder of any layer that carries a state: one reads the source, the other writes the target."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import ops

from suite.alignment import Memory
from suite.dropout import Dropout
from suite.layers import valid
from suite.stack import Stack

Tensor = Any

CONTEXTS = ("init", "every_step", "both")


class State(NamedTuple):
    """All that a decoder knows before its next step; every array is (batch, ...), so that rows can be repeated or chosen."""

    states: tuple[tuple[Tensor, ...], ...]  # of the decoder's layers
    context: tuple[Tensor, ...]  # what every step reads: the encoder's last output, or nothing
    fed: tuple[Tensor, ...] = ()  # what attention hands from one step to the next
    memory: Memory | tuple[()] = ()


class EncoderDecoder(keras.layers.Layer):
    """c = the encoder's last output;  s_t = cell([y_(t-1); c], s_(t-1));  the head reads s_t.

    `context` says how the source reaches the decoder: `init`, the encoder's final states are the decoder's first ones;
    `every_step`, c is an input of every step; or `both`. Source and target are embedded already:
    (batch, time, features), (batch, target time, features) -> (batch, target time, units).

    A layer that is an encoder-decoder by itself has the same three methods: `call(x, target)`, `start` and `next`; and
    `attention_map(x, target)` where it attends to the source. It is told its `depth`, and where it takes them the shared
    dropout, `drop`, and in `start` the most target steps, `longest`.

    Source: Cho et al. (2014), arXiv:1406.1078 (every_step); Sutskever et al. (2014), arXiv:1409.3215 (init).
    """

    def __init__(self, make: Callable[..., Any], depth: int, drop: Dropout, *, units: int, context: str = "init") -> None:
        super().__init__()
        if context not in CONTEXTS:
            raise ValueError(f"context must be one of {', '.join(CONTEXTS)}, got {context!r}")
        self.context, self.units = context, units
        self.encoder = Stack(make, depth, drop, carries=True)
        self.decoder = Stack(make, depth, drop, carries=True)
        self.built = True

    def call(self, x: Tensor, target: Tensor, mask: Tensor = None, probes: Any = None, training: bool = False) -> Tensor:
        return self.write(target, self.read(x, mask, probes, training), training)[0]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """Pin no mask to the result: it goes by the argument, and nowhere else."""

    def attention_map(self, x: Tensor, target: Tensor, mask: Tensor = None) -> Tensor | None:
        """Return None: no step of the target looks back at the source."""
        return None

    def start(self, x: Tensor, mask: Tensor = None) -> State:
        """Return the decoder's state after reading the source; every array in it is (batch, ...)."""
        return self.read(x, mask)

    def next(self, y: Tensor, state: State) -> tuple[Tensor, State]:
        """Return (batch, units) and the new state after one target step; y: (batch, features)."""
        out, state, _ = self.step(y, state)
        return out, state

    def read(self, x: Tensor, mask: Tensor = None, probes: Any = None, training: bool = False) -> State:
        """Return the decoder's state after reading the source."""
        h, states = self.encoder(x, mask=mask, probes=probes, training=training)
        if self.context == "every_step":
            states = self.decoder.zero_states(ops.shape(x)[0])
        return self.remember(h, mask, State(states, () if self.context == "init" else (valid.last(h, mask),)))

    def probes(self, batch: int, time: int) -> Any:
        """Zeros to add to the encoder's states; see `Stack.probes`."""
        return self.encoder.probes(batch, time)

    # What an encoder-decoder with attention does in another way.

    def remember(self, h: Tensor, mask: Tensor, state: State) -> State:
        """Add to the first state what attention needs of the encoder's outputs, (batch, time, units)."""
        return state

    def write(self, target: Tensor, state: State, training: bool = False) -> tuple[Tensor, Tensor | None]:
        """Return the outputs of all target steps, (batch, target time, units), and the weights of the source or None."""
        s, _ = self.decoder(beside(target, *state.context), states=state.states, training=training)
        return s, None

    def step(self, y: Tensor, state: State, training: bool = False) -> tuple[Tensor, State, Tensor | None]:
        """Return the output of one target step, (batch, units), the new state, and the weights of the source or None."""
        s, state = self.advance(beside(y, *state.context), state, training)
        return s, state, None

    def flops(self, time: int, target: int) -> float:
        """Forward FLOPs of a row beside those of the two stacks."""
        return 0.0

    def advance(self, y: Tensor, state: State, training: bool) -> tuple[Tensor, State]:
        """Return s_t, (batch, units), and the state with the decoder's layers one step on; y: (batch, features)."""
        s, states = self.decoder(y[:, None, :], states=state.states, training=training)
        return s[:, 0], state._replace(states=states)


def beside(y: Tensor, *more: Tensor) -> Tensor:
    """Return y, (batch, features) or (batch, time, features), with vectors (batch, width) beside it at every step."""
    for vector in more:
        vector = ops.cast(vector, y.dtype)
        repeated = vector if len(y.shape) == 2 else ops.repeat(vector[:, None, :], ops.shape(y)[1], axis=1)
        y = ops.concatenate([y, repeated], axis=-1)
    return y
