"""Retention: its equations, its forms, and that a query meets a key by the steps between them alone."""

import numpy as np
import pytest

from suite.layers import Retention
from tests.recurrences import BATCH, FEATURES, TIME, UNITS, assert_forms_agree, built, noise, sigmoid

HEADS, HEAD = 2, 4
GAMMA = 1 - 2.0 ** (-5 - np.arange(HEADS))
ANGLES = 10000.0 ** (-2 * np.arange(HEAD // 2) / HEAD)


def turned(x, angle):
    """x (..., HEAD) with its pairs (j, j + 2) turned."""
    z = (x[..., : HEAD // 2] + 1j * x[..., HEAD // 2 :]) * np.exp(1j * angle)
    return np.concatenate([z.real, z.imag], axis=-1)


def projected(layer, x):
    w = layer.kernel.numpy()
    q, k, v, g = np.split(x @ w, np.cumsum([UNITS, UNITS, 2 * UNITS]), axis=-1)
    apart = lambda a: a.reshape(*a.shape[:-1], HEADS, -1)
    return apart(q), apart(k) / np.sqrt(HEAD), apart(v), g


def written_out(layer, o, g):
    """LN over a head, the gate, W_o; o: (..., heads, 2 HEAD)."""
    o = (o - o.mean(-1, keepdims=True)) / np.sqrt(o.var(-1, keepdims=True) + 1e-5)
    return (o.reshape(*o.shape[:-2], -1) * g * sigmoid(g)) @ layer.output_kernel.numpy()


def test_it_matches_its_equations():
    layer = built(Retention, heads=HEADS)
    x, s = noise(BATCH, TIME, FEATURES), np.zeros((BATCH, HEADS, HEAD, 2 * HEAD))
    y, state = layer(x)
    for t in range(TIME):
        q, k, v, g = projected(layer, x[:, t])
        s = np.swapaxes(turned(np.swapaxes(s, -1, -2), ANGLES), -1, -2)
        s = GAMMA[:, None, None] * s + k[..., :, None] * v[..., None, :]
        np.testing.assert_allclose(y[:, t], written_out(layer, np.einsum("bhk,bhkv->bhv", q, s), g), atol=1e-10)
    np.testing.assert_allclose(state, s, atol=1e-10)


def test_it_is_attention_of_turned_queries_and_keys_with_decaying_weights():
    """The parallel form of the source: q turned by -t and k by -s, weights gamma^(t - s), no softmax."""
    layer = built(Retention, heads=HEADS)
    x = noise(BATCH, TIME, FEATURES)
    q, k, v, g = projected(layer, x)
    place = np.arange(TIME)
    q, k = (turned(one, -place[:, None, None] * ANGLES) for one in (q, k))
    apart = place[:, None] - place
    weights = np.where(apart >= 0, GAMMA[:, None, None] ** np.maximum(apart, 0), 0)
    o = np.einsum("bthk,bshk,hts,bshv->bthv", q, k, weights, v)
    np.testing.assert_allclose(layer(x)[0], written_out(layer, o, g), atol=1e-10)


def test_its_forms_agree():
    assert_forms_agree(Retention, heads=HEADS)


def test_its_parameters_and_flops_are_those_of_the_formula():
    layer = built(Retention, features=UNITS, heads=HEADS)
    assert layer.count_params() == 8 * UNITS**2
    assert layer.flops(TIME) == 16 * UNITS**2 + 5 * UNITS * 2 * HEAD


def test_heads_that_cannot_be_turned_are_refused():
    with pytest.raises(ValueError, match="units must be a multiple of heads, got 6 units and 4 heads"):
        Retention(6)
    with pytest.raises(ValueError, match="a head must have an even width, whose entries turn in pairs, got 3"):
        Retention(12)
