"""Character language modelling: the next character of a running text."""

import functools
import math
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from typing import ClassVar

import numpy as np

from suite.seeding import generator
from suite.task import Array, Baseline, Batch, Card, Meter, Metric, Prediction, Spec
from tasks.corpora import CORPORA
from tasks.generated import PROBE_ROWS, check_request, one_target, padded
from tasks.meters import Means, loss
from tasks.ngram import TOO_MANY, NGram, NGramGuess
from tasks.text import OFFLINE, TEXTS, Characters, Ids, blocks, characters
from tasks.user_files import Source
from tasks.windows import sliding

FLOORS = {"unigram": 1, "bigram": 2}
ORDERS = {**FLOORS, "3-gram": 3, "4-gram": 4, "5-gram": 5}


@dataclass(frozen=True, kw_only=True)
class CharLM:
    """Predict the next character, the same windows and the same context for every architecture.

    x: T h e _ c a        both (batch, window); training draws windows anywhere in the first 90 % of the text
    y: h e _ c a t        validation and test slide by half a window, each row afresh, and weigh the second half
                          (the first window: all of it): every character counts once, behind window / 2 others or more

    `carried` is truncated backpropagation through time on a stream: row r of a batch goes on in the next one, its state
    carried, afresh at the start of each pass (`reset`), each pass from a little further on. It is evaluated like the other.

    `corpus`: pydoc (CPython's own reference text without repeated paragraphs; no download), tinyshakespeare, ptb (official
    splits), text8, enwik8 (by bytes; these two stay on disk); `path`: a text of yours in UTF-8, or with `in_bytes` any file.

    Source: Bai et al. (2018), arXiv:1803.01271; Karpathy (2015), karpathy.github.io/2015/05/21/rnn-effectiveness.
    """

    name: ClassVar[str] = "charlm"
    version: ClassVar[int] = 1
    splits: ClassVar[tuple[str, ...]] = ("train", "validation", "test", "probe")
    main: ClassVar[str] = "bits"
    selects: ClassVar[str] = "loss"
    solved: ClassVar[None] = None

    corpus: str = OFFLINE
    path: Source | None = field(default=None, metadata={"key": False})
    window: int = 100
    carried: bool = False
    limit: int | None = None  # the first characters only
    in_bytes: bool = False

    def __post_init__(self) -> None:
        if self.corpus != OFFLINE and self.corpus not in TEXTS:
            raise ValueError(f"corpus must be {OFFLINE} or one of {', '.join(TEXTS)}, got {self.corpus!r}")
        if self.window < 2 or self.window % 2:
            raise ValueError(f"window must be an even number of characters, 2 or more, got {self.window}")
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"limit must be at least 1 character, got {self.limit}")
        if self.in_bytes and self.path is None:
            raise ValueError(f"in_bytes must be False where no path is given: {self.corpus} has its own symbols, got {self.in_bytes}")

    @cached_property
    def spec(self) -> Spec:
        vocabulary = self._text.vocabulary
        return Spec(
            kind="steps",
            loss="categorical",
            inputs=vocabulary,
            outputs=vocabulary,
            tokens=True,
            causal=True,
            carried=self.carried,
            length=self.window,
            longest=self.window,
            lengths=(self.window,),
        )

    @property
    def _symbol(self) -> str:
        return "byte" if self.in_bytes or (self.path is None and self.corpus == "enwik8") else "character"

    @property
    def _text(self) -> Characters:
        """The text as ids.

        Raises:
            ValueError: the corpus is not here, or is too short for one window in every split.
        """
        found = characters(self.corpus, self.path, self.limit, self.in_bytes)
        if (shortest := min(map(len, found.parts.values()))) <= self.window:
            raise ValueError(f"every split must hold more than one window of {self.window} characters, got {shortest}")
        return found

    def batches(self, split: str, *, seed: int, batch_size: int, start: int = 0) -> Iterator[Batch]:
        """Return the batches of a split from number `start` on; `seed` matters to training only.

        Raises:
            ValueError: no such split, a size below 1, or a text too short for so many rows.
        """
        check_request(self.splits, split, batch_size, start)
        if split == "train":
            if self.carried and not self._windows(batch_size):
                raise ValueError(f"{batch_size} rows of {self.window} characters need a longer text than {len(self._text.parts['train'])}")
            draw = self._streamed if self.carried else self._anywhere
            return (draw(seed, index, batch_size) for index in count(start))
        starts, weight = self._fixed(split)
        return (self._slid(split, starts, weight, first, batch_size) for first in range(start * batch_size, len(starts), batch_size))

    def _anywhere(self, seed: int, index: int, batch_size: int) -> Batch:
        train = self._text.parts["train"]
        starts = generator(self.name, self.version, "train", seed, index).integers(0, len(train) - self.window, batch_size)
        return self._cut(train, starts)

    def _streamed(self, seed: int, index: int, batch_size: int) -> Batch:
        """Return window `index` of `batch_size` parallel streams; every pass begins a little elsewhere."""
        train = self._text.parts["train"]
        epoch, number = divmod(index, self._windows(batch_size))
        offset = int(generator(self.name, self.version, "stream", seed, epoch).integers(0, self.window))
        stride = (len(train) - 1 - self.window) // batch_size
        starts = offset + np.arange(batch_size) * stride + number * self.window
        return self._cut(train, starts)._replace(reset=np.full(batch_size, number == 0))

    def _windows(self, batch_size: int) -> int:
        """Windows of one pass over the training text in `batch_size` streams."""
        return (len(self._text.parts["train"]) - 1 - self.window) // batch_size // self.window

    def _slid(self, split: str, starts: Array, weight: Array, first: int, batch_size: int) -> Batch:
        rows = slice(first, first + batch_size)
        batch = self._cut(self._text.parts[_part(split)], starts[rows])._replace(weight=weight[rows])
        if self.carried:
            batch = batch._replace(reset=np.ones(len(batch.x), bool))
        return padded(batch, batch_size)

    def _fixed(self, split: str) -> tuple[Array, Array]:
        """Return where the windows of a split begin, and which of their characters count; the last one ends with the split."""
        final = len(self._text.parts[_part(split)]) - 1 - self.window
        if split == "probe":
            starts = np.linspace(0, final, PROBE_ROWS).astype(int)
            return starts, one_target(np.ones((PROBE_ROWS, self.window), np.float32))
        return sliding(final, self.window, whole_first=True)

    def _cut(self, text: Ids, starts: Array) -> Batch:
        x = text[starts[:, None] + np.arange(self.window)]
        y = text[starts[:, None] + np.arange(1, self.window + 1)]
        return Batch(x=x, y=y, weight=np.ones(x.shape, np.float32))

    def metrics(self, split: str) -> Mapping[str, Metric]:
        nats = _floors(self, split)
        bits = {name: value / math.log(2) for name, value in nats.items()}
        why = f"measured here: the share of each {self._symbol}; what follows the present one (no memory)"
        return {
            "loss": Metric(f"nats per {self._symbol}", "min", nats, 0.0, why),
            "bits": Metric(f"bits per {self._symbol}", "min", bits, 0.0, why),
        }

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "bits": bits})

    def baselines(self) -> Mapping[str, Baseline]:
        orders = {name: order for name, order in ORDERS.items() if self.spec.inputs**order < TOO_MANY}
        longest = max(orders.values())
        counted = {name: max(FLOORS.values()) if name in FLOORS else longest for name, order in orders.items()}
        return {name: NGramGuess(functools.partial(_counts, self, counted[name]), order) for name, order in orders.items()}

    def digest(self) -> str:
        return self._text.sha256

    def describe(self) -> Card:
        text = self._text
        sizes = {split: len(self._fixed(split)[0]) for split in self.splits[1:]}
        parts = ", ".join(f"{len(ids):,} {split}" for split, ids in text.parts.items())
        notes = f"{self._symbol}s: {parts}; vocabulary {text.vocabulary}"
        if self.path is not None:
            return Card(str(self.path), "the user's", {"train": 0, **sizes}, {}, text.sha256, notes)
        if self.corpus == OFFLINE:
            source = f"pydoc_data.topics of Python {platform.python_version()}, docs.python.org/3/reference"
            return Card(source, "PSF-2.0", {"train": 0, **sizes}, {}, text.sha256, notes)
        corpus = CORPORA[self.corpus]
        return Card(corpus.source, corpus.licence, {"train": 0, **sizes}, {}, text.sha256, notes)

    def tiny(self) -> "CharLM":
        return replace(self, corpus=OFFLINE, path=None, in_bytes=False, window=8, limit=4_000)


def bits(batch: Batch, prediction: Prediction) -> tuple[Array, Array]:
    """Return the loss in bits."""
    return prediction.loss / math.log(2), batch.weight


def _part(split: str) -> str:
    return "validation" if split == "probe" else split


@functools.lru_cache(maxsize=8)
def _counts(task: CharLM, order: int) -> NGram:
    text = task._text
    return NGram(text.parts["train"], vocabulary=text.vocabulary, order=order)


@functools.lru_cache(maxsize=64)
def _floors(task: CharLM, split: str) -> dict[str, float]:
    """Measure what needs no memory, on every character of a split (of validation, for the probe)."""
    ids = task._text.parts[_part(split)]
    counts = _counts(task, max(FLOORS.values()))
    totals = dict.fromkeys(FLOORS, 0.0)
    for block in blocks(ids, ahead=1):
        for name, order in FLOORS.items():
            totals[name] += float(counts.predict(block[None, :-1], block[None, 1:], order).loss.sum())
    return {name: total / (len(ids) - 1) for name, total in totals.items()}
