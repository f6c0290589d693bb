"""The selective state space: its equations, its forms, how its steps begin, and what selecting means."""

import numpy as np
import pytest

from suite.layers import S6
from tests.recurrences import BATCH, FEATURES, TIME, UNITS, assert_forms_agree, built, noise, sigmoid

N = 4


def softplus(a):
    return np.log1p(np.exp(a))


def test_it_matches_its_equations():
    layer = built(S6, state_size=N)
    w_in, conv, conv_bias, w_x, w_s, b_s, a, d, w_out = (weight.numpy() for weight in layer.weights)
    u, h, before = noise(BATCH, TIME, FEATURES), np.zeros((BATCH, N, 2 * UNITS)), np.zeros((BATCH, 3, 2 * UNITS))
    y, state, window = layer(u)
    for t in range(TIME):
        x, r = np.split(u[:, t] @ w_in, 2, axis=1)
        read = np.concatenate([before, x[:, None]], axis=1)
        before = read[:, 1:]
        x = np.einsum("blc,lc->bc", read[:, ::-1], conv) + conv_bias
        x = x * sigmoid(x)
        s, b, c = np.split(x @ w_x, [1, 1 + N], axis=1)
        s = softplus(s @ w_s + b_s)
        h = np.exp(-s[:, None] * np.exp(a)) * h + (s * x)[:, None] * b[:, :, None]
        out = np.einsum("bnc,bn->bc", h, c) + d * x
        np.testing.assert_allclose(y[:, t], (out * r * sigmoid(r)) @ w_out, atol=1e-11)
    np.testing.assert_allclose(state, h, atol=1e-11)
    np.testing.assert_allclose(window, before, atol=1e-12)


def test_its_forms_agree():
    assert_forms_agree(S6, state_size=N)


@pytest.mark.parametrize("units", [8, 64])
def test_its_parameters_are_those_of_the_formula(units):
    d, rank, n = 2 * units, -(-units // 16), 16
    expected = FEATURES * 2 * d + d * (4 + 1) + d * (rank + 2 * n) + rank * d + d + d * n + d + d * units
    assert built(S6, units=units).count_params() == expected
    assert units != 64 or built(S6, units=64, features=64).count_params() == 32_640


def test_its_steps_begin_log_uniform_between_a_thousandth_and_a_tenth():
    layer = S6(2048)
    layer.build((None, None, 1))
    step = softplus(layer.step_bias.numpy().astype(float))
    assert 0.000999 < step.min() < 0.00102
    assert 0.098 < step.max() < 0.1001
    np.testing.assert_allclose(np.quantile(np.log10(step), [0.25, 0.5, 0.75]), [-2.5, -2, -1.5], atol=0.06)  # 4096 draws: 0.014


def test_its_decays_begin_at_one_two_three_and_its_skip_at_one():
    layer = S6(8)
    layer.build((None, None, 1))
    np.testing.assert_allclose(np.exp(layer.decay.numpy()), np.repeat(np.arange(1.0, 17.0)[:, None], 16, axis=1), rtol=1e-5)
    np.testing.assert_array_equal(layer.direct, np.ones(16))


def test_a_step_of_zero_keeps_the_state_and_writes_nothing():
    layer = built(S6, state_size=N)
    layer.step_kernel.assign(np.zeros(layer.step_kernel.shape))
    layer.step_bias.assign(np.full(layer.step_bias.shape, -50.0))
    h = noise(BATCH, N, 2 * UNITS)
    _, after, _ = layer(noise(BATCH, TIME, FEATURES), initial_state=[h, np.zeros((BATCH, 3, 2 * UNITS))])
    np.testing.assert_allclose(after, h, atol=1e-12)


def test_its_flops_are_its_products_and_nine_for_each_element_of_the_state():
    layer = built(S6, units=64, features=64)
    products = 32_640 - 3 * 128 - 128 * 16  # without the biases of convolution and step, D and A
    assert layer.flops(1) == 2 * products + 9 * 128 * 16


def test_sizes_below_one_are_refused():
    with pytest.raises(ValueError, match="state_size and expand must be at least 1, got 0 and 2"):
        S6(4, state_size=0)
