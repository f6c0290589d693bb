"""Linear recurrences: every form against values and gradients written out by hand in float64, for any mask, state and way of running."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from suite import scan
from suite.diagonal import ComplexDiagonal, Diagonal, associative, at_once, linear_scan
from suite.layers import Bidirectional, MinGRU
from suite.linear_recurrence import LinearRecurrence, product

BATCH, TIME, FEATURES, UNITS = 5, 7, 3, 4
MASKS = {
    "none": None,
    "end": np.arange(TIME) < np.array([7, 4, 1, 6, 2])[:, None],
    "middle": np.array([[1, 1, 0, 1, 0, 1, 1], [0, 0, 1, 1, 1, 0, 0], [1] * 7, [0] * 7, [0, 1, 0, 1, 0, 1, 0]], bool),
}
FORMS = ("loop", "loop in XLA", "parallel", "plain", "eager")


def real_gates(a, b):
    return a, b


def complex_gates(a, b, c, d):
    return tf.complex(a, b), tf.complex(c, d)


REAL, COMPLEX = Diagonal(real_gates), ComplexDiagonal(complex_gates)


def noise(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def by_hand(a, b, h, mask, probes, d_outputs, d_final):
    """States after every step and the gradients of sum(h * d_outputs) + h_T * d_final, real or complex: backpropagation through time."""
    valid = np.ones(b.shape[:2], bool) if mask is None else mask.T
    trail = [h]
    for t in range(len(b)):
        trail.append(np.where(valid[t][:, None], a[t] * trail[-1] + b[t], trail[-1]) + probes[t])
    g, d_a, d_b, d_probes = d_final, np.zeros_like(b), np.zeros_like(b), np.zeros_like(b)
    for t in reversed(range(len(b))):
        g = g + d_outputs[t]
        d_probes[t] = g
        here = np.where(valid[t][:, None], g, 0)
        d_a[t], d_b[t] = here * np.conj(trail[t]), here
        g = np.where(valid[t][:, None], np.conj(a[t]) * g, g)
    return np.stack(trail[1:]), (d_a, d_b, g, d_probes)


def run(form, step, given, mask, d_outputs, d_final):
    """Outputs, final states and gradients in one of the forms."""
    valid = None if mask is None else tf.constant(mask.T)

    def compute(given):
        with tf.GradientTape() as tape:
            tape.watch(tf.nest.flatten(given))
            if form == "parallel":
                outputs, final = at_once(step, given, valid)
            elif form in ("plain", "eager"):
                outputs, final = scan.plain(step, given, valid)
            else:
                outputs, final = scan.loop(step, given, valid, jit=form == "loop")
            loss = sum(tf.reduce_sum(y * d) for y, d in zip((*outputs, *final), (*d_outputs, *d_final), strict=True))
        return outputs, tape.gradient(loss, given)

    given = tf.nest.map_structure(tf.constant, given)
    return compute(given) if form == "eager" else tf.function(compute, autograph=False, jit_compile=form == "loop in XLA")(given)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("form", FORMS)
def test_the_real_recurrence_and_its_gradients_are_those_by_hand(form, mask):
    mask = MASKS[mask]
    a, b, probes, d = (noise(TIME, BATCH, UNITS, seed=seed) for seed in range(4))
    h, d_final = noise(BATCH, UNITS, seed=5), noise(BATCH, UNITS, seed=6)
    expected, slopes = by_hand(a, b, h, mask, probes, d, d_final)
    (outputs,), found = run(form, REAL, scan.Given((a, b), (), (h,), (probes,)), mask, (d,), (d_final,))
    np.testing.assert_allclose(outputs, expected, atol=1e-12)
    for one, other in zip(tf.nest.flatten(found), slopes, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("form", FORMS)
def test_the_complex_recurrence_and_its_gradients_are_those_by_hand(form, mask):
    """A gradient of a complex number is dL/d(real part) + i dL/d(imaginary part)."""
    mask = MASKS[mask]
    a, b, probes, d = (noise(TIME, BATCH, UNITS, seed=seed) + 1j * noise(TIME, BATCH, UNITS, seed=9 + seed) for seed in range(4))
    h, d_final = (noise(BATCH, UNITS, seed=seed) + 1j * noise(BATCH, UNITS, seed=9 + seed) for seed in (5, 6))
    expected, slopes = by_hand(a, b, h, mask, probes, d, d_final)
    parts = lambda z: (z.real, z.imag)
    given = scan.Given((*parts(a), *parts(b)), (), parts(h), parts(probes))
    outputs, found = run(form, COMPLEX, given, mask, parts(d), parts(d_final))
    np.testing.assert_allclose(outputs, parts(expected), atol=1e-11)
    for one, other in zip(tf.nest.flatten(found), [part for slope in slopes for part in parts(slope)], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-11)


@pytest.mark.parametrize("form", FORMS)
def test_the_gradient_of_a_weight_is_the_sum_over_steps_and_rows(form):
    b, d, a, h = noise(TIME, BATCH, UNITS), noise(TIME, BATCH, UNITS, seed=2), noise(UNITS, seed=3), noise(BATCH, UNITS, seed=4)
    zero = np.zeros((BATCH, UNITS))
    step = Diagonal(_swapped)
    _, (d_a, *_) = by_hand(np.broadcast_to(a, b.shape), b, h, None, 0 * b, d, zero)
    _, found = run(form, step, scan.Given((b,), (a,), (h,), ()), None, (d,), (zero,))
    np.testing.assert_allclose(found.weights[0], d_a.sum(axis=(0, 1)), atol=1e-12)


def _swapped(b, a):
    return a, b


@pytest.mark.parametrize("time", [1, 2, 3, 8, 13])
def test_the_associative_scan_is_right_for_every_parity_of_its_levels(time):
    a, b = noise(time, 2), noise(time, 2, seed=2)
    h, expected = np.zeros(2), []
    for t in range(time):
        h = a[t] * h + b[t]
        expected.append(h)
    np.testing.assert_allclose(associative(tf.constant(a), tf.constant(b)), expected, atol=1e-12)
    np.testing.assert_allclose(linear_scan(tf.constant(a), tf.constant(b)), expected, atol=1e-12)


class Smoothed(LinearRecurrence):
    """v = x_t W_0 + x_(t-1) W_1 + x_(t-2) W_2;  h' = sigmoid(v) * h + v"""

    windows = ("window",)

    def forward(self, x, recur):
        v = tf.add_n([product(lag, kernel) for lag, kernel in zip(recur.lags(x, "window"), tf.unstack(self.kernel), strict=True)])
        return recur.diagonal(_smooth, v)

    def window_shapes(self):
        return ((2, FEATURES),)

    def weights_of_its_own(self, features):
        self.kernel = self.add_weight(name="kernel", shape=(3, features, self.units), initializer="random_normal")


