"""Weighted means over the targets of a split, the form that nearly every score of a task takes."""

from collections.abc import Callable, Mapping

import numpy as np

from suite.task import Array, Batch, Prediction, Score

Term = Callable[[Batch, Prediction], tuple[Array, Array] | None]  # values and their weights; None: not to be had from this prediction


class Means:
    """A meter of weighted means: each score is a function of a batch to its values and their weights.

    A score that is undefined for every weighted target (NaN, or None) is left out of the result.
    """

    def __init__(self, terms: Mapping[str, Term]) -> None:
        self.terms = terms
        self.totals = dict.fromkeys(terms, 0.0)
        self.weights = dict.fromkeys(terms, 0.0)
        self.defined = dict.fromkeys(terms, False)

    def update(self, batch: Batch, prediction: Prediction) -> None:
        for name, term in self.terms.items():
            if (found := term(batch, prediction)) is None:
                continue
            values, weights = found
            kept = weights > 0
            values = values[kept].astype(np.float64)
            self.totals[name] += float(values @ weights[kept].astype(np.float64))
            self.weights[name] += float(weights[kept].sum(dtype=np.float64))
            self.defined[name] |= not np.isnan(values).all()

    def result(self) -> dict[str, Score]:
        return {name: self.totals[name] / self.weights[name] for name in self.terms if self.defined[name]}


class Parts:
    """A meter of weighted means, and of a curve `name`: the weighted mean of `term` by what `part` says of each row or target.

    A curve has as its floor the mean of its points.
    """

    def __init__(self, means: Means, *, name: str, term: Term, part: Callable[[Batch], Array]) -> None:
        self.means, self.name, self.term, self.part = means, name, term, part
        self.totals: dict[int, float] = {}
        self.weights: dict[int, float] = {}

    def update(self, batch: Batch, prediction: Prediction) -> None:
        self.means.update(batch, prediction)
        if (found := self.term(batch, prediction)) is None:
            return
        values, weights = found
        part = self.part(batch)
        parts = np.broadcast_to(part.reshape(*part.shape, *[1] * (weights.ndim - part.ndim)), weights.shape)
        kept = weights > 0
        names, which = np.unique(parts[kept], return_inverse=True)
        weight = weights[kept].astype(np.float64)
        totals = np.bincount(which, weight * values[kept], len(names))
        for name, total, whole in zip(names.tolist(), totals, np.bincount(which, weight, len(names)), strict=True):
            self.totals[name] = self.totals.get(name, 0.0) + float(total)
            self.weights[name] = self.weights.get(name, 0.0) + float(whole)

    def result(self) -> dict[str, Score]:
        curve = tuple((float(part), self.totals[part] / self.weights[part]) for part in sorted(self.totals))
        return {**self.means.result(), **({self.name: curve} if curve else {})}


def loss(batch: Batch, prediction: Prediction) -> tuple[Array, Array]:
    """Return the loss of each target, vector targets summed over outputs."""
    value = prediction.loss
    return (value.sum(axis=-1) if value.ndim > batch.weight.ndim else value), batch.weight


def accuracy(batch: Batch, prediction: Prediction) -> tuple[Array, Array]:
    """Return 1 where the best guess is the target, vector targets all of it."""
    hit = prediction.best == batch.y
    return (hit.all(axis=-1) if hit.ndim > batch.weight.ndim else hit), batch.weight


def all_right(batch: Batch, prediction: Prediction) -> tuple[Array, Array]:
    """Return 1 for each row whose weighted targets are all guessed right."""
    right = ((prediction.best == batch.y) | (batch.weight == 0)).all(axis=1)
    return right, batch.weight.max(axis=1)
