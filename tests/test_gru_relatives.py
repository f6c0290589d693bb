"""The cells that are a GRU but for a part: the equations, the counts, and what the part was for."""

import numpy as np
import pytest

from tests.replay import FEATURES, UNITS, assert_replays, blocks, layer, noise, relu, sigmoid

D, H = FEATURES, UNITS


def mgu(x, states, *, kernel, recurrent_kernel, bias):
    (h,) = states
    (x_f, x_n), (u_f, u_n) = blocks(x @ kernel + bias, 2), blocks(recurrent_kernel, 2)
    f = sigmoid(x_f + h @ u_f)
    return ((1 - f) * h + f * np.tanh(x_n + (f * h) @ u_n),)


def update(phi):
    def step(x, states, *, kernel, recurrent_kernel, bias):
        (h,) = states
        z, n = blocks(x @ kernel + h @ recurrent_kernel + bias, 2)
        return (sigmoid(z) * h + (1 - sigmoid(z)) * phi(n),)

    return step


def adding(x, states, *, kernel, recurrent_kernel, bias):
    (h,) = states
    (x_i, x_r, x_n), (u_i, u_r, u_n) = blocks(x @ kernel + bias, 3), blocks(recurrent_kernel, 3)
    i, r = sigmoid(x_i + h @ u_i), sigmoid(x_r + h @ u_r)
    return (h + i * np.tanh(x_n + (r * h) @ u_n),)


CELLS = {
    "mgu": (mgu, 2 * H * (D + H + 1)),
    "ugrnn": (update(np.tanh), 2 * H * (D + H + 1)),
    "ligru": (update(relu), 2 * H * (D + H + 1)),
    "gru_nfg": (adding, 3 * H * (D + H + 1)),
}


@pytest.mark.parametrize("name", CELLS)
def test_it_matches_the_equations_of_its_docstring(name):
    assert_replays(layer(name), CELLS[name][0])


@pytest.mark.parametrize("name", CELLS)
def test_its_parameters_are_those_of_the_formula(name):
    assert layer(name).count_params() == CELLS[name][1]


@pytest.mark.parametrize("name", ["mgu", "ugrnn", "ligru", "mut2"])
def test_a_positive_update_bias_keeps_in_every_convention(name):
    """With no weights at all, one step multiplies the state by sigmoid(update bias)."""
    made = layer(name, update_bias=1.5, stirred=False)
    for weight in (made.kernel, made.recurrent_kernel):
        weight.assign(np.zeros(weight.shape))
    h = noise(2, H, seed=2)
    np.testing.assert_allclose(made(np.zeros((2, 1, D)), initial_state=[h])[1], sigmoid(1.5) * h, atol=1e-12)


def test_the_presets_with_a_bias_begin_with_it():
    z, r, n = blocks(layer("gru_bias1", stirred=False).bias.numpy(), 3)
    np.testing.assert_array_equal(z, [np.ones(H), np.zeros(H)])
    assert not np.any([r, n])
    f, n = blocks(layer("mgu_bias1", stirred=False).bias.numpy(), 2)
    np.testing.assert_array_equal(f, -np.ones(H))
    assert not n.any()


def test_what_never_forgets_remembers_what_it_held_where_the_gru_does_not():
    """h' = h + i * n: with the candidate at zero a state stays as it is for ever; the GRU halves it at every step."""
    held = noise(1, H, seed=2)
    for name, kept in (("gru_nfg", 1.0), ("gru_v1", 0.5**30)):
        made = layer(name, stirred=False)
        for weight in (made.kernel, made.recurrent_kernel):
            weight.assign(np.zeros(weight.shape))
        np.testing.assert_allclose(made(np.zeros((1, 30, D)), initial_state=[held])[1], kept * held, atol=1e-12)


def test_one_minus_the_input_gate_is_a_forget_gate():
    """GRUChung is AddingGRU with i * h taken away."""
    ours, gru = layer("gru_nfg"), layer("mut2")
    gru.set_weights(ours.get_weights())
    x, h = noise(2, 1, D), noise(2, H, seed=3)
    kernel, recurrent, bias = ours.get_weights()
    i = sigmoid((x[:, 0] @ kernel + h @ recurrent + bias)[:, :H])
    np.testing.assert_allclose(gru(x, initial_state=[h])[1], ours(x, initial_state=[h])[1] - i * h, atol=1e-12)


def test_the_candidate_of_the_light_gru_has_no_upper_bound():
    made, x = layer("ligru"), 100 * noise(1, 3, D)
    assert made(x)[0].numpy().max() > 10
    assert made(x)[0].numpy().min() >= 0  # a mixture of what is not negative


def test_everything_is_drawn_as_pytorch_does():
    made = layer("gru_pytorch", units=64, stirred=False)
    for weight in made.weights:
        drawn = weight.numpy()
        assert np.abs(drawn).max() <= 1 / 8
        assert np.std(drawn) == pytest.approx(1 / 8 / np.sqrt(3), rel=0.15)
    assert made.bias.shape == (2, 3 * 64)
    with pytest.raises(ValueError, match="draws the biases too"):
        layer("gru_pytorch", update_bias=1.0)
