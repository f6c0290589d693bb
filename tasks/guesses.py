"""Baselines that are one function of the batch: how probabilities or values become a prediction."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from suite.task import Array, Batch, Prediction


@dataclass(frozen=True)
class Guess:
    """A predictor without weights; what it may look at is for the function to say."""

    function: Callable[[Batch], Prediction]

    def predict(self, batch: Batch) -> Prediction:
        return self.function(batch)


def of_classes(y: Array, probabilities: Array) -> Prediction:
    """Return the prediction that gives each target of `y` these probabilities (..., outputs), in nats."""
    spread = np.broadcast_to(probabilities, (*y.shape, probabilities.shape[-1]))
    with np.errstate(divide="ignore"):
        loss = -np.log(np.take_along_axis(spread, y[..., None].astype(int), axis=-1)[..., 0])
    return Prediction(loss=loss, best=spread.argmax(axis=-1), probabilities=spread)


def of_flags(y: Array, probabilities: Array) -> Prediction:
    """Return the prediction that gives each flag of `y` (..., outputs) this probability of being set, in nats summed over outputs."""
    spread = np.broadcast_to(probabilities, y.shape)
    with np.errstate(divide="ignore"):
        loss = -np.log(np.where(y > 0, spread, 1 - spread)).sum(axis=-1)
    return Prediction(loss=loss, best=(spread > 0.5).astype(y.dtype), probabilities=spread)


def of_values(y: Array, values: Array) -> Prediction:
    """Return the prediction of these values, with its squared error, summed over outputs where targets are vectors."""
    best = np.broadcast_to(values, y.shape)
    error = (best - y.astype(np.float64)) ** 2
    return Prediction(loss=error.sum(axis=-1) if y.ndim > 1 else error, best=best)
