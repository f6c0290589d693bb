"""The sLSTM: its equations with and without the stabiliser, its count, its heads, and gates far outside the range of exp."""

import numpy as np
import pytest
import tensorflow as tf

from tests.replay import BATCH, FEATURES, TIME, UNITS, assert_replays, blocks, layer, noise, sigmoid

D, H, HEADS = FEATURES, UNITS, 4


def full(recurrent, heads=HEADS):
    """The dense (H, 4H) kernel: blocks of a head on the diagonal of every gate."""
    size = H // heads
    u = np.zeros((H, 4 * H))
    for gate in range(4):
        for head in range(heads):
            columns = slice(gate * H + head * size, gate * H + (head + 1) * size)
            u[head * size : (head + 1) * size, columns] = recurrent[:, columns]
    return u


def step(x, states, *, kernel, recurrent_kernel, bias, heads=HEADS):
    h, c, n, m = states
    i, f, z, o = blocks(x @ kernel + h @ full(recurrent_kernel, heads) + bias, 4)
    log_f = np.log(sigmoid(f))
    new = np.where(n > 0, np.maximum(log_f + m, i), i)
    i, f = np.exp(i - new), np.exp(np.where(n > 0, log_f + m - new, 0))
    c, n = f * c + i * np.tanh(z), f * n + i
    return sigmoid(o) * c / n, c, n, new


@pytest.mark.parametrize("heads", [1, 4])
def test_it_matches_the_equations_of_its_docstring(heads):
    assert_replays(layer("slstm", heads=heads), lambda *given, **w: step(*given, **w, heads=heads))


def test_its_output_is_that_without_a_stabiliser():
    """c = f c + i z and n = f n + i with i = exp(a_i), f = sigmoid(a_f), unscaled, in float64."""
    made = layer("slstm")
    kernel, recurrent, bias = (weight.numpy() for weight in made.weights)
    x = noise(BATCH, TIME, D)
    h, c, n = (np.zeros((BATCH, H)) for _ in range(3))
    y = made(x)[0].numpy()
    for t in range(TIME):
        i, f, z, o = blocks(x[:, t] @ kernel + h @ full(recurrent) + bias, 4)
        c, n = sigmoid(f) * c + np.exp(i) * np.tanh(z), sigmoid(f) * n + np.exp(i)
        h = sigmoid(o) * c / n
        np.testing.assert_allclose(y[:, t], h, atol=1e-10)


def test_the_stabiliser_takes_no_gradient_and_changes_none():
    """dL/d(weights) is that of the unscaled form, by a tape over it."""
    made, x = layer("slstm"), noise(2, 6, D)
    weights = [weight.value for weight in made.trainable_weights]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(made(x)[0]))
    found = tape.gradient(loss, weights)
    copies = [tf.Variable(weight) for weight in weights]
    same = tf.constant((full(np.ones((H // HEADS, 4 * H))) != 0).astype(float))
    with tf.GradientTape() as tape:
        kernel, recurrent, bias = copies
        h, c, n = (tf.zeros((2, H), tf.float64) for _ in range(3))
        loss = 0.0
        for t in range(6):
            i, f, z, o = tf.split(x[:, t] @ kernel + h @ (tf.tile(recurrent, (HEADS, 1)) * same) + bias, 4, axis=-1)
            c, n = tf.sigmoid(f) * c + tf.exp(i) * tf.tanh(z), tf.sigmoid(f) * n + tf.exp(i)
            h = tf.sigmoid(o) * c / n
            loss += tf.reduce_sum(tf.square(h))
    for one, other in zip(found, tape.gradient(loss, copies), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("far", [-500.0, 500.0])
def test_gates_far_outside_the_range_of_exp_do_no_harm(far):
    made = layer("slstm", dtype="float32", stirred=False)
    bias = made.bias.numpy()
    bias[:H] = far  # of the input gate; exp(500) is no float32
    made.bias.assign(bias)
    x = tf.constant(noise(2, 20, D).astype("float32"))
    with tf.GradientTape() as tape:
        y = made(x)[0]
        loss = tf.reduce_sum(tf.square(y))
    assert np.isfinite(y).all()
    assert all(np.isfinite(gradient).all() for gradient in tape.gradient(loss, [weight.value for weight in made.trainable_weights]))


def test_its_parameters_and_flops_are_those_of_the_formula():
    for heads in (1, 2, 4):
        made = layer("slstm", heads=heads)
        assert made.count_params() == 4 * H * (D + H // heads + 1)
        assert made.flops(10) == 8 * H * (D + H // heads)


def test_heads_do_not_see_one_another_and_begin_orthogonal():
    made = layer("slstm", stirred=False)
    kernel = made.kernels().numpy()
    np.testing.assert_array_equal(kernel, full(made.recurrent_kernel.numpy()))
    for gate in blocks(kernel, 4):
        np.testing.assert_allclose(gate @ gate.T, np.eye(H), atol=1e-6)


def test_the_forget_gates_begin_between_three_and_six():
    i, f, z, o = blocks(layer("slstm", stirred=False).bias.numpy(), 4)
    np.testing.assert_allclose(f, np.linspace(3, 6, H), atol=1e-6)
    assert not np.any([i, z, o])


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="units must be a multiple of the heads, got 8 units and 3 heads"):
        layer("slstm", heads=3)
