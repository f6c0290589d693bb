"""Induction heads: where the sign stands, what follows it, and how the score falls apart by length."""

import math

import numpy as np
import pytest

from suite.task import Prediction
from tasks.induction import InductionHeads


def rows(task, split="train", count=2_000):
    return next(task.batches(split, seed=0, batch_size=count))


@pytest.mark.parametrize("split", ["train", "test/length"])
def test_the_answer_is_what_followed_the_first_sign_and_the_row_ends_with_the_second(split):
    task = InductionHeads(length=9, symbols=5, test_lengths=(4, 9, 30))
    batch = rows(task, split, 500)
    for x, y, mask in zip(batch.x, batch.y, np.ones(batch.x.shape, bool) if batch.mask is None else batch.mask, strict=True):
        row = x[mask]
        first, last = np.flatnonzero(row == 5)
        assert last == len(row) - 1
        assert first <= len(row) - 3
        assert y == row[first + 1] < 5


def test_the_first_sign_stands_anywhere_but_on_the_last_two_steps():
    steps, times = np.unique(np.argmax(rows(InductionHeads(length=8, test_lengths=(8,)), count=6_000).x == 14, axis=1), return_counts=True)
    assert steps.tolist() == [0, 1, 2, 3, 4, 5]
    assert times == pytest.approx(1_000, abs=5 * math.sqrt(1_000))


def test_training_and_test_have_one_length_and_the_other_split_all():
    task = InductionHeads()
    assert [rows(task, split).x.shape[1] for split in ("train", "validation", "test")] == [32] * 3
    lengths = rows(task, "test/length").mask.sum(axis=1)
    assert np.unique(lengths).tolist() == [16, 32, 64, 128, 256]


@pytest.mark.parametrize(("length", "share"), [(32, 0.1647), (256, 0.1013)])
def test_floor_is_what_the_commonest_symbol_of_the_row_gets(length, share):
    """The symbols of a row but the two signs, of which the answer is any: drawn here."""
    drawn = np.random.default_rng(0).integers(0, 14, (20_000, length - 2))
    counts = np.stack([(drawn == symbol).sum(axis=1) for symbol in range(14)], axis=1)
    metrics = InductionHeads(length=length).metrics("test")
    assert metrics["accuracy"].floor == pytest.approx(share, abs=5e-4)
    assert counts.max(axis=1).mean() / (length - 2) == pytest.approx(share, abs=0.002)
    shares = counts / (length - 2)
    nats = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=1)
    assert metrics["loss"].floor == pytest.approx(nats.mean(), abs=4 * nats.std() / math.sqrt(len(nats)))


def test_the_curve_is_the_accuracy_of_the_rows_of_each_length():
    task = InductionHeads(test_lengths=(16, 64), test_rows=300)
    meter, right = task.meter("test/length"), {16: [], 64: []}
    for batch in task.batches("test/length", seed=0, batch_size=70):
        lengths = batch.mask.sum(axis=1)
        best = np.where(lengths == 16, batch.y, batch.y * (np.arange(70) % 2))
        meter.update(batch, Prediction(loss=np.zeros(70), best=best))
        for length, hit, weight in zip(lengths, best == batch.y, batch.weight, strict=True):
            if weight:
                right[int(length)].append(hit)
    found = meter.result()
    assert found["accuracy by length"] == ((16.0, 1.0), (64.0, pytest.approx(np.mean(right[64]))))
    assert found["accuracy"] == pytest.approx(np.mean(right[16] + right[64]))


@pytest.mark.parametrize("wrong", [{"length": 3}, {"symbols": 1}, {"test_lengths": ()}, {"test_lengths": (8, 8)}, {"test_lengths": (3,)}])
def test_impossible_settings_are_refused_with_what_came(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{str(value).replace('(', '.').replace(')', '.')}"):
        InductionHeads(**wrong)
