"""Which rows train, which validate and which test, where a corpus does not say."""

import numpy as np

from suite.seeding import generator
from suite.task import Array

TENTHS = 10


def tenths(labels: Array, groups: Array, *axes: str | int) -> Array:
    """Return the tenth, 0 to 9, that each row falls into, (rows,), at random but for the seed's axes.

    Rows of one group stay together where there are groups; otherwise each tenth holds the classes in equal shares.
    """
    if groups.any():
        names, member = np.unique(groups, return_inverse=True)
        order = generator(*axes).permutation(len(names))
        size = np.bincount(member)[order]
        middle = np.cumsum(size) - size / 2  # of the rows that each group fills
        of_group = np.empty(len(names), int)
        of_group[order] = (TENTHS * middle / len(labels)).astype(int)
        return of_group[member]
    found = np.zeros(len(labels), int)
    for kind in np.unique(labels):
        rows = np.flatnonzero(labels == kind)
        found[generator(*axes, int(kind)).permutation(rows)] = TENTHS * np.arange(len(rows)) // len(rows)
    return found
