"""Rows of many lengths: which padded lengths waste least, and epochs of batches whose rows are about equally long."""

import numpy as np

from suite.seeding import generator
from suite.task import MOST_SHAPES, Array


def padded_lengths(training: Array, longest: int, *, most: int = MOST_SHAPES) -> tuple[int, ...]:
    """Return the `most` padded lengths, or fewer, that pad the rows of training (lengths, (rows,)) least; the last holds `longest`.

    Exact: the best cut of the sorted lengths, found from the shortest on.
    """
    sizes, counts = np.unique(training, return_counts=True)
    beyond = longest > sizes[-1]
    pieces = min(most - int(beyond), len(sizes))
    if pieces < 1:
        raise ValueError(f"expected room for at least {1 + int(beyond)} lengths, got {most}")
    below = np.concatenate([[0], np.cumsum(counts)])  # rows shorter than each size, and all
    cost = np.concatenate([[0.0], np.full(len(sizes), np.inf)])  # steps of the rows so far, cut into so many pieces
    chosen = []
    for _ in range(pieces):
        # the last piece holds sizes[i:j] and is padded to sizes[j - 1]
        tried = cost[:, None] + np.where(np.tri(len(below), k=-1).T, sizes[np.arange(len(below)) - 1] * (below - below[:, None]), np.inf)
        chosen.append(tried.argmin(axis=0))
        cost = tried.min(axis=0)
    end, found = len(sizes), []
    for before in reversed(chosen):
        found.append(int(sizes[end - 1]))
        end = int(before[end])
    return (*reversed(found), *([longest] if beyond else []))


def epoch(bucket: Array, batch_size: int, *axes: str | int) -> Array:
    """Return the rows of one epoch as (batches, batch_size): at random, but with neighbours in `bucket` (rows,) together.

    The rows that fill no batch are left out, other ones in each epoch. With fewer rows than `batch_size` there is one batch, of them all.
    """
    rng = generator(*axes)
    order = rng.permutation(len(bucket))
    if len(order) < batch_size:
        return order[None]
    order = order[: len(order) // batch_size * batch_size]
    rows = order[np.argsort(bucket[order], kind="stable")].reshape(-1, batch_size)
    return rows[rng.permutation(len(rows))]
