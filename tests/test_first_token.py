"""First-token recall: what is asked, and what the counts of a row tell of it."""

import itertools
import math

import numpy as np
import pytest

from tasks.first_token import FirstToken


def test_the_answer_is_the_first_symbol():
    batch = next(FirstToken(length=10, symbols=5).batches("train", seed=0, batch_size=200))
    assert batch.x.shape == (200, 10)
    assert (batch.y == batch.x[:, 0]).all()
    assert set(np.unique(batch.x)) == set(range(5))


def test_floors_are_what_all_rows_say():
    rows = np.array(list(itertools.product(range(3), repeat=5)))
    counts = np.stack([(rows == symbol).sum(axis=1) for symbol in range(3)], axis=1)
    metrics = FirstToken(length=5, symbols=3).metrics("test")
    assert metrics["accuracy"].floors == pytest.approx({"memoryless": 1 / 3, "counts only": counts.max(axis=1).mean() / 5})
    of_first = counts[np.arange(len(rows)), rows[:, 0]]
    assert metrics["loss"].floors == pytest.approx({"memoryless": math.log(3), "counts only": -np.log(of_first / 5).mean()})


@pytest.mark.parametrize("length", [10, 320])
def test_the_commonest_symbol_is_the_first_as_often_as_the_floor_says(length):
    drawn = np.random.default_rng(0).integers(0, 8, (5_000, length))
    common = np.array([np.bincount(row, minlength=8).argmax() for row in drawn])
    floor = FirstToken(length=length).metrics("test")["accuracy"].floor
    assert floor > 1 / 8
    assert (common == drawn[:, 0]).mean() == pytest.approx(floor, abs=4 * math.sqrt(floor / 5_000))


@pytest.mark.parametrize("wrong", [{"length": 1}, {"symbols": 1}])
def test_impossible_settings_are_refused_with_what_came(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        FirstToken(**wrong)
