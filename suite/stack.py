"""`depth` layers of one architecture with dropout between them: the same policy for every architecture."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from suite.dropout import Dropout
from suite.layers import valid
from suite.layers.probing import probe_shapes, takes


class Stack(keras.layers.Layer):
    """Layers in a row; x (batch, time, features) -> y (batch, time, units), or (batch, units) where the last layer pools.

    The state of a stack is a tuple with one tuple of arrays (batch, ...) a layer, empty for a layer without a state.
    A layer that differs at the bottom or at the top (one that tells positions, or normalises at the end) takes the
    arguments `first` and `last`.
    """

    def __init__(self, make: Callable[..., Any], depth: int, drop: Dropout, *, carries: bool) -> None:
        super().__init__()
        self.carries = carries
        returns = {"return_sequences": True, "return_state": True} if carries else {}
        ends = [{"first": index == 0, "last": index == depth - 1} for index in range(depth)]
        self.stack = [make(**returns, **{name: end for name, end in each.items() if takes(make, name)}) for each in ends]
        for layer in self.stack:
            layer.supports_masking = True  # every layer takes the mask as an argument; Keras warns where this is not said
        self.drop = drop
        self.built = True

    def call(self, x: Any, mask: Any = None, states: Any = None, probes: Any = None, training: bool = False) -> Any:
        new = []
        for index, layer in enumerate(self.stack):
            if index:
                if len(x.shape) < 3:
                    raise ValueError(f"{type(layer).__name__} pools by itself: nothing can stand on it, got depth {len(self.stack)}")
                x = self.drop(x, training=training)
            given: dict[str, Any] = {"mask": mask, "training": training}
            if states is not None and states[index]:
                given["initial_state"] = list(states[index])
            if probes is not None and probes[index]:
                given["probes"] = tuple(probes[index])
            out = layer(x, **given)
            x, state = (out[0], tuple(out[1:])) if self.carries else (out, ())
            x = tf.identity(x)  # drops the mask that Keras pins to the tensor
            if "initial_state" in given:  # a loop over windows needs states of one dtype
                state = tuple(ops.cast(after, before.dtype) for after, before in zip(state, given["initial_state"], strict=True))
            new.append(state)
        return x, tuple(new)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """Pin no mask to the result: it goes by the argument, and nowhere else."""

    def last(self, y: Any, mask: Any = None) -> Any:
        """Where the last layer has read everything; y (batch, time, units) -> (batch, units)."""
        layer = self.stack[-1]
        return layer.last(y, mask) if hasattr(layer, "last") else valid.last(y, mask)

    def state_shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The shapes of every layer's states, without the batch; empty where nothing is carried."""
        return tuple(tuple(layer.state_shapes()) if self.carries else () for layer in self.stack)

    def zero_states(self, batch: int) -> tuple[tuple[Any, ...], ...]:
        """The state before the first step."""
        return tuple(tuple(ops.zeros((batch, *shape), self.compute_dtype) for shape in shapes) for shapes in self.state_shapes())

    def probes(self, batch: int, time: int) -> tuple[tuple[Any, ...], ...]:
        """Zeros to add to the states after every step, (time, batch, ...): their gradient is dL/d(state).

        Empty for a layer that takes none: its states cannot be reached from outside its loop.
        """
        shapes = [probe_shapes(layer) for layer in self.stack]
        return tuple(tuple(ops.zeros((time, batch, *shape), "float32") for shape in layer) for layer in shapes)
