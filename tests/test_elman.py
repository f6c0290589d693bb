"""The simple recurrent networks: their equations, Keras's own layer, the printed formulas of the sources."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from suite.layers import Elman, Jordan, transfer
from tests.keras_twins import BATCH, FEATURES, TIME, UNITS, assert_equal, noise, twins

MASK = np.array([[1, 1, 0, 1, 1, 0, 0, 1, 1], [1] * 9, [0, 0, 1, 1, 1, 1, 0, 0, 0], [1] * 5 + [0] * 4], bool)
PHI = {
    "linear": lambda a: a,
    "relu": lambda a: np.maximum(a, 0),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
}


def built(layer, features=FEATURES):
    layer.build((None, None, features))
    rng = np.random.default_rng(0)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(0, 0.4, weight.shape))
    return layer


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
@pytest.mark.parametrize("activation", PHI)
def test_elman_equals_the_simple_rnn_of_keras(activation, mask):
    options = {"activation": activation, "return_sequences": True}
    assert_equal(*twins(Elman(UNITS, **options), keras.layers.SimpleRNN(UNITS, **options)), mask)


@pytest.mark.parametrize("activation", PHI)
def test_elman_matches_its_equation(activation):
    layer = built(Elman(UNITS, activation=activation, return_sequences=True, dtype="float64"))
    w, u, b = (weight.numpy() for weight in layer.weights)
    x, h = noise(BATCH, TIME, FEATURES).astype(float), np.zeros((BATCH, UNITS))
    y = layer(x).numpy()
    for t in range(TIME):
        h = PHI[activation](x[:, t] @ w + h @ u + b)
        np.testing.assert_allclose(y[:, t], h, atol=1e-12)


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
@pytest.mark.parametrize(("recurrent", "activation"), [("scalar", "tanh"), ("diagonal", "tanh"), ("diagonal", "relu")])
def test_a_scalar_or_diagonal_recurrence_is_a_full_one_that_is_zero_elsewhere(recurrent, activation, mask):
    layer = built(Elman(UNITS, activation=activation, recurrent=recurrent, return_sequences=True, dtype="float64"))
    w, b, u = (weight.numpy() for weight in layer.weights)
    x, h = noise(BATCH, TIME, FEATURES).astype(float), np.zeros((BATCH, UNITS))
    y = layer(x, mask=mask).numpy()
    for t in range(TIME):
        new = PHI[activation](x[:, t] @ w + h @ np.diag(np.broadcast_to(u, UNITS)) + b)
        h = new if mask is None else np.where(mask[:, t, None], new, h)
        np.testing.assert_allclose(y[:, t], h, atol=1e-12)


def test_units_of_a_diagonal_recurrence_do_not_see_one_another():
    layer = built(Elman(UNITS, recurrent="diagonal", dtype="float64"))
    before, states = layer(noise(1, TIME, FEATURES)).numpy(), np.eye(UNITS)[:1]
    after = layer(noise(1, TIME, FEATURES), initial_state=[states]).numpy()
    assert before[0, 0] != after[0, 0]
    np.testing.assert_array_equal(before[0, 1:], after[0, 1:])


def test_a_diagonal_recurrence_multiplies_by_its_kernel_only():
    diagonal, full = built(Elman(UNITS, recurrent="diagonal")), built(Elman(UNITS))
    assert diagonal.flops(TIME) == 2 * FEATURES * UNITS
    assert full.flops(TIME) == 2 * UNITS * (FEATURES + UNITS)


def test_jordan_feeds_its_output_back_and_not_its_hidden_layer():
    layer = built(Jordan(UNITS, return_sequences=True, dtype="float64"))
    w, recurrent, b, c = (weight.numpy() for weight in layer.weights)
    u, v = np.split(recurrent, 2, axis=1)
    x, y = noise(BATCH, TIME, FEATURES).astype(float), np.zeros((BATCH, UNITS))
    found = layer(x).numpy()
    for t in range(TIME):
        y = np.tanh(np.tanh(x[:, t] @ w + y @ u + b) @ v + c)
        np.testing.assert_allclose(found[:, t], y, atol=1e-12)


def test_without_an_activation_elman_is_the_formula_that_leaves_it_out():
    """W_hh h(t-1) + W_xh x(t) + b_h = h(t), as printed, is linear: the response to a sum is the sum of the responses."""
    layer = built(Elman(UNITS, activation="linear", return_sequences=True, dtype="float64"))
    layer.bias.assign(np.zeros(UNITS))
    one, two = noise(BATCH, TIME, FEATURES).astype(float), noise(BATCH, TIME, FEATURES, seed=5).astype(float)
    np.testing.assert_allclose(layer(one + two), layer(one) + layer(two), atol=1e-12)


def test_a_logistic_state_passes_at_most_a_quarter_of_the_gradient_a_step():
    """|dh'/dh| <= max sigma' |U| = |U| / 4, and an orthogonal U has norm 1."""
    layer = Elman(UNITS, activation="sigmoid", return_state=True, dtype="float64")
    x = noise(BATCH, TIME, FEATURES).astype(float)
    probes = [tf.zeros((TIME, BATCH, UNITS), tf.float64)]
    layer(x)
    with tf.GradientTape() as tape:
        tape.watch(probes)
        loss = tf.reduce_sum(layer(x, probes=probes)[0])
    norms = np.linalg.norm(tape.gradient(loss, probes)[0], axis=-1)
    assert (norms[:-1] <= norms[1:] / 4 + 1e-12).all()


@pytest.mark.parametrize(
    ("layer", "count"),
    [
        (Elman(UNITS), UNITS * (FEATURES + UNITS + 1)),
        (Elman(UNITS, recurrent="scalar"), UNITS * (FEATURES + 1) + 1),
        (Elman(UNITS, recurrent="diagonal"), UNITS * (FEATURES + 2)),
        (Jordan(UNITS), UNITS * (FEATURES + UNITS + 1) + UNITS * (UNITS + 1)),
    ],
    ids=["full", "scalar", "diagonal", "Jordan"],
)
def test_its_parameters_are_those_of_the_formula(layer, count):
    layer.build((None, None, FEATURES))
    assert layer.count_params() == count


def test_the_irnn_begins_as_the_identity_with_almost_no_input():
    layer = Elman(64, activation="relu", initialization="identity")
    layer.build((None, None, 10))
    np.testing.assert_array_equal(layer.recurrent_kernel, np.eye(64))
    np.testing.assert_array_equal(layer.bias, np.zeros(64))
    assert np.std(layer.kernel) == pytest.approx(0.001, rel=0.15)  # 640 draws: 3 % standard error


@pytest.mark.parametrize("initialization", ["orthogonal", "glorot"])
def test_the_recurrent_weights_begin_as_they_are_named(initialization):
    layer = Elman(64, initialization=initialization)
    layer.build((None, None, 10))
    u = layer.recurrent_kernel.numpy()
    if initialization == "orthogonal":
        np.testing.assert_allclose(u @ u.T, np.eye(64), atol=1e-5)
    else:
        assert 0.9 * np.sqrt(6 / 128) < np.abs(u).max() <= np.sqrt(6 / 128)


def test_a_diagonal_recurrence_begins_with_time_constants_of_all_sizes():
    layer = Elman(200, recurrent="diagonal")
    layer.build((None, None, 10))
    u = np.sort(layer.recurrent_kernel.numpy())
    assert np.abs(u - (np.arange(200) + 0.5) / 200).max() < 0.14  # Kolmogorov-Smirnov at 1e-3: 1.95 / sqrt(200)
    kept = Elman(200, recurrent="diagonal", initialization="identity")
    kept.build((None, None, 10))
    np.testing.assert_array_equal(kept.recurrent_kernel, np.ones(200))


def test_impossible_options_are_refused_with_the_possible_ones():
    with pytest.raises(ValueError, match="activation must be one of linear, relu, sigmoid, tanh, got 'gelu'"):
        Elman(UNITS, activation="gelu")
    with pytest.raises(ValueError, match="recurrent must be one of full, scalar, diagonal, got 'banded'"):
        Elman(UNITS, recurrent="banded")
    with pytest.raises(ValueError, match="initialization of a scalar recurrence must be one of orthogonal, identity, got 'glorot'"):
        Elman(UNITS, recurrent="scalar", initialization="glorot")
    with pytest.raises(ValueError, match="initialization must be one of orthogonal, glorot, identity, spread, got 'per_gate'"):
        Elman(UNITS, initialization="per_gate")


def test_weights_go_between_twins_only():
    ours, theirs = twins(Elman(UNITS), keras.layers.SimpleRNN(UNITS, use_bias=False))
    transfer.to_keras(ours, theirs)
    ours.bias.assign(np.ones(UNITS))
    with pytest.raises(ValueError, match="cannot take biases"):
        transfer.to_keras(ours, theirs)
    with pytest.raises(ValueError, match="no weights go between Elman and GRU"):
        transfer.from_keras(ours, keras.layers.GRU(UNITS))
