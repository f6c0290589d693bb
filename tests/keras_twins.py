"""A layer of the suite beside a layer of Keras on the same weights: values, and gradients of everything."""

import numpy as np
import tensorflow as tf

from suite.layers import transfer

BATCH, TIME, FEATURES, UNITS = 4, 9, 3, 5


def noise(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def twins(ours, theirs):
    """Both built, ours with Keras's weights, away from the symmetries of fresh ones."""
    for layer in (ours, theirs):
        layer.build((BATCH, TIME, FEATURES))
    for number, weight in enumerate(theirs.trainable_weights):
        weight.assign(noise(*weight.shape, seed=10 + number) / 2)
    transfer.from_keras(ours, theirs)
    return ours, theirs


def slopes(layer, x, pull, mask=None):
    """The outputs, and the gradients of sum(outputs * pull) for x and for every weight."""
    x = tf.constant(x)
    weights = [weight.value for weight in layer.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, mask=mask)
        loss = tf.reduce_sum(y * pull)
    return y.numpy(), [gradient.numpy() for gradient in tape.gradient(loss, [x, *weights])]


def assert_equal(ours, theirs, mask=None):
    """Values to 1e-6, gradients to 1e-5 of their size; the weights' gradients travel through the same transfer."""
    x, pull = noise(BATCH, TIME, FEATURES), noise(BATCH, TIME, UNITS, seed=2)
    y, (x_slope, *found) = slopes(ours, x, pull, mask)
    z, (x_expected, *expected) = slopes(theirs, x, pull, mask)
    np.testing.assert_allclose(y, z, atol=1e-6)
    np.testing.assert_allclose(x_slope, x_expected, atol=1e-5 * np.abs(x_expected).max())
    kept = theirs.get_weights()
    ours.set_weights(found)
    transfer.to_keras(ours, theirs)
    for one, other in zip(theirs.get_weights(), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(other).max())
    theirs.set_weights(kept)
    transfer.from_keras(ours, theirs)
