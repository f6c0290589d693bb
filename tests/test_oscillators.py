"""The coupled oscillatory RNN: its equations, its count, and the damped oscillation that a unit is when left alone."""

import numpy as np
import pytest

from tests.replay import FEATURES, UNITS, assert_replays, layer

D, H = FEATURES, UNITS


def step(x, states, *, kernel, recurrent_kernel, bias):
    y, z = states
    u_y, u_z = np.split(recurrent_kernel, 2, axis=1)
    z = z + 0.042 * (np.tanh(x @ kernel + y @ u_y + z @ u_z + bias) - 2.7 * y - 4.7 * z)
    return y + 0.042 * z, z


def test_it_matches_the_equations_of_its_docstring():
    assert_replays(layer("cornn"), step)


def test_its_parameters_are_those_of_the_formula():
    assert layer("cornn").count_params() == H * (D + 2 * H + 1)


def test_a_unit_left_alone_is_a_damped_oscillator():
    """y'' = -gamma y - epsilon y': e^(-epsilon t / 2) cos(w t) for y = 1, y' = -epsilon / 2, w^2 = gamma - epsilon^2 / 4."""
    gamma, epsilon, dt, steps = 4.0, 0.2, 2e-3, 1_000
    made = layer("cornn", dt=dt, gamma=gamma, epsilon=epsilon)
    for weight in made.trainable_weights:
        weight.assign(np.zeros(weight.shape))
    y, z = np.ones((1, H)), np.full((1, H), -epsilon / 2)
    found, _, _ = made(np.zeros((1, steps, D)), initial_state=[y, z])
    time = dt * np.arange(1, steps + 1)
    expected = np.exp(-epsilon * time / 2) * np.cos(np.sqrt(gamma - epsilon**2 / 4) * time)
    np.testing.assert_allclose(found[0, :, 0], expected, atol=5e-3)
    assert expected.min() < -0.5


def test_impossible_options_are_refused():
    for name in ("dt", "gamma", "epsilon"):
        with pytest.raises(ValueError, match=f"{name} must be a positive number, got 0"):
            layer("cornn", **{name: 0})