def _smooth(v):
    return tf.sigmoid(v), v


def smoothed(**options):
    made = Smoothed(UNITS, dtype="float64", **options)
    made.build((None, None, FEATURES))
    made.kernel.assign(noise(3, FEATURES, UNITS))
    return made


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("form", ["engine", "parallel", "plain"])
def test_a_masked_step_is_as_if_it_were_not_there(form, mask):
    """By row: the valid steps alone give the states, the window and the outputs; a masked step repeats the last output."""
    valid = np.ones((BATCH, TIME), bool) if MASKS[mask] is None else MASKS[mask]
    layer = smoothed(loop=form, return_sequences=True, return_state=True)
    x, state = noise(BATCH, TIME, FEATURES), [noise(BATCH, UNITS, seed=8), noise(BATCH, 2, FEATURES, seed=9)]
    y, *final = tf.function(lambda x: layer(x, mask=MASKS[mask], initial_state=state), autograph=False)(x)
    w = layer.kernel.numpy()
    for row in range(BATCH):
        h, before = state[0][row], state[1][row]
        output = np.zeros(UNITS)
        for t in range(TIME):
            if valid[row, t]:
                now = np.concatenate([before, x[row, t : t + 1]])
                v = now[2] @ w[0] + now[1] @ w[1] + now[0] @ w[2]
                h = output = h / (1 + np.exp(-v)) + v
                before = now[1:]
            np.testing.assert_allclose(y[row, t], output, atol=1e-12)
        np.testing.assert_allclose(final[0][row], h, atol=1e-12)
        np.testing.assert_allclose(final[1][row], before, atol=1e-12)


