"""What this machine can do: the best rate of single matrix products, at the shapes of a case and at a large square."""

import functools
import time
from collections.abc import Sequence

from suite.bench.cases import GATES, Case

SQUARE = 1536
REPEATS = 5


def gemm_peak(case: Case) -> float:
    """Return the highest FLOPs a second of the products over all steps that the case consists of, and of a large square one."""
    rows, wide = case.batch * case.time, GATES[case.cell] * case.units
    products = ((rows, case.features, wide), (rows, case.units, wide), (case.units, rows, wide), (SQUARE, SQUARE, SQUARE))
    return max(_rate(product) for product in products)


@functools.cache
def _rate(product: Sequence[int]) -> float:
    import tensorflow as tf

    rows, inner, columns = product
    a, b = tf.random.normal((rows, inner)), tf.random.normal((inner, columns))
    multiply = tf.function(lambda: tf.matmul(a, b)[0, 0])
    multiply()
    best = float("inf")
    for _ in range(REPEATS):
        begun = time.perf_counter()
        multiply().numpy()
        best = min(best, time.perf_counter() - begun)
    return 2.0 * rows * inner * columns / best
