"""Words to ids: only training decides which words there are."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from suite.task import Array

PADDING, UNKNOWN = 0, 1  # ids; the words follow


class Vocabulary:
    """The words that training holds at least `least` times, the commonest first, ties by the alphabet.

    With `least` 2 or more the words that training holds once are unknown to it, so that the unknown word is trained too.
    """

    def __init__(self, rows: Iterable[list[str]], *, least: int) -> None:
        counts = Counter(word for row in rows for word in row)
        kept = sorted((word for word, count in counts.items() if count >= least), key=lambda word: (-counts[word], word))
        self.words = ("", "", *kept)  # by id
        self.ids = {word: number for number, word in enumerate(kept, UNKNOWN + 1)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, rows: list[list[str]], *, longest: int) -> Array:
        """Return the first `longest` words of each row as ids, (rows, longest) int32, with padding on the right."""
        ids = np.full((len(rows), longest), PADDING, np.int32)
        for number, row in enumerate(rows):
            known = [self.ids.get(word, UNKNOWN) for word in row[:longest]]
            ids[number, : len(known)] = known
        return ids
