"""The linear recurrent unit: its equations, its forms, the ring that its eigenvalues begin in."""

import numpy as np
import pytest
from scipy.stats import norm

from suite.layers import LRU
from tests.recurrences import BATCH, FEATURES, TIME, UNITS, assert_forms_agree, built, noise


def radius(layer):
    return np.exp(-np.exp(layer.nu.numpy()))


def test_it_matches_its_equations():
    layer = built(LRU)
    nu, theta, gamma, b_real, b_imaginary, c_real, c_imaginary, d = (weight.numpy() for weight in layer.weights)
    eigenvalues, b, c = np.exp(-np.exp(nu) + 1j * np.exp(theta)), b_real + 1j * b_imaginary, c_real + 1j * c_imaginary
    x, h = noise(BATCH, TIME, FEATURES), np.zeros((BATCH, UNITS), complex)
    y, state = layer(x)
    for t in range(TIME):
        h = eigenvalues * h + np.exp(gamma) * (x[:, t] @ b)
        np.testing.assert_allclose(y[:, t], (h @ c).real + x[:, t] @ d, atol=1e-11)
    np.testing.assert_allclose(state, np.stack([h.real, h.imag], axis=1), atol=1e-11)


def test_gated_it_passes_through_a_gelu_and_a_gated_linear_unit():
    """gelu(y) = y * P(N(0, 1) < y), in its exact form, from which the one by tanh is up to 5e-4 away."""
    layer, plain = built(LRU, gated=True), built(LRU)
    x = noise(BATCH, TIME, FEATURES)
    plain.set_weights(layer.get_weights()[:8])
    w, b = (weight.numpy() for weight in layer.weights[8:])
    y = plain(x)[0].numpy()
    one, other = np.split(y * norm.cdf(y) @ w + b, 2, axis=-1)
    np.testing.assert_allclose(layer(x)[0], one / (1 + np.exp(-other)), atol=1e-7)


@pytest.mark.parametrize("gated", [False, True])
def test_its_forms_agree(gated):
    assert_forms_agree(LRU, gated=gated)


def test_its_parameters_are_those_of_the_formula():
    """Three vectors, a complex B and C, and D: a matrix, since features and units may differ."""
    assert built(LRU, gated=True).count_params() - built(LRU).count_params() == 2 * UNITS**2 + 2 * UNITS
    assert built(LRU).count_params() == 3 * UNITS + 2 * UNITS * (FEATURES + UNITS) + FEATURES * UNITS


@pytest.mark.parametrize(("least", "largest"), [(0.0, 0.5), (0.9, 0.999)])
def test_its_eigenvalues_begin_uniformly_in_a_ring(least, largest):
    """Uniform over the area: |lambda|^2 is uniform between the squared radii."""
    layer = LRU(4096, least_radius=least, largest_radius=largest)
    layer.build((None, None, 1))
    r = radius(layer)
    assert least - 1e-6 <= r.min()
    assert r.max() <= largest + 1e-6
    share = (r**2 - least**2) / (largest**2 - least**2)
    np.testing.assert_allclose(np.quantile(share, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.03)  # 4096 draws: 0.8 % standard error
    angle = np.exp(layer.theta.numpy()) / (2 * np.pi)
    np.testing.assert_allclose(np.quantile(angle, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.03)


def test_white_noise_gives_its_states_the_variance_of_one_input():
    """E|h|^2 = gamma^2 E|x B|^2 / (1 - |lambda|^2) = E|x B|^2: whatever the eigenvalue, no state starts larger than another."""
    layer = LRU(64, least_radius=0.5, largest_radius=0.95, return_state=True)
    layer.build((None, None, 8))
    np.testing.assert_allclose(np.exp(2 * layer.gamma.numpy()), 1 - radius(layer) ** 2, rtol=1e-4)
    _, h = layer(noise(2000, 100, 8))
    expected = np.sum(layer.input_real.numpy() ** 2 + layer.input_imaginary.numpy() ** 2, axis=0)
    np.testing.assert_allclose(np.mean(np.sum(np.square(h), axis=1), axis=0), expected, rtol=0.2)  # 2000 rows: 3 % standard error


def test_an_impulse_turns_and_decays_by_the_eigenvalue():
    layer = built(LRU)
    x = np.zeros((1, TIME, FEATURES))
    x[0, 0] = 1
    first, last = (layer(x[:, :time])[1].numpy() for time in (1, TIME))
    turn = (TIME - 1) * (-np.exp(layer.nu.numpy()) + 1j * np.exp(layer.theta.numpy()))
    np.testing.assert_allclose(last[0, 0] + 1j * last[0, 1], (first[0, 0] + 1j * first[0, 1]) * np.exp(turn), atol=1e-12)


def test_radii_that_are_no_ring_inside_the_unit_circle_are_refused():
    for least, largest in ((0.9, 0.9), (-0.1, 0.5), (0.5, 1.0)):
        with pytest.raises(ValueError, match="radii must be in 0 <= least < largest < 1, got"):
            LRU(4, least_radius=least, largest_radius=largest)
