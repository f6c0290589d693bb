"""Both directions read the valid part, and nothing but it."""

import numpy as np
import pytest

from suite import initial
from suite.layers.bidirectional import Bidirectional

CELL = "tests.fake_architectures:StockGRU"
X = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 1, 1, 0]], bool)


def both_ways(units, **options):
    with initial.seeded(0):
        layer = Bidirectional(units, **options)
        layer.build((None, None, 2))
    return layer


def test_each_direction_reads_the_valid_part_only():
    layer = both_ways(4, cell=CELL)
    y = layer(X, mask=MASK).numpy()
    for row, mask, found in zip(X, MASK, y, strict=True):
        valid = row[mask][None]
        left, right = layer.forward(valid)[0], layer.backward(valid[:, ::-1])[0][::-1]
        np.testing.assert_allclose(found[mask], np.concatenate([left, right], axis=-1), atol=1e-6)


def test_the_last_step_is_where_each_direction_has_read_everything():
    layer = both_ways(4, cell=CELL)
    last = layer.last(layer(X, mask=MASK), MASK).numpy()
    for row, mask, found in zip(X, MASK, last, strict=True):
        valid = row[mask][None]
        np.testing.assert_allclose(found, np.concatenate([layer.forward(valid)[0, -1], layer.backward(valid[:, ::-1])[0, -1]]), atol=1e-6)


def test_the_two_directions_begin_with_different_weights():
    layer = both_ways(4, cell=CELL)
    assert not np.allclose(layer.forward.weights[0], layer.backward.weights[0])


def test_a_sum_adds_both_directions_and_has_no_last_step():
    layer = both_ways(4, cell=CELL, merge="sum")
    right = layer.backward(X[:, ::-1])[:, ::-1]
    np.testing.assert_allclose(layer(X), layer.forward(X) + right, atol=1e-6)
    with pytest.raises(ValueError, match="no last step"):
        layer.last(X)


def test_probes_stand_in_the_order_of_time_for_both_directions():
    layer = both_ways(4, cell="suite.layers.elman:Elman")
    plain = layer(X).numpy()
    pulse = np.zeros((5, 3, 4), np.float32)
    pulse[2] = 1.0
    ahead = layer(X, probes=(pulse, 0 * pulse)).numpy() - plain
    behind = layer(X, probes=(0 * pulse, pulse)).numpy() - plain
    reached = lambda change: np.any(np.abs(change) > 1e-6, axis=(0, 2)).tolist()
    assert reached(ahead[:, :, :4]) == [False, False, True, True, True]
    assert reached(behind[:, :, 4:]) == [True, True, True, False, False]
    assert not np.any(ahead[:, :, 4:])
    assert not np.any(behind[:, :, :4])
    assert layer.backward_states() == (False, True)


def test_an_unknown_merge_is_refused():
    with pytest.raises(ValueError, match="merge must be one of concat, sum, got 'product'"):
        Bidirectional(4, cell=CELL, merge="product")
