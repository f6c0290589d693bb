"""Translation: a sentence in one language, written in another, and judged by BLEU."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from suite.task import Array, Baseline, Batch, Card, Meter, Metric, Prediction, Spec
from tasks.bleu import BEAMS, Translations, signature
from tasks.corpora import CORPORA
from tasks.epochs import Epochs, padding_share
from tasks.generated import one_target
from tasks.guesses import Guess
from tasks.pair_rows import Rows, encoded, used
from tasks.parallel import KNOWN, MADE, MARK, MULTI30K, divided, made, multi30k, read
from tasks.subwords import SPECIAL
from tasks.transduction import START, STOP, decoded, paired
from tasks.translation_floors import ORDERS, WRITERS, Metrics, counts, writer
from tasks.user_files import Source

SHOWN = 3  # test sentences whose attention maps are kept
MOST_BUCKETS = 7  # and one more for sentences longer than any of training


@dataclass(frozen=True, kw_only=True)
class Translation(Epochs):
    """Read a sentence in `source`, write it in `target`; teacher forcing in training, BLEU of what is decoded at the end.

    x: ▁A ▁dog ▁runs . _        symbols of words or byte pairs, ▁ for the space before; x (batch, time)
    y: ▁Ein ▁Hund ▁läuft . stop        y (batch, target time)

    `corpus`: multi30k (captions of pictures, official splits, test is test_2016_flickr), or phrases (made, en and de, no
    download); `source_path` and `target_path`: two files of yours, UTF-8, a sentence a line, in splits by the hash of the source.
    `units` bpe or word, with at most `vocabulary` symbols a language, fitted on the training pairs used. `most_words` (between
    spaces, on both sides) leaves longer pairs out of every split; `pairs` is how many of the remaining training pairs are
    used, the first ones. The defaults are for a CPU; None of both is all of it. `lower` makes both sides lower case,
    references included.

    A batch is padded to one of `buckets` pairs of lengths. BLEU is of sentences put together again, against the text as it is.

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
    source_path: Source | None = field(default=None, metadata={"key": False})
    target_path: Source | None = field(default=None, metadata={"key": False})
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
        text = self.text
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
            needs=frozenset({*BEAMS, "attention"}),
        )

    @property
    def text(self) -> Rows:
        """The sentences used, as text and as numbers."""
        return _text(self)

    def members(self, split: str) -> Array:
        return self.text.splits[split]

    def bucket(self, rows: Array) -> Array:
        return self.text.bucket[rows]

    def cut(self, split: str, rows: Array) -> Batch:
        text = self.text
        time, target_time = text.buckets[int(text.bucket[rows].max())]
        batch = paired(
            [text.x[row] for row in rows], [text.y[row] for row in rows], time=time, target_time=target_time, extra={"row": rows}
        )
        return batch._replace(weight=one_target(batch.weight)) if split == "probe" else batch

    def metrics(self, split: str) -> Mapping[str, Metric]:
        return Metrics(self, split)

    def meter(self, split: str) -> Meter:
        text = self.text
        return Translations(text.vocabularies[1].decode, text.sources, text.targets, self._shown if split == "test" else None)

    def baselines(self) -> Mapping[str, Baseline]:
        counted = {name: Guess(functools.partial(self._counted, order)) for name, order in ORDERS.items()}
        return {**counted, **{name: Guess(functools.partial(self._written, name)) for name in WRITERS}}

    def _counted(self, order: int, batch: Batch) -> Prediction:
        if batch.target_in is None:
            raise ValueError("a batch of translations must have target_in, got none")
        return counts(self)[order].predict(batch.target_in, batch.y, order)

    def _written(self, name: str, batch: Batch) -> Prediction:
        if batch.extra is None:
            raise ValueError('a batch of translations must have extra["row"], got none')
        text = self.text
        sentences = writer(self, name)([text.sources[row] for row in batch.extra["row"]])
        return decoded(text.vocabularies[1].encode(sentences), batch)

    @property
    def _shown(self) -> dict[str, int]:
        """The test sentences whose attention is kept, from short to long."""
        rows = self.text.splits["test"]
        return {f"attention {number}": int(rows[len(rows) * number // (SHOWN + 1)]) for number in range(1, SHOWN + 1)}

    def _maps(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        text = self.text
        source, target = ([symbol.replace(MARK, "_") for symbol in vocabulary.symbols] for vocabulary in text.vocabularies)
        return {
            name: ((*(target[number] for number in text.y[row]), "stop"), tuple(source[number] for number in text.x[row]))
            for name, row in self._shown.items()
        }

    def digest(self) -> str:
        return self.text.sha256

    def describe(self) -> Card:
        text = self.text
        sizes = {split: len(rows) for split, rows in text.splits.items()}
        words = "all" if self.most_words is None else f"at most {self.most_words} words"
        used = f"{sizes['train']:,} training pairs, {words}"
        train = text.splits["train"]
        share = padding_share(text.sizes[train], np.array(text.buckets)[text.bucket[train]])
        notes = f"{self.source}-{self.target}, {used}, {'lower case' if self.lower else 'cased'}; BLEU is sacrebleu {signature()}"
        for language, vocabulary in zip((self.source, self.target), text.vocabularies, strict=True):
            merges = f", {len(vocabulary.merges):,} merges" if vocabulary.merges else ""
            notes += f"; {language}: {len(vocabulary.symbols):,} symbols ({self.units}{merges}, sha256 {vocabulary.sha256[:12]})"
        notes += (
            f"; padded to {', '.join(f'{time} and {target}' for time, target in text.buckets)} steps: {share:.1%} of training is padding"
        )
        source, licence = self._origin()
        return Card(source, licence, {**sizes, "train": 0}, {}, text.sha256, notes, self._maps())

    def _origin(self) -> tuple[str, str]:
        if self.source_path is not None:
            return f"{self.source_path}, {self.target_path}", "the user's"
        if self.corpus == MADE:
            return "made: a small grammar", "made"
        return CORPORA[MULTI30K].source, CORPORA[MULTI30K].licence

    def tiny(self) -> "Translation":
        source, target = (self.source, self.target) if {self.source, self.target} == {"de", "en"} else ("en", "de")
        small = replace(self, corpus="phrases", source=source, target=target, source_path=None, target_path=None)
        return replace(small, vocabulary=60, pairs=200, most_words=12)


@functools.lru_cache(maxsize=8)
def _text(task: Translation) -> Rows:
    if task.source_path is not None and task.target_path is not None:
        found = divided(read(task.source_path, task.target_path))
    else:
        found = {MULTI30K: multi30k, MADE: made}[task.corpus](task.source, task.target)
    kept = {
        split: used(pairs, most_words=task.most_words, first=task.pairs if split == "train" else None, lower=task.lower)
        for split, pairs in found.items()
    }
    if short := [split for split, pairs in kept.items() if not pairs.sources]:
        raise ValueError(f"every split must hold a pair, got none for {', '.join(short)}; most_words is {task.most_words}")
    return encoded(kept, vocabulary=task.vocabulary, units=task.units, buckets=task.buckets)
