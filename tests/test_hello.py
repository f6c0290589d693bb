"""Hello: one word, and what can be said of it without a memory."""

import math

import numpy as np
import pytest
import tensorflow as tf

from suite.layers import Elman
from tasks.hello import LETTERS, Hello


def test_hello_predicts_ello_from_hell():
    batch = next(Hello().batches("train", seed=0, batch_size=2))
    assert ["".join(LETTERS[i] for i in row) for row in (*batch.x, *batch.y)] == ["hell", "hell", "ello", "ello"]


def test_hello_floor_is_what_the_best_table_from_letter_to_letter_gets():
    """All 4^4 tables of one answer for each letter, on the four steps of the word; the loss by the shares of what follows."""
    x, y = ([LETTERS.index(letter) for letter in word] for word in ("hell", "ello"))
    tables = np.array(np.meshgrid(*[range(4)] * 4)).reshape(4, -1)
    metrics = Hello().metrics("test")
    assert max(np.mean(tables[x] == np.array(y)[:, None], axis=0)) == metrics["accuracy"].floor
    assert (tables[x] == np.array(y)[:, None]).all(axis=0).mean() == metrics["exact"].floor
    assert metrics["loss"].floor == pytest.approx(-(2 * math.log(1) + 2 * math.log(1 / 2)) / 4)


def test_hello_is_solved_by_the_whole_word_only():
    name, threshold = Hello().solved
    assert name == "accuracy"
    assert 0.75 < threshold <= 1


# The worked example of the sources: a scalar recurrence w h and a scalar bias, both broadcast over three units.
KERNEL = np.array(
    [[0.287027, 0.84606, 0.572392, 0.486813], [0.902874, 0.871522, 0.691079, 0.18998], [0.537524, 0.09224, 0.558159, 0.491528]]
)
SCALAR, BIAS = 0.427043, 0.567001
READ_OUT = np.array(
    [[0.37168, 0.974829, 0.830035], [0.39141, 0.282586, 0.659836], [0.64985, 0.098216, 0.334287], [0.91266, 0.325816, 0.144630]]
)


def worked_example(**options):
    layer = Elman(3, recurrent="scalar", return_sequences=True, dtype="float64", **options)
    layer.build((None, None, 4))
    layer.set_weights([KERNEL.T, np.full(3, BIAS), np.array(SCALAR)])
    return layer


def letters(word):
    return np.eye(4)[[LETTERS.index(letter) for letter in word]][None]


def test_the_worked_example_comes_out_as_printed():
    """Copies of it differ in the fourth digit."""
    states = worked_example()(letters("he")).numpy()[0]
    np.testing.assert_allclose(states[0], [0.693168, 0.899554, 0.802118], atol=1e-4)
    np.testing.assert_allclose(states[1], [0.93653, 0.94910, 0.76234], atol=1e-4)
    scores = np.exp(READ_OUT @ states[1])
    np.testing.assert_allclose(scores / scores.sum(), [0.41975, 0.19468, 0.16243, 0.22314], atol=1e-4)


def test_a_scalar_recurrence_is_a_multiple_of_the_identity():
    full = Elman(3, return_sequences=True, dtype="float64")
    full.build((None, None, 4))
    full.set_weights([KERNEL.T, SCALAR * np.eye(3), np.full(3, BIAS)])
    np.testing.assert_allclose(worked_example()(letters("hell")), full(letters("hell")), atol=1e-12)


def test_the_gradient_of_the_third_error_sums_over_every_step_where_the_weight_acts():
    """dE_3/dw = sum over k of dE_3/dh_3 (prod over j > k of dh_j/dh_(j-1)) d+h_k/dw: each h_k = tanh(.. + w h_(k-1)) holds w once.

    Printed is a single chain through the outputs, dE/dy_3 dy_3/dh_3 dh_3/dy_2 dy_2/dh_1, which a state recurrence has not:
    the term k = 3 alone is not the gradient either.
    """
    layer, x, slope = worked_example(), tf.constant(letters("hel")), np.array([1.0, -2.0, 0.5])
    with tf.GradientTape() as tape:
        error = tf.reduce_sum(layer(x)[0, 2] * slope)
    found = tape.gradient(error, layer.recurrent_kernel.value).numpy()
    h = np.concatenate([np.zeros((1, 3)), layer(x).numpy()[0]])
    terms = []
    for k in (1, 2, 3):
        chain = slope.copy()
        for j in range(3, k, -1):
            chain *= SCALAR * (1 - h[j] ** 2)
        terms.append(np.sum(chain * (1 - h[k] ** 2) * h[k - 1]))
    assert found == pytest.approx(sum(terms), rel=1e-9)
    assert abs(terms[2] - found) > 0.01 * abs(found)
