"""Character streams: the text of a corpus, split by position or officially, with a vocabulary that only training decides."""

import functools
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from suite.corpus import locate
from suite.task import Array
from tasks.corpora import CORPORA
from tasks.lines import decoded
from tasks.user_files import Source, UserFile, checked, place, text_of

OFFLINE = "pydoc"  # CPython's reference text: comes with Python, varies with its version
WHOLE = {"tinyshakespeare": "input.txt"}  # corpus -> its file
MAPPED = {"enwik8": "enwik8", "text8": "text8"}  # the same, one symbol a byte, left on disk
PARTS = {"ptb": ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt")}
TEXTS = (*MAPPED, *PARTS, *WHOLE)
SPLITS = ("train", "validation", "test")
BLOCK = 1 << 20  # symbols handled at once where a text may be large


class Mapped:
    """Ids of a stretch of bytes that stays on disk: each index or slice is read and translated when it is asked for."""

    def __init__(self, codes: Array, table: Array) -> None:
        self.codes, self.table = codes, table

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, index: Any) -> Array:
        found: Array = self.table[self.codes[index]]
        return found


Ids = Array | Mapped


class Characters(NamedTuple):
    """A text as ids, in three parts: 90 % training, 5 % validation and 5 % test in this order, or the official ones."""

    parts: Mapping[str, Ids]  # split -> ids int32, contiguous
    vocabulary: int  # characters of training; one more id for all others where a later part holds any
    sha256: str  # of the text in UTF-8, or of the bytes


@functools.lru_cache(maxsize=8)
def characters(corpus: str, path: Source | None, limit: int | None, in_bytes: bool = False) -> Characters:
    """Return the first `limit` characters of a corpus, or of the file at `path`; `in_bytes`, its bytes, which stay on disk.

    Raises:
        ValueError: the corpus or the file is not here, or holds other bytes than it should; the message names file and line.
    """
    if path is None and corpus in MAPPED:
        return _mapped(locate(CORPORA[corpus]) / MAPPED[corpus], limit)
    if path is not None and in_bytes:
        return _mapped(path, limit)
    texts = _official(corpus, limit) if path is None and corpus in PARTS else _cut(_read(corpus, path)[:limit])
    train, *later = (np.frombuffer(text.encode("utf-32-le"), np.uint32) for text in texts)
    known = np.unique(train)
    unknown = not np.isin(np.concatenate(later), known).all()
    parts = dict(zip(SPLITS, (_ids(part, known) for part in (train, *later)), strict=True))
    return Characters(parts, len(known) + unknown, hashlib.sha256("".join(texts).encode()).hexdigest())


def blocks(ids: Ids, *, ahead: int) -> Iterator[Array]:
    """Yield the ids in pieces that memory holds, each with the first `ahead` ids of the next one."""
    for first in range(0, len(ids) - ahead, BLOCK):
        yield ids[first : first + BLOCK + ahead]


def unrepeated(text: str) -> str:
    """Return the text without paragraphs that it holds before, however they are spaced.

    Python's reference lists sections twice, alone and within a chapter: a fifth of its last 5 % stands word for word in
    its first 90 %, and a test on it would reward learning by heart.
    """
    first: dict[str, str] = {}
    for paragraph in text.split("\n\n"):
        first.setdefault(" ".join(paragraph.split()), paragraph)
    return "\n\n".join(first.values())


def _cuts(size: int) -> tuple[int, int]:
    """Return where validation and where test begins."""
    return size * 90 // 100, size * 95 // 100


def _cut(text: str) -> tuple[str, str, str]:
    validation, test = _cuts(len(text))
    return text[:validation], text[validation:test], text[test:]


def _ids(codes: Array, known: Array) -> Array:
    place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
    return np.where(known[place] == codes, place, len(known)).astype(np.int32)


def _mapped(source: Source, limit: int | None) -> Characters:
    try:
        whole: Array = np.memmap(place(source), np.uint8, mode="r")
    except (OSError, ValueError) as error:
        raise ValueError(f"{source} must be a file with bytes in it: {error}") from error
    if isinstance(source, UserFile):
        checked(source, _sha256(whole))
    codes = whole[:limit]
    sha256 = _sha256(codes)
    parts = np.split(codes, _cuts(len(codes)))
    counts = [sum(np.bincount(block, minlength=256) for block in blocks(part, ahead=0)) for part in parts]
    known = np.flatnonzero(counts[0])
    unknown = bool(np.setdiff1d(np.flatnonzero(counts[1] + counts[2]), known).size)
    table = np.full(256, len(known), np.int32)
    table[known] = np.arange(len(known))
    stretches = {split: Mapped(part, table) for split, part in zip(SPLITS, parts, strict=True)}
    return Characters(stretches, len(known) + unknown, sha256)


def _sha256(codes: Array) -> str:
    """Return the hash of bytes that need not fit into memory."""
    found = hashlib.sha256()
    for first in range(0, len(codes), BLOCK):
        found.update(codes[first : first + BLOCK].tobytes())
    return found.hexdigest()


def _official(corpus: str, limit: int | None) -> list[str]:
    """Return the three files, of `limit` characters in all the first of each; the blank that begins each line is dropped.

    What is left of the Penn Treebank has 5,059,550, 396,412 and 446,184 characters, the sizes that are usually printed.
    """
    found = CORPORA[corpus]
    folder = locate(found)
    texts = [decoded((folder / name).read_bytes(), found.encoding, folder / name) for name in PARTS[corpus]]
    texts = [text.removeprefix(" ").replace("\n ", "\n") for text in texts]
    if limit is None:
        return texts
    validation, test = _cuts(limit)
    return [text[:size] for text, size in zip(texts, (validation, test - validation, limit - test), strict=True)]


def _read(corpus: str, path: Source | None) -> str:
    if path is not None:
        return text_of(path)
    if corpus == OFFLINE:
        from pydoc_data.topics import topics  # 750 kB that other tasks do not need

        return unrepeated("\n".join(topics.values()))
    found = CORPORA[corpus]
    file = locate(found) / WHOLE[corpus]
    return decoded(file.read_bytes(), found.encoding, file)
