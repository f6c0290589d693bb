"""Translations that understand nothing: the source itself, one sentence for all, and the translation of the most alike source."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

ORDER = 4  # of n-grams, as in BLEU


class Nearest:
    """Finds the most alike of the training sentences: cosine of TF-IDF of their lower-cased words."""

    def __init__(self, sentences: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.vectorizer = TfidfVectorizer()
        self.known: Any = self.vectorizer.fit_transform(sentences)

    def __call__(self, sentences: Sequence[str]) -> list[int]:
        """Return the number of the most alike training sentence, the first one among equals."""
        alike = self.vectorizer.transform(sentences) @ self.known.T
        return [int(number) for number in np.asarray(alike.todense()).argmax(axis=1)]


def constant(sentences: Sequence[str]) -> str:
    """Return the sentence, every other one a candidate, that gets the highest BLEU when it stands for each of the rest.

    With one hypothesis for all, an n-gram of it counts once for each sentence that holds it as often, so the number of
    sentences that hold each n-gram gives the BLEU of every candidate at once. A candidate is not among those counted, or the
    rarest would win by its own n-grams.
    """
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    tokenize = Tokenizer13a()
    words = [tokenize(sentence).split() for sentence in sentences]
    counted = words[1::2] or words
    holding = Counter(gram for sentence in counted for grams in _grams(sentence) for gram in grams)
    mean = sum(map(len, counted)) / len(counted)

    def score(sentence: list[str]) -> float:
        found = [sum(holding[gram] for gram in grams) for grams in _grams(sentence)]
        if not all(found):
            return -math.inf
        precisions = sum(math.log(held / (len(sentence) - place)) for place, held in enumerate(found)) / ORDER
        return precisions + min(0.0, 1 - mean / len(sentence))

    return sentences[max(range(0, len(words), 2), key=lambda number: score(words[number]))]


def _grams(words: list[str]) -> list[list[tuple[Hashable, ...]]]:
    """Return the n-grams of each order; one that stands in the sentence again comes with the number of times before."""
    found: list[list[tuple[Hashable, ...]]] = []
    for order in range(1, ORDER + 1):
        grams: list[tuple[Hashable, ...]] = list(zip(*(words[first:] for first in range(order)), strict=False))
        if len(set(grams)) < len(grams):
            seen: Counter[tuple[Hashable, ...]] = Counter()
            for place, gram in enumerate(grams):
                seen[gram] += 1
                grams[place] = gram if seen[gram] == 1 else (*gram, seen[gram])
        found.append(grams)
    return found
