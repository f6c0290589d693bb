"""How weights begin: per gate and joint draws in their scale, chrono biases in their time constants, all from one seed."""

import keras
import numpy as np
import pytest

from suite import initial, initializers
from suite.layers import GRU, LSTM

UNITS, FEATURES, GATES = 48, 6, 4


def drawn(initializer, *shape):
    return np.asarray(initializer(shape, dtype="float32"))


def test_per_gate_every_block_is_orthogonal_by_itself():
    kernel = drawn(initializers.kernel("per_gate", keras.initializers.Orthogonal, GATES, UNITS), UNITS, GATES * UNITS)
    blocks = np.split(kernel, GATES, axis=1)
    for block in blocks:
        np.testing.assert_allclose(block @ block.T, np.eye(UNITS), atol=1e-5)
    assert not np.allclose(blocks[0], blocks[1])


def test_a_joint_draw_has_blocks_of_root_mean_square_singular_value_one_over_root_gates():
    """Rows of norm 1 spread over the gates: the squares of all blocks' singular values add up to the number of units."""
    kernel = drawn(initializers.kernel("joint", keras.initializers.Orthogonal, GATES, UNITS), UNITS, GATES * UNITS)
    squares = [np.square(np.linalg.svd(block, compute_uv=False)).mean() for block in np.split(kernel, GATES, axis=1)]
    assert np.mean(squares) == pytest.approx(1 / GATES, rel=1e-5)
    np.testing.assert_allclose(squares, 1 / GATES, rtol=0.15)


@pytest.mark.parametrize(("scheme", "columns"), [("per_gate", UNITS), ("joint", GATES * UNITS)])
def test_the_limit_of_glorot_counts_the_columns_that_are_drawn_together(scheme, columns):
    kernel = drawn(initializers.kernel(scheme, keras.initializers.GlorotUniform, GATES, UNITS), FEATURES, GATES * UNITS)
    limit = np.sqrt(6 / (FEATURES + columns))
    assert 0.97 * limit < np.abs(kernel).max() <= limit


def test_uniform_is_the_draw_of_pytorch():
    kernel = drawn(initializers.kernel("uniform", keras.initializers.Orthogonal, GATES, UNITS), UNITS, GATES * UNITS)
    assert 0.99 / np.sqrt(UNITS) < np.abs(kernel).max() <= 1 / np.sqrt(UNITS)
    assert np.std(kernel) == pytest.approx(1 / np.sqrt(3 * UNITS), rel=0.03)


def test_chrono_spreads_the_time_constants_evenly_up_to_the_longest():
    """exp(b) = 1 + (T - 2) u is U(1, T - 1); the mean of 2000 draws is T / 2 within 3 standard errors, (T - 2) / sqrt(12 * 2000)."""
    longest, units = 100, 2000
    bias = drawn(initializers.biases(("i", "f"), units, f=f"chrono:{longest}", i=f"-chrono:{longest}"), 2 * units)
    i, f = np.split(bias, 2)
    np.testing.assert_array_equal(i, -f)
    constants = np.exp(f)
    assert constants.min() >= 1
    assert constants.max() <= longest - 1
    assert constants.mean() == pytest.approx(longest / 2, abs=3 * (longest - 2) / np.sqrt(12 * units))


@pytest.mark.parametrize(("layer", "gate"), [(LSTM(UNITS, forget_bias="chrono:50"), "f"), (GRU(UNITS, update_bias="chrono:50"), "z")])
def test_a_gate_with_a_chrono_bias_keeps_for_up_to_that_long(layer, gate):
    """Without input a gate is sigmoid(b) = 1 - 1 / (1 + e^b): a time constant of 1 + e^b steps, between 2 and T."""
    layer.build((None, None, FEATURES))
    bias = np.atleast_2d(layer.bias.numpy())
    place = layer.gates.index(gate)
    constants = 1 + np.exp(bias[0, place * UNITS : (place + 1) * UNITS])
    assert 2 <= constants.min() < 10
    assert 40 < constants.max() <= 50
    assert not np.any(bias[1:])


@pytest.mark.parametrize("bias", ["chrono", "chrono:2", "chrono:long", "chrono:inf", "2"])
def test_what_is_no_bias_is_refused(bias):
    with pytest.raises(ValueError, match='a bias must be a number or "chrono:T" with T above 2 steps'):
        initializers.chrono(bias)


def test_a_mirrored_bias_mirrored_is_the_bias():
    for bias in (1.5, -2.0, 0.0, "chrono:10", "-chrono:10"):
        assert initializers.mirrored(initializers.mirrored(bias)) == bias


def test_every_draw_follows_from_the_seed():
    def weights(seed):
        with initial.seeded(seed):
            layer = LSTM(UNITS, forget_bias="chrono:50")
            layer.build((None, None, FEATURES))
        return layer.get_weights()

    for one, again, other in zip(weights(1), weights(1), weights(2), strict=True):
        np.testing.assert_array_equal(one, again)
        assert not np.array_equal(one, other)