@pytest.mark.parametrize("form", ["engine", "parallel", "plain"])
def test_a_graph_of_unknown_batch_gives_the_rows_it_is_given(form):
    layer = smoothed(loop=form, return_sequences=True, return_state=True)
    graph = tf.function(lambda x: layer(x), autograph=False, input_signature=[tf.TensorSpec((None, TIME, FEATURES), tf.float64)])
    for rows in (1, 3, 40):
        x = noise(rows, TIME, FEATURES)
        for one, other in zip(graph(x), layer(x), strict=True):
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, atol=1e-12)
    assert layer.impl == form


def test_a_graph_of_unknown_length_runs_in_the_plain_loop_and_says_so():
    layer = smoothed(return_sequences=True)
    graph = tf.function(lambda x: layer(x), autograph=False, input_signature=[tf.TensorSpec((BATCH, None, FEATURES), tf.float64)])
    for time in (2, 5):
        x = noise(BATCH, time, FEATURES)
        np.testing.assert_allclose(graph(x), layer(x), atol=1e-12)
    assert layer.impl == "plain: length unknown"


def test_a_batch_is_shared_by_the_cores_and_put_together_again():
    layer = MinGRU(UNITS, return_sequences=True, dtype="float64")
    x = noise(33, TIME, FEATURES)
    layer.build(x.shape)

    def compute(x):
        with tf.GradientTape() as tape:
            y = layer(x)
            loss = tf.reduce_sum(tf.sin(y))
        return y, tape.gradient(loss, [weight.value for weight in layer.trainable_weights])

    for one, other in zip(tf.nest.flatten(tf.function(compute, autograph=False)(x)), tf.nest.flatten(compute(x)), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-11)


def test_flags_mean_what_they_mean_in_keras():
    x = noise(BATCH, TIME, FEATURES)
    whole, last = smoothed(return_sequences=True), smoothed()
    back = smoothed(return_sequences=True, go_backwards=True)
    blank = smoothed(return_sequences=True, zero_output_for_mask=True)
    np.testing.assert_allclose(last(x), whole(x)[:, -1], atol=1e-12)
    np.testing.assert_allclose(back(x), whole(x[:, ::-1]), atol=1e-12)
    np.testing.assert_allclose(last(x, mask=MASKS["middle"]), whole(x, mask=MASKS["middle"])[:, -1], atol=1e-12)
    expected = np.where(MASKS["middle"][:, :, None], whole(x, mask=MASKS["middle"]), 0)
    np.testing.assert_allclose(blank(x, mask=MASKS["middle"]), expected, atol=1e-12)


def test_it_stands_in_a_functional_model_and_knows_its_shapes():
    inputs = keras.Input((TIME, FEATURES))
    y, h, window = Smoothed(UNITS, return_sequences=True, return_state=True)(inputs)
    assert (y.shape, h.shape, window.shape) == ((None, TIME, UNITS), (None, UNITS), (None, 2, FEATURES))
    assert keras.Model(inputs, [y, h, window])(noise(2, TIME, FEATURES))[0].shape == (2, TIME, UNITS)


def test_states_are_float32_where_the_layer_computes_in_bfloat16():
    layer = MinGRU(UNITS, return_state=True, dtype="mixed_bfloat16")
    y, h = layer(noise(BATCH, TIME, FEATURES))
    assert (y.dtype, h.dtype) == (tf.bfloat16, tf.float32)


def test_probes_reach_both_directions_of_a_layer_with_a_window():
    layer = Bidirectional(UNITS, cell="suite.layers.mamba:S6")
    assert layer.state_shapes() == ((16, 2 * UNITS),) * 2


def test_impossible_options_are_refused_with_the_possible_ones():
    with pytest.raises(ValueError, match="loop must be one of auto, engine, parallel, plain, got 'scan'"):
        MinGRU(UNITS, loop="scan")
    with pytest.raises(ValueError, match=r"units must be a positive integer, got 2\.5"):
        MinGRU(2.5)
    layer = smoothed()
    with pytest.raises(ValueError, match="Smoothed takes 2 states, got 1"):
        layer(noise(BATCH, TIME, FEATURES), initial_state=[noise(BATCH, UNITS)])
    with pytest.raises(ValueError, match="Smoothed takes 1 probes, got 2"):
        layer(noise(BATCH, TIME, FEATURES), probes=[noise(TIME, BATCH, UNITS)] * 2)
