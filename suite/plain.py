"""The time loop in its plain form: any cell, differentiated by TensorFlow; the reference of the fast form, and its fall-back."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from suite.stepping import Bound, Inputs, added, beside, checked, named, project, split

Tensor = Any


def run(cell: Any, inputs: Inputs) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the first state after every step, (batch, time, units), and all states after the last one.

    A masked step keeps the states; probes are added behind it, so that their gradient is that of the state as the next
    step sees it. Works eagerly, in graphs of unknown batch and time, and under XLA.
    """
    bound = Bound(cell, {**inputs.vectors, **inputs.constants})
    blocks = dict(zip(cell.products, split(inputs.recurrent, len(cell.products)), strict=True))
    projected = project(inputs.x, inputs.kernel, inputs.bias)
    static = projected.shape[0]
    time = tf.shape(projected)[0] if static is None else static
    reads = [_array(sequence) for sequence in (projected, *inputs.signals, *inputs.probes)]
    valid = None if inputs.mask is None else _array(tf.transpose(inputs.mask))

    def recur(value: Tensor, *gates: str, add: Sequence[Tensor] = ()) -> tuple[Tensor, ...]:
        return added([tf.matmul(value, blocks[gate]) for gate in named(cell, gates)], add)

    def step(t: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        x, *rest = (array.read(t) for array in reads)
        signals, probes = rest[: len(inputs.signals)], rest[len(inputs.signals) :]
        new = checked(cell, type(cell).step(bound, (*split(x, len(cell.blocks)), *signals), states, recur), states)
        if valid is not None:
            now = valid.read(t)
            new = tuple(tf.where(beside(now, after), after, before) for after, before in zip(new, states, strict=True))
        return tuple(after + probe for after, probe in zip(new, probes, strict=True)) if probes else new

    if static == 1:
        states = step(0, inputs.states)
        return states[0][:, None], states

    def body(t: Tensor, states: tuple[Tensor, ...], outputs: Any) -> Any:
        states = step(t, states)
        return t + 1, states, outputs.write(t, states[0])

    first = inputs.states[0]
    outputs = tf.TensorArray(first.dtype, size=time, element_shape=first.shape)
    start = (tf.constant(0), inputs.states, outputs)
    _, states, outputs = tf.while_loop(lambda t, *_: t < time, body, start, maximum_iterations=time)
    return tf.transpose(outputs.stack(), (1, 0, *range(2, 1 + len(first.shape)))), states


def _array(sequence: Tensor) -> Any:
    shape = sequence.shape
    size = tf.shape(sequence)[0] if shape[0] is None else shape[0]
    return tf.TensorArray(sequence.dtype, size=size, element_shape=shape[1:], clear_after_read=False).unstack(sequence)
