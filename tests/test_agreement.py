"""Agreement at a distance: which noun is the subject, where the others stand, and how far counting or the nearest noun comes."""

import itertools
import math

import numpy as np
import pytest

from suite.task import Prediction
from tasks.agreement import Agreement


def nouns(task, batch):
    """Return for each row its nouns as (step, number), and the step of the question."""
    found = []
    for x, mask in zip(batch.x, batch.mask, strict=True):
        row = x[mask]
        assert (np.flatnonzero(row == 2 * task.nouns + task.words) == [len(row) - 1]).all()
        found.append(([(step, int(symbol >= task.nouns)) for step, symbol in enumerate(row) if symbol < 2 * task.nouns], len(row) - 1))
    return found


@pytest.mark.parametrize(("lag", "attractors"), [(1, 0), (2, 1), (6, 0), (6, 3), (6, 5), (50, 1)])
def test_the_first_noun_is_the_subject_and_the_question_comes_a_lag_later(lag, attractors):
    task = Agreement(lag=lag, attractors=attractors)
    batch = next(task.batches("train", seed=0, batch_size=300))
    leads = set()
    for (found, question), y in zip(nouns(task, batch), batch.y, strict=True):
        assert len(found) == 1 + attractors
        first, number = found[0]
        assert number == y
        assert question - first == lag
        leads.add(first)
    assert leads == {0, 1, 2, 3, 4}


def test_numbers_of_nouns_are_coins_and_attractors_stand_anywhere_between():
    task = Agreement(lag=5, attractors=2)
    batch = next(task.batches("train", seed=0, batch_size=4_000))
    found = [row for row, _ in nouns(task, batch)]
    numbers, times = np.unique([[number for _, number in row] for row in found], axis=0, return_counts=True)
    assert len(numbers) == 8
    assert times == pytest.approx(500, abs=5 * math.sqrt(500))
    places, times = np.unique([[step - row[0][0] for step, _ in row[1:]] for row in found], axis=0, return_counts=True)
    assert places.tolist() == [[1, 2], [1, 3], [1, 4], [2, 3], [2, 4], [3, 4]]
    assert times == pytest.approx(4_000 / 6, abs=5 * math.sqrt(4_000 / 6))


@pytest.mark.parametrize("attractors", [1, 2, 3, 4])
def test_floors_are_what_all_numbers_of_the_nouns_say(attractors):
    every = np.array(list(itertools.product(range(2), repeat=1 + attractors)))
    subject, plural = every[:, 0], every.mean(axis=1)
    right = np.where(plural == 0.5, 0.5, (plural > 0.5) == subject)
    disagreeing = (every != subject[:, None]).sum(axis=1)
    metrics = Agreement(lag=10, attractors=attractors).metrics("test")
    assert metrics["accuracy"].floors == pytest.approx({"memoryless": 0.5, "counts only": right.mean(), "nearest noun": 0.5})
    assert metrics["loss"].floors["counts only"] == pytest.approx(-np.log(np.where(subject == 1, plural, 1 - plural)).mean())
    curve = [right[disagreeing == number].mean() for number in range(attractors + 1)]
    assert metrics["accuracy by disagreeing attractors"].floors["counts only"] == pytest.approx(np.mean(curve))


def test_with_no_attractor_the_one_noun_tells_all_and_is_no_floor():
    task = Agreement(attractors=0)
    assert task.metrics("test")["accuracy"].floors == {"memoryless": 0.5}
    assert "counts" in task.metrics("test")["accuracy"].why
    batch = next(task.batches("test", seed=0, batch_size=100))
    for name in ("counts only", "nearest noun"):
        assert (task.baselines()[name].predict(batch).best == batch.y).all()


def test_who_follows_the_nearest_noun_errs_with_every_attractor_that_disagrees():
    task = Agreement(attractors=1)
    meter = task.meter("test")
    for batch in task.batches("test", seed=0, batch_size=100):
        meter.update(batch, task.baselines()["nearest noun"].predict(batch))
    found = meter.result()
    assert "loss" not in found
    assert found["accuracy by disagreeing attractors"] == ((0.0, 1.0), (1.0, 0.0))


def test_the_curve_counts_attractors_of_the_other_number():
    task = Agreement(lag=9, attractors=3)
    meter, right = task.meter("test"), {number: [] for number in range(4)}
    for batch in task.batches("test", seed=0, batch_size=100):
        best = batch.y * (np.arange(100) % 2)
        meter.update(batch, Prediction(loss=np.zeros(100), best=best))
        for (found, _), y, guess in zip(nouns(task, batch), batch.y, best, strict=True):
            right[sum(number != y for _, number in found)].append(guess == y)
    assert dict(meter.result()["accuracy by disagreeing attractors"]) == pytest.approx({k: np.mean(v) for k, v in right.items()})


@pytest.mark.parametrize("wrong", [{"lag": 0}, {"lead": -1}, {"nouns": 0}, {"words": 0}, {"attractors": 20}, {"attractors": -1}])
def test_impossible_settings_are_refused_with_what_came(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        Agreement(**wrong)
