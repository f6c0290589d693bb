"""The mLSTM: its equations with and without the stabiliser, its forms, and gates far outside the range of exp."""

import numpy as np
import pytest
import tensorflow as tf

from suite.layers import MLSTM
from tests.recurrences import BATCH, FEATURES, TIME, UNITS, assert_forms_agree, built, noise, sigmoid

HEADS, HEAD = 2, 4


def projected(layer, x):
    w, b, w_gates, b_gates = (weight.numpy() for weight in layer.weights)
    q, k, v, o = np.split(x @ w + b, 4, axis=-1)
    q, k, v = (one.reshape(BATCH, HEADS, HEAD) for one in (q, k / np.sqrt(HEAD), v))
    i, f = np.split(x @ w_gates + b_gates, 2, axis=-1)
    return q, k, v, o, i[..., None], np.log(sigmoid(f))[..., None]


def test_it_matches_its_equations():
    layer = built(MLSTM, heads=HEADS)
    x = noise(BATCH, TIME, FEATURES)
    c, n, m = (np.zeros((BATCH, HEADS, *shape)) for shape in ((HEAD, HEAD), (HEAD,), (1,)))
    y, *states = layer(x)
    for t in range(TIME):
        q, k, v, o, i, log_f = projected(layer, x[:, t])
        new = np.maximum(log_f + m, i)
        i, f, m = np.exp(i - new), np.exp(log_f + m - new), new
        c, n = f[..., None] * c + i[..., None] * k[..., :, None] * v[..., None, :], f * n + i * k
        read = np.einsum("bhk,bhkv->bhv", q, c) / np.maximum(np.abs(np.sum(q * n, axis=-1, keepdims=True)), np.exp(-m))
        np.testing.assert_allclose(y[:, t], sigmoid(o) * read.reshape(BATCH, UNITS), atol=1e-11)
    memory, scale = states
    np.testing.assert_allclose(memory[..., :-1], c, atol=1e-11)
    np.testing.assert_allclose(memory[..., -1], n, atol=1e-11)
    np.testing.assert_allclose(scale, m, atol=1e-11)


def test_its_output_is_that_of_the_source_without_a_stabiliser():
    """C = f C + i k^T v and n = f n + i k with i = exp(a_i), read as q C / max(|q n|, 1)."""
    layer = built(MLSTM, heads=HEADS)
    x, c, n = noise(BATCH, TIME, FEATURES), np.zeros((BATCH, HEADS, HEAD, HEAD)), np.zeros((BATCH, HEADS, HEAD))
    y = layer(x)[0].numpy()
    floors = 0
    for t in range(TIME):
        q, k, v, o, i, log_f = projected(layer, x[:, t])
        i, f = np.exp(i), np.exp(log_f)
        c, n = f[..., None] * c + i[..., None] * k[..., :, None] * v[..., None, :], f * n + i * k
        divisor = np.abs(np.sum(q * n, axis=-1, keepdims=True))
        floors += np.sum(divisor < 1)
        read = np.einsum("bhk,bhkv->bhv", q, c) / np.maximum(divisor, 1)
        np.testing.assert_allclose(y[:, t], sigmoid(o) * read.reshape(BATCH, UNITS), atol=1e-10)
    assert 0 < floors < BATCH * TIME * HEADS  # both branches were read


def test_its_forms_agree():
    assert_forms_agree(MLSTM, heads=HEADS)


def test_the_stabiliser_takes_no_gradient_and_changes_none():
    """dL/d(weights) is that of the form without it, by a tape over that form."""
    layer, x, time = built(MLSTM, heads=HEADS), noise(BATCH, TIME, FEATURES)[:, :6], 6
    weights = [weight.value for weight in layer.trainable_weights]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(x)[0]))
    found = tape.gradient(loss, weights)
    copies = [tf.Variable(weight) for weight in weights]
    with tf.GradientTape() as tape:
        w, b, w_gates, b_gates = copies
        c, n, loss = tf.zeros((BATCH, HEADS, HEAD, HEAD), tf.float64), tf.zeros((BATCH, HEADS, HEAD), tf.float64), 0.0
        for t in range(time):
            q, k, v, o = tf.split(x[:, t] @ w + b, 4, axis=-1)
            q, k, v = (tf.reshape(one, (BATCH, HEADS, HEAD)) for one in (q, k / np.sqrt(HEAD), v))
            i, f = tf.split(x[:, t] @ w_gates + b_gates, 2, axis=-1)
            i, f = tf.exp(i)[..., None], tf.sigmoid(f)[..., None]
            c, n = f[..., None] * c + (i * k)[..., :, None] * v[..., None, :], f * n + i * k
            divisor = tf.maximum(tf.abs(tf.reduce_sum(q * n, axis=-1, keepdims=True)), 1.0)
            h = tf.sigmoid(o) * tf.reshape(tf.einsum("bhk,bhkv->bhv", q, c) / divisor, (BATCH, UNITS))
            loss += tf.reduce_sum(tf.square(h))
    for one, other in zip(found, tape.gradient(loss, copies), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("form", ["plain", "parallel"])
@pytest.mark.parametrize("far", [-500.0, 500.0])
def test_gates_far_outside_the_range_of_exp_do_no_harm(far, form):
    layer = built(MLSTM, heads=HEADS, dtype="float32", spread=0.0, loop=form)
    layer.gate_bias.assign([far, far, 3.0, 6.0])
    x = tf.constant(noise(2, 40, FEATURES).astype("float32"))

    @tf.function(autograph=False)
    def slopes():
        with tf.GradientTape() as tape:
            y = layer(x)[0]
            loss = tf.reduce_sum(tf.square(y))
        return y, tape.gradient(loss, [weight.value for weight in layer.trainable_weights])

    y, found = slopes()
    assert np.isfinite(y).all()
    assert all(np.isfinite(gradient).all() for gradient in found)


def test_with_gates_wide_open_it_is_attention_without_a_softmax():
    """f = i = 1: C is the sum of all k^T v, as in linear attention with the keys as they are."""
    layer = built(MLSTM, heads=HEADS, spread=0.0)
    layer.gate_bias.assign([0.0, 0.0, 50.0, 50.0])
    x = noise(BATCH, TIME, FEATURES)
    sums = sum(k[..., :, None] * v[..., None, :] for _, k, v, *_ in (projected(layer, x[:, t]) for t in range(TIME)))
    _, memory, m = layer(x)
    np.testing.assert_allclose(memory[..., :-1] * np.exp(m)[..., None], sums, atol=1e-9)


def test_its_parameters_and_flops_are_those_of_the_formula():
    layer = built(MLSTM, heads=HEADS)
    assert layer.count_params() == (FEATURES + 1) * (4 * UNITS + 2 * HEADS)
    assert layer.flops(TIME) == 2 * FEATURES * (4 * UNITS + 2 * HEADS) + 5 * UNITS * (HEAD + 1)


def test_its_forget_gates_begin_at_three_to_six_and_see_nothing():
    layer = MLSTM(8, heads=4)
    layer.build((None, None, 3))
    np.testing.assert_allclose(layer.gate_bias.numpy()[4:], [3, 4, 5, 6], rtol=1e-6)
    assert 0 < np.abs(layer.gate_bias.numpy()[:4]).max() < 0.5
    assert not np.any(layer.gate_kernel)


def test_heads_that_do_not_divide_the_units_are_refused():
    with pytest.raises(ValueError, match="units must be a multiple of heads, got 6 units and 4 heads"):
        MLSTM(6)
