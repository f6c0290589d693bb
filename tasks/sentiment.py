"""Sentiment: praise or blame, from a review's words."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from suite.task import Array, Baseline, Batch, Card, Meter, Metric, Prediction, Spec
from tasks.bags import Bag, Fitted, logistic_regression, naive_bayes
from tasks.class_scores import ClassScores, class_metrics
from tasks.corpora import CORPORA
from tasks.epochs import Epochs, padding_share
from tasks.generated import trimmed
from tasks.guesses import Guess, of_classes
from tasks.partition import TENTHS
from tasks.review_rows import Rows, encoded
from tasks.reviews import CLASSES, COLUMNS, INVENTED, READERS, reviews
from tasks.user_files import Source
from tasks.vocabulary import UNKNOWN

OVERLAP = ("rotten-tomatoes", "rt-polarity", "sst2")


@dataclass(frozen=True, kw_only=True)
class Sentiment(Epochs):
    """Say whether a review praises or blames its film.

    x: a  deft  drama  ,  lovely  and  ?  .  .        y: 1        x (batch, time) ids, y (batch,)

    Words that training holds fewer than `least` times are one unknown word (?); padding (.) stands on the right, masked.
    Training takes every row once in each pass, in batches of rows of about one length. `test/shuffled` is `test` with the
    words of each row in another order: what a model loses there, it had from order.

    `corpus`: rotten-tomatoes (snippets; no film is in two splits), rt-polarity (MR), sst2 (sentences), imdb; `path`: your own,
    in UTF-8: .csv, .tsv or .jsonl with `columns` for text and label, or else a label, a blank and a text in each line. Its
    `labels` may be any, two or more; of equal texts the first is kept, so that none is in two splits. sst2 and the test of
    imdb are the official splits. The others are drawn once: 80 % train, 10 % validate, 10 % test, by film where films are known
    (imdb: a tenth of training validates), else with equal shares of the classes. With `fold` 0 to 9 they are those of a
    cross-validation: tenth `fold` tests, the next one validates.

    Source: Pang & Lee (2005), arXiv:cs/0506075; Socher et al. (2013), aclanthology.org/D13-1170; Maas et al. (2011),
    aclanthology.org/P11-1015.
    """

    name: ClassVar[str] = "sentiment"
    version: ClassVar[int] = 1
    splits: ClassVar[tuple[str, ...]] = ("train", "validation", "test", "test/shuffled", "probe")
    main: ClassVar[str] = "accuracy"
    selects: ClassVar[str] = "loss"
    solved: ClassVar[None] = None

    corpus: str = "rotten-tomatoes"
    path: Source | None = field(default=None, metadata={"key": False})
    labels: tuple[str, ...] = CLASSES  # of your own file, by class
    columns: tuple[str, str] = COLUMNS
    fold: int | None = None
    least: int = 2
    longest: int = 200  # words of a review that are kept, its first ones

    def __post_init__(self) -> None:
        if self.corpus not in READERS:
            raise ValueError(f"corpus must be one of {', '.join(READERS)}, got {self.corpus!r}")
        if self.fold is not None and self.fold not in range(TENTHS):
            raise ValueError(f"fold must be 0 to {TENTHS - 1}, or None for the one split, got {self.fold}")
        if len(self.labels) < 2 or len(set(self.labels)) < len(self.labels):
            raise ValueError(f"labels must be two or more, all different, got {self.labels}")
        if self.path is None and (self.labels, self.columns) != (CLASSES, COLUMNS):
            raise ValueError(
                f"labels and columns are those of your own file: path must name it, got none for {self.labels}, {self.columns}"
            )
        if len(self.columns) != 2 or self.columns[0] == self.columns[1]:
            raise ValueError(f"columns must be that of the text and that of the label, got {self.columns}")
        for name in ("least", "longest"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")

    @cached_property
    def spec(self) -> Spec:
        rows = _rows(self)
        return Spec(
            kind="once",
            loss="categorical",
            inputs=rows.ids,
            outputs=len(self.labels),
            tokens=True,
            length=rows.lengths[-1],
            longest=rows.lengths[-1],
            lengths=rows.lengths,
            needs=frozenset({"probabilities"}),
        )

    def members(self, split: str) -> Array:
        return _rows(self).splits[split]

    def bucket(self, rows: Array) -> Array:
        found = _rows(self)
        return np.searchsorted(found.lengths, found.used[rows])

    def cut(self, split: str, rows: Array) -> Batch:
        found = _rows(self)
        mask = np.arange(found.x.shape[1]) < found.used[rows, None]
        return trimmed(Batch(x=found.x[rows], y=found.y[rows], weight=np.ones(len(rows), np.float32), mask=mask), self.spec)

    def metrics(self, split: str) -> Mapping[str, Metric]:
        return _metrics(self, split)

    def meter(self, split: str) -> Meter:
        return ClassScores(len(self.labels))

    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "majority": Guess(self._majority),
            "certain": Guess(self._certain),
            "naive Bayes": Fitted(functools.partial(_naive_bayes, self, 1)),
            "naive Bayes, pairs": Fitted(functools.partial(_naive_bayes, self, 2)),
            "logistic regression": Fitted(functools.partial(_logistic_regression, self)),
        }

    def _majority(self, batch: Batch) -> Prediction:
        return of_classes(batch.y, _shares(self))

    def _certain(self, batch: Batch) -> Prediction:
        found = of_classes(batch.y, np.eye(len(self.labels))[_shares(self).argmax()])
        return found._replace(loss=np.full(batch.y.shape, np.nan))  # a wrong certainty costs without end

    def digest(self) -> str:
        return _rows(self).sha256

    def describe(self) -> Card:
        rows = _rows(self)
        sizes = {split: len(numbers) for split, numbers in rows.splits.items()}
        every = np.concatenate([rows.y[rows.splits[split]] for split in ("train", "validation", "test")])
        names = ("blame", "praise") if self.path is None else self.labels
        balance = {name: float((every == kind).mean()) for kind, name in enumerate(names)}
        if self.path is not None:
            source, licence = str(self.path), "the user's"
        elif self.corpus == INVENTED:
            source, licence = "invented by rule", "generated"
        else:
            source, licence = CORPORA[self.corpus].source, CORPORA[self.corpus].licence
        return Card(source, licence, sizes, balance, rows.sha256, " ".join(self._notes()))

    def _notes(self) -> Iterator[str]:
        rows = _rows(self)
        train, test = rows.splits["train"], rows.splits["test"]
        share = padding_share(rows.used[train], np.array(rows.lengths)[self.bucket(train)])
        unknown = (rows.x[test] == UNKNOWN).sum() / rows.used[test].sum()
        yield f"{rows.ids - 2:,} words that training holds {self.least} times or more; of those of test, {unknown:.1%} are unknown."
        yield f"Padded to {', '.join(map(str, rows.lengths))} steps: {share:.1%} of training is padding."
        yield f"Cut behind {self.longest} words: {rows.cut:.1%} of the rows."
        if rows.repeated:
            yield f"Left out: {rows.repeated:,} rows whose text stands before."
        if self.path is None and self.corpus in OVERLAP:
            yield "MR, SST-2 and these Rotten Tomatoes snippets share sentences: never train on one and test on another."

    def tiny(self) -> "Sentiment":
        return replace(self, corpus=INVENTED, path=None, labels=CLASSES, columns=COLUMNS, fold=None)


@functools.lru_cache(maxsize=4)
def _rows(task: Sentiment) -> Rows:
    found = reviews(task.corpus, task.path, longest=task.longest, labels=task.labels, columns=task.columns)
    return encoded(found, task.name, task.version, task.corpus, fold=task.fold, least=task.least, longest=task.longest)


def _shares(task: Sentiment) -> Array:
    """Return the share of each class in training, (classes,)."""
    rows = _rows(task)
    return np.bincount(rows.y[rows.splits["train"]], minlength=len(task.labels)) / len(rows.splits["train"])


@functools.lru_cache(maxsize=64)
def _metrics(task: Sentiment, split: str) -> Mapping[str, Metric]:
    rows = _rows(task)
    y = rows.y[rows.splits[split]]
    batch = Batch(x=np.zeros((len(y), 1), np.int32), y=y, weight=np.ones(len(y), np.float32))
    found = []
    for guess in (task._majority, task._certain):
        meter = ClassScores(len(task.labels))
        meter.update(batch, guess(batch))
        found.append(meter.result())
    return class_metrics(*found)


@functools.lru_cache(maxsize=8)
def _naive_bayes(task: Sentiment, order: int) -> tuple[Bag, Any]:
    rows = _rows(task)
    train = rows.splits["train"]
    return naive_bayes(rows.x[train], rows.y[train], vocabulary=rows.ids, order=order)


@functools.lru_cache(maxsize=8)
def _logistic_regression(task: Sentiment) -> tuple[Bag, Any]:
    rows = _rows(task)
    train = rows.splits["train"]
    return logistic_regression(rows.x[train], rows.y[train], vocabulary=rows.ids)
