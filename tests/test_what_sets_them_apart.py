"""What one architecture can and its neighbour on the ladder cannot: each claim as a contrast, trained or at initialisation."""

import numpy as np
import pytest
import tensorflow as tf

from suite import initial, plugins, program, training
from suite.layers import LSTM, Elman, ExpRNN
from tasks.parity import Parity
from tests.trials import trial

LAG = 100


def left_of_a_gradient(layer, lag=LAG, rows=8, features=4):
    """The norm of dL/d(c) of a loss on the last output, `lag` steps before it, as a share of that one step before it."""
    x = np.random.default_rng(0).normal(size=(rows, lag + 2, features)).astype("float32")
    probes = [tf.zeros((lag + 2, rows, layer.units)) for _ in layer.states]
    pull = np.random.default_rng(1).normal(size=(rows, layer.units)).astype("float32")
    with tf.GradientTape() as tape:
        tape.watch(probes)
        loss = tf.reduce_sum(layer(x, probes=probes) * pull)
    norms = tf.norm(tape.gradient(loss, probes[1]), axis=(1, 2)).numpy()
    return norms[0] / norms[lag]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_chrono_lstm_keeps_its_gradient_over_a_hundred_steps_and_the_default_one_does_not(seed):
    """What a forget bias of 1 leaves is 1e-5 to 2e-4, over the paths through h; chrono has time constants of up to 200 steps."""
    with initial.seeded(seed):
        default, chrono = LSTM(32), LSTM(32, forget_bias=f"chrono:{2 * LAG}")
        assert left_of_a_gradient(default) < 1e-3
        assert left_of_a_gradient(chrono) > 0.2


def trained(layer, steps=1000, rate=0.01):
    """The recurrent kernel before and after training on sums of a row, whose sign turns with its first number."""
    with initial.seeded(0):
        layer.build((None, None, 2))
        read = tf.Variable(np.random.default_rng(3).normal(size=(layer.units, 1)).astype("float32") / 4)
    before = layer.kernels().numpy()
    weights = [*(weight.value for weight in layer.trainable_weights), read]
    moments = [(tf.Variable(tf.zeros_like(weight)), tf.Variable(tf.zeros_like(weight))) for weight in weights]

    @tf.function(autograph=False)
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(layer(x) @ read - y))
        for weight, gradient, (first, second) in zip(weights, tape.gradient(loss, weights), moments, strict=True):
            first.assign(0.9 * first + 0.1 * gradient)
            second.assign(0.99 * second + 0.01 * tf.square(gradient))
            weight.assign_sub(rate * first / (tf.sqrt(second) + 1e-6))
        return loss

    rng = np.random.default_rng(4)
    for _ in range(steps):
        x = rng.normal(size=(16, 6, 2)).astype("float32")
        step(x, np.sign(x[:, 0, :1]) * x[:, :, 1].sum(axis=1, keepdims=True))
    return before, layer.kernels().numpy()


def from_orthogonal(kernel):
    return np.abs(kernel.astype(float) @ kernel.T.astype(float) - np.eye(len(kernel))).max()


def test_the_matrix_of_exprnn_is_orthogonal_after_a_thousand_steps_of_training_and_that_of_elman_is_not():
    """Both begin orthogonal, and both move."""
    before, after = trained(ExpRNN(16, loop="plain"))
    assert from_orthogonal(before) < 1e-5
    assert from_orthogonal(after) < 1e-5
    assert np.abs(after - before).max() > 0.05
    before, after = trained(Elman(16, loop="plain"))
    assert from_orthogonal(before) < 1e-5
    assert from_orthogonal(after) > 0.05


PARITY = {"length": 12, "longest": 24, "validation_rows": 500}
BUDGET = {"width": 8, "steps": 400, "batch_size": 64, "evaluations": 2, "values": {"learning_rate": 0.02}}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "low", "high"), [("delta_net", 0.4, 0.75), ("delta_net_negative", 0.98, 1.0)])
def test_delta_net_learns_parity_with_negative_eigenvalues_and_not_without(monkeypatch, name, low, high):
    monkeypatch.setattr(program, "JIT_UP_TO", 0)
    found = training.train(trial(Parity(**PARITY), name, architecture=plugins.architecture(name), **BUDGET))
    assert low <= found.scores["validation"]["accuracy"] <= high
