"""Chunks of consecutive batches: one graph call takes many steps where a step is small."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from suite.task import Array, Batch, Task

FIELDS = ("x", "y", "weight", "mask", "target_in", "reset")  # what a model may see of a batch
MOST_STEPS = 100
MIXED_STEPS = 8  # where batches of several lengths come in any order: few in a row are alike, and all of a chunk is handed over
MOST_BYTES = 2**24  # of the arrays of a chunk


class Chunk(NamedTuple):
    """Batches of one shape in a row. Every array is (capacity, batch, ...); only the first `steps` entries are filled."""

    arrays: dict[str, Array]
    batches: tuple[Batch, ...]

    @property
    def steps(self) -> int:
        """How many entries are filled."""
        return len(self.batches)

    @property
    def tokens(self) -> int:
        """How many valid tokens its batches hold."""
        return sum(map(tokens, self.batches))

    @property
    def shape(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """What a compilation depends on."""
        return tuple((name, array.shape) for name, array in self.arrays.items())


class Feed:
    """Hands out batches in chunks, never two shapes in one."""

    def __init__(self, batches: Iterator[Batch], *, most_steps: int = MOST_STEPS, most_bytes: int = MOST_BYTES) -> None:
        self.batches = batches
        self.most_steps, self.most_bytes = most_steps, most_bytes
        self.ahead = next(batches, None)

    def take(self, most: int) -> Chunk | None:
        """Return the next chunk, of `most` steps at most, or None behind the last batch."""
        if self.ahead is None:
            return None
        arrays = seen(self.ahead)
        room = capacity(arrays, self.most_steps, self.most_bytes)
        shape = _shape(arrays)
        taken: list[Batch] = []
        stacked = {name: np.zeros((room, *array.shape), array.dtype) for name, array in arrays.items()}
        while self.ahead is not None and len(taken) < min(most, room) and _shape(arrays) == shape:
            for name, array in arrays.items():
                stacked[name][len(taken)] = array
            taken.append(self.ahead)
            self.ahead = next(self.batches, None)
            arrays = seen(self.ahead) if self.ahead is not None else arrays
        return Chunk(stacked, tuple(taken))


def training_feed(task: Task, *, seed: int, batch_size: int) -> Feed:
    """Return the training batches of a task in chunks: of many where all are of one length, of few where they are not."""
    batches = task.batches("train", seed=seed, batch_size=batch_size)
    mixed = any(length < task.spec.length for length in task.spec.lengths)
    return Feed(batches, most_steps=MIXED_STEPS) if mixed else Feed(batches)


def seen(batch: Batch) -> dict[str, Array]:
    """Return the arrays of a batch that a model may see."""
    found = {name: getattr(batch, name) for name in FIELDS}
    return {name: np.asarray(array, np.float32 if name == "weight" else None) for name, array in found.items() if array is not None}


def capacity(arrays: dict[str, Array], most_steps: int, most_bytes: int) -> int:
    """Return how many batches of this shape a chunk holds: `most_steps`, fewer where they would exceed `most_bytes`, 1 at least."""
    size = sum(array.nbytes for array in arrays.values())
    return max(1, min(most_steps, most_bytes // max(size, 1)))


def tokens(batch: Batch) -> int:
    """Return how many steps of a batch are valid, in rows that weigh something: those of the input, and of a target sequence."""
    rows = batch.weight.reshape(len(batch.weight), -1).any(axis=1)
    read = int(rows.sum()) * batch.x.shape[1] if batch.mask is None else int(batch.mask[rows].sum())
    return read + (0 if batch.target_in is None else int((batch.weight > 0).sum()))


def _shape(arrays: dict[str, Array]) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, array.shape) for name, array in arrays.items()]
