"""Convolutions see what they say they see: windows, levels, filters with a length of their own."""

import numpy as np
import pytest
import tensorflow as tf

from suite import flops, initial, plugins
from suite.layers.convolution import Convolution, convolve
from suite.layers.tcn import TCN, fewest_levels, receptive_field
from suite.models import build
from suite.task import Spec

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 12, 3)).astype(np.float32)
STEPS = Spec(kind="steps", loss="categorical", inputs=10, outputs=7, tokens=True, length=20, longest=20, lengths=(20,))


def built(target, *given, features=3, **options):
    """A layer whose weights are the same in every run, biases included."""
    with initial.seeded(0):
        layer = target(*given, **options)
        layer.build((None, None, features))
    rng = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign_add(rng.normal(0, 0.1, weight.shape))
    return layer


def relu(x):
    return np.maximum(x, 0)


def slowly(x, kernel, before, dilation=1):
    """A convolution as its sum says it, in float64."""
    y = np.zeros((*x.shape[:2], kernel.shape[2]))
    for t in range(x.shape[1]):
        for j, tap in enumerate(kernel.astype(np.float64)):
            s = t - (before - j) * dilation
            if 0 <= s < x.shape[1]:
                y[:, t] += x[:, s].astype(np.float64) @ tap
    return y


@pytest.mark.parametrize(("width", "before", "dilation"), [(3, 2, 1), (3, 2, 4), (4, 3, 5), (2, 1, 16), (5, 2, 1), (4, 1, 1), (3, 1, 2)])
def test_a_convolution_is_its_sum(width, before, dilation):
    kernel = RNG.normal(size=(width, 3, 4)).astype(np.float32)
    expected = slowly(X, kernel, before, dilation)
    for jit in (False, True):
        found = tf.function(lambda x, kernel: convolve(x, kernel, before=before, dilation=dilation), jit_compile=jit)(X, kernel)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_gradient_of_a_dilated_convolution_is_that_of_its_sum():
    kernel, pull = tf.constant(RNG.normal(size=(3, 3, 4)), tf.float32), RNG.normal(size=(2, 12, 4)).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        loss = tf.reduce_sum(convolve(tf.constant(X), kernel, before=2, dilation=4) * pull)
    expected = np.zeros((3, 3, 4))
    for j, lag in enumerate((8, 4, 0)):
        expected[j] = np.einsum("btd,btu->du", X[:, : 12 - lag], pull[:, lag:])
    np.testing.assert_allclose(tape.gradient(loss, kernel), expected, rtol=1e-4, atol=1e-5)


