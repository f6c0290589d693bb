"""The quasi-recurrent network: its equations, its forms, and that it pools what a convolution made."""

import numpy as np
import pytest

from suite.layers import QRNN
from tests.recurrences import BATCH, FEATURES, TIME, UNITS, assert_forms_agree, built, noise, sigmoid


def test_it_matches_its_equations():
    layer = built(QRNN)
    w, earlier, bias = (weight.numpy() for weight in layer.weights)
    x, c = noise(BATCH, TIME, FEATURES), np.zeros((BATCH, UNITS))
    y, state, window = layer(x)
    for t in range(TIME):
        before = x[:, t - 1] if t else 0 * x[:, 0]
        z, f, o = np.split(x[:, t] @ w + before @ earlier + bias, 3, axis=1)
        c = sigmoid(f) * c + (1 - sigmoid(f)) * np.tanh(z)
        np.testing.assert_allclose(y[:, t], sigmoid(o) * c, atol=1e-12)
    np.testing.assert_allclose(state, c, atol=1e-12)
    np.testing.assert_allclose(window[:, 0], x[:, -1] @ earlier, atol=1e-12)


def test_its_forms_agree():
    assert_forms_agree(QRNN)


def test_its_parameters_are_those_of_the_formula():
    assert built(QRNN).count_params() == 3 * 2 * FEATURES * UNITS + 3 * UNITS


def test_its_state_never_leaves_the_range_of_tanh():
    """c' is a weighted mean of c and tanh: what starts within (-1, 1) stays there, whatever the weights."""
    layer = built(QRNN, spread=5.0)
    y, c, _ = layer(noise(BATCH, TIME, FEATURES))
    assert np.abs(y).max() <= 1
    assert np.abs(c).max() <= 1


def test_an_impossible_bias_is_refused():
    with pytest.raises(ValueError, match="a bias must be a number or"):
        QRNN(4, forget_bias="chrono:2")
