"""Parallel text: pairs of sentences by split, from Multi30k, from two files of a user, or made."""

import hashlib
from typing import NamedTuple

from suite.corpus import Missing, locate
from tasks.corpora import CORPORA
from tasks.lines import lines
from tasks.phrases import phrases
from tasks.user_files import Source, text_of

MADE, MULTI30K = "phrases", "multi30k"
FILES = {"train": "train", "validation": "val", "test": "test_2016_flickr"}  # of Multi30k
PINNED = ("de", "en")  # its languages whose files have a pinned hash
KNOWN = (*PINNED, "fr")
MARK = "\u2581"  # stands for a space within symbols, so never in a text
SHARE = 20  # one pair of so many goes to validation, and one to test, where a corpus has no splits


class Pairs(NamedTuple):
    """Sentences and their translations, line by line."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]

    @classmethod
    def of(cls, pairs: list[tuple[str, str]]) -> "Pairs":
        """Return pairs as two columns."""
        return cls(tuple(source for source, _ in pairs), tuple(target for _, target in pairs))


def multi30k(source: str, target: str) -> dict[str, Pairs]:
    """Return the official splits of Multi30k, task 1; test is test_2016_flickr.

    Raises:
        Missing: the files are not here, or have no pinned hash.
    """
    if unpinned := sorted({source, target} - set(PINNED)):
        raise Missing(
            f"multi30k {source}-{target} is not here: its {', '.join(unpinned)} files have no pinned hash; "
            "give your copy of them by source_path and target_path"
        )
    folder = locate(CORPORA[MULTI30K])
    return {split: Pairs.of(read(folder / f"{stem}.{source}.gz", folder / f"{stem}.{target}.gz")) for split, stem in FILES.items()}


def made(source: str, target: str) -> dict[str, Pairs]:
    """Return the made corpus, in splits by the hash of the source."""
    pairs = phrases()
    return divided(pairs if (source, target) == ("en", "de") else [(german, english) for english, german in pairs])


def divided(pairs: list[tuple[str, str]]) -> dict[str, Pairs]:
    """Return pairs without repeated ones, in splits by the hash of the source: all translations of a sentence are in one of them."""
    splits: dict[str, list[tuple[str, str]]] = {"train": [], "validation": [], "test": []}
    for source, target in dict.fromkeys(pairs):
        place = int.from_bytes(hashlib.sha256(source.encode()).digest()[:8]) % SHARE
        splits[{0: "validation", 1: "test"}.get(place, "train")].append((source, target))
    return {split: Pairs.of(found) for split, found in splits.items()}


def read(source: Source, target: Source) -> list[tuple[str, str]]:
    """Return the pairs of two files, plain or gzip, line by line, with single spaces between words.

    Raises:
        ValueError: names the file, the line and what is wrong with it.
    """
    sources, targets = sentences(source), sentences(target)
    if len(sources) != len(targets):
        shorter, longer = (source, target) if len(sources) < len(targets) else (target, source)
        least = min(len(sources), len(targets))
        raise ValueError(
            f"{longer}, line {least + 1}: has no partner, {shorter} ends with line {least}; the two files must pair up line by line, "
            f"got {len(sources):,} and {len(targets):,} lines"
        )
    return list(zip(sources, targets, strict=True))


def sentences(source: Source) -> list[str]:
    """Return the lines of a UTF-8 file, none of them empty."""
    text = text_of(source).replace(MARK, " ")
    return [" ".join(line.split()) for line in lines(text, source)]
