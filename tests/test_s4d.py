"""S4D: its equations, its forms, and that over a row it is a convolution with a sum of damped waves."""

import numpy as np
import pytest

from suite.layers import S4D
from tests.recurrences import BATCH, FEATURES, TIME, UNITS, assert_forms_agree, built, noise

N = 6


def discretised(layer):
    """W, the factor L and the read-out C (L - 1) / lambda of every mode and channel, and D."""
    w, a, frequency, log_step, c_real, c_imaginary, d = (weight.numpy() for weight in layer.weights[:7])
    eigenvalue = -np.exp(a) + 1j * frequency
    factor = np.exp(eigenvalue * np.exp(log_step))
    return w, factor, (c_real + 1j * c_imaginary) * (factor - 1) / eigenvalue, d


def test_it_matches_its_equations():
    layer = built(S4D, state_size=N)
    w, factor, c, d = discretised(layer)
    x, h = noise(BATCH, TIME, FEATURES), np.zeros((BATCH, N // 2, UNITS), complex)
    y, state = layer(x)
    for t in range(TIME):
        u = x[:, t] @ w
        h = factor * h + u[:, None]
        np.testing.assert_allclose(y[:, t], 2 * np.sum(c * h, axis=1).real + d * u, atol=1e-11)
    np.testing.assert_allclose(state, np.stack([h.real, h.imag], axis=1), atol=1e-11)


@pytest.mark.parametrize("gated", [False, True])
def test_its_forms_agree(gated):
    assert_forms_agree(S4D, gated=gated, state_size=N)


def test_over_a_row_it_is_the_convolution_with_its_kernel():
    layer = built(S4D, state_size=N)
    w, factor, c, d = discretised(layer)
    x = noise(BATCH, TIME, FEATURES)
    u = x @ w
    kernel = 2 * np.sum(c * factor ** np.arange(TIME)[:, None, None], axis=1).real  # (time, units)
    expected = np.stack([sum(kernel[lag] * u[:, t - lag] for lag in range(t + 1)) for t in range(TIME)], axis=1) + d * u
    np.testing.assert_allclose(layer(x)[0], expected, atol=1e-10)


def test_a_constant_input_settles_where_the_continuous_system_does():
    """dh/dt = lambda h + u settles at -u / lambda, which is read by C: a zero-order hold is exact for a constant input."""
    layer = built(S4D, state_size=N, spread=0.0)
    layer.log_step.assign(np.zeros(UNITS))
    y, _ = layer(np.ones((1, 80, FEATURES)))
    u = np.sum(layer.kernel.numpy(), axis=0)
    eigenvalue = -np.exp(layer.decay.numpy()) + 1j * layer.frequency.numpy()
    c = layer.read_real.numpy() + 1j * layer.read_imaginary.numpy()
    np.testing.assert_allclose(y[0, -1], u * (2 * np.sum(-c / eigenvalue, axis=0).real + layer.direct.numpy()), atol=1e-9)


def test_its_parameters_and_flops_are_those_of_the_formula():
    """d (2N + 2) beside the projection; of a mode a complex product (6), a real sum (1) and half a product (4)."""
    layer, gated = built(S4D, state_size=N), built(S4D, state_size=N, gated=True)
    assert layer.count_params() == FEATURES * UNITS + UNITS * (2 * N + 2)
    assert gated.count_params() - layer.count_params() == 2 * UNITS**2 + 2 * UNITS
    assert layer.flops(TIME) == 2 * FEATURES * UNITS + 5.5 * UNITS * N
    assert gated.flops(TIME) - layer.flops(TIME) == 4 * UNITS**2


def test_it_begins_as_s4d_lin():
    layer = S4D(80)
    layer.build((None, None, 3))
    np.testing.assert_allclose(np.exp(layer.decay.numpy()), 0.5, rtol=1e-6)
    np.testing.assert_allclose(layer.frequency.numpy(), np.repeat(np.pi * np.arange(32)[:, None], 80, axis=1), rtol=1e-6)
    step = np.exp(layer.log_step.numpy())
    assert 0.001 <= step.min() < 0.003
    assert 0.03 < step.max() <= 0.1001
    c = layer.read_real.numpy() ** 2 + layer.read_imaginary.numpy() ** 2
    assert np.mean(c) == pytest.approx(1.0, abs=0.08)  # 2560 complex draws: standard error 0.02


@pytest.mark.parametrize("size", [0, 3])
def test_a_state_that_is_no_number_of_pairs_is_refused(size):
    with pytest.raises(ValueError, match=f"state_size must be a positive even number, got {size}"):
        S4D(4, state_size=size)
