"""The gated recurrent units: Keras's own layer in both forms, and what a source's form is in Keras's."""

import keras
import numpy as np
import pytest

from suite.layers import GRU, GRUChung, GRUv1, transfer
from suite.plugins import architecture
from tests.keras_twins import BATCH, FEATURES, TIME, UNITS, assert_equal, noise, twins

MASK = np.array([[1, 1, 0, 1, 1, 0, 0, 1, 1], [1] * 9, [0, 0, 1, 1, 1, 1, 0, 0, 0], [1] * 5 + [0] * 4], bool)
PRESETS = ("gru", "gru_chrono", "gru_keras", "gru_seed003", "gru_v1")


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def preset(name, units=UNITS, **options):
    made = architecture(name)
    return made.resolve()(units, **{**made.options, **options})


def built(layer):
    layer.build((None, None, FEATURES))
    rng = np.random.default_rng(0)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(0, 0.4, weight.shape))
    return layer


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
@pytest.mark.parametrize(("kind", "after"), [(GRU, True), (GRUv1, False)])
def test_gru_equals_that_of_keras(kind, after, mask):
    assert_equal(*twins(kind(UNITS, return_sequences=True), keras.layers.GRU(UNITS, reset_after=after, return_sequences=True)), mask)


def test_seed_003_is_keras_with_the_update_gate_negated_and_a_logistic_candidate():
    """1 - sigmoid(a) = sigmoid(-a): a gate that writes is one that keeps, with W, U and b negated; the transfer does it."""
    theirs = keras.layers.GRU(UNITS, reset_after=False, activation="sigmoid", return_sequences=True)
    ours, theirs = twins(preset("gru_seed003", return_sequences=True), theirs)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        (z, *others), (z_keras, *others_keras) = np.split(one, 3, axis=-1), np.split(other, 3, axis=-1)
        np.testing.assert_array_equal(z, -z_keras)
        np.testing.assert_array_equal(others, others_keras)
    assert_equal(ours, theirs)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_matches_the_equations_of_its_docstring(name):
    layer = built(preset(name, return_sequences=True, dtype="float64"))
    w, u, b = (weight.numpy() for weight in layer.weights)
    b, d = b if isinstance(layer, GRU) else (b, np.zeros(3 * UNITS))
    phi = sigmoid if name == "gru_seed003" else np.tanh
    x, h = noise(BATCH, TIME, FEATURES).astype(float), np.zeros((BATCH, UNITS))
    y = layer(x).numpy()
    for t in range(TIME):
        x_z, x_r, x_n = np.split(x[:, t] @ w + b, 3, axis=-1)
        u_z, u_r, u_n = np.split(u, 3, axis=1)
        d_z, d_r, d_n = np.split(d, 3)
        z, r = sigmoid(x_z + h @ u_z + d_z), sigmoid(x_r + h @ u_r + d_r)
        n = phi(x_n + r * (h @ u_n + d_n)) if isinstance(layer, GRU) else phi(x_n + (r * h) @ u_n)
        h = (1 - z) * h + z * n if isinstance(layer, GRUChung) else z * h + (1 - z) * n
        np.testing.assert_allclose(y[:, t], h, atol=1e-12)


@pytest.mark.parametrize("name", PRESETS)
def test_its_parameters_are_those_of_the_formula(name):
    layer = preset(name)
    layer.build((None, None, FEATURES))
    assert layer.count_params() == 3 * UNITS * (FEATURES + UNITS + (2 if isinstance(layer, GRU) else 1))


@pytest.mark.parametrize("kind", [GRU, GRUv1, GRUChung])
def test_a_positive_update_bias_keeps_in_every_convention(kind):
    """With no weights at all, one step multiplies the state by sigmoid(update bias)."""
    layer = kind(UNITS, update_bias=1.5)
    layer.build((None, None, FEATURES))
    for weight in (layer.kernel, layer.recurrent_kernel):
        weight.assign(np.zeros(weight.shape))
    h = np.full((1, UNITS), 0.8, np.float32)
    np.testing.assert_allclose(layer(np.zeros((1, 1, FEATURES), np.float32), initial_state=[h]), sigmoid(1.5) * h, atol=1e-6)


def test_pytorchs_arrays_are_read_by_transposing_and_exchanging_r_and_z():
    """torch.nn.GRU: rows r, z, n; n = tanh(W x + b_ih + r (U h + b_hh)); h' = (1 - z) n + z h."""
    w, u, b, d = noise(3 * UNITS, FEATURES), noise(3 * UNITS, UNITS, seed=2) / 2, noise(3 * UNITS, seed=3), noise(3 * UNITS, seed=4)
    x, h = noise(BATCH, TIME, FEATURES, seed=5), np.zeros((BATCH, UNITS))
    ordered = lambda rows: np.concatenate([np.split(rows, 3)[row] for row in (1, 0, 2)]).T
    layer = GRU(UNITS, return_sequences=True)
    layer.build(x.shape)
    layer.set_weights([ordered(w), ordered(u), np.stack([ordered(b), ordered(d)])])
    y = layer(x).numpy()
    for t in range(TIME):
        (r, z, n), (h_r, h_z, h_n) = np.split(x[:, t] @ w.T + b, 3, axis=-1), np.split(h @ u.T + d, 3, axis=-1)
        r, z = sigmoid(r + h_r), sigmoid(z + h_z)
        h = (1 - z) * np.tanh(n + r * h_n) + z * h
        np.testing.assert_allclose(y[:, t], h, atol=1e-5)


def test_the_two_forms_of_keras_are_not_mixed_up():
    with pytest.raises(ValueError, match=r"keras.layers.GRU\(reset_after=True\) is the twin of GRU"):
        transfer.from_keras(GRUv1(UNITS), keras.layers.GRU(UNITS))
