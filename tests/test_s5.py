"""S5: its equations, its forms, and that its eigenvalues begin as those of HiPPO's normal part."""

import numpy as np
import pytest

from suite.layers import S5
from suite.layers.s5 import hippo_frequencies
from tests.recurrences import BATCH, FEATURES, TIME, UNITS, assert_forms_agree, built, noise


def test_it_matches_its_equations():
    layer = built(S5)
    a, w, log_step, b_real, b_imaginary, c_real, c_imaginary, d = (weight.numpy() for weight in layer.weights)
    eigenvalue = -np.exp(a) + 1j * w
    hold = np.exp(eigenvalue * np.exp(log_step))
    x, h = noise(BATCH, TIME, FEATURES), np.zeros((BATCH, UNITS), complex)
    y, state = layer(x)
    for t in range(TIME):
        h = hold * h + (hold - 1) / eigenvalue * (x[:, t] @ (b_real + 1j * b_imaginary))
        np.testing.assert_allclose(y[:, t], 2 * (h @ (c_real + 1j * c_imaginary)).real + x[:, t] @ d, atol=1e-11)
    np.testing.assert_allclose(state, np.stack([h.real, h.imag], axis=1), atol=1e-11)


@pytest.mark.parametrize("gated", [False, True])
def test_its_forms_agree(gated):
    assert_forms_agree(S5, gated=gated)


def test_its_parameters_are_those_of_the_formula():
    """Three vectors, a complex B and C, and D: a matrix, since features and units may differ."""
    assert built(S5).count_params() == 3 * UNITS + 2 * UNITS * (FEATURES + UNITS) + FEATURES * UNITS
    assert built(S5, gated=True).count_params() - built(S5).count_params() == 2 * UNITS**2 + 2 * UNITS


def test_its_frequencies_are_the_eigenvalues_of_hippo_without_its_outer_product():
    """A_nk = -sqrt((2n + 1)(2k + 1)) below the diagonal, -(n + 1) on it; P_n = sqrt(n + 1/2); A + P P^T is normal."""
    size = 16
    n = np.arange(size)
    hippo = -np.tril(np.sqrt(np.outer(2 * n + 1, 2 * n + 1)), -1) - np.diag(n + 1.0)
    normal = hippo + np.outer(np.sqrt(n + 0.5), np.sqrt(n + 0.5))
    np.testing.assert_allclose(normal @ normal.T, normal.T @ normal, atol=1e-9)
    eigenvalues = np.linalg.eigvals(normal)
    np.testing.assert_allclose(eigenvalues.real, -0.5, atol=1e-9)
    np.testing.assert_allclose(np.sort(eigenvalues.imag)[size // 2 :], hippo_frequencies(size // 2), atol=1e-9)


def test_it_begins_stable_with_steps_between_a_thousandth_and_a_tenth():
    layer = S5(80)
    layer.build((None, None, 1))
    assert 0.001 <= np.exp(layer.log_step.numpy()).min() < np.exp(layer.log_step.numpy()).max() <= 0.1001
    np.testing.assert_allclose(np.exp(layer.decay.numpy()), 0.5, rtol=1e-6)
    np.testing.assert_array_equal(layer.frequency[32:64], layer.frequency[:32])  # blocks of 32 modes
    np.testing.assert_allclose(layer.frequency[:32], hippo_frequencies(32), rtol=1e-6)


def test_a_constant_input_settles_where_the_continuous_system_does():
    """dh/dt = lambda h + B x has the limit -B x / lambda; a zero-order hold is exact for a constant input."""
    layer = built(S5, spread=0.0)
    layer.log_step.assign(np.full(UNITS, 0.0))
    _, state = layer(np.ones((1, 60, FEATURES)))
    b = np.sum(layer.input_real.numpy() + 1j * layer.input_imaginary.numpy(), axis=0)
    limit = b / (np.exp(layer.decay.numpy()) - 1j * layer.frequency.numpy())
    np.testing.assert_allclose(state.numpy()[0, 0] + 1j * state.numpy()[0, 1], limit, atol=1e-9)
