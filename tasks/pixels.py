"""Pictures of digits, read as a sequence: one pixel or one row at a time."""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from suite.corpus import locate
from suite.seeding import generator
from suite.task import Array, Baseline, Batch, Card, Meter, Metric, Prediction, Spec
from tasks import idx
from tasks.corpora import CORPORA
from tasks.epochs import Epochs
from tasks.generated import PROBE_ROWS
from tasks.guesses import Guess, of_classes
from tasks.meters import Means, accuracy, loss

Corpus = Literal["digits", "mnist"]

CLASSES = 10
SIDES = {"digits": 8, "mnist": 28}
BRIGHTEST = {"digits": 16, "mnist": 255}
DIGITS = "Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, doi:10.24432/C50P49: its test part, in scikit-learn"
HELD_OUT = 5_000  # the last training pictures of MNIST are its validation


class Pictures(NamedTuple):
    """The pictures of a split, row by row."""

    x: Array  # uint8 (pictures, side * side)
    y: Array  # int32 (pictures,)


@dataclass(frozen=True, kw_only=True)
class Pixels(Epochs):
    """Say at the end which digit the picture shows.

    pixels    one pixel a step, from the top left: x (batch, side * side, 1)
    permuted  the same pixels in one random order, the same for every picture (`permutation` is its seed)
    rows      one row of the picture a step: x (batch, side, side)

    x: brightness from 0 to 1. y: (batch,), ten classes. `corpus`: digits (1,797 pictures of 8 x 8, which come with
    scikit-learn; every class split 60/20/20) or mnist (28 x 28; 55,000 train, the last 5,000 validate, 10,000 test).

    Source: Le, Jaitly & Hinton (2015), arXiv:1504.00941; Alpaydin & Kaynak (1998), doi:10.24432/C50P49.
    """

    name: ClassVar[str] = "pixels"
    version: ClassVar[int] = 1
    splits: ClassVar[tuple[str, ...]] = ("train", "validation", "test", "probe")
    main: ClassVar[str] = "accuracy"
    selects: ClassVar[str] = "loss"
    solved: ClassVar[None] = None

    corpus: Corpus = "digits"
    order: Literal["pixels", "permuted", "rows"] = "pixels"
    permutation: int = 0
    limit: int | None = None  # the first pictures of each part only

    def __post_init__(self) -> None:
        if self.corpus not in SIDES:
            raise ValueError(f"corpus must be one of {', '.join(SIDES)}, got {self.corpus!r}")
        if self.order not in ("pixels", "permuted", "rows"):
            raise ValueError(f"order must be pixels, permuted or rows, got {self.order!r}")
        if self.permutation and self.order != "permuted":
            raise ValueError(f"permutation belongs to order 'permuted', got {self.permutation} for {self.order!r}")
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"limit must be at least 1 picture, got {self.limit}")

    @cached_property
    def spec(self) -> Spec:
        side = SIDES[self.corpus]
        time, inputs = (side, side) if self.order == "rows" else (side * side, 1)
        return Spec(
            kind="once", loss="categorical", inputs=inputs, outputs=CLASSES, tokens=False, length=time, longest=time, lengths=(time,)
        )

    @property
    def places(self) -> Array:
        """Which pixel, counted row by row from the top left, comes at each step: (side * side,)."""
        pixels = SIDES[self.corpus] ** 2
        if self.order != "permuted":
            return np.arange(pixels)
        return generator(self.name, self.version, "permutation", pixels, self.permutation).permutation(pixels)

    def members(self, split: str) -> Array:
        rows = np.arange(len(self._part(split).y))
        return rows[:PROBE_ROWS] if split == "probe" else rows

    def cut(self, split: str, rows: Array) -> Batch:
        part = self._part(split)
        x = part.x[rows][:, self.places].astype(np.float32) / BRIGHTEST[self.corpus]
        return Batch(x=x.reshape(len(rows), self.spec.longest, self.spec.inputs), y=part.y[rows], weight=np.ones(len(rows), np.float32))

    def _part(self, split: str) -> Pictures:
        found = _pictures(self.corpus)["validation" if split == "probe" else split]
        return Pictures(found.x[: self.limit], found.y[: self.limit])

    def metrics(self, split: str) -> Mapping[str, Metric]:
        shares, y = self._shares, self._part(split).y[self.members(split)]
        nats, right = float(-np.log(shares[y]).mean()), float((y == shares.argmax()).mean())
        why = "measured here: the commonest class of training; its share of each class as probabilities"
        return {
            "loss": Metric("nats per picture", "min", {"majority": nats}, 0.0, why),
            "accuracy": Metric("share of pictures", "max", {"majority": right}, 1.0, f"{why}; a blind guess gets 1/10"),
        }

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "accuracy": accuracy})

    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "majority": Guess(lambda batch: of_classes(batch.y, self._shares)),
            "nearest centroid": Guess(self._nearest),
            "logistic regression": Guess(self._regression),
        }

    @property
    def _shares(self) -> Array:
        """The share of each class in training, each counted once more than it is there."""
        counted: Array = np.bincount(self._part("train").y, minlength=CLASSES) + 1
        return counted / counted.sum()

    def _nearest(self, batch: Batch) -> Prediction:
        """The class whose mean picture of training is nearest; it has no probabilities, so no loss."""
        distance = ((self._flat(batch)[:, None] - _centroids(self.corpus, self.limit)) ** 2).sum(axis=2)
        return Prediction(loss=np.full(batch.y.shape, np.nan), best=distance.argmin(axis=1))

    def _regression(self, batch: Batch) -> Prediction:
        weights, bias = _regression(self.corpus, self.limit)
        logits = self._flat(batch) @ weights + bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return of_classes(batch.y, odds / odds.sum(axis=1, keepdims=True))

    def _flat(self, batch: Batch) -> Array:
        """Return the pixels (batch, side * side) in the order of the picture."""
        return batch.x.reshape(len(batch.x), -1)[:, np.argsort(self.places)].astype(np.float64)

    def digest(self) -> str:
        return _digest(self)

    def describe(self) -> Card:
        y = self._part("train").y
        balance = {str(digit): float(share) for digit, share in enumerate(np.bincount(y, minlength=CLASSES) / len(y))}
        sizes = {"train": 0, **{split: len(self.members(split)) for split in self.splits[1:]}}
        notes = f"{len(y):,} pictures train, without end, in another order each time"
        if self.order == "permuted":
            order = hashlib.sha256(self.places.astype("<i4").tobytes()).hexdigest()
            notes += f"; permutation seed {self.permutation}, first steps {', '.join(map(str, self.places[:8]))}, sha256 {order[:16]}"
        if self.corpus == "digits":
            return Card(DIGITS, "CC BY 4.0", sizes, balance, self.digest(), notes)
        corpus = CORPORA[self.corpus]
        return Card(corpus.source, corpus.licence, sizes, balance, self.digest(), notes)

    def tiny(self) -> "Pixels":
        return replace(self, corpus="digits", limit=40)


