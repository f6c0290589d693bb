"""The base of generated tasks: turns `rows(rng, count)` into batches, endless for training and fixed elsewhere."""

import dataclasses
import functools
import hashlib
import inspect
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from suite.seeding import generator
from suite.task import Array, Baseline, Batch, Card, Meter, Metric, Spec

CHUNK = 64  # rows drawn at once in fixed splits: row k is the same for every batch size
DRAWN = 512  # rows drawn at once in training, a few batches
PROBE_ROWS = 32
DIGEST_ROWS = 32


@dataclass(frozen=True, kw_only=True)
class Generated(ABC):
    """A task whose rows come from a generator seeded by (name, version, split, seed, index).

    A subclass gives `name`, `version`, `spec`, `rows`, `metrics`, `meter`, `baselines`; splits that differ from
    training override `drawn`. Where rows have a mask, batches are cut to the shortest of `spec.lengths` that holds them.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    splits: ClassVar[tuple[str, ...]] = ("train", "validation", "test", "probe")
    main: ClassVar[str] = "loss"
    selects: ClassVar[str] = "loss"
    balance: ClassVar[Mapping[str, float]] = {}
    notes: ClassVar[str] = ""

    validation_rows: int = 1_000
    test_rows: int = 4_000  # of each split whose name starts with test

    def __post_init__(self) -> None:
        for name in ("validation_rows", "test_rows"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")

    @property
    @abstractmethod
    def spec(self) -> Spec: ...
    @property
    def solved(self) -> tuple[str, float] | None:
        return None

    @abstractmethod
    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        """Return `count` rows: whole, unpadded, every target weighed as in training."""

    @abstractmethod
    def metrics(self, split: str) -> Mapping[str, Metric]: ...
    @abstractmethod
    def meter(self, split: str) -> Meter: ...
    @abstractmethod
    def baselines(self) -> Mapping[str, Baseline]: ...

    def drawn(self, split: str, rng: np.random.Generator, count: int) -> Batch:
        """Return `count` rows of this split; by default all splits are alike."""
        return self.rows(rng, count)

    def batches(self, split: str, *, seed: int, batch_size: int, start: int = 0) -> Iterator[Batch]:
        """Return the batches of a split from number `start` on; `seed` matters to training only.

        Raises:
            ValueError: no such split, or a size below 1.
        """
        check_request(self.splits, split, batch_size, start)
        if split == "train":
            return (self._training(seed, index, batch_size) for index in itertools.count(start))
        firsts = range(start * batch_size, self.sizes[split], batch_size)
        return (self._fixed(split, first, batch_size) for first in firsts)

    @property
    def sizes(self) -> dict[str, int]:
        """Rows of every split; 0 for training, which never ends."""
        counts = {"train": 0, "validation": self.validation_rows, "probe": PROBE_ROWS}
        return {split: counts.get(split, self.test_rows) for split in self.splits}

    def digest(self) -> str:
        return _digest(self)

    def describe(self) -> Card:
        source = (inspect.getdoc(type(self)) or "").partition("Source:")[2].partition("\n\n")[0]
        return Card(" ".join(source.split()), "generated", self.sizes, self.balance, self.digest(), self.notes)

    def tiny(self) -> Self:
        return dataclasses.replace(self, validation_rows=10, test_rows=10)

    def _training(self, seed: int, index: int, batch_size: int) -> Batch:
        number, place = divmod(index, _drawn_at_once(batch_size))
        rows = slice(place * batch_size, (place + 1) * batch_size)
        return trimmed(each(lambda array: array[rows], _drawn(self, self.version, seed, number, batch_size)), self.spec)

    def _fixed(self, split: str, first: int, batch_size: int) -> Batch:
        last = min(first + batch_size, self.sizes[split])
        numbers = range(first // CHUNK, (last - 1) // CHUNK + 1)
        joined = together(np.concatenate, [_chunk(self, split, number) for number in numbers])
        offset = numbers.start * CHUNK
        rows = each(lambda array: array[first - offset : last - offset], joined)
        if split == "probe":
            rows = rows._replace(weight=one_target(rows.weight))
        return padded(trimmed(rows, self.spec), batch_size)


@functools.lru_cache(maxsize=2)
def _drawn(task: Generated, version: int, seed: int, number: int, batch_size: int) -> Batch:
    return task.drawn("train", generator(task.name, version, "train", seed, number), _drawn_at_once(batch_size) * batch_size)


def _drawn_at_once(batch_size: int) -> int:
    """Return for how many batches of training rows are drawn together: a call of numpy costs more than the few rows of one batch."""
    return max(1, DRAWN // batch_size)


@functools.lru_cache(maxsize=16)
def _chunk(task: Generated, split: str, number: int) -> Batch:
    return task.drawn(split, generator(task.name, task.version, split, 0, number), CHUNK)


@functools.lru_cache(maxsize=256)
def _digest(task: Generated) -> str:
    return sha256(next(task.batches("train", seed=0, batch_size=DIGEST_ROWS)))


def check_request(splits: Sequence[str], split: str, batch_size: int, start: int) -> None:
    """Refuse batches that no task can give.

    Raises:
        ValueError: no such split, or a size below 1.
    """
    if split not in splits:
        raise ValueError(f"split must be one of {', '.join(splits)}, got {split!r}")
    if batch_size < 1 or start < 0:
        raise ValueError(f"expected batch_size >= 1 and start >= 0, got {batch_size} and {start}")


def sha256(batch: Batch) -> str:
    """Return the sha256 of what a batch holds: names, types, shapes and bytes."""
    found = hashlib.sha256()
    for name, array in {**batch._asdict(), **(batch.extra or {}), "extra": None}.items():
        if array is not None:
            found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def together(function: Callable[[list[Array]], Array], batches: Sequence[Batch]) -> Batch:
    """Return one batch, each field made by `function` from that field of all batches."""
    fields: dict[str, Any] = {}
    for name in Batch._fields[:-1]:
        arrays = [getattr(batch, name) for batch in batches]
        fields[name] = None if arrays[0] is None else function(arrays)
    extras = [batch.extra for batch in batches if batch.extra is not None]
    extra = {name: function([found[name] for found in extras]) for name in extras[0]} if extras else None
    return Batch(**fields, extra=extra)


def each(function: Callable[[Array], Array], batch: Batch) -> Batch:
    """Return the batch with `function` applied to every array of it."""
    return together(lambda arrays: function(arrays[0]), [batch])


def padded(batch: Batch, batch_size: int) -> Batch:
    """Return `batch_size` rows: the first row repeated with weight 0 behind those that are there.

    A repeated row is an ordinary input: nothing fully masked ever reaches a model.
    """
    have = len(batch.x)
    if have == batch_size:
        return batch
    index = np.r_[np.arange(have), np.zeros(batch_size - have, int)]
    longer = each(lambda array: array[index], batch)
    weight = longer.weight.copy()
    weight[have:] = 0
    return longer._replace(weight=weight)


def trimmed(batch: Batch, spec: Spec) -> Batch:
    """Return the batch cut to the shortest of the lengths of `spec` that holds every valid step of it."""
    if batch.mask is not None:
        time = _shortest(batch.mask, spec.lengths)
        batch = batch._replace(x=batch.x[:, :time], mask=batch.mask[:, :time])
        if spec.kind == "steps":
            batch = batch._replace(y=batch.y[:, :time], weight=batch.weight[:, :time])
    if batch.target_in is not None:
        time = _shortest(batch.weight > 0, spec.target_lengths)
        batch = batch._replace(y=batch.y[:, :time], weight=batch.weight[:, :time], target_in=batch.target_in[:, :time])
    return batch


def one_target(weight: Array) -> Array:
    """Return weights of 1 on the last weighted target of each row, and 0 elsewhere."""
    if weight.ndim == 1:
        return (weight > 0).astype(np.float32)
    last = weight.shape[1] - 1 - np.argmax(weight[:, ::-1] > 0, axis=1)
    single = np.zeros_like(weight, dtype=np.float32)
    single[np.arange(len(weight)), last] = 1
    return single


def _shortest(valid: Array, lengths: tuple[int, ...]) -> int:
    needed = int(np.flatnonzero(valid.any(axis=0)).max(initial=0)) + 1
    return min(length for length in lengths if length >= needed)
