"""From pairs of sentences to rows of ids: which pairs are used, their vocabularies, their splits, and the lengths they are padded to."""

import hashlib
import itertools
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from suite.task import Array
from tasks.bleu import LEAST
from tasks.generated import PROBE_ROWS
from tasks.padding import padded_lengths
from tasks.parallel import Pairs
from tasks.subwords import Vocabulary, fit


class Rows(NamedTuple):
    """All sentences used, by number; splits hold numbers."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    x: list[Array]
    y: list[Array]
    splits: dict[str, Array]  # train in the order of the corpus; the others by length, so that alike ones share a batch
    vocabularies: tuple[Vocabulary, Vocabulary]
    buckets: tuple[tuple[int, int], ...]  # padded lengths of x and of y, both growing
    bucket: Array  # of each sentence
    sizes: Array  # symbols of x and of y with its stop, (sentences, 2)
    sha256: str


def used(pairs: Pairs, *, most_words: int | None, first: int | None, lower: bool) -> Pairs:
    """Return the `first` pairs of at most `most_words` words on both sides; None of both is all of them."""
    found = [pair for pair in zip(*pairs, strict=True) if most_words is None or all(len(side.split()) <= most_words for side in pair)]
    return Pairs.of([(source.lower(), target.lower()) if lower else (source, target) for source, target in found[:first]])


def encoded(splits: Mapping[str, Pairs], *, vocabulary: int, units: Literal["bpe", "word"], buckets: int) -> Rows:
    """Fit both vocabularies on training, number what the pairs hold, and pad in at most `buckets` groups, and one for longer ones.

    Raises:
        ValueError: a split is empty, or has no target of which BLEU can be told.
    """
    if short := [split for split, pairs in splits.items() if not pairs.sources]:
        raise ValueError(f"every split must hold a pair, got none for {', '.join(short)}")
    if short := [split for split, pairs in splits.items() if all(len(target.split()) < LEAST for target in pairs.targets)]:
        raise ValueError(f"BLEU counts {LEAST} words in a row: no target of {', '.join(short)} has so many")
    both = [fit(column, size=vocabulary, units=units) for column in splits["train"]]
    sources, targets = (tuple(itertools.chain.from_iterable(pairs[side] for pairs in splits.values())) for side in (0, 1))
    x, y = ([np.array(ids, np.int32) for ids in language.encode(column)] for language, column in zip(both, (sources, targets), strict=True))
    ends = np.cumsum([len(pairs.sources) for pairs in splits.values()])
    rows = {
        split: np.arange(end - len(pairs.sources), end, dtype=np.int32) for (split, pairs), end in zip(splits.items(), ends, strict=True)
    }
    sizes = np.array([(len(source), len(target) + 1) for source, target in zip(x, y, strict=True)])
    for split in ("validation", "test"):
        rows[split] = rows[split][np.lexsort((rows[split], sizes[rows[split], 1], sizes[rows[split], 0]))]
    rows["probe"] = rows["validation"][np.linspace(0, len(rows["validation"]) - 1, PROBE_ROWS).astype(int)]
    padded = padded_sizes(sizes[rows["train"]], sizes, buckets)
    fits = np.array([(sizes <= size).all(axis=1) for size in padded])
    found = hashlib.sha256("".join(language.sha256 for language in both).encode())
    for pairs in splits.values():
        found.update("\n".join(("", *pairs.sources, "", *pairs.targets)).encode())
    return Rows(sources, targets, x, y, rows, (both[0], both[1]), padded, fits.argmax(axis=0), sizes, found.hexdigest())


def padded_sizes(training: Array, every: Array, count: int) -> tuple[tuple[int, int], ...]:
    """Return pairs of lengths that part training pairs (rows, 2) by the longer side into `count` groups; one more where others are longer.

    The groups are those that pad the longer side least.
    """
    longer = training.max(axis=1)
    ends = [training[longer <= length].max(axis=0) for length in padded_lengths(longer, int(longer.max()), most=count)]
    return tuple(dict.fromkeys((int(time), int(target)) for time, target in [*ends, every.max(axis=0)]))
