"""Our cells beside those of torch.nn, with the same numbers in both: outputs, final states and gradients."""

import numpy as np
import pytest
import tensorflow as tf

from suite.layers import GRU, LSTM, Elman

torch = pytest.importorskip("torch")

BATCH, TIME, FEATURES, UNITS = 3, 11, 4, 5


def given():
    rng = np.random.default_rng(0)
    return rng.normal(size=(BATCH, TIME, FEATURES)), rng.normal(size=(BATCH, TIME, UNITS)), rng


def blocks(array, order):
    """Blocks of the first axis in another order."""
    parts = np.split(array, len(order))
    return np.concatenate([parts[place] for place in order])


def of_torch(kind, order, **options):
    """Random weights in a torch.nn layer, what it computes, and its gradients; and the weights in our order."""
    x, pull, rng = given()
    other = getattr(torch.nn, kind)(FEATURES, UNITS, batch_first=True, dtype=torch.float64, **options)
    for weight in other.parameters():
        weight.data = torch.tensor(rng.normal(0, 0.5, weight.shape))
    inputs = torch.tensor(x, requires_grad=True)
    y, state = other(inputs)
    (y * torch.tensor(pull)).sum().backward()
    states = [one[0].detach().numpy() for one in (state if isinstance(state, tuple) else (state,))]
    named = dict(other.named_parameters())
    ours = lambda part: [
        blocks(array, order) for array in (part(named[f"{name}_l0"]) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    ]
    values, slopes = ours(lambda one: one.detach().numpy()), ours(lambda one: one.grad.numpy())
    return y.detach().numpy(), states, inputs.grad.numpy(), values, slopes


CASES = {
    "RNN, tanh": ("RNN", {}, (0,), Elman, {}),
    "RNN, relu": ("RNN", {"nonlinearity": "relu"}, (0,), Elman, {"activation": "relu"}),
    "LSTM": ("LSTM", {}, (0, 1, 3, 2), LSTM, {"double_bias": True}),  # i, f, g, o -> i, f, o, g
    "GRU": ("GRU", {}, (1, 0, 2), GRU, {}),  # r, z, n -> z, r, n
}


@pytest.mark.parametrize("loop", ["engine", "plain"])
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_those_of_torch(case, loop):
    kind, options, order, ours, more = CASES[case]
    y, states, d_x, values, slopes = of_torch(kind, order, **options)
    x, pull, _ = given()
    layer = ours(UNITS, dtype="float64", return_sequences=True, return_state=True, loop=loop, **more)
    layer.build((None, None, FEATURES))
    joined = len(layer.bias.shape) == 1
    biases = lambda one, other: one + other if joined else np.stack([one, other])
    w, u, b, d = values
    layer.set_weights([w.T, u.T, biases(b, d)])

    @tf.function(autograph=False)
    def compute(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            out, *final = layer(x)
            loss = tf.reduce_sum(out * pull)
        return out, final, tape.gradient(loss, [x, *(weight.value for weight in layer.trainable_weights)])

    found, final, (found_x, *found_weights) = compute(tf.constant(x))
    assert layer.impl == loop
    np.testing.assert_allclose(found, y, atol=1e-12)
    for one, other in zip(final, states, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    np.testing.assert_allclose(found_x, d_x, atol=1e-11)
    d_w, d_u, d_b, d_d = slopes
    expected = [d_w.T, d_u.T, d_b if joined else np.stack([d_b, d_d])]  # a joined bias has the gradient that both of torch's have
    for one, other in zip(found_weights, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-11)