def test_kims_layer_is_filters_of_three_widths_side_by_side():
    layer = built(Convolution, 4, widths="3,4,5")
    kernels, biases = [w.numpy() for w in layer.kernels], [w.numpy() for w in layer.biases]
    expected = [relu(slowly(X, kernel, (k - 1) // 2) + bias) for k, kernel, bias in zip((3, 4, 5), kernels, biases, strict=True)]
    np.testing.assert_allclose(layer(X), np.concatenate(expected, axis=-1), rtol=1e-4, atol=1e-5)
    assert sum(w.numpy().size for w in layer.weights) == (3 + 4 + 5) * 3 * 4 + 3 * 4


def test_kims_network_takes_the_maximum_of_every_filter_over_the_valid_steps():
    spec = Spec(kind="once", loss="squared", inputs=3, outputs=2, tokens=False, length=12, longest=12, lengths=(12,))
    model = build(plugins.architecture("kim_cnn"), spec, width=4, seed=0)
    mask = np.arange(12) < np.array([[12], [7]])
    maps = model.body.stack[0](X, mask=mask).numpy()
    highest = np.stack([maps[0].max(0), maps[1, :7].max(0)])
    kernel, bias = (weight.numpy() for weight in model.head.dense.weights)
    np.testing.assert_allclose(model(X, mask=mask), highest @ kernel + bias, rtol=1e-4, atol=1e-5)


def test_a_window_mlp_is_a_perceptron_on_the_last_steps_side_by_side():
    layer = built(Convolution, 5, widths="4", future=False)
    kernel, bias = (weight.numpy().astype(np.float64) for weight in layer.weights)
    padded = np.concatenate([np.zeros((2, 3, 3)), X], axis=1)
    window = np.stack([padded[:, t : t + 4].reshape(2, -1) for t in range(12)], axis=1)
    np.testing.assert_allclose(layer(X), relu(window @ kernel.reshape(-1, 5) + bias), rtol=1e-4, atol=1e-5)


def test_a_temporal_convolutional_network_is_its_equations():
    layer = built(TCN, 4, kernel_size=3, levels=3)
    x = X.astype(np.float64)
    project, offset = (weight.numpy() for weight in layer.project.weights)
    for level in range(3):
        y = x
        for one in layer.convolutions[2 * level : 2 * level + 2]:
            V, g, b = (weight.numpy().astype(np.float64) for weight in (one.direction, one.gain, one.bias))
            W = g * V / np.sqrt((V**2).sum((0, 1)))
            y = relu(slowly(y, W, 2, 2**level) + b)
        x = relu(y + (x @ project + offset if level == 0 else x))
    np.testing.assert_allclose(layer(X), x, rtol=1e-4, atol=1e-5)


def test_a_filter_begins_as_long_as_its_direction():
    with initial.seeded(0):
        layer = TCN(6, kernel_size=3, levels=2)
        layer.build((None, None, 3))
    for one in layer.convolutions:
        V = one.direction.numpy()
        np.testing.assert_allclose(one.gain, np.sqrt((V**2).sum((0, 1))), rtol=1e-6)
        assert 0.8 < np.abs(V).max() * np.sqrt(3 * V.shape[1]) <= 1


@pytest.mark.parametrize(("features", "D"), [(3, 3), (4, 4)])
def test_its_parameters_are_those_of_the_formula(features, D):
    k, C, n = 5, 4, 3
    layer = built(TCN, C, kernel_size=k, levels=n, features=features)
    levels = sum(k * (D if i == 0 else C) * C + k * C * C + 2 * C + 2 * C for i in range(n))
    assert sum(w.numpy().size for w in layer.trainable_weights) == levels + (D * C + C if D != C else 0)


@pytest.mark.parametrize(("kernel_size", "levels"), [(2, 1), (3, 2), (4, 3), (8, 1)])
def test_it_sees_exactly_its_receptive_field(kernel_size, levels):
    layer = built(TCN, 8, kernel_size=kernel_size, levels=levels)
    field = 1 + 2 * (kernel_size - 1) * (2**levels - 1)
    assert receptive_field(levels, kernel_size) == layer.receptive_field == field
    time = field + 4
    x = tf.Variable(np.random.default_rng(2).normal(size=(8, time, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x)[:, -1])
    seen = np.abs(tape.gradient(loss, x)).sum((0, 2)) > 0
    assert seen[-field:].all()
    assert not seen[:-field].any()


@pytest.mark.parametrize("length", [1, 2, 5, 6, 29, 30, 784, 1021])
def test_levels_by_the_length_are_the_fewest_that_cover_it(length):
    count = fewest_levels(length, 3)
    assert receptive_field(count, 3) >= length
    assert count == 1 or receptive_field(count - 1, 3) < length
    assert TCN(4, length=length, levels="length").count == count


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"length": 1022}, "8 levels of width 3 see 1021 steps, the task has 1022"),
        ({"levels": 0}, "levels must be at least 1, or 'length', got 0"),
        ({"levels": "all"}, "levels must be at least 1, or 'length', got 'all'"),
        ({"levels": "length"}, "levels 'length' needs a length"),
        ({"kernel_size": 1}, "kernel_size must be at least 2, got 1"),
    ],
)
def test_a_network_that_cannot_be_is_refused(options, reason):
    with pytest.raises(ValueError, match=reason):
        TCN(4, **options)


def test_a_network_may_be_shorter_than_the_task_when_it_says_so():
    assert TCN(4, length=5000, levels=1, covers=False).receptive_field == 5


def test_widths_that_are_none_are_refused():
    with pytest.raises(ValueError, match="widths must be positive integers"):
        Convolution(4, widths="3,x")


@pytest.mark.parametrize("target", [TCN, Convolution])
@pytest.mark.parametrize("first", [2, 5])
def test_padding_before_a_row_changes_nothing(target, first):
    layer = built(target, 4)
    mask = np.arange(12)[None, :] >= first
    alone = layer(X[:, first:])
    np.testing.assert_allclose(layer(X, mask=np.repeat(mask, 2, axis=0))[:, first:], alone, rtol=1e-5, atol=1e-6)


def test_flops_are_those_of_the_taps_within_the_row():
    D, C, head = 10, 4, 2 * 4 * 7
    tcn = build(plugins.architecture("tcn_fitted"), STEPS, width=C, seed=0)  # three levels of three taps: lags up to 8 of 19
    assert flops.per_token(tcn) == 2 * (3 * D * C + 3 * C * C + 4 * 3 * C * C + D * C) + head
    deep = build(plugins.architecture("tcn"), STEPS, width=C, seed=0)  # dilations 1 2 4 8 16 32 64 128 have 3 3 3 3 2 1 1 1
    assert flops.per_token(deep) == 2 * (3 * D * C + 3 * C * C + 2 * (9 + 2 + 3) * C * C + D * C) + head
    window = build(plugins.architecture("window_mlp"), STEPS, width=C, seed=0)
    assert flops.per_token(window) == 2 * 8 * D * C + head
