"""Adding: where the marks stand, what is added, and the floors of the three conventions, plain and ordered."""

import numpy as np
import pytest

from suite.task import Prediction
from tasks.adding import CLOSE, Adding

CONVENTIONS = ("arjovsky", "bai", "hs1997")
BOTH = [(convention, ordered) for convention in CONVENTIONS for ordered in (False, True)]


def rows(task, count=20_000):
    batch = next(task.batches("train", seed=0, batch_size=count))
    return batch, batch.x[:, :, 0].astype(np.float64), batch.x[:, :, 1]


def marked(value, mark):
    """Return the steps of the two marks in order of time, and their values."""
    steps = np.nonzero(mark == 1)[1].reshape(-1, 2)
    return steps, np.take_along_axis(value, steps, axis=1)


@pytest.mark.parametrize(("convention", "ordered"), BOTH)
def test_the_target_is_the_sum_or_difference_of_the_two_marked_values(convention, ordered):
    batch, value, mark = rows(Adding(length=20, convention=convention, ordered=ordered), 500)
    _, values = marked(value, mark)
    first, second = values.T
    plain = first - second if ordered else first + second
    assert batch.y == pytest.approx(0.5 + plain / 4 if convention == "hs1997" else plain, abs=1e-6)


def test_arjovsky_marks_one_step_in_each_half():
    _, value, mark = rows(Adding(length=20))
    steps, _ = marked(value, mark)
    assert (np.unique(steps[:, 0]) == np.arange(10)).all()
    assert (np.unique(steps[:, 1]) == np.arange(10, 20)).all()


def test_bai_marks_two_steps_anywhere_all_pairs_alike():
    _, value, mark = rows(Adding(length=5, convention="bai"))
    steps, _ = marked(value, mark)
    pairs, times = np.unique(steps, axis=0, return_counts=True)
    assert len(pairs) == 10
    assert times == pytest.approx(2_000, rel=0.15)


def test_hs1997_marks_both_ends_and_two_early_steps_and_varies_in_length():
    batch, value, mark = rows(Adding(length=40, convention="hs1997"))
    steps, _ = marked(value, mark)
    last = batch.mask.sum(axis=1) - 1
    assert set(last + 1) == set(range(40, 45))
    assert (mark[:, 0] == -1).all()
    assert (mark[np.arange(len(mark)), last] == -1).all()
    assert (np.count_nonzero(mark, axis=1) == 4).all()
    assert steps.min() == 1
    assert steps.max() == 19
    assert (steps[:, 0] <= 9).all()
    assert value.min() < -0.9


@pytest.mark.parametrize(("convention", "ordered"), BOTH)
def test_adding_floor_is_the_variance_of_the_target(convention, ordered):
    task = Adding(length=20, convention=convention, ordered=ordered)
    y = rows(task, 40_000)[0].y.astype(np.float64)
    metrics = task.metrics("test")
    assert y.var() == pytest.approx(metrics["loss"].floor, rel=0.02)
    assert y.var() == pytest.approx((1 / 24 if convention == "hs1997" else 1 / 6), rel=0.02)
    assert np.mean(np.abs(y - y.mean()) < CLOSE) == pytest.approx(metrics["accuracy"].floor, rel=0.06)


def test_adding_floor_is_not_the_slip_of_the_literature():
    """Le et al. (2015) print .1767, and others copied it; the variance of a sum of two U(0,1) is 2/12."""
    values = np.random.default_rng(0).uniform(size=(200_000, 2)).sum(axis=1)
    floor = Adding().metrics("test")["loss"].floor
    assert values.var() == pytest.approx(floor, abs=0.002)
    assert abs(floor - 0.1767) > 0.009


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_plain_adding_needs_no_order_and_ordered_adding_does(convention):
    """The best answer from the two values without their order: their sum, or the middle of both differences."""
    for ordered, error in ((False, 0.0), (True, Adding(convention=convention).metrics("test")["loss"].floor)):
        batch, value, mark = rows(Adding(length=20, convention=convention, ordered=ordered))
        total = (value * (mark == 1)).sum(axis=1)
        scale, middle = (1 / 4, 0.5) if convention == "hs1997" else (1, 0)
        guess = np.full(len(total), middle) if ordered else middle + total * scale
        assert np.mean((guess - batch.y) ** 2) == pytest.approx(error, rel=0.03, abs=1e-9)


def test_solved_is_one_hundredth_of_a_squared_unit():
    assert Adding().solved == ("loss", pytest.approx(0.01))
    assert Adding(convention="hs1997").solved == ("loss", pytest.approx(0.01 / 4))


def test_an_answer_within_four_hundredths_is_right():
    task = Adding(length=4, validation_rows=100)
    for error, share in ((0.039, 1.0), (0.041, 0.0)):
        meter = task.meter("validation")
        for batch in task.batches("validation", seed=0, batch_size=32):
            meter.update(batch, Prediction(loss=np.zeros(32), best=batch.y + error))
        assert meter.result()["accuracy"] == share


@pytest.mark.parametrize("wrong", [{"length": 1}, {"length": 5, "convention": "hs1997"}, {"convention": "tcn"}])
def test_impossible_settings_are_refused_with_what_came(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        Adding(**wrong)
