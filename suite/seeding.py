"""Seeds by axis: the bits depend on the named axes and on nothing else."""

import hashlib
import json

import numpy as np


def seed(*axes: str | int) -> int:
    """Return 128 bits that change with any of the axes (canonical names and integers) and with nothing else.

    Raises:
        ValueError: an axis is neither a string nor an integer (a `repr` would re-seed everything when a class gains a field).
    """
    for axis in axes:
        if isinstance(axis, bool) or not isinstance(axis, (str, int)):
            raise ValueError(f"a seed axis must be a string or an integer, got {axis!r}")
    text = json.dumps(axes, ensure_ascii=True, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


def generator(*axes: str | int) -> np.random.Generator:
    """Return a fresh random generator for these axes."""
    return np.random.Generator(np.random.PCG64(seed(*axes)))
