"""The cells that were found by search: their equations and counts, and what each is beside the GRU and the LSTM."""

import numpy as np
import pytest

from tests.replay import FEATURES, UNITS, assert_replays, blocks, layer, noise, relu, sigmoid

D, H = FEATURES, UNITS


def mut1(x, states, *, kernel, recurrent_kernel, bias):
    (h,) = states
    (w_r, w_n, w_z), (u_r, u_n), (b_r, b_n, b_z) = blocks(kernel, 3), blocks(recurrent_kernel, 2), blocks(bias, 3)
    z, r = sigmoid(x @ w_z + b_z), sigmoid(x @ w_r + h @ u_r + b_r)
    n = np.tanh((r * h) @ u_n + np.tanh(x @ w_n) + b_n)
    return (z * n + (1 - z) * h,)


def mut2(x, states, *, kernel, recurrent_kernel, bias):
    (h,) = states
    (x_z, x_r, x_n), (u_z, u_r, u_n) = blocks(x @ kernel + bias, 3), blocks(recurrent_kernel, 3)
    z, r = sigmoid(x_z + h @ u_z), sigmoid(x_r + h @ u_r)
    return (z * np.tanh((r * h) @ u_n + x_n) + (1 - z) * h,)


def mut3(x, states, *, kernel, recurrent_kernel, bias):
    (h,) = states
    (x_z, x_r, x_n), (u_z, u_r, u_n) = blocks(x @ kernel + bias, 3), blocks(recurrent_kernel, 3)
    z, r = sigmoid(x_z + np.tanh(h) @ u_z), sigmoid(x_r + h @ u_r)
    return (z * np.tanh((r * h) @ u_n + x_n) + (1 - z) * h,)


def nascell(x, states, *, kernel, recurrent_kernel, bias):
    """The tree as it is drawn: pairs of x and h first, then pairs of pairs, the memory between."""
    h, c = states
    i, m = blocks(x @ kernel, 8), blocks(h @ recurrent_kernel + bias, 8)
    one = [sigmoid(i[0] + m[0]), relu(i[1] + m[1]), sigmoid(i[2] + m[2]), relu(i[3] * m[3])]
    one += [np.tanh(i[4] + m[4]), sigmoid(i[5] + m[5]), np.tanh(i[6] + m[6]), sigmoid(i[7] + m[7])]
    two = [np.tanh(one[0] * one[1]), np.tanh(one[2] + one[3]), np.tanh(one[4] * one[5]), sigmoid(one[6] + one[7])]
    c = np.tanh(two[0] + c) * two[1]
    return np.tanh(c * np.tanh(two[2] + two[3])), c


CELLS = {
    "mut1": (mut1, 3 * H * D + 2 * H * H + 3 * H),
    "mut2": (mut2, 3 * H * (D + H + 1)),
    "mut3": (mut3, 3 * H * (D + H + 1)),
    "nascell": (nascell, 8 * H * (D + H + 1)),
}


@pytest.mark.parametrize("name", CELLS)
def test_it_matches_the_equations_of_its_docstring(name):
    assert_replays(layer(name), CELLS[name][0])


@pytest.mark.parametrize("name", CELLS)
def test_its_parameters_are_those_of_the_formula(name):
    assert layer(name).count_params() == CELLS[name][1]


@pytest.mark.parametrize("name", ["mut1", "mut3"])
def test_a_positive_update_bias_keeps(name):
    """With no weights at all, one step multiplies the state by sigmoid(update bias)."""
    made = layer(name, update_bias=1.5, stirred=False)
    for weight in (made.kernel, made.recurrent_kernel):
        weight.assign(np.zeros(weight.shape))
    h = noise(2, H, seed=2)
    np.testing.assert_allclose(made(np.zeros((2, 1, D)), initial_state=[h])[1], sigmoid(1.5) * h, atol=1e-12)


def test_the_update_gate_of_mut1_does_not_see_the_state():
    """With no kernel for the candidate, h' = (1 - z(x)) h exactly, whatever h."""
    made = layer("mut1")
    made.recurrent_kernel.assign(np.zeros((H, 2 * H)))
    kernel, bias = made.kernel.numpy(), made.bias.numpy()
    kernel[:, H : 2 * H], bias[H : 2 * H] = 0, 0
    made.kernel.assign(kernel)
    made.bias.assign(bias)
    x, h = noise(2, 1, D), noise(2, H, seed=2)
    np.testing.assert_allclose(made(x, initial_state=[5 * h])[1], 5 * made(x, initial_state=[h])[1], atol=1e-12)


def test_the_memory_of_the_nascell_stays_within_one():
    """c' = tanh(...) * tanh(...)."""
    _, _, c = layer("nascell")(20 * noise(3, 50, D))
    assert np.abs(c).max() < 1
