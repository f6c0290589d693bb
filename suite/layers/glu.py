"""The gated linear unit that makes a linear recurrence nonlinear from one layer to the next."""

from typing import Any

import keras
import tensorflow as tf

from suite.linear_recurrence import product

Tensor = Any


def add_weights(layer: Any, units: int) -> None:
    """Add kernel and bias of the unit to a layer."""
    layer.glu_kernel = layer.add_weight(name="glu_kernel", shape=(units, 2 * units), initializer=keras.initializers.GlorotUniform())
    layer.glu_bias = layer.add_weight(name="glu_bias", shape=(2 * units,), initializer="zeros")


def gated(layer: Any, y: Tensor) -> Tensor:
    """Return a * sigmoid(b) with [a, b] = gelu(y) W + c; y: (time, batch, units).

    Source: Dauphin et al. (2017), arXiv:1612.08083; as state space layers use it: Gu et al. (2022), arXiv:2206.11893.
    """
    a, b = tf.split(product(tf.nn.gelu(y), layer.glu_kernel, layer.glu_bias), 2, axis=-1)
    return a * tf.sigmoid(b)
