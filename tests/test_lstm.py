"""The long short-term memory: Keras's own layer, PyTorch's layout, and the presets that the sources print."""

import keras
import numpy as np
import pytest

from suite.layers import LSTM, transfer
from suite.plugins import architecture
from tests.keras_twins import BATCH, FEATURES, TIME, UNITS, assert_equal, noise, twins

MASK = np.array([[1, 1, 0, 1, 1, 0, 0, 1, 1], [1] * 9, [0, 0, 1, 1, 1, 1, 0, 0, 0], [1] * 5 + [0] * 4], bool)
PRESETS = ("lstm", "lstm_chrono", "lstm_keras", "lstm_pytorch", "lstm_seed001", "lstm_seed002", "lstm_seed003")
SIGMA = {"linear": lambda a: a, "sigmoid": lambda a: 1 / (1 + np.exp(-a)), "tanh": np.tanh}


def preset(name, units=UNITS, **options):
    made = architecture(name)
    return made.resolve()(units, **{**made.options, **options})


def built(layer, scale=0.4, features=FEATURES):
    layer.build((None, None, features))
    rng = np.random.default_rng(0)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(0, scale, weight.shape))
    return layer


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
def test_lstm_equals_that_of_keras(mask):
    assert_equal(*twins(LSTM(UNITS, return_sequences=True), keras.layers.LSTM(UNITS, return_sequences=True)), mask)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_matches_the_equations_of_its_docstring(name):
    layer = built(preset(name, return_sequences=True, return_state=True, dtype="float64"))
    phi, psi, sigmoid = SIGMA[layer.candidate_activation], SIGMA[layer.output_activation], SIGMA["sigmoid"]
    w, u, b = (weight.numpy() for weight in layer.weights)
    if name == "lstm_pytorch":
        b = b[0] + b[1]
    x, h, c = noise(BATCH, TIME, FEATURES).astype(float), np.zeros((BATCH, UNITS)), np.zeros((BATCH, UNITS))
    y, *final = layer(x)
    for t in range(TIME):
        i, f, o, g = np.split(x[:, t] @ w + h @ u + b, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * phi(g)
        h = sigmoid(o) * psi(c)
        np.testing.assert_allclose(y[:, t], h, atol=1e-12)
    np.testing.assert_allclose(final[1], c, atol=1e-12)


def test_seed_003_is_keras_with_a_logistic_activation():
    """One `activation` of Keras stands for the candidate's and the output's."""
    assert_equal(
        *twins(preset("lstm_seed003", return_sequences=True), keras.layers.LSTM(UNITS, activation="sigmoid", return_sequences=True))
    )


def test_seed_001_is_the_standard_form_with_a_forget_bias_of_zero():
    assert_equal(*twins(preset("lstm_seed001", return_sequences=True), keras.layers.LSTM(UNITS, return_sequences=True)))


def test_no_lstm_of_keras_is_seed_002():
    """Its output o * c grows past 1 while every write g stays within (-1, 1), which one activation for both cannot do.

    From zero, one step of seed 002 ends within (-1, 1) for any input; so must Keras's activation phi of the candidate be
    bounded by 1. But then o * phi(c) never leaves (-1, 1), and seed 002 does after two steps.
    """
    layer = preset("lstm_seed002", return_sequences=True, dtype="float64")
    layer.build((None, None, 1))
    layer.kernel.assign(np.full((1, 4 * UNITS), 9.0))
    layer.recurrent_kernel.assign(np.zeros((UNITS, 4 * UNITS)))
    y = layer(np.ones((1, 3, 1))).numpy()[0, :, 0]
    assert y[0] < 1 < y[1] < y[2]


def test_pytorchs_arrays_are_read_by_transposing_and_ordering_the_gates():
    """torch.nn.LSTM: rows i, f, g, o of weight_ih (4H, D), weight_hh (4H, H), bias_ih and bias_hh (4H,)."""
    w, u, b, d = noise(4 * UNITS, FEATURES), noise(4 * UNITS, UNITS, seed=2) / 2, noise(4 * UNITS, seed=3), noise(4 * UNITS, seed=4)
    x, h, c = noise(BATCH, TIME, FEATURES, seed=5), np.zeros((BATCH, UNITS)), np.zeros((BATCH, UNITS))
    ordered = lambda rows: np.concatenate([np.split(rows, 4)[row] for row in (0, 1, 3, 2)]).T
    layer = preset("lstm_pytorch", return_sequences=True)
    layer.build(x.shape)
    layer.set_weights([ordered(w), ordered(u), np.stack([ordered(b), ordered(d)])])
    y, sigmoid = layer(x).numpy(), SIGMA["sigmoid"]
    for t in range(TIME):
        i, f, g, o = np.split(x[:, t] @ w.T + b + h @ u.T + d, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        np.testing.assert_allclose(y[:, t], h, atol=1e-5)


@pytest.mark.parametrize("name", PRESETS)
def test_its_parameters_are_those_of_the_formula(name):
    layer = preset(name)
    layer.build((None, None, FEATURES))
    extra = 4 * UNITS if name == "lstm_pytorch" else 0
    assert layer.count_params() == 4 * UNITS * (FEATURES + UNITS + 1) + extra


@pytest.mark.parametrize(
    ("name", "expected"), [("lstm", 1.0), ("lstm_keras", 1.0), ("lstm_seed001", 0.0), ("lstm_seed002", 0.0), ("lstm_seed003", 0.0)]
)
def test_only_the_forget_gate_has_a_bias_at_first(name, expected):
    layer = preset(name)
    layer.build((None, None, FEATURES))
    i, f, o, g = np.split(layer.bias.numpy(), 4)
    np.testing.assert_array_equal(f, np.full(UNITS, expected))
    assert not np.any([i, o, g])


def test_keras_and_the_keras_preset_draw_alike():
    """Joint draws: the recurrent kernel as a whole has orthonormal rows, the kernel the limit of a (FEATURES, 4 * units) matrix."""
    ours, theirs = preset("lstm_keras", units=40), keras.layers.LSTM(40)
    for layer in (ours, theirs):
        layer.build((None, None, FEATURES))
        kernel, recurrent, _ = layer.get_weights()
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(40), atol=1e-5)
        limit = np.sqrt(6 / (FEATURES + 160))
        assert 0.95 * limit < np.abs(kernel).max() <= limit


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="draws the biases too"):
        LSTM(UNITS, initialization="uniform")
    with pytest.raises(ValueError, match='a number or "chrono:T"'):
        LSTM(UNITS, forget_bias="high")
    ours = LSTM(UNITS, double_bias=True)
    with pytest.raises(ValueError, match="Keras has no LSTM with weights of these shapes"):
        transfer.from_keras(ours, keras.layers.LSTM(UNITS))
