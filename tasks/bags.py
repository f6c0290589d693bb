"""Baselines that see which words a row holds and not their order: naive Bayes and logistic regression on counts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from suite.task import Array, Batch, Prediction
from tasks.guesses import of_classes
from tasks.vocabulary import UNKNOWN


class Bag:
    """Counts of the words, and with `order` 2 of the pairs of neighbours, that training rows hold; padding and unknown words are none."""

    def __init__(self, x: Array, *, vocabulary: int, order: int) -> None:
        if order not in (1, 2):
            raise ValueError(f"order must be 1 or 2, got {order}")
        self.vocabulary, self.order = vocabulary, order
        keys = self._keys(x)
        self.columns = np.unique(keys[keys >= 0])

    def counts(self, x: Array) -> Any:
        """Return how often each row of x (batch, time) holds each of them, a sparse matrix (batch, columns)."""
        from scipy.sparse import csr_matrix

        keys = self._keys(x)
        place = np.minimum(np.searchsorted(self.columns, keys), len(self.columns) - 1)
        rows, steps = np.nonzero(self.columns[place] == keys)
        ones = np.ones(len(rows))
        return csr_matrix((ones, (rows, place[rows, steps])), shape=(len(x), len(self.columns)))

    def _keys(self, x: Array) -> Array:
        """Return a number for each word and pair, -1 for none."""
        x = x.astype(np.int64)
        known = x > UNKNOWN
        words = np.where(known, x, -1)
        if self.order == 1:
            return words
        pairs = np.where(known[:, 1:] & known[:, :-1], self.vocabulary * (x[:, :-1] + 1) + x[:, 1:], -1)
        return np.concatenate([words, pairs], axis=1)


@dataclass(frozen=True)
class Fitted:
    """A classifier of counts, fitted when it is first asked."""

    classifier: Callable[[], tuple[Bag, Any]]

    def predict(self, batch: Batch) -> Prediction:
        bag, model = self.classifier()
        return of_classes(batch.y, np.exp(model.predict_log_proba(bag.counts(batch.x))))


def naive_bayes(x: Array, y: Array, *, vocabulary: int, order: int) -> tuple[Bag, Any]:
    """Return a multinomial naive Bayes of counts, one added to each (McCallum & Nigam 1998)."""
    from sklearn.naive_bayes import MultinomialNB  # a second that other tasks do not need

    bag = Bag(x, vocabulary=vocabulary, order=order)
    return bag, MultinomialNB().fit(bag.counts(x), y)


def logistic_regression(x: Array, y: Array, *, vocabulary: int) -> tuple[Bag, Any]:
    """Return a logistic regression of counts with a Gaussian prior of variance 1 on its weights, at its optimum."""
    from sklearn.linear_model import LogisticRegression

    bag = Bag(x, vocabulary=vocabulary, order=1)
    return bag, LogisticRegression(solver="newton-cg", max_iter=1_000).fit(bag.counts(x), y)
