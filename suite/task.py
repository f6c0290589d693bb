"""The contract of a task: what it gives, how it is scored, and all that a model may know of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Score = float | tuple[tuple[float, float], ...]  # a number, or a curve over length or the like

NEEDS = frozenset({"probabilities", "greedy", "beam4", "attention"})
MOST_SHAPES = 8


class Batch(NamedTuple):
    """Rows of a split, always `batch_size` of them; padding rows weigh 0.

    `x` is int32 (batch, time) or float32 (batch, time, features). `y` is (batch,), (batch, outputs), (batch, time) or
    (batch, time, outputs); of kind "sequence" it ends with the stop symbol. `weight` is (batch,) or (batch, time), for
    the loss and for the scores alike; vector targets are summed over outputs.
    """

    x: Array
    y: Array
    weight: Array
    mask: Array | None = None  # (batch, time) bool: the valid input steps
    target_in: Array | None = None  # (batch, target time) int32, kind "sequence": y shifted right behind the start symbol
    reset: Array | None = None  # (batch,) bool: drop the carried state before this batch
    extra: Mapping[str, Array] | None = None  # for meters and baselines only: raw words, bucket, ids


@dataclass(frozen=True, kw_only=True)
class Spec:
    """All that a model may know of a task."""

    kind: Literal["once", "steps", "sequence"]
    loss: Literal["categorical", "binary", "squared"]
    inputs: int  # size of the vocabulary if `tokens`, else features a step
    outputs: int
    tokens: bool
    causal: bool = False  # may read only the past
    carried: bool = False  # row r continues in the next batch
    length: int  # longest in training
    longest: int  # longest in any split
    lengths: tuple[int, ...]  # the only padded lengths; with target_lengths at most 8 (pairs): they bound compilations
    target_lengths: tuple[int, ...] = ()
    start: int = 0  # symbols of kind "sequence"
    stop: int = 0
    needs: frozenset[str] = field(default_factory=frozenset)  # what the meter asks for, out of NEEDS

    @property
    def embeds(self) -> bool:
        """Whether any symbols are read, of the source or of the target, that a table can hold."""
        return self.tokens or self.kind == "sequence"

    def __post_init__(self) -> None:
        if self.kind not in ("once", "steps", "sequence"):
            raise ValueError(f"kind must be once, steps or sequence, got {self.kind!r}")
        if self.loss not in ("categorical", "binary", "squared"):
            raise ValueError(f"loss must be categorical, binary or squared, got {self.loss!r}")
        for name in ("inputs", "outputs", "length", "longest"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.length > self.longest:
            raise ValueError(f"length must not exceed longest ({self.longest}), got {self.length}")
        if not self.lengths or max(self.lengths) < self.longest:
            raise ValueError(f"lengths must cover the longest row ({self.longest}), got {self.lengths}")
        if (self.kind == "sequence") != bool(self.target_lengths):
            raise ValueError(f"target_lengths belong to kind 'sequence' and to no other, got {self.target_lengths} for {self.kind!r}")
        if len(self.lengths) > MOST_SHAPES or len(self.target_lengths) > MOST_SHAPES:
            raise ValueError(f"at most {MOST_SHAPES} padded lengths, got {max(len(self.lengths), len(self.target_lengths))}")
        if self.kind == "sequence" and self.loss != "categorical":
            raise ValueError(f"kind 'sequence' has a categorical loss, got {self.loss!r}")
        if self.carried and self.kind != "steps":
            raise ValueError(f"carried windows belong to kind 'steps', got {self.kind!r}")
        if unknown := self.needs - NEEDS:
            raise ValueError(f"needs must be out of {sorted(NEEDS)}, got {sorted(unknown)}")


class Prediction(NamedTuple):
    """What a model or a baseline says of a batch, as numpy arrays shaped like its targets.

    `loss` is per target, unweighted, in nats or squared units; NaN where undefined.
    """

    loss: Array
    best: Array  # class ids, or the predicted values
    probabilities: Array | None = None  # (..., outputs)
    decoded: Mapping[str, Array] | None = None  # "greedy", "beam4" -> ids, filled with the stop symbol
    attention: Array | None = None


class Metric(NamedTuple):
    """A score with its ends: what can be had for nothing, and what perfection gets."""

    unit: str
    better: Literal["max", "min"]
    floors: Mapping[str, float]  # "memoryless", "counts only", ...: the score uses the best of them
    ceiling: float
    why: str  # how floors and ceiling follow
    final: bool = False  # needs decoding: only for finalists and in evaluation

    @property
    def floor(self) -> float:
        """The best of the floors: what a model must beat before its score means anything."""
        return max(self.floors.values()) if self.better == "max" else min(self.floors.values())

    def normalised(self, value: float) -> float:
        """Return 0 at the floor or below (NaN included), 1 at the ceiling or above."""
        if np.isnan(value):
            return 0.0
        return float(np.clip((value - self.floor) / (self.ceiling - self.floor), 0.0, 1.0))


class Card(NamedTuple):
    """The card of a data set.

    `maps` names the curves of the test split that are tables, such as what a model attends to: what its rows and what its
    columns are. Value k of such a curve stands in row k // columns and column k % columns.
    """

    source: str  # where it comes from: author, year, address
    licence: str
    sizes: Mapping[str, int]  # split -> rows (0: endless)
    balance: Mapping[str, float]  # class -> share, where there are classes
    digest: str
    notes: str = ""
    maps: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}


class Meter(Protocol):
    """Accumulates the scores of one pass over a split."""

    def update(self, batch: Batch, prediction: Prediction) -> None: ...
    def result(self) -> Mapping[str, Score]: ...


class Baseline(Protocol):
    """A predictor fitted without gradients. A metric that it cannot define is left out of the meter's result."""

    def predict(self, batch: Batch) -> Prediction: ...


@runtime_checkable
class Task(Protocol):
    """A frozen dataclass whose fields are its configuration; a field that is a path is marked `metadata={"key": False}`.

    Split `train` iterates for ever; every other split is fixed: once through, seed 0, row k the same for every batch
    size. `start` skips that many batches, exactly. `probe` weighs one target a row, which defines lag. The data depend
    on (task, split, seed), never on the architecture.
    """

    def __hash__(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def spec(self) -> Spec: ...
    @property
    def splits(self) -> tuple[str, ...]: ...  # train, validation, test, probe, and e.g. test/length
    @property
    def main(self) -> str: ...  # the metric reported
    @property
    def selects(self) -> str: ...  # the metric chosen on
    @property
    def solved(self) -> tuple[str, float] | None: ...  # a metric computed at every validation, and its threshold

    def batches(self, split: str, *, seed: int, batch_size: int, start: int = 0) -> Iterator[Batch]: ...
    def metrics(self, split: str) -> Mapping[str, Metric]: ...
    def meter(self, split: str) -> Meter: ...
    def baselines(self) -> Mapping[str, Baseline]: ...
    def digest(self) -> str: ...  # sha256 of the corpus, or of the first generated training batch (seed 0, 32 rows)
    def describe(self) -> Card: ...
    def tiny(self) -> "Task": ...  # for tests
