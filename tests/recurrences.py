"""What the tests of linear recurrences share: a built layer, and its forms against one another."""

import numpy as np
import tensorflow as tf

from suite import initial

BATCH, TIME, FEATURES, UNITS = 3, 37, 3, 8
MASK = np.random.default_rng(4).random((BATCH, TIME)) < 0.8


def noise(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def built(kind, *, features=FEATURES, units=UNITS, spread=0.3, **options):
    """A layer in float64, away from the symmetries of fresh weights."""
    layer = kind(units, **({"dtype": "float64", "return_sequences": True, "return_state": True} | options))
    with initial.seeded(7):
        layer.build((None, None, features))
    rng = np.random.default_rng(0)
    for weight in layer.trainable_weights:
        weight.assign(weight + rng.normal(0, spread, weight.shape))
    return layer


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def by_form(kind, form, mask=None, **options):
    """Outputs, final states and all gradients of one form in a graph, from states that are not zero."""
    layer = built(kind, loop=form, **options)
    x = noise(BATCH, TIME, FEATURES)
    states = [np.abs(noise(BATCH, *shape, seed=5 + number)) for number, shape in enumerate(layer.state_shapes())]
    pulls = [noise(BATCH, TIME, UNITS, seed=2), *(noise(*state.shape, seed=12) for state in states)]

    def compute(x, *states):
        watched = [x, *states, *(weight.value for weight in layer.trainable_weights)]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            found = layer(x, mask=mask, initial_state=list(states))
            loss = sum(tf.reduce_sum(one * pull) for one, pull in zip(found, pulls, strict=True))
        return found, tape.gradient(loss, watched, unconnected_gradients="zero")

    found = tf.function(compute, autograph=False)(*(tf.constant(one) for one in (x, *states)))
    assert layer.impl == form
    return [np.asarray(one) for one in tf.nest.flatten(found)]


def assert_forms_agree(kind, **options):
    """Assert that loop, parallel and plain form have equal values and gradients, with a mask and without."""
    for mask in (None, MASK):
        expected = by_form(kind, "plain", mask, **options)
        for form in ("engine", "parallel"):
            for one, other in zip(by_form(kind, form, mask, **options), expected, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-9, err_msg=form)
