"""The fake tasks: what each asks for, and that the answer can be had from what a model sees."""

import numpy as np
import pytest

from suite.task import Prediction
from tasks.meters import Means, accuracy, loss
from tests.fakes import FAKES, CarriedEcho, FirstPoint, FirstSign, Occurrence, Reversal, RunningParity


def one(task, split="train", count=64, start=0):
    return next(task.batches(split, seed=0, batch_size=count, start=start))


def test_there_is_a_fake_of_every_kind_loss_and_need():
    specs = [task.spec for task in FAKES.values()]
    assert {spec.kind for spec in specs} == {"once", "steps", "sequence"}
    assert {spec.loss for spec in specs} == {"categorical", "binary", "squared"}
    assert {spec.tokens for spec in specs} == {True, False}
    assert any(spec.carried for spec in specs)
    assert any(len(spec.lengths) > 1 for spec in specs)
    assert {"greedy", "probabilities"} <= {need for spec in specs for need in spec.needs}
    assert any(metric.final for task in FAKES.values() for metric in task.metrics("test").values())


def test_first_sign_and_first_point_are_read_from_the_first_step():
    batch = one(FirstSign())
    assert (batch.y == (batch.x[:, 0, 0] > 0)).all()
    batch = one(FirstPoint())
    assert (batch.y == batch.x[:, 0]).all()


def test_occurrence_flags_the_symbols_that_occur():
    batch = one(Occurrence())
    assert all(set(np.flatnonzero(y) + 1) == set(x) - {0} for x, y in zip(batch.x, batch.y, strict=True))


def test_running_parity_counts_the_ones_so_far():
    batch = one(RunningParity())
    for x, y, mask in zip(batch.x, batch.y, batch.mask, strict=True):
        assert list(y[mask]) == [int((x[: step + 1] == 2).sum() % 2) for step in range(mask.sum())]
    assert len(set(batch.mask.sum(axis=1))) == 8


def test_running_parity_comes_in_both_of_its_lengths():
    lengths = {one(RunningParity(), count=2, start=start).x.shape[1] for start in range(40)}
    assert lengths == {4, 8}


def test_carried_echo_can_only_be_answered_from_the_batch_before():
    task = CarriedEcho(windows=3)
    batches = [one(task, start=start) for start in range(7)]
    for index, batch in enumerate(batches):
        assert batch.reset.all() == (index % 3 == 0)
        assert (batch.y == (0 if index % 3 == 0 else batches[index - 1].x)).all()


def test_carried_echo_is_evaluated_on_two_windows_in_one_row():
    batch = one(CarriedEcho(), "validation")
    assert batch.reset.all()
    assert (batch.y[:, 2:] == batch.x[:, :2]).all()
    assert (batch.weight == [0, 0, 1, 1]).all(axis=1).sum() == 50


def test_reversal_says_the_word_backwards_then_stop():
    batch = one(Reversal())
    for x, y, weight in zip(batch.x, batch.y, batch.weight, strict=True):
        word = list(x[x > 0])
        assert list(y[weight > 0]) == [*word[::-1], 2]


@pytest.mark.parametrize("decoder_length", [2, 4, 9])
def test_exact_reads_the_decoded_ids_whatever_their_length(decoder_length):
    task = Reversal()
    batch = one(task)
    ids = np.full((64, decoder_length), 2)
    width = min(4, decoder_length)
    ids[:, :width] = batch.y[:, :width]
    ids[0, 0] = 1
    meter = task.meter("test")
    meter.update(batch, Prediction(loss=np.zeros(batch.y.shape), best=np.zeros_like(batch.y), decoded={"greedy": ids}))
    fits = (batch.weight.sum(axis=1) - 1 <= decoder_length).sum()
    assert meter.result()["exact"] == pytest.approx((fits - (batch.weight[0].sum() - 1 <= decoder_length)) / 64)


def test_a_metric_that_needs_decoding_is_left_out_where_there_is_none():
    task = Reversal()
    batch = one(task)
    meter = task.meter("test")
    meter.update(batch, Prediction(loss=np.zeros(batch.y.shape), best=batch.y))
    assert meter.result() == {"loss": 0.0}


def test_a_mean_is_weighted_and_leaves_out_what_weighs_nothing():
    batch = one(RunningParity(), count=2)._replace(weight=np.array([[1, 3, 0, 0], [0, 0, 0, 0]], np.float32))
    prediction = Prediction(loss=np.array([[1.0, 2, np.nan, 9], [np.nan] * 4]), best=np.zeros((2, 4)))
    meter = Means({"loss": loss})
    meter.update(batch, prediction)
    meter.update(batch._replace(weight=batch.weight * 0), prediction)
    assert meter.result() == {"loss": (1 + 3 * 2) / 4}


def test_a_mean_is_left_out_where_undefined_throughout_and_nan_where_undefined_in_part():
    batch = one(FirstSign(), count=2)
    meter = Means({"loss": loss, "accuracy": accuracy})
    meter.update(batch, Prediction(loss=np.full(2, np.nan), best=batch.y))
    assert meter.result() == {"accuracy": 1.0}
    meter.update(batch, Prediction(loss=np.array([1.0, np.nan]), best=batch.y))
    assert np.isnan(meter.result()["loss"])
