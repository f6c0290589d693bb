"""The cells that are an LSTM but for one idea: the equations, the counts, and what the idea does."""

import numpy as np
import pytest

from tests.replay import FEATURES, UNITS, assert_replays, blocks, layer, noise, sigmoid

D, H = FEATURES, UNITS


def coupled(x, states, *, kernel, recurrent_kernel, bias):
    h, c = states
    f, o, g = blocks(x @ kernel + h @ recurrent_kernel + bias, 3)
    f = sigmoid(f)
    c = f * c + (1 - f) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def janet(x, states, *, kernel, recurrent_kernel, bias):
    (h,) = states
    s, g = blocks(x @ kernel + h @ recurrent_kernel + bias, 2)
    return (sigmoid(s) * h + (1 - sigmoid(s - 1)) * np.tanh(g),)


def normalised(a):
    return (a - a.mean(axis=-1, keepdims=True)) / np.sqrt(a.var(axis=-1, keepdims=True) + 1e-5)


def norm(x, states, *, kernel, recurrent_kernel, bias, **gains):
    h, c = states
    a = gains["gamma_x"] * normalised(x @ kernel) + gains["beta_x"]
    a = a + gains["gamma_h"] * normalised(h @ recurrent_kernel) + gains["beta_h"] + bias
    i, f, o, g = blocks(a, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(gains["gamma_c"] * normalised(c) + gains["beta_c"]), c


def multiplicative(x, states, *, kernel, recurrent_kernel, bias):
    h, c = states
    m = (x @ kernel[:, 4 * H :]) * (h @ recurrent_kernel[:, 4 * H :])
    i, f, o, g = blocks(x @ kernel[:, : 4 * H] + m @ recurrent_kernel[:, : 4 * H] + bias, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


LSTM = 4 * H * (D + H + 1)
CELLS = {
    "lstm_coupled": (coupled, 3 * H * (D + H + 1)),
    "janet": (janet, 2 * H * (D + H + 1)),
    "lstm_norm": (norm, LSTM + 18 * H),
    "lstm_multiplicative": (multiplicative, 5 * H * D + 5 * H * H + 4 * H),
}


@pytest.mark.parametrize("name", CELLS)
def test_it_matches_the_equations_of_its_docstring(name):
    assert_replays(layer(name), CELLS[name][0])


@pytest.mark.parametrize("name", CELLS)
def test_its_parameters_are_those_of_the_formula(name):
    assert layer(name).count_params() == CELLS[name][1]


@pytest.mark.parametrize("name", CELLS)
def test_only_the_forget_gate_has_a_bias_at_first(name):
    made = layer(name, stirred=False)
    for gate, begun in zip(made.gates, blocks(made.bias.numpy(), len(made.gates)), strict=True):
        np.testing.assert_array_equal(begun, np.full(H, 1.0 if gate in "fs" else 0.0))


def test_a_second_redundant_bias_is_all_that_cudnn_adds():
    ours, lstm = layer("lstm_cudnn"), layer("lstm")
    assert ours.count_params() == lstm.count_params() + 4 * H
    kernel, recurrent, bias = lstm.get_weights()
    ours.set_weights([kernel, recurrent, np.stack([0.25 * bias, 0.75 * bias])])
    x = noise(2, 5, D)
    np.testing.assert_allclose(ours(x)[0], lstm(x)[0], atol=1e-12)


def test_coupled_gates_mix_the_memory_with_the_candidate():
    """From c = 1 everywhere and a candidate near -1, c' = f - i = 2 f - 1."""
    made = layer("lstm_coupled")
    made.recurrent_kernel.assign(np.zeros((H, 3 * H)))
    made.kernel.assign(np.zeros((D, 3 * H)))
    made.bias.assign(np.concatenate([np.full(H, 0.7), np.zeros(H), np.full(H, -40.0)]))
    _, _, c = made(noise(1, 1, D), initial_state=[np.zeros((1, H)), np.ones((1, H))])
    np.testing.assert_allclose(c, np.full((1, H), 2 * sigmoid(0.7) - 1), atol=1e-12)


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.5])
def test_janet_writes_more_than_it_forgets_by_beta(beta):
    """With h = 1 and a candidate of 1, h' = sigmoid(s) + 1 - sigmoid(s - beta), which is 1 only for beta = 0."""
    made = layer("janet", beta=beta)
    for weight in (made.kernel, made.recurrent_kernel):
        weight.assign(np.zeros(weight.shape))
    made.bias.assign(np.concatenate([np.full(H, 0.3), np.full(H, 40.0)]))
    y, _ = made(noise(1, 1, D), initial_state=[np.ones((1, H))])
    np.testing.assert_allclose(y[0, 0], np.full(H, sigmoid(0.3) + 1 - sigmoid(0.3 - beta)), atol=1e-12)


def test_janet_begins_with_time_constants_up_to_the_t_of_chrono():
    made = layer("janet_chrono", stirred=False)
    s, g = blocks(made.bias.numpy(), 2)
    assert 0 <= s.min() < s.max() <= np.log(99)
    assert not g.any()


def test_normalised_gates_do_not_see_the_size_of_input_and_state():
    made = layer("lstm_norm")
    x, h = noise(2, 1, D), noise(2, H, seed=4)
    small = made(x, initial_state=[h, np.zeros((2, H))])[0]
    large = made(50 * x, initial_state=[50 * h, np.zeros((2, H))])[0]
    np.testing.assert_allclose(small, large, atol=1e-3)  # but for the 1e-5 beside the variance
    assert not np.allclose(layer("lstm")(x)[0], layer("lstm")(50 * x)[0], atol=0.1)


def test_in_the_multiplicative_lstm_an_input_can_cut_the_state_off():
    """Where x W_m is zero the gates do not see h."""
    made = layer("lstm_multiplicative")
    kernel = made.kernel.numpy()
    kernel[:, 4 * H :] = 0
    made.kernel.assign(kernel)
    x, c = noise(2, 1, D), noise(2, H, seed=5)
    one, other = (made(x, initial_state=[h, c])[0] for h in (np.zeros((2, H)), noise(2, H, seed=6)))
    np.testing.assert_array_equal(one, other)


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="beta must be a finite number"):
        layer("janet", beta=float("nan"))
    for name in CELLS:
        with pytest.raises(ValueError, match='a number or "chrono:T"'):
            layer(name, forget_bias="high")
