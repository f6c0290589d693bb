"""The simple recurrent unit: its equations, its count, and that no unit sees another."""

import numpy as np
import pytest

from tests.replay import FEATURES, UNITS, assert_replays, blocks, layer, noise, sigmoid

D, H = FEATURES, UNITS


def step(x, states, *, kernel, bias, peephole):
    _, c = states
    a_f, a_r, a_c, a_x = blocks(x @ kernel, 4)
    (b_f, b_r), (v_f, v_r) = blocks(bias, 2), blocks(peephole, 2)
    f, r = sigmoid(a_f + v_f * c + b_f), sigmoid(a_r + v_r * c + b_r)
    c = f * c + (1 - f) * a_c
    return r * c + (1 - r) * np.sqrt(3) * a_x, c


def test_it_matches_the_equations_of_its_docstring():
    assert_replays(layer("sru"), step)


def test_its_parameters_and_flops_are_those_of_a_layer_that_multiplies_no_state():
    made = layer("sru")
    assert made.count_params() == 3 * H * D + 4 * H + H * D  # with the projection of the highway
    assert made.flops(10) == 2 * 4 * H * D
    assert {weight.name for weight in made.weights} == {"kernel", "bias", "peephole"}


def test_a_unit_does_not_see_another():
    made, x = layer("sru"), noise(1, 6, D)
    moved = np.zeros((1, H))
    moved[0, 2] = 1.0
    before = made(x)[0].numpy()
    after = made(x, initial_state=[np.zeros((1, H)), moved])[0].numpy()
    assert np.flatnonzero((before != after).any(axis=(0, 1))).tolist() == [2]


def test_the_output_is_no_memory():
    """h is what is shown: what it was before does not matter."""
    made, x = layer("sru"), noise(1, 4, D)
    np.testing.assert_array_equal(made(x)[0], made(x, initial_state=[np.ones((1, H)), np.zeros((1, H))])[0])


def test_the_forget_bias_is_what_it_begins_with():
    f, r = blocks(layer("sru", forget_bias=2.0, stirred=False).bias.numpy(), 2)
    np.testing.assert_array_equal(f, np.full(H, 2.0))
    assert not r.any()
    with pytest.raises(ValueError, match='a number or "chrono:T"'):
        layer("sru", forget_bias="high")
