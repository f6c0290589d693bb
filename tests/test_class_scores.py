"""Scores of two classes, against scikit-learn and against counting by hand."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from suite.task import Batch, Prediction
from tasks.class_scores import ClassScores, auroc, calibration_error, class_metrics, macro_f1
from tasks.guesses import of_classes


def scored(y, p, *, parts=1, probabilities=True):
    """Return the scores of these probabilities of class 1, given in batches that end with a row of no weight."""
    meter = ClassScores()
    for rows in np.array_split(np.arange(len(y)), parts):
        index = np.r_[rows, rows[:1]]
        weight = np.r_[np.ones(len(rows)), 0].astype(np.float32)
        found = of_classes(y[index], np.stack([1 - p[index], p[index]], axis=1))
        found = found if probabilities else Prediction(loss=found.loss, best=found.best)
        meter.update(Batch(x=np.zeros((len(index), 1)), y=y[index], weight=weight), found)
    return meter.result()


@pytest.fixture
def sample():
    """Return 500 labels and probabilities that know something of them, in steps of .05, so with ties."""
    rng = np.random.default_rng(0)
    y = (rng.random(500) < 0.3).astype(np.int32)
    return y, np.round(np.clip(0.35 + 0.2 * y + rng.normal(0, 0.2, 500), 0.02, 0.98) * 20) / 20 * 0.98 + 0.01


@pytest.mark.parametrize("parts", [1, 7])
def test_scores_agree_with_scikit_learn_and_with_their_definitions(sample, parts):
    y, p = sample
    found = scored(y, p, parts=parts)
    assert found["accuracy"] == pytest.approx(np.mean((p > 0.5) == y))
    assert found["macro-F1"] == pytest.approx(f1_score(y, p > 0.5, average="macro"))
    assert found["AUROC"] == pytest.approx(roc_auc_score(y, p))
    assert found["Brier"] == pytest.approx(np.mean((p - y) ** 2))
    assert found["loss"] == pytest.approx(-np.mean(np.log(np.where(y == 1, p, 1 - p))))


def test_ties_count_half_in_auroc():
    y = np.array([0, 1, 0, 1])
    assert auroc(y, np.array([0.2, 0.2, 0.1, 0.9])) == pytest.approx((0.5 + 1 + 1 + 1) / 4)
    assert auroc(y, np.full(4, 0.5)) == 0.5


def test_calibration_error_is_the_gap_of_each_bin_by_its_rows():
    p = np.array([0.9] * 10 + [0.3] * 10)  # confident of .9 and of .7
    y = np.array([1] * 6 + [0] * 4 + [0] * 7 + [1] * 3)
    assert calibration_error(y, np.stack([1 - p, p], axis=1)) == pytest.approx((abs(0.6 - 0.9) + abs(0.7 - 0.7)) / 2)
    assert calibration_error(np.array([1, 0]), np.eye(2)[[1, 0]]) == 0


def test_macro_f1_treats_both_classes_alike():
    y, best = np.array([0] * 90 + [1] * 10), np.zeros(100, int)
    assert macro_f1(y, best) == pytest.approx((2 * 90 / 190 + 0) / 2)
    assert macro_f1(y, y) == 1


def test_a_guess_without_probabilities_and_a_split_of_one_class_leave_out_what_they_cannot_define(sample):
    y, p = sample
    assert set(scored(y, p, probabilities=False)) == {"loss", "accuracy", "macro-F1"}
    assert "AUROC" not in scored(np.ones(500, np.int32), p)


def test_probabilities_that_are_no_numbers_give_scores_that_are_none(sample):
    found = scored(sample[0], np.full(500, np.nan))
    assert np.isnan([found["Brier"], found["ECE"], found["AUROC"]]).all()


def test_the_floor_of_calibration_is_a_guess_that_is_sure_and_not_one_that_is_calibrated():
    y = np.array([1] * 6 + [0] * 4)
    majority, certain = scored(y, np.full(10, 0.6)), scored(y, np.ones(10))
    metrics = class_metrics(majority, certain)
    assert majority["ECE"] == pytest.approx(0)
    assert metrics["ECE"].floor == pytest.approx(0.4)
    assert {name: metric.ceiling for name, metric in metrics.items()} == {
        "loss": 0,
        "accuracy": 1,
        "macro-F1": 1,
        "AUROC": 1,
        "Brier": 0,
        "ECE": 0,
    }
