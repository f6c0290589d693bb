"""Free-running decoding: the model reads its own symbols."""

from typing import Any

import tensorflow as tf

from suite.models import SequenceModel


@tf.function
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
