"""Scores of a classification that no mean over rows gives: ranks, calibration, and all classes alike."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import rankdata

from suite.task import Array, Batch, Metric, Prediction, Score

BINS = 15


class ClassScores:
    """A meter of loss, accuracy, macro-F1, AUROC, Brier and ECE over the weighted rows of a split, kind once.

    What needs probabilities is left out where a prediction has none, and AUROC where there are more than two classes or a
    split holds one of them only. Of two classes Brier looks at the second alone: half of the sum over both.
    """

    def __init__(self, classes: int = 2) -> None:
        self.classes = classes
        self.parts: list[tuple[Array, Array, Array, Array | None]] = []

    def update(self, batch: Batch, prediction: Prediction) -> None:
        kept = batch.weight > 0
        probable = None if prediction.probabilities is None else prediction.probabilities[kept].astype(np.float64)
        self.parts.append((batch.y[kept], prediction.loss[kept].astype(np.float64), prediction.best[kept], probable))

    def result(self) -> dict[str, Score]:
        y, loss, best = (np.concatenate([part[index] for part in self.parts if part[index] is not None]) for index in range(3))
        found: dict[str, Score] = {} if np.isnan(loss).all() else {"loss": float(loss.mean())}
        found |= {"accuracy": float((best == y).mean()), "macro-F1": macro_f1(y, best, self.classes)}
        probable = [part[3] for part in self.parts if part[3] is not None]
        if len(probable) == len(self.parts):
            p = np.concatenate(probable)
            squares = ((p - np.eye(self.classes)[y]) ** 2).sum(axis=1).mean()
            found |= {"Brier": float(squares / 2 if self.classes == 2 else squares), "ECE": calibration_error(y, p)}
            if self.classes == 2 and 0 < y.mean() < 1:
                found["AUROC"] = auroc(y, p[:, 1])
        return found


def macro_f1(y: Array, best: Array, classes: int = 2) -> float:
    """Return the mean over the classes of 2 hits / (named + there); a class neither named nor there counts as 1."""
    scores = []
    for kind in range(classes):
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
    """Return the mean distance of confidence and accuracy over 15 bins of confidence, each by its rows; p: (rows, classes).

    Source: Guo et al. (2017), arXiv:1706.04599.
    """
    if np.isnan(p).any():
        return float("nan")
    confidence = p.max(axis=1)
    hit = p.argmax(axis=1) == y
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
        "macro-F1": ("mean F1 of the classes", "max", majority, "majority", shares),
        "AUROC": ("share of pairs", "max", majority, "majority", "no ranking: each pair is a tie"),
        "Brier": ("squared error of the probabilities", "min", majority, "majority", shares),
        "ECE": ("expected distance of confidence and accuracy, 15 bins", "min", certain, "certain", sure),
    }
    return {
        name: Metric(unit, "max" if better == "max" else "min", {floor: float(_number(scores[name]))}, float(better == "max"), why)
        for name, (unit, better, scores, floor, why) in rows.items()
        if name in scores
    }


def _number(score: Score) -> float:
    return score if isinstance(score, float) else float("nan")
