"""Free-running decoding: the model reads its own symbols, one hypothesis a row or the best few of them."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from suite.graphs import Graphs, shapes
from suite.models import SequenceModel
from suite.task import Array, Batch

Tensor = Any

PENALTY = 0.6  # exponent of the length penalty


@tf.function(autograph=False)
def greedy(model: SequenceModel, x: Any, mask: Any, longest: int) -> Any:
    """Return the likeliest symbol after each likeliest symbol, int32 (batch, longest), filled with stop after the first stop.

    One graph a model, shape of x and `longest` (a Python integer); it ends as soon as every row has stopped.
    """
    spec = model.spec
    rows = tf.shape(x)[0]
    state = model.start(x, mask, longest)
    ids = tf.fill((rows, longest), spec.stop)
    before = tf.fill((rows,), spec.start)
    done = tf.zeros((rows,), tf.bool)

    def body(step: Any, before: Any, done: Any, state: Any, ids: Any) -> Any:
        logits, state = model.next(before, state)
        chosen = tf.where(done, spec.stop, tf.argmax(logits, axis=-1, output_type=tf.int32))
        ids = tf.where(tf.range(longest)[None, :] == step, chosen[:, None], ids)
        return step + 1, chosen, done | (chosen == spec.stop), state, ids

    def running(step: Any, before: Any, done: Any, state: Any, ids: Any) -> Any:
        return (step < longest) & ~tf.reduce_all(done)

    return tf.while_loop(running, body, (tf.constant(0), before, done, state, ids), maximum_iterations=longest)[-1]


@tf.function(autograph=False)
def beam(model: SequenceModel, x: Any, mask: Any, longest: int, width: int) -> Any:
    """Return the best of `width` hypotheses a row, int32 (batch, longest), filled with stop after the first stop.

    A hypothesis ends with its first stop, or at `longest` symbols without one. Of the extensions of all that have not ended
    the likeliest are kept, as many as there are places; one that ends keeps its place, so that the search narrows as
    hypotheses end, and nothing that has ended is lost. In the end the best is log P(y) / ((5 + |y|) / 6)^0.6, the stop
    counted in |y|. Of width 1 it is `greedy`, and with a place for every sequence it is the exact optimum.

    One graph a model, shape of x, `longest` and `width` (Python integers); it ends as soon as every hypothesis has.

    Source: Graves (2012), arXiv:1211.3711; Sutskever et al. (2014), arXiv:1409.3215; Wu et al. (2016), arXiv:1609.08144 (penalty).

    Raises:
        ValueError: the width is not positive.
    """
    if width < 1:
        raise ValueError(f"width must be at least 1 hypothesis, got {width}")
    spec = model.spec
    rows = tf.shape(x)[0] if x.shape[0] is None else x.shape[0]
    most = min(width, spec.outputs)  # extensions of one hypothesis that can be among the best `width`
    spread = lambda tensor: tf.repeat(tensor, width, axis=0)
    places = lambda tensor: tf.reshape(tensor, (rows, width, *tensor.shape[1:]))
    state = tf.nest.map_structure(spread, model.start(x, mask, longest))
    score = tf.tile(tf.constant([[0.0, *[-float("inf")] * (width - 1)]]), (rows, 1))  # one hypothesis at first: the empty one
    before = tf.fill((rows, width), spec.start)
    done = tf.zeros((rows, width), tf.bool)
    length = tf.zeros((rows, width), tf.int32)
    ids = tf.fill((rows, width, longest), spec.stop)
    itself = tf.constant([0.0, *[-float("inf")] * (most - 1)])  # the only extension of what has ended

    def body(step: Any, score: Any, before: Any, done: Any, length: Any, state: Any, ids: Any) -> Any:
        logits, after = model.next(tf.reshape(before, (-1,)), state)
        likeliest, symbols = tf.math.top_k(logits, most)
        gained = places(likeliest - tf.reduce_logsumexp(logits, axis=-1, keepdims=True))
        symbols = tf.where(done[:, :, None], spec.stop, places(symbols))
        scores = score[:, :, None] + tf.where(done[:, :, None], itself, gained)
        first = done[:, :, None] & (itself == 0.0)
        ranked = tf.where(first, float("inf"), scores)
        _, chosen = tf.math.top_k(tf.reshape(ranked, (rows, width * most)), width)
        parent = chosen // most
        place = tf.reshape(tf.range(rows)[:, None] * width + parent, (-1,))
        pick = lambda tensor: tf.gather(tensor, parent, batch_dims=1)
        from_all = lambda tensor: tf.gather(tf.reshape(tensor, (rows, width * most)), chosen, batch_dims=1)
        score, symbol, ended = from_all(scores), from_all(symbols), pick(done)
        ids = tf.where(tf.range(longest) == step, symbol[:, :, None], pick(ids))
        length = pick(length) + tf.cast(~ended, tf.int32)
        done = ended | ((symbol == spec.stop) & (score > -float("inf")))

        def moved(new: Any, old: Any) -> Any:
            """Follow the hypotheses; what a step leaves as it was is the same for all of a row."""
            return old if new is old else tf.ensure_shape(tf.gather(new, place), old.shape)

        return step + 1, score, symbol, done, length, tf.nest.map_structure(moved, after, state), ids

    def running(step: Any, score: Any, before: Any, done: Any, *_: Any) -> Any:
        return (step < longest) & ~tf.reduce_all(done | (score == -float("inf")))

    loop = (tf.constant(0), score, before, done, length, state, ids)
    _, score, _, _, length, _, ids = tf.while_loop(running, body, loop, maximum_iterations=longest)
    best = tf.argmax(score / penalty(length), axis=1, output_type=tf.int32)
    return tf.gather(ids, best, batch_dims=1)


def penalty(length: Any) -> Any:
    """Return ((5 + length) / 6)^0.6, by which a sum of log-probabilities is divided; length in symbols, the stop included."""
    return ((5.0 + tf.cast(length, tf.float32)) / 6.0) ** PENALTY


DECODERS: Mapping[str, Callable[..., Any]] = {"greedy": greedy.python_function, "beam4": functools.partial(beam.python_function, width=4)}


def decoded(model: SequenceModel, batch: Batch, graphs: Graphs) -> dict[str, Array] | None:
    """Return the ids that the task's meter asks for, by name, (batch, longest target), or None where it asks for none.

    `graphs` keeps one graph for each way and shape, and belongs to this model.
    """
    asked = [name for name in DECODERS if name in model.spec.needs]
    if not asked:
        return None
    given = {name: tf.constant(array) for name, array in (("x", batch.x), ("mask", batch.mask)) if array is not None}
    longest = max(model.spec.target_lengths)

    def graph(name: str) -> Callable[[dict[str, Tensor]], Tensor]:
        return lambda given: DECODERS[name](model, given["x"], given.get("mask"), longest=longest)

    return {name: graphs((name, shapes(given)), graph(name), given).numpy() for name in asked}
