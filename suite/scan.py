"""The time loop of a step that multiplies by no recurrent weights: compiled forwards and backwards, or plain.

The reverse loop is the vector-Jacobian product of the step, which repeats the step's element-wise work and stores nothing
but states. dL/d(state) of every step comes out of it. There are no second-order gradients: the plain loop has them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from suite.clusters import at, put, room
from suite.stepping import beside

Tensor = Any
States = tuple[Tensor, ...]
Act = Callable[[States, tuple[Tensor, ...], tuple[Tensor, ...]], Any]  # of (states, sequences, weights)


class Step(NamedTuple):
    """One step: the states after it, and what is read of them; equal steps share their compiled loops.

    Without `read` the outputs are the states themselves, which the loop stores anyway.
    """

    change: Act
    read: Act | None = None

    def output(self, states: States, sequences: tuple[Tensor, ...], weights: tuple[Tensor, ...]) -> Tensor | None:
        """Return the output of a step, or None where the outputs are the states."""
        return None if self.read is None else self.read(states, sequences, weights)


_COMPILED: dict[Any, Any] = {}


class Given(NamedTuple):
    """What a loop reads, and what gets a gradient; time first."""

    sequences: tuple[Tensor, ...]  # (time, batch, ...): what the step reads at every step
    weights: tuple[Tensor, ...]  # the same at every step
    states: tuple[Tensor, ...]  # before the first step, (batch, ...)
    probes: tuple[Tensor, ...]  # (time, batch, ...), one a state or none


class Stored(NamedTuple):
    """What the forward loop keeps."""

    states: tuple[Tensor, ...]  # (1 + time, batch, ...), from before the first step on
    outputs: Tensor | None  # (time, batch, ...), where the step returns one


def loop(step: Any, given: Given, mask: Tensor | None, *, jit: bool) -> tuple[tuple[Tensor, ...], States]:
    """Return the outputs of every step, (time, batch, ...) each, and the states after the last one.

    `step` is a `Step` or has its two methods. A masked step (mask: (time, batch) bool) keeps the states; probes are added
    behind it and before anything is read. Without `jit` the loops become part of the XLA program around them.
    """

    @tf.custom_gradient
    def run(*tensors: Tensor) -> Any:
        own = tf.nest.pack_sequence_as(given, tensors)
        stored = _called(forward, step, jit, own, mask)
        outputs = tuple(trail[1:] for trail in stored.states) if stored.outputs is None else (stored.outputs,)
        final = tuple(trail[-1] for trail in stored.states)

        def slopes(*d: Tensor) -> Any:
            d_outputs, d_final = d[: len(outputs)], d[len(outputs) :]
            return tf.nest.flatten(_called(reverse, step, jit, own, mask, stored.states, d_outputs, d_final))

        return (*outputs, *final), slopes

    found = tuple(run(*tf.nest.flatten(given)))
    count = len(found) - len(given.states)
    return found[:count], found[count:]


def plain(step: Any, given: Given, mask: Tensor | None) -> tuple[tuple[Tensor, ...], States]:
    """Return what `loop` does, differentiated by TensorFlow; eagerly, or in graphs of unknown batch and time."""
    lead = given.sequences[0]
    time = lead.shape[0]

    def once(t: Any, states: States) -> tuple[States, tuple[Tensor, ...]]:
        states, output = _stepped(step, _now(given, states, t, lambda one, t: one[t]), _valid(mask, t))
        return states, states if output is None else (output,)

    states, first = once(0, given.states)
    if time == 1:
        return tuple(output[None] for output in first), states
    if time is not None and tf.executing_eagerly():
        outputs = [first]
        for t in range(1, time):
            states, output = once(t, states)
            outputs.append(output)
        return tuple(tf.stack(one) for one in zip(*outputs, strict=True)), states

    steps = tf.shape(lead)[0] if time is None else time

    def body(t: Tensor, states: States, arrays: Any) -> Any:
        states, outputs = once(t, states)
        return t + 1, states, tuple(array.write(t, output) for array, output in zip(arrays, outputs, strict=True))

    arrays = tuple(tf.TensorArray(output.dtype, size=steps, element_shape=output.shape) for output in first)
    start = (tf.constant(0), given.states, arrays)
    _, states, arrays = tf.while_loop(lambda t, *_: t < steps, body, start, maximum_iterations=steps)
    return tuple(array.stack() for array in arrays), states


def forward(step: Any, given: Given, mask: Tensor | None) -> Stored:
    """Take all steps."""
    time = given.sequences[0].shape[0]

    def body(t: Tensor, states: States, trails: Any, outputs: Any) -> Any:
        new, output = _stepped(step, _now(given, states, t, at), _valid(mask, t))
        trails = tuple(put(trail, t + 1, after) for trail, after in zip(trails, new, strict=True))
        return t + 1, new, trails, outputs if output is None else put(outputs, t, output)

    like = step.output(given.states, tuple(one[0] for one in given.sequences), given.weights)
    trails = tuple(put(room(time + 1, state), 0, state) for state in given.states)
    outputs = () if like is None else room(time, like)
    _, _, trails, outputs = tf.while_loop(lambda t, *_: t < time, body, (tf.constant(0), given.states, trails, outputs))
    return Stored(trails, None if like is None else outputs)


def reverse(step: Any, given: Given, mask: Tensor | None, trails: States, d_outputs: States, d_final: States) -> Given:
    """Take all steps backwards and return the gradients of what was given."""
    time = given.sequences[0].shape[0]

    def body(t: Tensor, d_states: States, d_weights: Any, arrays: Any) -> Any:
        now = _now(given, tuple(at(trail, t) for trail in trails), t, at)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tf.nest.flatten(now))
            new, output = _stepped(step, now, _valid(mask, t))
        d_now = tuple(at(d, t) for d in d_outputs)
        if output is None:
            targets, d_targets = new, tuple(d + more for d, more in zip(d_states, d_now, strict=True))
        else:
            targets, d_targets = (*new, output), (*d_states, *d_now)
        found = tape.gradient(targets, now, output_gradients=d_targets, unconnected_gradients="zero")
        d_weights = tf.nest.map_structure(tf.add, d_weights, found.weights)
        stored = found._replace(weights=(), states=())
        return t - 1, found.states, d_weights, tf.nest.map_structure(lambda array, d: put(array, t, d), arrays, stored)

    rooms = lambda tensors: tuple(room(time, one[0]) for one in tensors)
    arrays = Given(rooms(given.sequences), (), (), rooms(given.probes))
    start = (tf.constant(time - 1), tuple(d_final), tf.nest.map_structure(tf.zeros_like, given.weights), arrays)
    _, d_first, d_weights, found = tf.while_loop(lambda t, *_: t >= 0, body, start)
    return found._replace(weights=d_weights, states=d_first)


def _now(given: Given, states: States, t: Any, read: Callable[[Tensor, Any], Tensor]) -> Given:
    """Return what step t reads."""
    each = lambda tensors: tuple(read(one, t) for one in tensors)
    return Given(each(given.sequences), given.weights, states, each(given.probes))


def _valid(mask: Tensor | None, t: Any) -> Tensor | None:
    return None if mask is None else mask[t]


def _stepped(step: Any, now: Given, valid: Tensor | None) -> tuple[States, Tensor | None]:
    """Take one step, which keeps the states where it is masked, and read its output."""
    new = step.change(now.states, now.sequences, now.weights)
    if valid is not None:
        new = tuple(tf.where(beside(valid, after), after, before) for after, before in zip(new, now.states, strict=True))
    if now.probes:
        new = tuple(after + probe for after, probe in zip(new, now.probes, strict=True))
    new = tuple(tf.ensure_shape(after, before.shape) for after, before in zip(new, now.states, strict=True))
    return new, step.output(new, now.sequences, now.weights)


def _called(function: Callable[..., Any], step: Any, jit: bool, *given: Any) -> Any:
    """Call one of the loops; with `jit`, as an XLA program that all calls with this step, these dtypes and shapes share."""
    if not jit:
        return function(step, *given)
    shapes = tuple(None if tensor is None else (tensor.dtype, tuple(tensor.shape)) for tensor in tf.nest.flatten(given))
    key = (function, step, shapes)
    if key not in _COMPILED:
        _COMPILED[key] = tf.function(lambda *given: function(step, *given), jit_compile=True, autograph=False)
    return _COMPILED[key](*given)
