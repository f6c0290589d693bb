"""DeltaNet: its equations, its forms, and what a key holds after it was written."""

import numpy as np
import pytest
import tensorflow as tf

from suite.layers import DeltaNet
from suite.layers.delta_net import DELTA, normalised
from tests.recurrences import BATCH, FEATURES, TIME, UNITS, assert_forms_agree, built, noise, sigmoid

HEADS, HEAD = 2, 4


def unit(a):
    return a / np.sqrt(np.sum(a**2, axis=-1, keepdims=True) + 1e-6)


@pytest.mark.parametrize("negative", [False, True])
def test_it_matches_its_equations(negative):
    layer = built(DeltaNet, heads=HEADS, negative=negative)
    w, w_beta, w_out = (weight.numpy() for weight in layer.weights)
    x, s = noise(BATCH, TIME, FEATURES), np.zeros((BATCH, HEADS, HEAD, HEAD))
    y, state = layer(x)
    for t in range(TIME):
        q, k, v = (block.reshape(BATCH, HEADS, HEAD) for block in np.split(x[:, t] @ w, 3, axis=-1))
        q, k, beta = unit(q), unit(k), sigmoid(x[:, t] @ w_beta)[:, :, None, None] * (1 + negative)
        transition = np.eye(HEAD) - beta * k[..., :, None] * k[..., None, :]
        s = transition @ s + beta * k[..., :, None] * v[..., None, :]
        np.testing.assert_allclose(y[:, t], np.einsum("bhk,bhkv->bhv", q, s).reshape(BATCH, UNITS) @ w_out, atol=1e-11)
    np.testing.assert_allclose(state, s, atol=1e-11)


@pytest.mark.parametrize("negative", [False, True])
def test_its_forms_agree(negative):
    assert_forms_agree(DeltaNet, heads=HEADS, negative=negative)


def change(s, k, v, beta):
    (s,) = DELTA.change((tf.constant(s),), (None, tf.constant(k), tf.constant(v), tf.constant([beta], tf.float64)), ())
    return s.numpy()


def test_writing_a_key_twice_overwrites_what_it_held():
    k, first, second, s = unit(noise(HEAD)), noise(HEAD, seed=2), noise(HEAD, seed=3), noise(HEAD, HEAD, seed=4)
    k /= np.linalg.norm(k)
    once = change(s, k, first, 1.0)
    np.testing.assert_allclose(k @ once, first, atol=1e-12)
    np.testing.assert_allclose(k @ change(once, k, second, 1.0), second, atol=1e-12)
    other = np.eye(HEAD)[0] - k[0] * k  # orthogonal to k: what it holds stays
    np.testing.assert_allclose(other @ change(s, k, first, 1.0), other @ s, atol=1e-12)


def test_a_beta_of_two_turns_the_sign_of_what_the_key_holds():
    """I - 2 k^T k is a reflection: its eigenvalue along k is -1, and twice is the identity."""
    k, s = noise(HEAD), noise(HEAD, HEAD, seed=4)
    k /= np.linalg.norm(k)
    once = change(s, k, np.zeros(HEAD), 2.0)
    np.testing.assert_allclose(k @ once, -(k @ s), atol=1e-12)
    np.testing.assert_allclose(change(once, k, np.zeros(HEAD), 2.0), s, atol=1e-12)


@pytest.mark.parametrize("negative", [False, True])
def test_only_with_negative_eigenvalues_can_a_state_count_ones_modulo_two(negative):
    """One key, written with v = 0 at every one: what is left of a state is the product of 1 - beta, +1 or -1 for parity."""
    layer = DeltaNet(1, heads=1, negative=negative, return_state=True, dtype="float64")
    layer.build((None, None, 1))
    layer.kernel.assign([[1e3, 1e3, 0.0]])
    layer.beta_kernel.assign([[40.0]])
    for ones in (1, 2, 3):
        _, s = layer(np.ones((1, ones, 1)), initial_state=[np.ones((1, 1, 1, 1))])
        assert s.numpy().item() == pytest.approx((-1.0) ** ones if negative else 0.0, abs=1e-6)


def test_keys_have_norm_one():
    np.testing.assert_allclose(np.linalg.norm(normalised(noise(5, 16)), axis=-1), 1, atol=1e-6)


def test_its_parameters_and_flops_are_those_of_the_formula():
    layer = built(DeltaNet, features=UNITS, heads=HEADS)
    assert layer.count_params() == 4 * UNITS**2 + UNITS * HEADS
    assert layer.flops(TIME) == 8 * UNITS**2 + 2 * UNITS * HEADS + 6 * UNITS * HEAD


def test_heads_that_do_not_divide_the_units_are_refused():
    with pytest.raises(ValueError, match="units must be a multiple of heads, got 6 units and 4 heads"):
        DeltaNet(6)
