"""Linear attention: its equations, its forms, and that it is attention with another kernel."""

import numpy as np
import pytest

from suite.layers import LinearAttention
from tests.recurrences import BATCH, FEATURES, TIME, UNITS, assert_forms_agree, built, noise

HEADS = 2


def phi(a):
    return np.where(a > 0, a + 1, np.exp(a))


def projected(layer, x):
    """q, k and v, (batch, time, heads, width)."""
    return (block.reshape(BATCH, TIME, HEADS, -1) for block in np.split(x @ layer.kernel.numpy(), 3, axis=-1))


def test_it_matches_its_equations():
    layer = built(LinearAttention, heads=HEADS)
    x, head = noise(BATCH, TIME, FEATURES), UNITS // HEADS
    q, k, v = projected(layer, x)
    q, k = phi(q), phi(k)
    s, z = np.zeros((BATCH, HEADS, head, head)), np.zeros((BATCH, HEADS, head))
    y, *states = layer(x)
    for t in range(TIME):
        s, z = s + np.einsum("bhk,bhv->bhkv", k[:, t], v[:, t]), z + k[:, t]
        o = np.einsum("bhk,bhkv->bhv", q[:, t], s) / (np.einsum("bhk,bhk->bh", q[:, t], z)[..., None] + 1e-6)
        np.testing.assert_allclose(y[:, t], o.reshape(BATCH, UNITS) @ layer.output_kernel.numpy(), atol=1e-11)
    np.testing.assert_allclose(states[0], s, atol=1e-11)
    np.testing.assert_allclose(states[1], z, atol=1e-11)


def test_its_forms_agree():
    assert_forms_agree(LinearAttention, heads=HEADS)


def test_it_is_causal_attention_whose_weights_are_shares_of_phi_q_phi_k():
    layer = built(LinearAttention, heads=HEADS)
    layer.output_kernel.assign(np.eye(UNITS))
    x = noise(BATCH, TIME, FEATURES)
    q, k, v = projected(layer, x)
    weights = np.einsum("bthd,bshd->bhts", phi(q), phi(k)) * np.tril(np.ones((TIME, TIME)))
    weights /= weights.sum(axis=-1, keepdims=True)
    expected = np.einsum("bhts,bshd->bthd", weights, v).reshape(BATCH, TIME, UNITS)
    np.testing.assert_allclose(layer(x)[0], expected, atol=1e-5)  # the layer adds 1e-6 to the divisor


def test_its_parameters_are_those_of_the_formula():
    assert built(LinearAttention, features=UNITS).count_params() == 4 * UNITS**2
    assert built(LinearAttention).count_params() == 3 * FEATURES * UNITS + UNITS**2


def test_its_flops_are_its_products_and_four_for_each_element_of_the_state():
    layer = built(LinearAttention, features=UNITS, heads=HEADS)
    assert layer.flops(TIME) == 8 * UNITS**2 + 4 * UNITS * UNITS // HEADS


def test_heads_that_do_not_divide_the_units_are_refused():
    with pytest.raises(ValueError, match="units must be a multiple of heads, got 6 units and 4 heads"):
        LinearAttention(6)
