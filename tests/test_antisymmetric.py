"""Recurrences along an antisymmetric matrix: the equations, the counts, and that they neither decay nor grow."""

import numpy as np
import pytest

from tests.replay import FEATURES, UNITS, assert_replays, blocks, layer, noise, sigmoid

D, H = FEATURES, UNITS


def matrix(triangle, gamma):
    a = np.zeros((H, H))
    a[np.triu_indices(H, 1)] = triangle
    return a - a.T - gamma * np.eye(H)


def plain(x, states, *, kernel, recurrent_kernel, bias, epsilon=0.1, gamma=0.01):
    (h,) = states
    return (h + epsilon * np.tanh(x @ kernel + h @ matrix(recurrent_kernel, gamma) + bias),)


def gated(x, states, *, kernel, recurrent_kernel, bias, epsilon=0.1, gamma=0.01):
    (h,) = states
    x_h, x_z = blocks(x @ kernel + bias, 2)
    m = h @ matrix(recurrent_kernel, gamma)
    return (h + epsilon * sigmoid(x_z + m) * np.tanh(x_h + m),)


CELLS = {
    "antisymmetric": (plain, H * D + H * (H - 1) // 2 + H),
    "antisymmetric_gated": (gated, 2 * (H * D + H) + H * (H - 1) // 2),
}


@pytest.mark.parametrize("name", CELLS)
def test_it_matches_the_equations_of_its_docstring(name):
    assert_replays(layer(name), CELLS[name][0])
    assert_replays(layer(name, epsilon=0.5, gamma=0.2), lambda *given, **w: CELLS[name][0](*given, **w, epsilon=0.5, gamma=0.2))


@pytest.mark.parametrize("name", CELLS)
def test_its_parameters_are_those_of_the_formula(name):
    assert layer(name).count_params() == CELLS[name][1]


@pytest.mark.parametrize("gamma", [0.0, 0.3])
def test_every_eigenvalue_of_its_kernel_has_the_real_part_minus_gamma(gamma):
    eigenvalues = np.linalg.eigvals(layer("antisymmetric", gamma=gamma).kernels())
    np.testing.assert_allclose(eigenvalues.real, np.full(H, -gamma), atol=1e-12)
    assert np.abs(eigenvalues.imag).max() > 0.1


def test_a_small_state_turns_round_and_keeps_its_length():
    """For a small h, tanh is linear and h' = h (I + epsilon A): a step grows the length by at most epsilon^2 |A|^2 / 2."""
    made = layer("antisymmetric", epsilon=0.01, gamma=0.0)
    made.bias.assign(np.zeros(H))
    h = 1e-6 * noise(1, H, seed=3)
    y, _ = made(np.zeros((1, 100, D)), initial_state=[h])
    lengths = np.linalg.norm(y[0], axis=-1) / np.linalg.norm(h)
    norm = np.linalg.norm(made.kernels(), 2)
    assert lengths.min() >= 1 - 1e-9
    assert lengths.max() <= (1 + 0.01**2 * norm**2 / 2) ** 100
    assert np.sum(y[0, -1] * h) / np.linalg.norm(h) ** 2 < 0.99  # it did turn


def test_it_begins_with_entries_of_variance_one_over_the_units():
    made = layer("antisymmetric", units=64, stirred=False)
    assert np.std(made.recurrent_kernel) == pytest.approx(1 / 8, rel=0.07)  # 2,016 draws: 1.6 % standard error


def test_impossible_options_are_refused():
    for name in CELLS:
        with pytest.raises(ValueError, match=r"epsilon must be a positive number, got 0\.0"):
            layer(name, epsilon=0.0)
        with pytest.raises(ValueError, match="gamma must be a number of at least 0, got -1"):
            layer(name, gamma=-1)
