"""Scores of a classification into two classes that no mean over rows gives: ranks, calibration, and both classes alike."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import rankdata

from suite.task import Array, Batch, Metric, Prediction, Score

BINS = 15


class ClassScores:
    """A meter of loss, accuracy, macro-F1, AUROC, Brier and ECE over the weighted rows of a split, kind once, two classes.

    What needs probabilities is left out where a prediction has none, and AUROC where a split holds one class only.
    """

    def __init__(self) -> None:
        self.parts: list[tuple[Array, Array, Array, Array | None]] = []

    def update(self, batch: Batch, prediction: Prediction) -> None:
        kept = batch.weight > 0
        probable = None if prediction.probabilities is None else prediction.probabilities[kept, 1].astype(np.float64)
        self.parts.append((batch.y[kept], prediction.loss[kept].astype(np.float64), prediction.best[kept], probable))

    def result(self) -> dict[str, Score]:
        y, loss, best = (np.concatenate([part[index] for part in self.parts if part[index] is not None]) for index in range(3))
        found: dict[str, Score] = {} if np.isnan(loss).all() else {"loss": float(loss.mean())}
        found |= {"accuracy": float((best == y).mean()), "macro-F1": macro_f1(y, best)}
        probable = [part[3] for part in self.parts if part[3] is not None]
        if len(probable) == len(self.parts):
            p = np.concatenate(probable)
            found |= {"Brier": float(((p - y) ** 2).mean()), "ECE": calibration_error(y, p)}
            if 0 < y.mean() < 1:
                found["AUROC"] = auroc(y, p)
        return found


def macro_f1(y: Array, best: Array) -> float:
    """Return the mean over the two classes of 2 hits / (named + there); a class neither named nor there counts as 1."""
    scores = []
    for kind in (0, 1):
        named, there = best == kind, y == kind
        both = named.sum() + there.sum()
        scores.append(2 * (named & there).sum() / both if both else 1.0)
    return float(np.mean(scores))


def auroc(y: Array, p: Array) -> float:
    """Return the share of pairs, one row of each class, that p ranks rightly, ties as half (Hanley & McNeil 1982)."""
    if np.isnan(p).any():
        return float("nan")
    positive = int(y.sum())
    ranks = rankdata(p)[y == 1].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * (len(y) - positive)))


def calibration_error(y: Array, p: Array) -> float:
    """Return the mean distance of confidence and accuracy over 15 bins of confidence, each by its rows.

    Source: Guo et al. (2017), arXiv:1706.04599.
    """
    if np.isnan(p).any():
        return float("nan")
    confidence = np.maximum(p, 1 - p)
    hit = (p > 0.5) == y
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=hit - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(y))


def class_metrics(majority: Mapping[str, Score], certain: Mapping[str, Score]) -> dict[str, Metric]:
    """Return the metrics, with what the scores of the two constant guesses make of a split as floors."""
    shares = "the shares of the classes in training, for every row"
    sure = "the commonest class of training, with certainty; its shares alone would be calibrated, and useless"
    rows = {
        "loss": ("nats per row", "min", majority, "majority", shares),
        "accuracy": ("share of rows", "max", majority, "majority", shares),
        "macro-F1": ("mean F1 of both classes", "max", majority, "majority", shares),
        "AUROC": ("share of pairs", "max", majority, "majority", "no ranking: each pair is a tie"),
        "Brier": ("squared error of the probability of class 1", "min", majority, "majority", shares),
        "ECE": ("expected distance of confidence and accuracy, 15 bins", "min", certain, "certain", sure),
    }
    return {
        name: Metric(unit, "max" if better == "max" else "min", {floor: float(_number(scores[name]))}, float(better == "max"), why)
        for name, (unit, better, scores, floor, why) in rows.items()
        if name in scores
    }


def _number(score: Score) -> float:
    return score if isinstance(score, float) else float("nan")
