"""The clockwork RNN: its equations, its count, and which unit moves when and hears whom."""

import numpy as np
import pytest
import tensorflow as tf

from tests.replay import FEATURES, assert_replays, layer, noise

D, H, GROUPS = FEATURES, 8, 4
PERIODS = np.repeat([1, 2, 4, 8], H // GROUPS)


def kernel_of(flat):
    u = np.zeros((H, H))
    u[PERIODS[:, None] >= PERIODS[None, :]] = flat
    return u


def step(x, states, *, kernel, recurrent_kernel, bias):
    h, t = states
    new = np.tanh(x @ kernel + h @ kernel_of(recurrent_kernel) + bias)
    return np.where(t % PERIODS == 0, new, h), (t + 1) % 8


def made(**options):
    return layer("clockwork", units=H, groups=GROUPS, **options)


def test_it_matches_the_equations_of_its_docstring():
    assert_replays(made(), step)


@pytest.mark.parametrize(("units", "groups"), [(8, 4), (16, 8), (6, 1)])
def test_its_parameters_and_flops_are_those_of_the_formulas(units, groups):
    one = layer("clockwork", units=units, groups=groups)
    assert one.count_params() == units * D + units**2 * (groups + 1) // (2 * groups) + units
    size = units // groups
    rows = [2 * size * (D + (groups - i) * size) / 2**i for i in range(groups)]
    assert one.flops(10) == pytest.approx(sum(rows))


def test_a_unit_moves_only_when_its_period_divides_the_time():
    y = made()(noise(1, 33, D))[0].numpy()[0]
    moved = np.diff(y, axis=0) != 0  # into step t = 1, 2, ...
    expected = np.arange(1, 33)[:, None] % PERIODS == 0
    np.testing.assert_array_equal(moved, expected)


def test_a_fast_group_hears_the_slow_ones_and_not_the_other_way_round():
    kernel = made().kernels().numpy()
    for source, target in np.ndindex(H, H):
        assert (kernel[source, target] != 0) == (PERIODS[source] >= PERIODS[target])


def test_a_carried_state_carries_the_clock():
    one, x = made(), noise(2, 11, D)
    whole, *_ = one(x)
    first, *states = one(x[:, :5])
    second, *_ = one(x[:, 5:], initial_state=states)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-12)
    assert states[1].numpy().tolist() == [[5], [5]]


def test_the_clock_counts_right_in_half_precision():
    one = layer("clockwork", units=8, groups=8, dtype="mixed_bfloat16")
    _, _, t = one(tf.zeros((1, 300, D)))
    assert float(t[0, 0]) == 300 % 128


def test_every_unit_begins_with_incoming_weights_of_norm_one():
    kernel = layer("clockwork", units=256, groups=8, stirred=False).kernels().numpy()
    squares = np.square(kernel).sum(axis=0)
    assert squares.mean() == pytest.approx(1.0, rel=0.05)
    assert squares.reshape(8, 32).mean(axis=1) == pytest.approx(np.ones(8), rel=0.25)


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="units must be a multiple of the 4 groups, got 6"):
        layer("clockwork", units=6, groups=4)
    with pytest.raises(ValueError, match="groups must be from 1 to 8, got 9"):
        layer("clockwork", units=9, groups=9)
