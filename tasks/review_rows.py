"""From reviews to rows of ids: which rows train, which words have a number, and how long the padded rows are."""

from typing import NamedTuple

import numpy as np

from suite.seeding import generator
from suite.task import Array
from tasks.generated import PROBE_ROWS
from tasks.padding import padded_lengths
from tasks.partition import TENTHS, tenths
from tasks.reviews import Reviews
from tasks.vocabulary import Vocabulary

LENGTHS = 5  # padded lengths: each costs a compilation, each saves padding


class Rows(NamedTuple):
    """The rows of a corpus as ids, those of test once more with their words shuffled, and which rows make each split."""

    x: Array  # int32 (rows, longest)
    used: Array  # words kept, (rows,)
    y: Array  # int32 (rows,)
    splits: dict[str, Array]  # numbers of rows, in the order of the split
    ids: int  # those of words, of padding and of the unknown word
    lengths: tuple[int, ...]  # the padded ones
    cut: float  # share of the rows that are longer than what is kept of them
    sha256: str
    repeated: int  # rows left out, whose text stands before


def encoded(found: Reviews, *axes: str | int, fold: int | None, least: int, longest: int) -> Rows:
    """Divide reviews, number the words that training holds at least `least` times, and pad.

    Args:
        axes: of the seeds, by which rows are divided, mixed and shuffled.
        fold: the tenth that tests, or None for the one split.
        longest: the words that are kept of a review.

    Raises:
        ValueError: a split would have one class only, or there are no folds because the corpus has an official split.
    """
    parts = divided(found, *axes, fold=fold)
    for split, numbers in parts.items():
        if (classes := len(np.unique(found.labels[numbers]))) < found.classes:
            raise ValueError(
                f"every split needs rows of {'both' if found.classes == 2 else f'all {found.classes}'} classes, "
                f"{split} has {len(numbers)} rows of {len(found.labels)}, of {classes} classes"
            )
    vocabulary = Vocabulary((found.words[number] for number in parts["train"]), least=least)
    used = np.minimum(found.lengths, longest)
    lengths = padded_lengths(used[parts["train"]], int(used.max()), most=LENGTHS)
    splits = {"train": parts["train"]}
    for split in ("validation", "test"):
        mixed = generator(*axes, split).permutation(parts[split])
        splits[split] = mixed[np.argsort(np.searchsorted(lengths, used[mixed]), kind="stable")]  # rows of about one length together
    test = splits["test"]
    splits["test/shuffled"] = len(used) + np.arange(len(test))
    splits["probe"] = splits["validation"][np.linspace(0, len(splits["validation"]) - 1, PROBE_ROWS).astype(int)]
    x = vocabulary.encode(found.words, longest=int(used.max()))
    return Rows(
        x=np.concatenate([x, _shuffled(x[test], used[test], generator(*axes, "shuffled"))]),
        used=np.concatenate([used, used[test]]),
        y=np.concatenate([found.labels, found.labels[test]]),
        splits=splits,
        ids=len(vocabulary),
        lengths=lengths,
        cut=float((found.lengths > longest).mean()),
        sha256=found.sha256,
        repeated=found.repeated,
    )


def _shuffled(x: Array, used: Array, rng: np.random.Generator) -> Array:
    """Return the rows with their words in an order drawn at random; padding stays where it is."""
    place = np.where(np.arange(x.shape[1]) < used[:, None], rng.random(x.shape), 1)
    return np.take_along_axis(x, np.argsort(place, axis=1, kind="stable"), axis=1)


def divided(found: Reviews, *axes: str | int, fold: int | None) -> dict[str, Array]:
    """Return the rows of training, validation and test, in the order of the corpus."""
    labels, groups = found.labels, found.groups
    official = {split: np.flatnonzero(found.parts == split) for split in ("train", "validation", "test")}
    if fold is not None and len(official["test"]):
        raise ValueError(f"a corpus with an official split has no folds, got fold {fold}")
    if len(official["validation"]):
        return official
    if len(official["test"]):
        rows = official["train"]
        last = tenths(labels[rows], groups[rows], *axes, "part") == 0
        return {"train": rows[~last], "validation": rows[last], "test": official["test"]}
    tenth = tenths(labels, groups, *axes, "part" if fold is None else "folds")
    test = fold or 0
    which = {"validation": tenth == (test + 1) % TENTHS, "test": tenth == test}
    return {
        "train": np.flatnonzero(~(which["validation"] | which["test"])),
        **{split: np.flatnonzero(rows) for split, rows in which.items()},
    }
