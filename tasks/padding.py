"""The few lengths that rows are padded to: those that cost the least padding."""

import numpy as np

from suite.task import MOST_SHAPES, Array


def padded_lengths(lengths: Array, longest: int, *, most: int = MOST_SHAPES) -> tuple[int, ...]:
    """Return at most `most` lengths, the last one `longest`, so that rows of these lengths get the fewest steps of padding.

    Exact, by dynamic programming over the lengths that occur: cost[k] is the least for the rows up to length k.
    """
    known, rows = np.unique(np.r_[lengths, longest], return_counts=True)
    rows[-1] -= 1  # `longest` need not occur
    before = np.r_[0, np.cumsum(rows)]
    cost = before[1:] * known  # with one length
    chosen = []
    for _ in range(min(most, len(known)) - 1):
        step = np.r_[0, cost][:, None] + (before[1:] - before[:, None]) * known
        step[np.tril_indices_from(step, -1)] = np.iinfo(step.dtype).max  # the part before ends before this one
        chosen.append(step[: len(known)].argmin(axis=0))
        cost = step.min(axis=0)
    last, found = len(known), []
    for parts in reversed([np.zeros(len(known), int), *chosen]):
        if last:
            found.append(int(known[last - 1]))
            last = int(parts[last - 1])
    return tuple(reversed(found))
