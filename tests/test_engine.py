"""The compiled loops: shares of a batch, pieces of a row, shapes, and what is compiled how often; against gradients by hand."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import suite.layers
from suite import engine
from suite.layers.lstm import LSTM
from tests import bptt
from tests.test_recurrence import arrays, derived, layer, noise

NAMES = tuple(bptt.CELLS)
FEATURES, UNITS = 3, 4


class StepAlone(LSTM):
    """An LSTM whose gradient is derived from its step."""

    def pair(self):
        return None


@pytest.fixture
def two_cores(monkeypatch):
    """Shares for two cores, whatever this machine has."""
    monkeypatch.setattr(engine, "shares", lambda batch: 2 if batch is None else max(1, min(2, batch // engine.FEWEST_ROWS)))


def against_bptt(made, name, *, batch, time, mask=None, atol=1e-5):
    """Compare outputs, final states and every gradient in a graph with backpropagation through time in float64."""
    reference = bptt.CELLS[name]
    x, initial = noise(batch, time, FEATURES), [noise(batch, UNITS, seed=9 + k) for k in range(reference.states)]
    begun = np.ones((batch, time, 1)) if mask is None else np.cumsum(mask, axis=1)[:, :, None] > 0
    d_outputs, d_final = noise(batch, time, UNITS, seed=2) * begun, [noise(batch, UNITS, seed=3 + k) for k in range(reference.states)]
    single = lambda array: np.asarray(array, np.float32)
    x, initial, d_outputs, d_final = single(x), [single(s) for s in initial], single(d_outputs), [single(d) for d in d_final]
    y, final, found = derived(made, x, initial, d_outputs, d_final, mask, "graph")
    double = lambda array: np.asarray(array, np.float64)
    outputs, states, _ = bptt.run(reference, double(x), arrays(made), [double(s) for s in initial], mask)
    np.testing.assert_allclose(y, outputs * begun, atol=1e-6)
    for state, expected in zip(final, states, strict=True):
        np.testing.assert_allclose(state, expected, atol=1e-6)
    by_hand = bptt.gradients(
        reference, double(x), arrays(made), [double(s) for s in initial], double(d_outputs), [double(d) for d in d_final], mask
    )
    expected = [by_hand.x, *by_hand.initial, *by_hand.states, by_hand.kernel, by_hand.recurrent, by_hand.bias]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol * max(1.0, np.abs(other).max()))


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_that_the_shares_do_not_divide_loses_and_invents_nothing(name, two_cores):
    mask = np.random.default_rng(5).random((17, 6)) < 0.7
    made = layer(name, dtype="float32", return_sequences=True, return_state=True)
    against_bptt(made, name, batch=17, time=6, mask=mask)
    assert made.impl == "engine"


@pytest.mark.parametrize("every", [4, 9])
@pytest.mark.parametrize("name", ["LSTM", "GRUv1"])
def test_pieces_of_a_row_are_the_row(name, every):
    mask = np.random.default_rng(5).random((5, 9)) < 0.7
    made = layer(name, dtype="float32", return_sequences=True, return_state=True, checkpoint_every=every)
    against_bptt(made, name, batch=5, time=9, mask=mask)


ONE_STEP = """
import sys
import tensorflow as tf
import suite.layers
from suite.bench.process import most_bytes
every, time = (int(argument) or None for argument in sys.argv[1:])
made = suite.layers.LSTM(128, checkpoint_every=every)
x = tf.random.normal((32, time, 4))
made.build(x.shape)

@tf.function(autograph=False)
def slopes(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(made(x)))
    return tape.gradient(loss, [weight.value for weight in made.trainable_weights])

