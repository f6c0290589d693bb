"""Copying: the three conventions, and floors measured by guesses written here."""

import itertools
import math

import numpy as np
import pytest

from suite.task import Prediction
from tasks.copying import Copying
from tasks.counting import counted_nats, mode_share

CONVENTIONS = ("arjovsky", "bai", "s4")


def only_batch(task, count=4, split="train"):
    return next(task.batches(split, seed=0, batch_size=count))


def scores(task, best, loss):
    meter = task.meter("validation")
    for batch in task.batches("validation", seed=0, batch_size=500):
        meter.update(batch, Prediction(loss=loss(batch), best=best(batch)))
    return meter.result()


def strings(length, symbols):
    return np.array(list(itertools.product(range(symbols), repeat=length)))


def test_arjovsky_asks_once_and_scores_every_step():
    batch = only_batch(Copying(length=3, delay=4, symbols=5))
    string = batch.x[:, :3]
    assert batch.x.shape == (4, 10)
    assert ((string >= 1) & (string <= 5)).all()
    assert (batch.x[:, 3:6] == 0).all()
    assert (batch.x[:, 6] == 6).all()
    assert (batch.x[:, 7:] == 0).all()
    assert (batch.y[:, :7] == 0).all()
    assert (batch.y[:, 7:] == string).all()
    assert (batch.weight == 1).all()


def test_arjovsky_has_the_length_of_the_paper():
    assert Copying(length=10, delay=100, symbols=8).spec.length == 120


def test_bai_repeats_the_sign_eleven_times_and_feeds_numbers():
    task = Copying(length=10, delay=5, symbols=8, convention="bai")
    batch = only_batch(task)
    x = batch.x[:, :, 0]
    assert (x[:, 10:14] == 0).all()
    assert (x[:, 14:] == 9).all()
    assert x[:, 14:].shape[1] == 11
    assert (task.spec.tokens, task.spec.inputs, task.spec.outputs) == (False, 1, 10)
    assert (batch.y[:, -10:] == x[:, :10]).all()


def test_s4_has_a_sign_for_each_symbol_and_scores_only_the_answers():
    batch = only_batch(Copying(length=3, delay=4, symbols=5, convention="s4"))
    assert (batch.x[:, 3:7] == 0).all()
    assert (batch.x[:, 7:] == 6).all()
    assert (batch.weight == [[0] * 7 + [1] * 3] * 4).all()


@pytest.mark.parametrize(("delay", "published"), [(100, 0.1733), (200, 0.0945), (500, 0.0400), (1000, 0.0204)])
def test_memoryless_loss_is_the_published_baseline(delay, published):
    metric = Copying(delay=delay).metrics("test")["loss"]
    assert metric.floors["memoryless"] == pytest.approx(10 * math.log(8) / (delay + 20))
    assert metric.floors["memoryless"] == pytest.approx(published, abs=6e-5)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_copying_floor_is_what_a_memoryless_guess_gets(convention):
    task = Copying(length=4, delay=3, symbols=3, convention=convention, validation_rows=6_000)
    nats = np.r_[np.zeros(7), np.full(4, math.log(3))]
    found = scores(task, lambda batch: np.full(batch.y.shape, 2) * (nats > 0), lambda batch: np.tile(nats, (len(batch.y), 1)))
    metrics = task.metrics("validation")
    steps = 4 if convention == "s4" else 11
    assert metrics["loss"].floors["memoryless"] == pytest.approx(4 * math.log(3) / steps)
    assert found["loss"] == pytest.approx(metrics["loss"].floors["memoryless"])
    assert found["relative"] == pytest.approx(1)
    assert found["recall"] == pytest.approx(metrics["recall"].floors["memoryless"], abs=4 * math.sqrt(2 / 9 / 24_000))
    assert found["exact"] == pytest.approx(metrics["exact"].floors["memoryless"], abs=4 * math.sqrt(1 / 81 / 6_000))


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_copying_floor_is_what_counting_without_order_gets(convention):
    task = Copying(length=4, delay=3, symbols=3, convention=convention, validation_rows=6_000)

    def shares(batch):
        string = batch.y[:, -4:]
        return np.stack([(string == symbol).mean(axis=1) for symbol in range(1, 4)], axis=1)

    def commonest(batch):
        best = np.zeros_like(batch.y)
        best[:, -4:] = 1 + shares(batch).argmax(axis=1)[:, None]
        return best

    def nats(batch):
        loss = np.zeros(batch.y.shape)
        loss[:, -4:] = -np.log(np.take_along_axis(shares(batch), batch.y[:, -4:] - 1, axis=1))
        return loss

    found = scores(task, commonest, nats)
    metrics = task.metrics("validation")
    for name in ("loss", "relative", "recall"):
        assert found[name] == pytest.approx(metrics[name].floors["counts only"], rel=0.02)
        assert metrics[name].floor == metrics[name].floors["counts only"]


def test_exact_floor_is_what_the_sorted_string_gets():
    everything = strings(4, 3)
    expected = (everything == np.sort(everything, axis=1)).all(axis=1).mean()
    assert Copying(length=4, symbols=3).metrics("test")["exact"].floors["sorted"] == pytest.approx(expected)


@pytest.mark.parametrize(("length", "symbols"), [(1, 2), (3, 3), (4, 3), (5, 4)])
def test_counting_formulas_agree_with_all_strings(length, symbols):
    everything = strings(length, symbols)
    counts = np.stack([(everything == symbol).sum(axis=1) for symbol in range(symbols)], axis=1)
    assert mode_share(length, symbols) == pytest.approx(counts.max(axis=1).mean() / length)
    of_each = np.take_along_axis(counts, everything, axis=1)
    assert counted_nats(length, symbols) == pytest.approx(-np.log(of_each / length).mean())


@pytest.mark.parametrize(("length", "expected"), [(10, 0.302), (5, 0.3865), (3, 0.453)])
def test_the_commonest_of_eight_symbols_recalls_far_more_than_chance(length, expected):
    assert mode_share(length, 8) == pytest.approx(expected, abs=5e-4)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 8, (20_000, length))
    modes = np.stack([(drawn == symbol).sum(axis=1) for symbol in range(8)], axis=1).max(axis=1)
    assert modes.mean() / length == pytest.approx(expected, abs=0.004)


def test_blanks_do_not_count_as_recalled():
    """A model that says nothing but blanks is right on 110 of 120 steps, which is no memory."""
    task = Copying(validation_rows=100)
    found = scores(task, lambda batch: np.zeros_like(batch.y), lambda batch: np.zeros(batch.y.shape))
    assert found["recall"] == 0
    assert found["exact"] == 0


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_solved_is_a_tenth_of_the_memoryless_loss(convention):
    task = Copying(convention=convention)
    name, threshold = task.solved
    assert threshold == pytest.approx(0.1 * task.metrics("validation")[name].floors["memoryless"])


@pytest.mark.parametrize("wrong", [{"length": 0}, {"delay": 0}, {"symbols": 1}, {"convention": "tcn"}, {"validation_rows": 0}])
def test_impossible_settings_are_refused_with_what_came(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        Copying(**wrong)
