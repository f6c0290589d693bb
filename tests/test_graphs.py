"""Graphs by shape: each traced once, right for every shape, and nothing that TensorFlow takes for an accident."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from suite.graphs import Graphs, shapes


@pytest.fixture
def said():
    """Return what TensorFlow logs."""
    found = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())
    logger = logging.getLogger("tensorflow")
    logger.addHandler(handler)
    yield found
    logger.removeHandler(handler)


def test_each_shape_has_its_graph_traced_once_and_tensorflow_has_nothing_to_say(said):
    graphs, traced = Graphs(), []

    def double(given, count):
        traced.append(given["x"].shape)
        return 2 * given["x"] + tf.cast(count, tf.float32)

    for times in (1, 2):
        for size in range(1, 13):
            given = {"x": tf.ones((size, 2))}
            found = graphs(("double", shapes(given)), double, given, tf.constant(times))
            np.testing.assert_array_equal(found, np.full((size, 2), 2 + times))
            assert ("double", shapes(given)) in graphs
    assert len(traced) == 12
    assert not said


def test_one_function_of_many_shapes_is_complained_of(said):
    """What the graphs are for: without them, the same calls warn."""

    @tf.function(autograph=False)
    def double(x):
        return 2 * x

    for size in range(1, 13):
        double(tf.ones((size, 2)))
    assert any("triggered tf.function retracing" in one for one in said)


def test_functions_of_one_shape_are_told_apart_by_name_and_keep_the_variables_that_they_read():
    graphs, x = Graphs(), tf.ones(3)

    def scaled(factor):
        variable = tf.Variable(float(factor))
        return lambda given: given * variable

    for name, factor in (("two", 2), ("three", 3)):
        graphs(name, scaled(factor), x)
    assert [float(graphs(name, scaled(0), x)[0]) for name in ("two", "three")] == [2.0, 3.0]
