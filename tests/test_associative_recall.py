"""Associative recall: which key asks where, and what the values of a row tell without their keys."""

import math

import numpy as np
import pytest

from suite.task import Batch, Prediction
from tasks.associative_recall import AssociativeRecall


def rows(task, count=2_000):
    return next(task.batches("train", seed=0, batch_size=count))


@pytest.mark.parametrize("filler", ["random", "blank"])
def test_each_key_asks_once_behind_the_pairs_for_the_value_given_with_it(filler):
    batch = rows(AssociativeRecall(length=20, pairs=3, vocabulary=16, filler=filler), 300)
    for x, y, weight in zip(batch.x, batch.y, batch.weight, strict=True):
        given = dict(zip(x[0:6:2].tolist(), x[1:6:2].tolist(), strict=True))
        assert len(given) == len(set(given.values())) == 3
        assert all(1 <= key <= 7 and 8 <= value <= 15 for key, value in given.items())
        steps = np.flatnonzero(weight)
        assert steps.min() >= 6
        assert sorted(x[steps]) == sorted(given)
        assert [y[step] + 8 for step in steps] == [given[x[step]] for step in steps]
        if filler == "blank":
            assert not np.delete(x[6:], steps - 6).any()


def test_random_filler_is_any_id_and_weighs_nothing():
    batch = rows(AssociativeRecall(vocabulary=16, length=64))
    behind = batch.x[:, 8:][batch.weight[:, 8:] == 0]
    assert set(np.unique(behind)) == set(range(16))
    assert (batch.weight.sum(axis=1) == 4).all()


def test_questions_come_soon_as_a_power_law_without_replacement_says():
    """With two keys, P(gap g is taken) = p_g + sum over the other first draw i of p_i p_g / (1 - p_i)."""
    task = AssociativeRecall(length=16, pairs=2, vocabulary=8, power=0.01)
    taken = rows(task, 20_000).weight[:, 4::2].mean(axis=0)
    p = np.arange(1, 7) ** -0.99
    p /= p.sum()
    expected = [p[g] + sum(p[i] * p[g] / (1 - p[i]) for i in range(6) if i != g) for g in range(6)]
    assert taken == pytest.approx(expected, abs=0.015)
    assert not rows(task).weight[:, 5::2].any()


def test_the_place_of_a_question_tells_nothing_of_its_answer():
    """In the source the first key draws its place first, and the earliest question is most often its own."""
    batch = rows(AssociativeRecall(), 10_000)
    first = np.argmax(batch.weight, axis=1)
    asks = batch.x[np.arange(10_000), first]
    which = (batch.x[:, 0:8:2] == asks[:, None]).mean(axis=0)
    assert which == pytest.approx([0.25] * 4, abs=0.022)


def test_floors_are_any_value_or_any_of_the_row():
    metrics = AssociativeRecall().metrics("test")
    assert metrics["accuracy"].floors == {"memoryless": 1 / 32, "counts only": 1 / 4}
    assert metrics["accuracy"].floor == 1 / 4
    assert metrics["loss"].floor == pytest.approx(math.log(4))
    assert metrics["exact"].floor == pytest.approx(1 / 24)


def test_only_questions_are_scored():
    task = AssociativeRecall(length=8, pairs=2, vocabulary=8)
    batch = Batch(
        x=np.array([[3, 6, 1, 4, 1, 7, 3, 0]], np.int32),
        y=np.array([[0, 0, 0, 0, 0, 0, 2, 0]], np.int32),
        weight=np.array([[0, 0, 0, 0, 1, 0, 1, 0]], np.float32),
    )
    meter = task.meter("test")
    meter.update(batch, Prediction(loss=np.zeros((1, 8)), best=np.array([[9, 9, 9, 9, 0, 9, 3, 9]])))
    assert meter.result() == {"loss": 0, "accuracy": 0.5, "exact": 0}


@pytest.mark.parametrize(
    "wrong", [{"length": 15}, {"pairs": 1}, {"vocabulary": 8}, {"vocabulary": 63}, {"power": 0.0}, {"filler": "noise"}]
)
def test_impossible_settings_are_refused_with_what_came(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        AssociativeRecall(**wrong)
