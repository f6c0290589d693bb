"""The loss of every target, and what a model's outputs say: the one place where outputs (logits or values) are read."""

from typing import Any

import tensorflow as tf

from suite.task import Spec

Tensor = Any


def per_target(spec: Spec, outputs: Tensor, y: Tensor) -> Tensor:
    """Return the loss of every target, unweighted: nats, or squared units. Vector targets are summed over outputs.

    outputs: (batch, outputs) or (batch, time, outputs); y: ids (batch,) or (batch, time), or values (..., outputs), where
    a single output may drop its axis. The result is (batch,) or (batch, time).
    """
    outputs = tf.cast(outputs, tf.float32)
    if spec.loss == "categorical":
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.cast(y, tf.int32), logits=outputs)
    y = tf.cast(y, tf.float32)
    y = tf.expand_dims(y, -1) if len(y.shape) < len(outputs.shape) else y
    if spec.loss == "binary":
        return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=outputs), axis=-1)
    return tf.reduce_sum(tf.square(outputs - y), axis=-1)


def weighted_mean(loss: Tensor, weight: Tensor) -> Tensor:
    """Return the sum of weight * loss over the sum of weights; a target of weight 0 counts for nothing, NaN included."""
    weight = tf.cast(weight, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(tf.math.multiply_no_nan(loss, weight)), tf.reduce_sum(weight))


def best(spec: Spec, outputs: Tensor, y: Tensor) -> Tensor:
    """Return the class ids, or the predicted values, shaped like y."""
    if spec.loss == "categorical":
        return tf.argmax(outputs, axis=-1, output_type=tf.int32)
    found = tf.cast(outputs > 0, tf.int32) if spec.loss == "binary" else tf.cast(outputs, tf.float32)
    return tf.squeeze(found, -1) if len(y.shape) < len(found.shape) else found


def probabilities(spec: Spec, outputs: Tensor) -> Tensor | None:
    """Return (..., outputs) probabilities, or None where the outputs are values."""
    if spec.loss == "squared":
        return None
    outputs = tf.cast(outputs, tf.float32)
    return tf.nn.softmax(outputs) if spec.loss == "categorical" else tf.sigmoid(outputs)
