"""The base of tasks that read the rows of a corpus: training in epochs, rows of about one length together; other splits once through."""

import functools
import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from suite.seeding import generator
from suite.task import Array, Batch
from tasks.generated import check_request, padded


class Epochs(ABC):
    """A task of numbered rows. A subclass is a frozen dataclass with `members`, `cut`, and, where rows are padded, `bucket`.

    Each epoch of training reads every row once: mixed, sorted by padded length, cut into batches and these mixed again. What
    one length leaves over joins the next one, so that a single batch of an epoch is not full.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    splits: ClassVar[tuple[str, ...]]

    @abstractmethod
    def members(self, split: str) -> Array:
        """Return the numbers of the rows of a split, in its order, (rows,)."""

    @abstractmethod
    def cut(self, split: str, rows: Array) -> Batch:
        """Return these rows of a split, padded to one length."""

    def bucket(self, rows: Array) -> Array:
        """Return which of the padded lengths each of these rows of training needs, (rows,)."""
        return np.zeros(len(rows), int)

    def batches(self, split: str, *, seed: int, batch_size: int, start: int = 0) -> Iterator[Batch]:
        """Return the batches of a split from number `start` on; `seed` matters to training only.

        Raises:
            ValueError: no such split, or a size below 1.
        """
        check_request(self.splits, split, batch_size, start)
        if split == "train":
            return (self._training(seed, index, batch_size) for index in itertools.count(start))
        return self.once(split, batch_size, start)

    def once(self, split: str, batch_size: int, start: int = 0) -> Iterator[Batch]:
        """Return the batches of a split in its order, training too."""
        rows = self.members(split)
        firsts = range(start * batch_size, len(rows), batch_size)
        return (padded(self.cut(split, rows[first : first + batch_size]), batch_size) for first in firsts)

    def _training(self, seed: int, index: int, batch_size: int) -> Batch:
        number, place = divmod(index, -(-len(self.members("train")) // batch_size))
        return padded(self.cut("train", _epoch(self, seed, number, batch_size)[place]), batch_size)


@functools.lru_cache(maxsize=4)
def _epoch(task: Epochs, seed: int, number: int, batch_size: int) -> list[Array]:
    """Return the rows of each batch of an epoch."""
    rng = generator(task.name, task.version, "train", seed, number)
    mixed = rng.permutation(task.members("train"))
    alike = mixed[np.argsort(task.bucket(mixed), kind="stable")]
    batches = [alike[first : first + batch_size] for first in range(0, len(alike), batch_size)]
    return [batches[place] for place in rng.permutation(len(batches))]


def padding_share(used: Any, given: Any) -> float:
    """Return the share of padding where rows use so many steps of those that they are given, by row."""
    return 1 - float(np.sum(used)) / float(np.sum(given))
