"""Translation: a sentence in one language, written in another, and judged by BLEU."""

import functools
import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from suite.seeding import generator
from suite.task import Array, Baseline, Batch, Card, Meter, Metric, Prediction, Spec
from tasks.bleu import BEAMS, LEAST, SCORES, Translations, signature
from tasks.corpora import CORPORA
from tasks.generated import PROBE_ROWS, check_request, one_target, padded
from tasks.guesses import Guess
from tasks.ngram import NGram
from tasks.parallel import KNOWN, MADE, MULTI30K, Pairs, divided, made, multi30k, read
from tasks.retrieval import Nearest, constant
from tasks.subwords import SPECIAL, Vocabulary, fit
from tasks.transduction import START, STOP, decoded, paired

MOST_BUCKETS = 7  # and one more for sentences longer than any of training
ORDERS = {"unigram": 1, "bigram": 2}  # of the target alone
COUNTED = ("loss", "perplexity")
DECODED = (*(f"{score}{ending}" for ending in BEAMS.values() for score in SCORES), "BLEU by length")
WRITERS = ("copy source", "constant sentence", "nearest neighbour")


@dataclass(frozen=True, kw_only=True)
class Translation:
    """Read a sentence in `source`, write it in `target`; teacher forcing in training, BLEU of what is decoded at the end.

    x: ▁A ▁dog ▁runs . _        symbols of words or byte pairs, ▁ for the space before; x (batch, time)
    y: ▁Ein ▁Hund ▁läuft . stop        y (batch, target time)

    `corpus`: multi30k (captions of pictures, official splits, test is test_2016_flickr), or phrases (made, en and de, no
    download); `source_path` and `target_path`: two files of yours, UTF-8, a sentence a line, in splits by the hash of the source.
    `units` bpe or word, with at most `vocabulary` symbols a language, fitted on the training pairs used. `most_words` (between
    spaces, on both sides) leaves longer pairs out of every split; `pairs` is how many of the remaining training pairs are
    used, the first ones. The defaults are for a CPU; None of both is all of it. `lower` makes both sides lower case,
    references included.

    A batch is padded to one of `buckets` pairs of lengths. An epoch reads every pair once: what is left over of a bucket joins
    the next longer one. BLEU is of sentences put together again, against the text as it is.

    Source: Elliott et al. (2016), arXiv:1605.00459 (Multi30k); Post (2018), arXiv:1804.08771 (BLEU).
    """

    name: ClassVar[str] = "translation"
    version: ClassVar[int] = 1
    splits: ClassVar[tuple[str, ...]] = ("train", "validation", "test", "probe")
    main: ClassVar[str] = "BLEU"
    selects: ClassVar[str] = "loss"
    solved: ClassVar[None] = None

    corpus: Literal["multi30k", "phrases"] = "multi30k"
    source: str = "en"
    target: str = "de"
    source_path: Path | None = field(default=None, metadata={"key": False})
    target_path: Path | None = field(default=None, metadata={"key": False})
    units: Literal["bpe", "word"] = "bpe"
    vocabulary: int = 2_000
    pairs: int | None = 5_000
    most_words: int | None = 12
    lower: bool = False
    buckets: int = 4

    def __post_init__(self) -> None:
        if self.corpus not in (MULTI30K, MADE):
            raise ValueError(f"corpus must be {MULTI30K} or {MADE}, got {self.corpus!r}")
        if self.units not in ("bpe", "word"):
            raise ValueError(f"units must be bpe or word, got {self.units!r}")
        if (self.source_path is None) != (self.target_path is None):
            raise ValueError(f"source_path and target_path go together, got {self.source_path} and {self.target_path}")
        known = {MULTI30K: KNOWN, MADE: ("de", "en")}[self.corpus]
        if self.source_path is None and not ({self.source, self.target} <= set(known) and "en" in (self.source, self.target)):
            raise ValueError(f"languages must be en and one of {', '.join(known)}, got {self.source!r} and {self.target!r}")
        if self.source == self.target:
            raise ValueError(f"languages must differ, got {self.source!r} twice")
        if self.vocabulary <= len(SPECIAL):
            raise ValueError(f"vocabulary must exceed the {len(SPECIAL)} special symbols, got {self.vocabulary}")
        if not 1 <= self.buckets <= MOST_BUCKETS:
            raise ValueError(f"buckets must be 1 to {MOST_BUCKETS}, got {self.buckets}")
        for name in ("pairs", "most_words"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")

    @cached_property
    def spec(self) -> Spec:
        text = self._text
        return Spec(
            kind="sequence",
            loss="categorical",
            inputs=len(text.vocabularies[0].symbols),
            outputs=len(text.vocabularies[1].symbols),
            tokens=True,
            length=max(len(text.x[row]) for row in text.splits["train"]),
            longest=max(map(len, text.x)),
            lengths=tuple(time for time, _ in text.buckets),
            target_lengths=tuple(time for _, time in text.buckets),
            start=START,
            stop=STOP,
            needs=frozenset(BEAMS),
        )

    @property
    def _text(self) -> "_Text":
        return _text(self)

    def batches(self, split: str, *, seed: int, batch_size: int, start: int = 0) -> Iterator[Batch]:
        """Return the batches of a split from number `start` on; `seed` matters to training only.

        Raises:
            ValueError: no such split, or a size below 1.
        """
        check_request(self.splits, split, batch_size, start)
        if split == "train":
            return (self._training(seed, index, batch_size) for index in itertools.count(start))
        rows = self._text.splits[split]
        return (
            self._batch(split, rows[first : first + batch_size], batch_size) for first in range(start * batch_size, len(rows), batch_size)
        )

    def _training(self, seed: int, index: int, batch_size: int) -> Batch:
        epoch, number = divmod(index, -(-len(self._text.splits["train"]) // batch_size))
        return self._batch("train", _epoch(self, seed, epoch, batch_size)[number], batch_size)

    def _batch(self, split: str, rows: Array, batch_size: int) -> Batch:
        text = self._text
        time, target_time = text.buckets[int(text.bucket[rows].max())]
        batch = paired(
            [text.x[row] for row in rows], [text.y[row] for row in rows], time=time, target_time=target_time, extra={"row": rows}
        )
        if split == "probe":
            batch = batch._replace(weight=one_target(batch.weight))
        return padded(batch, batch_size)

    def metrics(self, split: str) -> Mapping[str, Metric]:
        return _Metrics(self, split)

    def meter(self, split: str) -> Meter:
        text = self._text
        return Translations(text.vocabularies[1].decode, text.sources, text.targets)

    def baselines(self) -> Mapping[str, Baseline]:
        counted = {name: Guess(functools.partial(self._counted, order)) for name, order in ORDERS.items()}
        return {**counted, **{name: Guess(functools.partial(self._written, name)) for name in WRITERS}}

    def _counted(self, order: int, batch: Batch) -> Prediction:
        if batch.target_in is None:
            raise ValueError("a batch of translations must have target_in, got none")
        return _counts(self)[order].predict(batch.target_in, batch.y, order)

    def _written(self, name: str, batch: Batch) -> Prediction:
        if batch.extra is None:
            raise ValueError('a batch of translations must have extra["row"], got none')
        text = self._text
        sentences = _writer(self, name)([text.sources[row] for row in batch.extra["row"]])
        return decoded(text.vocabularies[1].encode(sentences), batch)

    def digest(self) -> str:
        return self._text.sha256

    def describe(self) -> Card:
        text = self._text
        sizes = {split: len(rows) for split, rows in text.splits.items()}
        words = "all" if self.most_words is None else f"at most {self.most_words} words"
        used = f"{sizes['train']:,} training pairs, {words}"
        notes = f"{self.source}-{self.target}, {used}, {'lower case' if self.lower else 'cased'}; BLEU is sacrebleu {signature()}"
        for language, vocabulary in zip((self.source, self.target), text.vocabularies, strict=True):
            merges = f", {len(vocabulary.merges):,} merges" if vocabulary.merges else ""
            notes += f"; {language}: {len(vocabulary.symbols):,} symbols ({self.units}{merges}, sha256 {vocabulary.sha256[:12]})"
        if self.source_path is not None:
            return Card(f"{self.source_path}, {self.target_path}", "the user's", {**sizes, "train": 0}, {}, text.sha256, notes)
        if self.corpus == MADE:
            return Card("made: a small grammar", "made", {**sizes, "train": 0}, {}, text.sha256, notes)
        corpus = CORPORA[MULTI30K]
        return Card(corpus.source, corpus.licence, {**sizes, "train": 0}, {}, text.sha256, notes)

    def tiny(self) -> "Translation":
        source, target = (self.source, self.target) if {self.source, self.target} == {"de", "en"} else ("en", "de")
        small = replace(self, corpus="phrases", source=source, target=target, source_path=None, target_path=None)
        return replace(small, vocabulary=60, pairs=200, most_words=12)


class _Text(NamedTuple):
    """All sentences used, by number; splits hold numbers."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    x: list[list[int]]
    y: list[list[int]]
    splits: dict[str, Array]  # train in the order of the corpus; the others by length, so that alike ones share a batch
    vocabularies: tuple[Vocabulary, Vocabulary]
    buckets: tuple[tuple[int, int], ...]  # padded lengths of x and of y, both growing
    bucket: Array  # of each sentence
    sha256: str


@functools.lru_cache(maxsize=8)
def _text(task: Translation) -> _Text:
    used = {split: _used(task, split, pairs) for split, pairs in _corpus(task).items()}
    if short := [split for split, pairs in used.items() if not pairs.sources]:
        raise ValueError(f"every split must hold a pair, got none for {', '.join(short)}; most_words is {task.most_words}")
    if short := [split for split, pairs in used.items() if all(len(target.split()) < LEAST for target in pairs.targets)]:
        raise ValueError(f"BLEU counts {LEAST} words in a row: no target of {', '.join(short)} has so many")
    both = [fit(column, size=task.vocabulary, units=task.units) for column in used["train"]]
    sources, targets = (tuple(itertools.chain.from_iterable(pairs[side] for pairs in used.values())) for side in (0, 1))
    x, y = both[0].encode(sources), both[1].encode(targets)
    ends = np.cumsum([len(pairs.sources) for pairs in used.values()])
    splits = {
        split: np.arange(end - len(pairs.sources), end, dtype=np.int32) for (split, pairs), end in zip(used.items(), ends, strict=True)
    }
    sizes = np.array([(len(source), len(target) + 1) for source, target in zip(x, y, strict=True)])
    for split in ("validation", "test"):
        rows = splits[split]
        splits[split] = rows[np.lexsort((rows, sizes[rows, 1], sizes[rows, 0]))]
    splits["probe"] = splits["validation"][np.linspace(0, len(splits["validation"]) - 1, PROBE_ROWS).astype(int)]
    buckets = _buckets(sizes[splits["train"]], sizes, task.buckets)
    fits = np.array([(sizes <= bucket).all(axis=1) for bucket in buckets])
    found = hashlib.sha256("".join(vocabulary.sha256 for vocabulary in both).encode())
    for pairs in used.values():
        found.update("\n".join(("", *pairs.sources, "", *pairs.targets)).encode())
    return _Text(sources, targets, x, y, splits, (both[0], both[1]), buckets, fits.argmax(axis=0), found.hexdigest())


def _corpus(task: Translation) -> dict[str, Pairs]:
    if task.source_path is not None and task.target_path is not None:
        return divided(read(task.source_path, task.target_path))
    return {MULTI30K: multi30k, MADE: made}[task.corpus](task.source, task.target)


def _used(task: Translation, split: str, pairs: Pairs) -> Pairs:
    most = task.most_words
    found = [pair for pair in zip(*pairs, strict=True) if most is None or all(len(side.split()) <= most for side in pair)]
    if split == "train" and task.pairs is not None:
        found = found[: task.pairs]
    return Pairs.of([(source.lower(), target.lower()) if task.lower else (source, target) for source, target in found])


def _buckets(training: Array, every: Array, count: int) -> tuple[tuple[int, int], ...]:
    """Return pairs of lengths that part the training pairs by size into `count` groups alike; one more where others are longer."""
    order = np.argsort(training.max(axis=1), kind="stable")
    groups = np.array_split(training[order], min(count, len(order)))
    ends = np.maximum.accumulate([group.max(axis=0) for group in groups])
    ends = np.concatenate([ends, [every.max(axis=0)]])
    return tuple(dict.fromkeys((int(time), int(target)) for time, target in ends))


@functools.lru_cache(maxsize=4)
def _epoch(task: Translation, seed: int, epoch: int, batch_size: int) -> list[Array]:
    """Return the rows of each batch of an epoch; all are full but one, which is where the order puts it."""
    text = task._text
    rng = generator(task.name, task.version, "train", seed, epoch)
    rows = rng.permutation(text.splits["train"])
    batches, left = [], rows[:0]
    for bucket in range(len(text.buckets)):
        left = np.concatenate([left, rows[text.bucket[rows] == bucket]])
        while len(left) >= batch_size:
            batches.append(left[:batch_size])
            left = left[batch_size:]
    if len(left):
        batches.append(left)
    return [batches[place] for place in rng.permutation(len(batches))]


@functools.lru_cache(maxsize=8)
def _counts(task: Translation) -> dict[int, NGram]:
    """Return n-grams of the training targets by order; those of order 1 never count a start symbol, which nobody has to write."""
    text = task._text
    targets = [text.y[row] for row in text.splits["train"]]
    vocabulary = len(text.vocabularies[1].symbols)
    alone = np.concatenate([[*target, STOP] for target in targets])
    behind = np.concatenate([[START, *target, STOP] for target in targets])
    return {1: NGram(alone, vocabulary=vocabulary, order=1), 2: NGram(behind, vocabulary=vocabulary, order=2)}


@functools.lru_cache(maxsize=24)
def _writer(task: Translation, name: str) -> Callable[[Sequence[str]], Sequence[str]]:
    text = task._text
    train = text.splits["train"]
    if name == "copy source":
        return lambda sentences: sentences
    if name == "constant sentence":
        best = constant([text.targets[row] for row in train])
        return lambda sentences: [best] * len(sentences)
    nearest = Nearest([text.sources[row] for row in train])
    return lambda sentences: [text.targets[train[number]] for number in nearest(sentences)]


class _Metrics(Mapping[str, Metric]):
    """The metrics of a split. Floors of what is decoded are measured when first asked for: a training asks for the loss alone."""

    def __init__(self, task: Translation, split: str) -> None:
        self.task, self.split = task, split

    def __getitem__(self, name: str) -> Metric:
        if name in COUNTED:
            return _counted_metrics(self.task, self.split)[name]
        if name in DECODED:
            return _decoded_metrics(self.task, self.split)[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter((*COUNTED, *DECODED))

    def __len__(self) -> int:
        return len(COUNTED) + len(DECODED)


@functools.lru_cache(maxsize=16)
def _counted_metrics(task: Translation, split: str) -> dict[str, Metric]:
    floors = {name: _scores(task, split, task.baselines()[name].predict) for name in ORDERS}
    why = "n-grams of the target alone, which read no source"
    loss, perplexity = ({name: floors[name][score] for name in ORDERS} for score in COUNTED)
    return {
        "loss": Metric("nats per symbol", "min", loss, 0.0, why),
        "perplexity": Metric("choices per symbol", "min", perplexity, 1.0, why),
    }


@functools.lru_cache(maxsize=16)
def _decoded_metrics(task: Translation, split: str) -> dict[str, Metric]:
    """Measure how well the vocabulary can write the targets, too: the ceiling."""
    floors = {name: _scores(task, split, task.baselines()[name].predict) for name in WRITERS}
    best = _scores(task, split, lambda batch: Prediction(np.zeros(batch.y.shape), batch.y, decoded=dict.fromkeys(BEAMS, batch.y)))
    why = (
        "the source as it is; a sentence of training that fits all best; the translation of the most alike source of training; "
        f"ceiling: the targets as the vocabulary writes them; BLEU is sacrebleu {signature()}"
    )
    found = {}
    for name in DECODED:
        unit = "share of sentences" if name.startswith("exact") else "0 to 100"
        found[name] = Metric(unit, "max", {writer: floors[writer][name] for writer in WRITERS}, best[name], why, final=True)
    return found


def _scores(task: Translation, split: str, predict: Callable[[Batch], Prediction]) -> dict[str, float]:
    """Return the scores of a predictor on a split, a curve as the mean of its points."""
    meter = task.meter(split)
    for batch in task.batches(split, seed=0, batch_size=100):
        meter.update(batch, predict(batch))
    result = meter.result()
    return {name: float(np.mean([y for _, y in value])) if isinstance(value, tuple) else value for name, value in result.items()}
