"""The base of labelling tasks: sentences with a tag for every word, in batches of about equal length."""

import dataclasses
import functools
import hashlib
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple, Self

import numpy as np

from suite.task import MOST_SHAPES, Array, Baseline, Batch, Card, Meter, Metric, Prediction, Spec
from tasks.columns import Sentence
from tasks.epochs import Epochs, padding_share
from tasks.generated import PROBE_ROWS
from tasks.guesses import Guess, of_classes
from tasks.meters import Means, accuracy, all_right, loss
from tasks.padding import padded_lengths

PADDING, UNKNOWN, KNOWN = 0, 1, 2  # ids of x; words of the vocabulary are KNOWN and up
PARTS = ("train", "validation", "test")
LONGEST = 1_000  # words of a sentence: a longer one is a file without blank lines


class Part(NamedTuple):
    """The sentences of a split, one behind the other, longest first."""

    x: Array  # ids of words
    y: Array  # ids of tags
    word: Array  # number of the lower-cased word among those of training, 0 if it is not there
    starts: Array  # (sentences + 1,)

    @property
    def lengths(self) -> Array:
        """Words of each sentence."""
        return np.diff(self.starts)


class Encoded(NamedTuple):
    """Sentences as numbers; what the vocabulary holds, training alone has decided."""

    parts: dict[str, Part]
    vocabulary: int  # padding and the unknown word included
    tags: tuple[str, ...]
    counts: Array  # (lower-cased words + 1, tags): how often training gives a word this tag; row 0 is empty
    repeated: float  # share of the sentences of test that stand word for word in training
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Labelled(Epochs):
    """A task of words and tags. A subclass gives `name`, `version` and `sentences`.

    The vocabulary holds the words that training has at least `least` times, lower-cased if `lower`; all others are one
    unknown word, which training meets too where `least` is above 1. Training goes through all sentences in epochs, in
    batches of about equal length; the other splits go from the longest sentence to the shortest.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    splits: ClassVar[tuple[str, ...]] = (*PARTS, "probe")
    selects: ClassVar[str] = "loss"
    solved: ClassVar[None] = None

    lower: bool = True
    least: int = 2
    buckets: int = 5  # padded lengths: each costs a compilation, and the more there are, the less is padding
    limit: int | None = None  # the first sentences of each part only

    def __post_init__(self) -> None:
        for name in ("least", "limit"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if not 2 <= self.buckets <= MOST_SHAPES:
            raise ValueError(f"buckets must be 2 to {MOST_SHAPES} padded lengths, got {self.buckets}")

    @abstractmethod
    def sentences(self) -> Mapping[str, Sequence[Sentence]]:
        """Return the sentences of train, validation and test."""

    @abstractmethod
    def origin(self) -> tuple[str, str]:
        """Return source and licence."""

    @property
    def main(self) -> str:
        return "accuracy"

    @cached_property
    def spec(self) -> Spec:
        encoded = _encoded(self)
        length, longest = (max(int(encoded.parts[name].lengths.max()) for name in names) for names in (("train",), PARTS))
        return Spec(
            kind="steps",
            loss="categorical",
            inputs=encoded.vocabulary,
            outputs=len(encoded.tags),
            tokens=True,
            length=length,
            longest=longest,
            lengths=padded_lengths(encoded.parts["train"].lengths, longest, most=self.buckets),
        )

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags by their ids."""
        return _encoded(self).tags

    def members(self, split: str) -> Array:
        """The probe is the longest sentences of validation: there, the past and the future reach furthest."""
        rows = np.arange(len(_encoded(self).parts[_part(split)].lengths))
        return rows[:PROBE_ROWS] if split == "probe" else rows

    def bucket(self, rows: Array) -> Array:
        return np.searchsorted(self.spec.lengths, _encoded(self).parts["train"].lengths[rows])

    def cut(self, split: str, rows: Array) -> Batch:
        part = _encoded(self).parts[_part(split)]
        lengths = part.lengths[rows]
        time = min(length for length in self.spec.lengths if length >= lengths.max())
        mask = np.arange(time) < lengths[:, None]
        place = (part.starts[rows][:, None] + np.arange(time))[mask]
        x, y, word = (np.zeros(mask.shape, np.int32) for _ in range(3))
        x[mask], y[mask], word[mask] = part.x[place], part.y[place], part.word[place]
        # the probe asks for the word in the middle, so that both directions of time have a way to go
        weight = np.arange(time) == lengths[:, None] // 2 if split == "probe" else mask
        return Batch(x=x, y=y, weight=weight.astype(np.float32), mask=mask, extra={"word": word})

    def metrics(self, split: str) -> Mapping[str, Metric]:
        floors = _floors(self, split)
        why = "measured here: what training tags most, for every word; its shares of all tags as probabilities"
        units = {
            "loss": "nats per word",
            "accuracy": "share of words",
            "unknown_accuracy": "share of words that training lacks",
            "sentence_accuracy": "share of sentences, all words right",
            "span_f1": "F1 of exact spans",
        }
        return {
            name: Metric(units[name], "min" if name == "loss" else "max", {"majority": value}, 0.0 if name == "loss" else 1.0, why)
            for name, value in floors.items()
        }

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "accuracy": accuracy, "unknown_accuracy": of_unknown, "sentence_accuracy": all_right})

    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "majority": Guess(lambda batch: of_classes(batch.y, _shares(_encoded(self)))),
            "most frequent tag": Guess(lambda batch: of_words(batch, _encoded(self))),
        }

    def digest(self) -> str:
        return _encoded(self).sha256

    def describe(self) -> Card:
        encoded = _encoded(self)
        sizes = {split: len(self.members(split)) for split in self.splits[1:]}
        lengths = encoded.parts["train"].lengths
        share = padding_share(lengths, np.array(self.spec.lengths)[self.bucket(np.arange(len(lengths)))])
        words = ", ".join(f"{len(part.x):,} {name}" for name, part in encoded.parts.items())
        unknown = (encoded.parts["test"].word == 0).mean()
        notes = (
            f"words: {words}; vocabulary {encoded.vocabulary:,} of {len(encoded.counts) - 1:,} lower-cased words of training; of the words "
            f"of test training lacks {unknown:.1%}; of its sentences {encoded.repeated:.1%} stand in training too; "
            f"padded to {', '.join(map(str, self.spec.lengths))} steps: {share:.1%} of training is padding"
        )
        shares = np.bincount(encoded.parts["train"].y, minlength=len(encoded.tags)) / len(encoded.parts["train"].y)
        return Card(*self.origin(), {"train": 0, **sizes}, dict(zip(encoded.tags, shares.tolist(), strict=True)), encoded.sha256, notes)

    def tiny(self) -> Self:
        return dataclasses.replace(self, limit=40)


