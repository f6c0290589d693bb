"""Labelling the words of a user's own file: names, chunks, or any tags, from columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from suite.task import Meter
from tasks.columns import Sentence, columns, conllu
from tasks.labelled import Labelled
from tasks.spans import SpanF1, checked_bio
from tasks.user_files import Source, text_of


@dataclass(frozen=True, kw_only=True)
class Labelling(Labelled):
    """Say the tag of every word of a sentence, from a file of yours with a word and its tag in each line.

    x: Ada    Lovelace  lived  in  London        both (batch, time), padded on the right
    y: B-PER  I-PER     O      O   B-LOC         scheme "bio": scored by exact spans; "tags": by words alone

    `path` alone: its first 80 % of sentences are training, the next 10 % validation, the last 10 % test, in the order of the
    file, so that neighbours stay together. Or `validation_path` and `test_path` name files of their own.

    Source: Tjong Kim Sang & De Meulder (2003), arXiv:cs/0306050 (columns and exact spans).
    """

    name: ClassVar[str] = "labelling"

    path: Source = field(metadata={"key": False})
    validation_path: Source | None = field(default=None, metadata={"key": False})
    test_path: Source | None = field(default=None, metadata={"key": False})
    scheme: Literal["tags", "bio"] = "tags"
    word: int = 0  # the column of the words
    tag: int = -1  # the column of the tags
    comment: str = ""  # lines that begin so are passed over
    layout: Literal["columns", "conllu"] = "columns"  # conllu: CoNLL-U with universal parts of speech; word, tag and comment are its own

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scheme not in ("tags", "bio"):
            raise ValueError(f"scheme must be tags or bio, got {self.scheme!r}")
        if self.layout not in ("columns", "conllu"):
            raise ValueError(f"layout must be columns or conllu, got {self.layout!r}")
        if self.layout == "conllu" and (self.scheme, self.word, self.tag, self.comment) != ("tags", 0, -1, ""):
            raise ValueError(f"layout conllu has columns of its own, got {self.scheme!r}, {self.word}, {self.tag} and {self.comment!r}")
        if (self.validation_path is None) != (self.test_path is None):
            raise ValueError("validation_path and test_path go together, got one of them")

    @property
    def main(self) -> str:
        return "span_f1" if self.scheme == "bio" else "accuracy"

    def sentences(self) -> Mapping[str, Sequence[Sentence]]:
        parts = self._parts()
        for split, part in parts.items():
            if self.scheme == "bio" and all(tag == "O" for sentence in part for tag in sentence.tags):
                raise ValueError(f"{self.path}: expected spans in every part, got no tag but O for {split}")
        return parts

    def _parts(self) -> Mapping[str, Sequence[Sentence]]:
        if self.validation_path is not None and self.test_path is not None:
            return {"train": self._read(self.path), "validation": self._read(self.validation_path), "test": self._read(self.test_path)}
        whole = self._read(self.path)
        if len(whole) < 10:
            raise ValueError(f"{self.path}: expected at least 10 sentences to split, got {len(whole)}")
        first, second = len(whole) * 80 // 100, len(whole) * 90 // 100
        return {"train": whole[:first], "validation": whole[first:second], "test": whole[second:]}

    def origin(self) -> tuple[str, str]:
        return ", ".join(str(path) for path in (self.path, self.validation_path, self.test_path) if path is not None), "the user's"

    def meter(self, split: str) -> Meter:
        meter = super().meter(split)
        return SpanF1(meter, self.tags) if self.scheme == "bio" else meter

    def _read(self, path: Source) -> Sequence[Sentence]:
        if self.layout == "conllu":
            return conllu(text_of(path), str(path))
        found = columns(text_of(path), str(path), word=self.word, tag=self.tag, comment=self.comment)
        for sentence in found if self.scheme == "bio" else ():
            try:
                checked_bio(sentence.tags)
            except ValueError as error:
                raise ValueError(f"{path}, sentence from line {sentence.line} on: {error}") from error
        return found
