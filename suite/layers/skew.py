"""Skew-symmetric matrices from their upper triangle, and the orthogonal matrices that they make."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from suite.initializers import Initializer

Tensor = Any


def size(units: int) -> int:
    """Return the number of entries above the diagonal."""
    return units * (units - 1) // 2


def matrix(triangle: Tensor, units: int) -> Tensor:
    """Return A = -A^T (units, units), whose entries above the diagonal are given row by row; at least in float32."""
    if triangle.dtype not in ("float32", "float64"):
        triangle = ops.cast(triangle, "float32")  # below, A would be skew but exp(A) not orthogonal
    upper = ops.scatter(np.stack(np.triu_indices(units, 1), axis=1), triangle, (units, units))
    return upper - ops.transpose(upper)


@tf.custom_gradient
def exponential(a: Tensor) -> Any:
    """Return exp(a), orthogonal for a skew a; differentiable under XLA too, where the loop inside TensorFlow's own is not.

    The slope along d is the upper right block of exp([[a^T, d], [0, a^T]]) (Najfeld & Havel 1995, doi:10.1006/aama.1995.1017).
    """

    def slope(d: Tensor) -> Tensor:
        units, turned = a.shape[0], tf.transpose(a)
        scale = tf.norm(d)  # linear in d, and a d of size 1 costs no squarings
        block = tf.concat([tf.concat([turned, tf.math.divide_no_nan(d, scale)], 1), tf.concat([tf.zeros_like(a), turned], 1)], 0)
        return tf.linalg.expm(block)[:units, units:] * scale

    return tf.linalg.expm(a), slope


def cayley(a: Tensor) -> Tensor:
    """Return (I + a)^-1 (I - a), orthogonal for a skew a; no eigenvalue is -1."""
    identity = tf.eye(a.shape[0], dtype=a.dtype)
    return tf.linalg.solve(identity + a, identity - a)


def rotations(kind: str, units: int) -> Initializer:
    """Return how a triangle begins: planes (0, 1), (2, 3), ... turned by random angles, and no two planes coupled.

    "henaff" has s ~ U(-pi, pi) as the entry of each plane (Henaff et al. 2016, arXiv:1602.06662); "cayley" has
    s = sqrt((1 - cos t) / (1 + cos t)) with t ~ U(0, pi / 2) (Helfrich et al. 2018, arXiv:1707.09520).
    """
    rows, columns = np.triu_indices(units, 1)
    planes = (columns == rows + 1) & (rows % 2 == 0)
    angles = keras.initializers.RandomUniform(*((-math.pi, math.pi) if kind == "henaff" else (0.0, math.pi / 2)))

    def draw(shape: Sequence[int], dtype: Any = None) -> Any:
        drawn = angles(shape, dtype=dtype)
        entries = drawn if kind == "henaff" else ops.sqrt((1 - ops.cos(drawn)) / (1 + ops.cos(drawn)))
        return ops.where(planes, entries, ops.zeros_like(entries))

    return draw
