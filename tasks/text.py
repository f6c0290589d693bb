"""Character streams: the text of a corpus, split by position, with a vocabulary that only training decides."""

import functools
import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from suite.corpus import locate
from suite.task import Array
from tasks.corpora import CORPORA

TEXTS = {"tinyshakespeare": "input.txt"}  # corpus -> its file
OFFLINE = "pydoc"  # CPython's reference text: comes with Python, varies with its version


class Characters(NamedTuple):
    """A text as ids, cut into 90 % training, 5 % validation and 5 % test, in this order."""

    parts: dict[str, Array]  # split -> ids int32, contiguous
    vocabulary: int  # characters of training; one more id for all others where a later part holds any
    sha256: str  # of the text in UTF-8


@functools.lru_cache(maxsize=8)
def characters(corpus: str, path: Path | None, limit: int | None) -> Characters:
    """Return the first `limit` characters of a corpus, or of the file at `path`.

    Raises:
        ValueError: the corpus or the file is not here, or holds other bytes than it should.
    """
    text = _read(corpus, path)[:limit]
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    cuts = [len(codes) * 90 // 100, len(codes) * 95 // 100]
    train, *later = np.split(codes, cuts)
    known = np.unique(train)
    unknown = not np.isin(np.concatenate(later), known).all()
    parts = dict(zip(("train", "validation", "test"), (_ids(part, known) for part in (train, *later)), strict=True))
    return Characters(parts, len(known) + unknown, hashlib.sha256(text.encode()).hexdigest())


def unrepeated(text: str) -> str:
    """Return the text without paragraphs that it holds before, however they are spaced.

    Python's reference lists sections twice, alone and within a chapter: a fifth of its last 5 % stands word for word in
    its first 90 %, and a test on it would reward learning by heart.
    """
    first: dict[str, str] = {}
    for paragraph in text.split("\n\n"):
        first.setdefault(" ".join(paragraph.split()), paragraph)
    return "\n\n".join(first.values())


def _ids(codes: Array, known: Array) -> Array:
    place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
    return np.where(known[place] == codes, place, len(known)).astype(np.int32)


def _read(corpus: str, path: Path | None) -> str:
    if path is not None:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} must be a UTF-8 text: {error}") from error
    if corpus == OFFLINE:
        from pydoc_data.topics import topics  # 750 kB that other tasks do not need

        return unrepeated("\n".join(topics.values()))
    found = CORPORA[corpus]
    return (locate(found) / TEXTS[corpus]).read_text(encoding=found.encoding)
