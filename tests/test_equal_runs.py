"""Equal runs: which words there are, what may follow, and what can be had without counting."""

import numpy as np
import pytest

from suite.task import Prediction
from tasks.equal_runs import EqualRuns


def rows(task, split="train", count=500):
    return next(task.batches(split, seed=0, batch_size=count))


def scores(task, split, baseline):
    meter = task.meter(split)
    for batch in task.batches(split, seed=0, batch_size=100):
        meter.update(batch, baseline.predict(batch))
    return meter.result()


@pytest.mark.parametrize("split", ["train", "test/length"])
@pytest.mark.parametrize("letters", [2, 3])
def test_words_have_equal_runs_and_the_flags_are_what_may_follow(letters, split):
    batch = rows(EqualRuns(letters=letters, length=12, longest=24), split, 200)
    for x, y, mask in zip(batch.x, batch.y, batch.mask, strict=True):
        word = x[mask].tolist()
        run = len(word) // letters
        assert word == [letter for letter in range(letters) for _ in range(run)]
        for step, letter in enumerate(word):
            here = word[: step + 1]
            later = {letter} if here.count(letter) < here.count(0) else {letter + 1}
            assert set(np.flatnonzero(y[step])) == ({0, 1} if letter == 0 else later)


@pytest.mark.parametrize(("letters", "train", "beyond"), [(2, range(1, 21), range(21, 51)), (3, range(1, 14), range(14, 34))])
def test_every_n_of_training_is_shorter_than_every_n_of_the_length_test(letters, train, beyond):
    task = EqualRuns(letters=letters)
    for split, expected in (("train", train), ("validation", train), ("test/length", beyond)):
        assert np.unique(rows(task, split, 1_000).mask.sum(axis=1) // letters).tolist() == list(expected)


@pytest.mark.parametrize("letters", [2, 3])
def test_who_counts_has_all_and_who_does_not_has_every_step_but_the_last_of_each_run(letters):
    task = EqualRuns(letters=letters)
    for split in ("test", "test/length"):
        counted, blind = (scores(task, split, task.baselines()[name]) for name in ("counts only", "memoryless"))
        assert (counted["exact"], counted["accuracy"], counted["loss"]) == (1, 1, 0)
        assert blind["exact"] == 0
        assert blind["accuracy"] > 0.9
        runs = np.concatenate([batch.mask.sum(axis=1)[batch.weight.any(axis=1)] for batch in task.batches(split, seed=0, batch_size=100)])
        assert blind["accuracy"] == pytest.approx(1 - (letters - 1) / runs.mean())


def test_one_word_in_twenty_is_right_for_who_thinks_that_every_run_has_one_letter():
    task = EqualRuns()
    metrics = task.metrics("test")["exact"]
    assert metrics.floor == metrics.floors["shortest"] == pytest.approx(1 / 20)
    assert task.metrics("test/length")["exact"].floor == 0
    assert scores(task, "test", task.baselines()["shortest"])["exact"] == pytest.approx(1 / 20, abs=5 * np.sqrt(0.05 / 2_000))


def test_the_curve_is_the_share_of_words_of_each_length_that_are_all_right():
    task = EqualRuns(length=8, test_rows=60)
    meter = task.meter("test")
    for batch in task.batches("test", seed=0, batch_size=30):
        best = batch.y.copy()
        long = batch.mask.sum(axis=1) == 8
        best[long, 7] = 1 - best[long, 7]
        best[~batch.mask] = 1
        meter.update(batch, Prediction(loss=np.zeros(batch.weight.shape), best=best))
    assert meter.result()["exact by length"] == ((2.0, 1.0), (4.0, 1.0), (6.0, 1.0), (8.0, 0.0))


@pytest.mark.parametrize("wrong", [{"letters": 1}, {"length": 5}, {"longest": 41}])
def test_impossible_settings_are_refused_with_what_came(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        EqualRuns(**wrong)
