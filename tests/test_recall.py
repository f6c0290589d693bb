"""Selective and variable-length copying: where the string stands, when it is asked for, and floors measured by guesses written here."""

import itertools
import math

import numpy as np
import pytest

from suite.task import Prediction
from tasks.selective_copying import SelectiveCopying
from tasks.variable_copying import VariableCopying

SELECTIVE = SelectiveCopying(length=3, noise=5, symbols=4, validation_rows=6_000)
VARIABLE = VariableCopying(length=3, delay=5, symbols=4, validation_rows=6_000)


def rows(task, count=2_000):
    return next(task.batches("train", seed=0, batch_size=count))


def scores(task, best):
    meter = task.meter("validation")
    for batch in task.batches("validation", seed=0, batch_size=500):
        meter.update(batch, Prediction(loss=np.zeros(batch.y.shape), best=best(batch)))
    return meter.result()


@pytest.mark.parametrize("task", [SELECTIVE, VARIABLE], ids=lambda task: task.name)
def test_the_signs_ask_for_the_symbols_of_the_row_in_their_order(task):
    batch = rows(task, 50)
    for x, y, weight in zip(batch.x, batch.y, batch.weight, strict=True):
        given = [symbol for symbol in x if 1 <= symbol <= 4]
        signs = [step for step, symbol in enumerate(x) if symbol == 5]
        assert len(given) == len(signs) == 3
        assert [y[step] + 1 for step in signs] == given
        assert np.flatnonzero(weight).tolist() == signs
        assert signs == list(range(signs[0], signs[0] + 3))


def test_selective_symbols_stand_at_all_places_alike():
    batch = rows(SELECTIVE, 8_400)
    assert (batch.x[:, 8:] == 5).all()
    places, times = np.unique([np.flatnonzero(row) for row in batch.x[:, :8]], axis=0, return_counts=True)
    assert len(places) == math.comb(8, 3) == 56
    assert times == pytest.approx(150, abs=5 * math.sqrt(150))


def test_a_silence_is_as_often_short_as_long_and_nothing_follows_the_last_answer():
    batch = rows(VARIABLE, 5_000)
    assert (batch.x[:, :3] > 0).all()
    first = np.argmax(batch.x == 5, axis=1)
    silences, times = np.unique(first - 3, return_counts=True)
    assert silences.tolist() == [1, 2, 3, 4, 5]
    assert times == pytest.approx(1_000, abs=5 * math.sqrt(800))
    assert (batch.mask.sum(axis=1) == first + 3).all()


@pytest.mark.parametrize("task", [SELECTIVE, VARIABLE], ids=lambda task: task.name)
def test_floors_are_what_all_strings_say_and_what_guesses_measure(task):
    strings = np.array(list(itertools.product(range(4), repeat=3)))
    counts = np.stack([(strings == symbol).sum(axis=1) for symbol in range(4)], axis=1)
    metrics = task.metrics("validation")
    commonest = counts.max(axis=1).mean() / 3
    nats = -np.log(np.take_along_axis(counts, strings, axis=1) / 3).mean()
    ordered = (strings == np.sort(strings, axis=1)).all(axis=1).mean()
    assert metrics["recall"].floor == pytest.approx(commonest)
    assert metrics["loss"].floor == pytest.approx(nats)
    assert metrics["exact"].floor == pytest.approx(ordered)

    def most(batch):
        return np.array([[np.bincount(row[(row > 0) & (row < 5)], minlength=5).argmax() - 1] * len(row) for row in batch.x])

    found = scores(task, most)
    assert found["recall"] == pytest.approx(commonest, abs=0.02)
    assert scores(task, lambda batch: np.full(batch.y.shape, 2))["recall"] == pytest.approx(1 / 4, abs=0.02)


@pytest.mark.parametrize(("task", "share", "chance"), [(SelectiveCopying(), 0.456, 1 / 6), (VariableCopying(), 0.302, 1 / 8)])
def test_the_commonest_symbol_alone_recalls_far_more_than_chance(task, share, chance):
    floors = task.metrics("test")["recall"].floors
    assert floors["counts only"] == pytest.approx(share, abs=5e-4)
    assert floors["memoryless"] == pytest.approx(chance)


def test_solved_is_a_tenth_of_the_memoryless_loss():
    for task in (SelectiveCopying(), VariableCopying()):
        assert task.solved == ("loss", pytest.approx(0.1 * task.metrics("validation")["loss"].floors["memoryless"]))


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (SelectiveCopying, {"noise": 0}),
        (SelectiveCopying, {"symbols": 1}),
        (VariableCopying, {"delay": 0}),
        (VariableCopying, {"length": 0}),
    ],
)
def test_impossible_settings_are_refused_with_what_came(kind, wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        kind(**wrong)
