"""Dropout whose rate is a value that may change between two steps, not a constant of the graph."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops


class Dropout(keras.layers.Layer):
    """Set a share `rate` of the elements to zero while training, and scale the others by 1 / (1 - rate).

    `rate` is a scalar variable (assign it: Keras's own layer refuses a variable); the state of the random numbers is a
    variable too, so that whoever resets `model.variables` repeats the same masks. Nothing is drawn while the rate is 0.

    x: any shape.  Source: Srivastava et al. (2014), JMLR 15:1929.
    """

    def __init__(self, seed: int, **options: Any) -> None:
        super().__init__(**options)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)
        self.rate = self.add_weight(name="rate", shape=(), initializer="zeros", dtype="float32", trainable=False, autocast=False)
        self.built = True

    def call(self, x: Any, training: bool = False) -> Any:
        if not training:
            return x
        rate = ops.convert_to_tensor(self.rate)

        def dropped() -> Any:
            kept = _uniform(ops.shape(x), self.generator.next()) >= rate
            return ops.where(kept, x, ops.zeros_like(x)) * ops.cast(1.0 / (1.0 - rate), x.dtype)

        return ops.cond(rate > 0.0, dropped, lambda: x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


def _uniform(shape: Any, state: Any) -> Any:
    """Return numbers in [0, 1] from a state of (key, draws so far): the same in an XLA program and in a plain graph.

    Uniform floats differ between the two, random bits do not.
    """
    key, draws = tf.split(tf.cast(state, tf.uint64), 2)
    counter = tf.concat([tf.zeros_like(draws), draws], axis=0)  # the upper word: no two draws overlap
    bits = tf.raw_ops.StatelessRandomUniformFullIntV2(shape=shape, key=key, counter=counter, alg=1, dtype=tf.int32)
    return tf.cast(bits, tf.float32) * 2.0**-32 + 0.5