slopes(x[:, :20])  # what the libraries hold from then on
before = most_bytes()
assert all(bool(tf.reduce_all(tf.math.is_finite(slope))) for slope in slopes(x))
print(before, most_bytes())
"""


def memory(every, time):
    """GiB that one step of training took beyond those of the built layer."""
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", ONE_STEP, str(every), str(time)]
    done = subprocess.run(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=True)
    before, peak = (int(word) / 2**30 for word in done.stdout.split())
    return peak - before


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no high-water mark of a process alone")
def test_pieces_take_a_fraction_of_the_memory():
    assert memory(300, 6_000) < 0.75 * memory(0, 6_000)


@pytest.mark.parametrize("wrong", [0, -1, 2.5])
def test_a_piece_is_a_positive_number_of_steps(wrong):
    with pytest.raises(ValueError, match=f"checkpoint_every must be a positive number of steps, or None, got {wrong}"):
        suite.layers.LSTM(4, checkpoint_every=wrong)


@pytest.mark.parametrize("name", NAMES)
def test_one_step_is_one_step(name):
    made = layer(name, dtype="float32", return_sequences=True, return_state=True)
    against_bptt(made, name, batch=3, time=1)


def test_the_derived_gradient_and_the_one_by_hand_agree():
    """`step` alone gives what the pair gives: the same numbers but for the order of their sums."""
    x, pull = noise(16, 11, FEATURES).astype(np.float32), noise(16, 11, UNITS, seed=2).astype(np.float32)
    found = []
    for kind in (LSTM, StepAlone):
        made = kind(UNITS, return_sequences=True)
        made.build(x.shape)
        for number, weight in enumerate(made.trainable_weights):
            weight.assign(noise(*weight.shape, seed=20 + number) / 2)

        @tf.function(autograph=False)
        def slopes(made=made):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(made(tf.constant(x)) * pull)
            return tape.gradient(loss, [weight.value for weight in made.trainable_weights])

        found.append([slope.numpy() for slope in slopes()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(other).max())


def test_two_runs_with_one_seed_are_equal_to_the_bit(two_cores):
    x, y = noise(24, 9, FEATURES).astype(np.float32), noise(24, 1, seed=4).astype(np.float32)
    weights = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = keras.Sequential(
            [keras.Input((9, FEATURES)), suite.layers.GRU(8, return_sequences=True), suite.layers.LSTM(8), keras.layers.Dense(1)]
        )
        model.compile(optimizer="adam", loss="mse")
        model.fit(x, y, epochs=3, batch_size=8, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_layers_of_one_kind_and_shape_share_their_compiled_loops_and_others_do_not():
    def call(made, *shape):
        made.build((None, None, shape[-1]))
        tf.function(made, autograph=False)(tf.zeros(shape))
        return len(engine._COMPILED)

    engine._COMPILED.clear()
    first = call(suite.layers.GRU(6, return_sequences=True), 8, 5, 3)
    assert call(suite.layers.GRU(6, return_sequences=True), 8, 5, 3) == first
    assert call(suite.layers.GRU(6, candidate_activation="relu", return_sequences=True), 8, 5, 3) == first + 1
    assert call(suite.layers.GRU(6, return_sequences=True), 8, 7, 3) == first + 2


def test_a_last_part_of_a_batch_and_another_batch_size_compile_nothing_more(two_cores):
    """Rows are padded to 32 where the batch is unknown, so that XLA sees one shape; a length that is unknown takes the plain loop."""
    seen = set()
    padded = engine._padded

    def watched(inputs, rows, count):
        found = padded(inputs, rows, count)
        tf.py_function(lambda size: seen.add(int(size)), [tf.shape(found.x)[0]], [])
        return found

    engine._padded = watched
    try:
        made = layer("LSTM", dtype="float32", return_sequences=True)
        call = tf.function(made, input_signature=[tf.TensorSpec((None, 5, FEATURES))], autograph=False)
        for rows in (32, 7, 1, 31):
            x = noise(rows, 5, FEATURES).astype(np.float32)
            np.testing.assert_allclose(call(x), made(x), atol=1e-6)
    finally:
        engine._padded = padded
    assert seen == {32}
    assert call.experimental_get_tracing_count() == 1
    assert made.impl == "engine"
    free = tf.function(made, input_signature=[tf.TensorSpec((None, None, FEATURES))], autograph=False)
    x = noise(3, 8, FEATURES).astype(np.float32)
    np.testing.assert_allclose(free(x), made(x), atol=1e-6)
    assert "plain: length unknown" in made.impl
