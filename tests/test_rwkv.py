"""RWKV-4: its equations without the stabiliser, its forms, how its channels begin, and keys far outside the range of exp."""

import numpy as np
import pytest
import tensorflow as tf

from suite.layers import RWKV
from tests.recurrences import BATCH, FEATURES, MASK, TIME, UNITS, assert_forms_agree, built, noise, sigmoid

H = UNITS


def normalised(x, norm):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * norm[0] + norm[1]


def replayed(layer, x):
    """The block on one row, x (time, features), with wkv as the quotient of two sums over the past."""
    own = {weight.name: weight.numpy() for weight in layer.weights}
    x = x @ own["enter"] if "enter" in own else x
    before = lambda a: np.concatenate([np.zeros((1, H)), a[:-1]])
    a = normalised(x, own["time_norm"])
    mixed = [mu * a + (1 - mu) * before(a) for mu in own["time_mix"]]
    r, k, v = (one @ kernel for one, kernel in zip(mixed, own["time_kernel"], strict=True))
    wkv = np.zeros_like(v)
    for t in range(len(x)):
        lags = t - 1 - np.arange(t)[:, None]
        weights = np.exp(-lags * np.exp(own["rate"]) + k[:t])
        now = np.exp(own["bonus"] + k[t])
        wkv[t] = (np.sum(weights * v[:t], axis=0) + now * v[t]) / (np.sum(weights, axis=0) + now)
    x = x + (sigmoid(r) * wkv) @ own["time_output"]
    c = normalised(x, own["channel_norm"])
    r, k = (mu * c + (1 - mu) * before(c) for mu in own["channel_mix"])
    return x + sigmoid(r @ own["channel_gate"]) * (np.maximum(k @ own["channel_key"], 0) ** 2 @ own["channel_value"])


@pytest.mark.parametrize("features", [FEATURES, UNITS])
def test_it_matches_its_equations(features):
    layer = built(RWKV, features=features)
    x = noise(BATCH, TIME, features)
    y = layer(x)[0].numpy()
    for row in range(BATCH):
        np.testing.assert_allclose(y[row], replayed(layer, x[row]), atol=1e-10)


def test_masked_steps_are_no_steps_wherever_they_stand():
    layer = built(RWKV)
    x = noise(BATCH, TIME, FEATURES)
    y = layer(x, mask=MASK)[0].numpy()
    for row in range(BATCH):
        np.testing.assert_allclose(y[row, MASK[row]], replayed(layer, x[row, MASK[row]]), atol=1e-10)


def test_its_forms_agree():
    assert_forms_agree(RWKV)


def test_two_windows_equal_the_whole():
    layer = built(RWKV)
    x = noise(BATCH, TIME, FEATURES)
    whole = layer(x)[0].numpy()
    for cut in (1, 17):
        first, *states = layer(x[:, :cut])
        second, *_ = layer(x[:, cut:], initial_state=states)
        np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-11)


@pytest.mark.parametrize("scale", [300.0, -300.0])
def test_keys_far_outside_the_range_of_exp_do_no_harm(scale):
    layer = built(RWKV, dtype="float32", spread=0.0)
    layer.time_kernel.assign(layer.time_kernel * np.array([1, scale, 1])[:, None, None])
    x = tf.constant(noise(2, 20, FEATURES).astype("float32"))
    with tf.GradientTape() as tape:
        y = layer(x)[0]
        loss = tf.reduce_sum(tf.square(y))
    assert np.isfinite(y).all()
    assert all(np.isfinite(gradient).all() for gradient in tape.gradient(loss, [weight.value for weight in layer.trainable_weights]))


def test_its_parameters_and_flops_are_those_of_the_formula():
    """Four matrices of time mixing, nine of channel mixing; three mu, w and u, two mu, and two normalisations."""
    layer = built(RWKV, features=H)
    assert layer.count_params() == 13 * H**2 + 11 * H
    assert layer.flops(TIME) == 26 * H**2
    assert built(RWKV).count_params() == 13 * H**2 + 11 * H + FEATURES * H
    assert built(RWKV).flops(TIME) == 26 * H**2 + 2 * FEATURES * H


def test_its_channels_begin_with_memories_of_all_lengths():
    layer = RWKV(64)
    layer.build((None, None, 64))
    rate = layer.rate.numpy()
    assert rate[0] == pytest.approx(-5)
    assert rate[-1] == pytest.approx(3)
    assert np.all(np.diff(rate) > 0)
    assert 1 / np.exp(rate[0]) == pytest.approx(148.4, rel=1e-3)  # steps until e^-1 of a key is left
    np.testing.assert_allclose(layer.bonus.numpy()[:4], np.log(0.3) + 0.5 * np.array([0, 1, -1, 0]), rtol=1e-5)
    np.testing.assert_allclose(layer.time_mix.numpy()[:, 16], [0.5, 0.25, 0.25], rtol=1e-6)