def of_unknown(batch: Batch, prediction: Prediction) -> tuple[Array, Array]:
    """Return 1 where the tag of a word that training lacks is right."""
    return prediction.best == batch.y, batch.weight * (_words(batch) == 0)


def of_words(batch: Batch, encoded: Encoded) -> Prediction:
    """Give each word the tag that it has most often in training, lower-cased, and a new word the commonest tag of all.

    Probabilities: (c(w t) + k(w) share(t)) / (c(w) + k(w)), k(w) the number of different tags of the word.
    """
    shares = _shares(encoded)
    counts = encoded.counts[_words(batch)]
    seen, kinds = counts.sum(axis=-1, keepdims=True), (counts > 0).sum(axis=-1, keepdims=True)
    mixed = np.where(seen > 0, (counts + kinds * shares) / np.maximum(seen + kinds, 1), shares)
    return of_classes(batch.y, mixed)._replace(best=(counts + shares).argmax(axis=-1))  # of two equal counts the commoner tag


def _words(batch: Batch) -> Array:
    if batch.extra is None:
        raise ValueError("expected a batch of a labelling task, got one without words")
    return batch.extra["word"]


def _shares(encoded: Encoded) -> Array:
    """The share of each tag in training, each counted once more than it is there: a tag may be new later."""
    counted: Array = np.bincount(encoded.parts["train"].y, minlength=len(encoded.tags)) + 1
    return counted / counted.sum()


def _part(split: str) -> str:
    return "validation" if split == "probe" else split


@functools.lru_cache(maxsize=64)
def _floors(task: Labelled, split: str) -> dict[str, float]:
    meter, majority = task.meter(split), task.baselines()["majority"]
    for batch in task.once(split, batch_size=64):
        meter.update(batch, majority.predict(batch))
    return {name: value for name, value in meter.result().items() if not isinstance(value, tuple)}


@functools.lru_cache(maxsize=8)
def _encoded(task: Labelled) -> Encoded:
    given = {name: sorted(list(part)[: task.limit], key=lambda sentence: -len(sentence.words)) for name, part in task.sentences().items()}
    _checked(given)
    forms = Counter(word.lower() if task.lower else word for sentence in given["train"] for word in sentence.words)
    ids = {word: number for number, word in enumerate(sorted(word for word, times in forms.items() if times >= task.least), KNOWN)}
    tags = tuple(sorted({tag for part in given.values() for sentence in part for tag in sentence.tags}))
    tag_ids = {tag: number for number, tag in enumerate(tags)}
    lowered = sorted({word.lower() for sentence in given["train"] for word in sentence.words})
    numbers = {word: number for number, word in enumerate(lowered, 1)}
    digest = hashlib.sha256()
    parts = {}
    for name in PARTS:
        words = [word for sentence in given[name] for word in sentence.words]
        x = [ids.get(word.lower() if task.lower else word, UNKNOWN) for word in words]
        y = [tag_ids[tag] for sentence in given[name] for tag in sentence.tags]
        number = [numbers.get(word.lower(), 0) for word in words]
        starts = np.cumsum([0, *(len(sentence.words) for sentence in given[name])])
        parts[name] = Part(np.array(x, np.int32), np.array(y, np.int32), np.array(number, np.int32), starts)
        for sentence in given[name]:
            digest.update("\n".join(f"{word}\t{tag}" for word, tag in zip(sentence.words, sentence.tags, strict=True)).encode() + b"\n\n")
        digest.update(b"\n")
    counts = np.zeros((len(lowered) + 1, len(tags)))
    np.add.at(counts, (parts["train"].word, parts["train"].y), 1)
    known = {sentence.words for sentence in given["train"]}
    repeated = float(np.mean([sentence.words in known for sentence in given["test"]]))
    return Encoded(parts, KNOWN + len(ids), tags, counts, repeated, digest.hexdigest())


def _checked(given: Mapping[str, Sequence[Sentence]]) -> None:
    """Refuse a part without sentences, a sentence without end, and a single tag."""
    for name, part in given.items():
        if not part:
            raise ValueError(f"expected sentences in every part, got none for {name}")
        if len(part[0].words) > LONGEST:
            words, line = len(part[0].words), part[0].line
            raise ValueError(f"expected a blank line after {LONGEST:,} words at most, got {words:,} words from line {line} on ({name})")
    if len({tag for part in given.values() for sentence in part for tag in sentence.tags}) < 2:
        raise ValueError("expected at least two different tags, got one")
