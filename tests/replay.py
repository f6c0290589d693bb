"""A recurrent layer held to its equations: one step in numpy float64, taken over rows with and without masked steps."""

import numpy as np

from suite.plugins import architecture

BATCH, TIME, FEATURES, UNITS = 4, 9, 3, 8
MASK = np.array([[1, 1, 0, 1, 1, 0, 0, 1, 1], [1] * 9, [0, 0, 1, 1, 1, 1, 0, 0, 0], [1] * 5 + [0] * 4], bool)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def relu(a):
    return np.maximum(a, 0)


def layer(name, *, units=UNITS, features=FEATURES, stirred=True, **options):
    """A layer of the table, built in float64; stirred, it is away from the symmetries of fresh weights."""
    made = architecture(name)
    built = made.resolve()(units, **{"return_sequences": True, "return_state": True, "dtype": "float64", **made.options, **options})
    built.build((None, None, features))
    rng = np.random.default_rng(0)
    for weight in built.trainable_weights if stirred else ():
        weight.assign(rng.normal(0, 0.4, weight.shape))
    return built


def weights(built):
    """The weights by name, as float64."""
    return {weight.name: np.asarray(weight, np.float64) for weight in built.weights}


def noise(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def assert_replays(built, step):
    """`step(x, states, **weights) -> states`, from states of zero, gives the outputs and the last states of the layer.

    A masked step keeps the states and repeats the output.
    """
    x = noise(BATCH, TIME, FEATURES)
    for mask in (None, MASK):
        y, *final = built(x, mask=mask)
        states = tuple(np.zeros((BATCH, *shape)) for shape in built.state_shapes())
        for t in range(TIME):
            new = step(x[:, t], states, **weights(built))
            valid = np.ones((BATCH, 1), bool) if mask is None else mask[:, t, None]
            states = tuple(np.where(valid, after, before) for after, before in zip(new, states, strict=True))
            np.testing.assert_allclose(y[:, t], states[0], atol=1e-10, err_msg=f"step {t}")
        for one, other in zip(final, states, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-10)


def blocks(array, count):
    return np.split(array, count, axis=-1)
