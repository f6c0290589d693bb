"""Every recurrent cell of the table: the compiled loops and their gradients are those of the plain loop; new lines need no edit."""

import numpy as np
import pytest
import tensorflow as tf

from suite import plugins
from suite.recurrence import Cell

BATCH, TIME, FEATURES = 5, 7, 3
MASK = np.array([[1, 1, 0, 1, 0, 1, 1], [0, 0, 1, 1, 1, 0, 0], [1] * 7, [0] * 7, [0, 1, 0, 1, 0, 1, 0]], bool)
TABLE = {name: entry.value for name, entry in plugins.table("ARCHITECTURES").items()}
CELLS = {name: one for name, one in TABLE.items() if issubclass(one.resolve(), Cell)}


def cases():
    """One case for each class, choice of products and gradient by hand; slow ones have no feature that an earlier one has not."""
    steps, seen, found = set(), set(), []
    for name, one in CELLS.items():
        layer = one.resolve()(one.multiple, **one.options)
        step = (one.target, layer.products, layer.pair())
        if step in steps:
            continue
        steps.add(step)
        own = {method for method in ("kernels", "signals", "state_shapes", "vectors") if method in vars(type(layer))}
        features = (frozenset(own), bool(layer.products), layer.only_inputs, layer.only_products != (), layer.pair() is not None)
        found.append(pytest.param(name, marks=[pytest.mark.slow] if features in seen else []))
        seen.add(features)
    return found


def made(name, loop):
    """A built layer, away from the symmetries of fresh weights."""
    one = CELLS[name]
    units = one.multiple * -(-4 // one.multiple)
    inner = {"inner": 6} if one.inner else {}
    options = {"return_sequences": True, "return_state": True, "dtype": "float64", "loop": loop, "length": TIME}
    layer = one.resolve()(units, **options, **inner, **one.options)
    layer.build((None, None, FEATURES))
    rng = np.random.default_rng(0)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(0, 0.4, weight.shape))
    return layer


def noise(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def slopes(layer, x, initial, pulls):
    """All outputs, and the gradients of their sum weighted by `pulls`: of x, the first states, the probes and the weights."""
    probes = [tf.zeros((TIME, *state.shape), tf.float64) for state in initial]
    watched = [x, *initial, *probes, *(weight.value for weight in layer.trainable_weights)]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        found = layer(x, mask=MASK, initial_state=list(initial), probes=probes)
        loss = sum(tf.reduce_sum(one * pull) for one, pull in zip(found, pulls, strict=True))
    return found, tape.gradient(loss, watched, unconnected_gradients="zero")


@pytest.mark.parametrize("name", cases())
def test_its_compiled_loops_are_its_plain_loop(name):
    plain, fast = made(name, "plain"), made(name, "engine")
    fast.set_weights(plain.get_weights())
    x = tf.constant(noise(BATCH, TIME, FEATURES))
    _, *initial = plain(tf.constant(noise(BATCH, 3, FEATURES, seed=5)))  # states that the cell can be in
    shapes = [(BATCH, TIME, initial[0].shape[-1]), *(state.shape for state in initial)]
    pulls = [noise(*shape, seed=10 + index) for index, shape in enumerate(shapes)]
    values, gradients = slopes(plain, x, initial, pulls)
    compiled = tf.function(lambda x, *initial: slopes(fast, x, initial, pulls), autograph=False)
    fast_values, fast_gradients = compiled(x, *initial)
    assert fast.impl == (f"plain: {fast.needs_plain}" if fast.needs_plain else "engine")
    for one, other in zip((*fast_values, *fast_gradients), (*values, *gradients), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)
