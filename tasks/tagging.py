"""Tagging parts of speech: what kind of word is each, in this sentence?"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from suite.corpus import locate
from tasks.columns import Sentence, conllu
from tasks.corpora import CORPORA
from tasks.labelled import Labelled
from tasks.user_files import text_of

CORPUS = "ud-english-ewt"
FILES = {"train": "en_ewt-ud-train.conllu", "validation": "en_ewt-ud-dev.conllu", "test": "en_ewt-ud-test.conllu"}


@dataclass(frozen=True, kw_only=True)
class Tagging(Labelled):
    """Say the part of speech of every word of an English sentence.

    x: they  left  the  left  bank        both (batch, time), padded on the right
    y: PRON  VERB  DET  ADJ   NOUN        17 universal tags; words as the treebank cuts them ("do", "n't")

    Web text with the official split of 12,544, 2,001 and 2,077 sentences. Words alone: no letters, no vectors from elsewhere.

    Source: Silveira et al. (2014), A Gold Standard Dependency Corpus for English, LREC; Nivre et al. (2020), arXiv:2004.10643.
    """

    name: ClassVar[str] = "tagging"

    def sentences(self) -> Mapping[str, Sequence[Sentence]]:
        return _treebank(locate(CORPORA[CORPUS]))

    def origin(self) -> tuple[str, str]:
        corpus = CORPORA[CORPUS]
        return corpus.source, corpus.licence


@functools.lru_cache(maxsize=2)
def _treebank(folder: Path) -> Mapping[str, Sequence[Sentence]]:
    return {split: conllu(text_of(folder / name), name) for split, name in FILES.items()}
