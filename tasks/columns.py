"""Sentences in columns, one word a line and a blank line behind each sentence: CoNLL-U, and the plainer files of a user."""

from collections.abc import Callable
from typing import NamedTuple

DOCUMENT = "-DOCSTART-"  # CoNLL-2003 puts this word, alone, before each document


class Sentence(NamedTuple):
    """Words and their tags, equally many; `line` is where it begins in its file."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    line: int


def conllu(text: str, file: str) -> list[Sentence]:
    """Return the words of a CoNLL-U text with their universal parts of speech.

    A line with id a-b (what is written as one but read as two words) or a.b (a word that is not written) is no word.

    Source: universaldependencies.org/format.html.

    Raises:
        ValueError: names the file and the line.
    """

    def word(line: str, where: str) -> tuple[str, str] | None:
        if line.startswith("#"):
            return None
        columns = line.split("\t")
        if len(columns) != 10:
            raise ValueError(f"{where}: expected 10 columns between tabs, got {len(columns)}")
        number, form, _, tag, *_ = columns
        if not number.isdigit():
            if not number.replace("-", "", 1).replace(".", "", 1).isdigit():
                raise ValueError(f"{where}: expected an id like 3, 3-4 or 3.1, got {number!r}")
            return None
        if tag == "_":
            raise ValueError(f"{where}: expected a universal part of speech in column 4, got none")
        return form, tag

    return _sentences(text, file, word)


def columns(text: str, file: str, *, word: int, tag: int, comment: str) -> list[Sentence]:
    """Return words and tags of a text in columns, which stand between tabs where a line holds one, and between blanks elsewhere.

    `word` and `tag` count columns from 0, or from the end with -1. Lines that begin with `comment` are passed over ("": none are).

    Raises:
        ValueError: names the file and the line.
    """
    needed = max(place + 1 if place >= 0 else -place for place in (word, tag))

    def pair(line: str, where: str) -> tuple[str, str] | None:
        if comment and line.startswith(comment):
            return None
        found = line.split("\t") if "\t" in line else line.split()
        if len(found) < max(needed, 2):
            raise ValueError(f"{where}: expected a word and a tag in {max(needed, 2)} columns or more, got {len(found)}")
        if not found[word].strip() or not found[tag].strip():
            raise ValueError(f"{where}: expected a word and a tag, got {found[word]!r} and {found[tag]!r}")
        return None if found[word] == DOCUMENT else (found[word], found[tag].strip())

    return _sentences(text, file, pair)


def _sentences(text: str, file: str, parse: Callable[[str, str], tuple[str, str] | None]) -> list[Sentence]:
    found: list[Sentence] = []
    pairs: list[tuple[str, str]] = []
    first = 1
    for number, line in enumerate([*text.split("\n"), ""], 1):
        line = line.rstrip("\r")
        if line.strip():
            if (pair := parse(line, f"{file}, line {number}")) is not None:
                first = first if pairs else number
                pairs.append(pair)
        elif pairs:
            words, tags = zip(*pairs, strict=True)
            found.append(Sentence(words, tags, first))
            pairs = []
    return found
