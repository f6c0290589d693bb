"""The pooled baseline: blind to order, small on long prefixes, good enough for plain adding."""

import keras
import numpy as np
import tensorflow as tf

from suite import initial, plugins
from suite.layers.pooled import PooledMLP
from suite.models import build
from suite.task import Spec

X = np.random.default_rng(0).normal(size=(3, 7, 2)).astype(np.float32)
MASK = np.array([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0, 0], [0, 1, 0, 1, 0, 0, 1]], bool)


def pooled(units, **options):
    """A layer whose weights are the same in every run."""
    with initial.seeded(0):
        layer = PooledMLP(units, **options)
        layer.build((None, None, 2))
    return layer


def relu(x):
    return np.maximum(x, 0)


def test_it_is_the_scaled_sum_of_the_steps_so_far():
    layer = pooled(4)
    found = layer(X, mask=MASK).numpy()
    W1, b1, W2, b2 = (weight.numpy().astype(np.float64) for weight in layer.weights)
    each = relu(relu(X @ W1 + b1) @ W2 + b2)
    for row, mask, y in zip(each, MASK, found, strict=True):
        for t in range(7):
            valid = row[: t + 1][mask[: t + 1]]
            np.testing.assert_allclose(y[t], valid.sum(0) / np.sqrt(max(1, len(valid))), rtol=1e-5, atol=1e-6)


def test_the_order_of_a_row_does_not_matter():
    layer = pooled(4)
    np.testing.assert_allclose(layer(X[:, ::-1])[:, -1], layer(X)[:, -1], rtol=1e-5)


def test_a_long_prefix_stays_small():
    layer = pooled(16)
    y = np.abs(layer(np.random.default_rng(1).normal(size=(2, 10_000, 2)).astype(np.float32)).numpy())
    assert np.isfinite(y).all()
    # the sum grows like the time, its scale like the root: a hundred times the first step's at 10,000
    assert y[:, -1].max() < 200 * y[:, :10].max()


def test_in_bfloat16_the_sum_does_not_stop_growing():
    layer = pooled(16, dtype="mixed_bfloat16")
    x = np.ones((1, 2000, 2), np.float32)
    y = layer(x).numpy().astype(np.float64)
    largest = y[0, 0].argmax()
    np.testing.assert_allclose(y[0, -1, largest] / y[0, 0, largest], np.sqrt(2000), rtol=0.02)


def test_it_solves_plain_adding_which_needs_no_order():
    spec = Spec(kind="once", loss="squared", inputs=2, outputs=1, tokens=False, length=50, longest=50, lengths=(50,))

    def draw(rng, count):
        value, mark = rng.uniform(size=(count, 50)), np.zeros((count, 50))
        chosen = np.stack([rng.integers(0, 25, count), rng.integers(25, 50, count)], axis=1)
        np.put_along_axis(mark, chosen, 1.0, axis=1)
        return np.stack([value, mark], axis=-1).astype(np.float32), (value * mark).sum(1).astype(np.float32)

    rng = np.random.default_rng(0)
    model = build(plugins.architecture("pooled_mlp"), spec, width=32, seed=0)
    optimizer = keras.optimizers.Adam(1e-2, global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)
    x, y = draw(rng, 32 * 1000)
    x, y = tf.reshape(x, (1000, 32, 50, 2)), tf.reshape(y, (1000, 32))

    @tf.function
    def train():
        for step in tf.range(1000):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(x[step], training=True)[:, 0] - y[step]) ** 2)
            optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    train()
    x, y = draw(rng, 2000)
    assert np.mean((model(x)[:, 0] - y) ** 2) < 0.01 < np.var(y)  # a constant gets 1/6
