"""The minimal GRU and LSTM: their equations, their forms, and gates that are shares of one."""

import numpy as np
import pytest

from suite.layers import MinGRU, MinLSTM
from suite.layers.minimal import positive
from tests.recurrences import BATCH, FEATURES, TIME, UNITS, assert_forms_agree, built, noise, sigmoid


def g(a):
    return np.where(a >= 0, a + 0.5, sigmoid(a))


@pytest.mark.parametrize("kind", [MinGRU, MinLSTM])
def test_it_matches_its_equations(kind):
    layer = built(kind)
    w, b = (weight.numpy() for weight in layer.weights)
    x, h = noise(BATCH, TIME, FEATURES), np.zeros((BATCH, UNITS))
    y, _ = layer(x)
    for t in range(TIME):
        *gates, v = np.split(x[:, t] @ w + b, len(kind.gates), axis=1)
        gates = [sigmoid(gate) for gate in gates]
        keep, write = (1 - gates[0], gates[0]) if kind is MinGRU else (gates[0] / sum(gates), gates[1] / sum(gates))
        h = keep * h + write * g(v)
        np.testing.assert_allclose(y[:, t], h, atol=1e-12)


@pytest.mark.parametrize("kind", [MinGRU, MinLSTM])
def test_its_forms_agree(kind):
    assert_forms_agree(kind)


@pytest.mark.parametrize("kind", [MinGRU, MinLSTM])
def test_its_parameters_are_those_of_the_formula(kind):
    assert built(kind).count_params() == len(kind.gates) * UNITS * (FEATURES + 1)


def test_what_is_written_is_positive_and_continuous():
    a = np.array([-30.0, -1e-9, 0.0, 2.0])
    np.testing.assert_allclose(positive(a), [sigmoid(-30.0), 0.5, 0.5, 2.5], atol=1e-9)


@pytest.mark.parametrize("kind", [MinGRU, MinLSTM])
def test_its_state_stays_between_the_least_and_the_largest_that_was_written(kind):
    """h' is a weighted mean of h and g(v), whose weights add up to one."""
    layer = built(kind, spread=2.0)
    w, b = (weight.numpy() for weight in layer.weights)
    x = noise(BATCH, TIME, FEATURES)
    written = g(np.split(x @ w + b, len(kind.gates), axis=-1)[-1])
    y, h = (found.numpy() for found in layer(x, initial_state=[written[:, 0]]))
    assert (y <= written.max(axis=1, keepdims=True) + 1e-12).all()
    assert (y >= written.min(axis=1, keepdims=True) - 1e-12).all()
    assert np.ptp(h) > 0


@pytest.mark.parametrize(("layer", "keeps"), [(MinGRU(64, update_bias=2.0), sigmoid(2.0)), (MinLSTM(64, forget_bias=2.0), None)])
def test_a_positive_bias_keeps(layer, keeps):
    layer.build((None, None, 1))
    keeps = keeps or sigmoid(2.0) / (sigmoid(2.0) + 0.5)
    layer.kernel.assign(np.zeros(layer.kernel.shape))
    h = np.ones((1, 64))
    np.testing.assert_allclose(layer(np.zeros((1, 1, 1)), initial_state=[h]), keeps * h + (1 - keeps) * 0.5, atol=1e-6)


def test_chrono_biases_spread_the_time_constants():
    """keep = sigmoid(log u), 1 / (1 - keep) = 1 + u: time constants uniform between 2 and T steps."""
    for layer, gates in ((MinGRU(4096, update_bias="chrono:100"), {"z": -1}), (MinLSTM(4096, forget_bias="chrono:100"), {"f": 1, "i": -1})):
        layer.build((None, None, 1))
        for gate, sign in gates.items():
            block = np.split(layer.bias.numpy(), len(layer.gates))[layer.gates.index(gate)]
            u = np.exp(sign * block)
            assert 1 <= u.min() < 2
            assert 98 < u.max() <= 99
            assert u.mean() == pytest.approx(50, rel=0.04)  # 4096 draws: 0.9 % standard error


def test_impossible_biases_are_refused():
    with pytest.raises(ValueError, match="a bias must be a number or"):
        MinGRU(4, update_bias="chrono:1")
    with pytest.raises(ValueError, match="a bias must be a number or"):
        MinLSTM(4, forget_bias="large")