@functools.lru_cache(maxsize=2)
def _pictures(corpus: Corpus) -> Mapping[str, Pictures]:
    if corpus == "digits":
        return _digits()
    folder = locate(CORPORA[corpus])
    train, test = (
        Pictures(*(idx.read(folder / f"{part}-{name}-ubyte.gz") for name in ("images-idx3", "labels-idx1"))) for part in ("train", "t10k")
    )
    cuts = {"train": (train, slice(None, -HELD_OUT)), "validation": (train, slice(-HELD_OUT, None)), "test": (test, slice(None))}
    return {split: Pictures(part.x.reshape(len(part.x), -1)[rows], part.y[rows].astype(np.int32)) for split, (part, rows) in cuts.items()}


def _digits() -> Mapping[str, Pictures]:
    """Split every class 60/20/20 at random, by a seed of its own."""
    from sklearn.datasets import load_digits  # a second that other tasks need not wait for

    x, y = load_digits(return_X_y=True)
    rng = generator(Pixels.name, Pixels.version, "digits")
    rows: dict[str, list[Array]] = {"train": [], "validation": [], "test": []}
    for digit in range(CLASSES):
        shuffled = rng.permutation(np.flatnonzero(y == digit))
        cuts = [round(len(shuffled) * share) for share in (0.6, 0.8)]
        for split, part in zip(rows, np.split(shuffled, cuts), strict=True):
            rows[split].append(part)
    chosen = {split: rng.permutation(np.concatenate(parts)) for split, parts in rows.items()}
    return {split: Pictures(x[kept].astype(np.uint8), y[kept].astype(np.int32)) for split, kept in chosen.items()}


@functools.lru_cache(maxsize=4)
def _centroids(corpus: Corpus, limit: int | None) -> Array:
    """Return the mean picture of each class, (classes, pixels); a class that training lacks is nowhere near."""
    x, y = _training(corpus, limit)
    found = [x[y == digit].mean(axis=0) if (y == digit).any() else np.full(x.shape[1], np.inf) for digit in range(CLASSES)]
    return np.stack(found)


@functools.lru_cache(maxsize=4)
def _regression(corpus: Corpus, limit: int | None) -> tuple[Array, Array]:
    """Return weights (pixels, classes) and bias of a multinomial regression with an L2 penalty of 1 (scikit-learn's default)."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    x, y = _training(corpus, limit)
    with threadpool_limits(1):  # products this small lose tenfold to threads that wait for each other
        found = LogisticRegression(max_iter=5_000, tol=1e-6).fit(x, y)
    weights, bias = np.zeros((x.shape[1], CLASSES)), np.full(CLASSES, -np.inf)
    weights[:, found.classes_], bias[found.classes_] = found.coef_.T, found.intercept_
    return weights, bias


def _training(corpus: Corpus, limit: int | None) -> tuple[Array, Array]:
    part = _pictures(corpus)["train"]
    return part.x[:limit] / BRIGHTEST[corpus], part.y[:limit]


@functools.lru_cache(maxsize=8)
def _digest(task: Pixels) -> str:
    found = hashlib.sha256()
    for split in ("train", "validation", "test"):
        part = task._part(split)
        found.update(split.encode() + part.x.tobytes() + part.y.astype("<i4").tobytes())
    return found.hexdigest()
