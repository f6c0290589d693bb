"""Reversing: what is asked, what the lengths are, and that scoring each step says what greedy decoding does."""

import math
from dataclasses import replace

import numpy as np
import pytest

from suite.task import Prediction
from tasks.reversing import Reversing
from tasks.transduction import STOP, decoded, fitted

SMALL = Reversing(shortest=2, longest=7, symbols=3, validation_rows=400)


def strings(batch):
    for x, mask, y, weight in zip(batch.x, batch.mask, batch.y, batch.weight, strict=True):
        if weight.any():
            yield list(x[mask]), list(y[: int(weight.sum()) - 1]), y[int(weight.sum()) - 1]


@pytest.mark.parametrize(("operation", "step"), [("reverse", -1), ("copy", 1)])
def test_the_target_is_the_string_backwards_or_as_it_is_and_then_stop(operation, step):
    for batch in replace(SMALL, operation=operation).batches("validation", seed=0, batch_size=50):
        for source, target, end in strings(batch):
            assert target == source[::step]
            assert end == STOP


def test_every_length_occurs_as_often_as_the_others():
    sizes = np.concatenate([batch.mask.sum(axis=1) for batch in Reversing().batches("test", seed=0, batch_size=500)])
    counts = np.bincount(sizes)[5:]
    assert len(counts) == 46
    assert np.abs(counts - 4_000 / 46).max() < 5 * math.sqrt(4_000 / 46)


def score(task, batch, prediction):
    meter = task.meter("validation")
    meter.update(batch, prediction)
    return meter.result()


def test_a_string_is_right_step_by_step_exactly_where_greedy_decoding_writes_it():
    """A stand-in for a model: its next symbol is a fixed function of the source and of what was written so far."""
    batch = next(SMALL.batches("validation", seed=0, batch_size=200))
    rng = np.random.default_rng(0)

    def following(row, written):
        right = batch.y[row, len(written)] if len(written) < batch.y.shape[1] else STOP
        spoilt = (hash((row, *map(int, written))) % 12) == 0
        return (int(right) + 1) % SMALL.spec.outputs if spoilt else int(right)

    forced = np.array([[following(row, y[:step]) for step in range(len(y))] for row, y in enumerate(batch.y)])
    free = []
    for row in range(len(batch.y)):
        written = []
        while len(written) < 12 and (symbol := following(row, written)) != STOP:
            written.append(symbol)
        free.append(written)
    exact = score(SMALL, batch, Prediction(loss=rng.random(batch.y.shape), best=forced))["exact"]
    whole = score(SMALL, batch, decoded(free, batch))["exact"]
    assert 0.2 < exact < 0.9
    assert exact == whole


def test_a_string_that_goes_on_behind_its_end_is_wrong_though_all_its_symbols_are_right():
    batch = next(SMALL.batches("validation", seed=0, batch_size=100))
    longer = [[*target, 4] for _, target, _ in strings(batch)]
    found = score(SMALL, batch, decoded(longer, batch))
    assert (found["exact"], found["symbols"]) == (0, 1)


def test_ids_of_any_width_are_fitted_with_stop():
    ids = np.array([[5, 6, STOP], [7, 8, 9]])
    assert fitted(ids, 2).tolist() == [[5, 6], [7, 8]]
    assert fitted(ids, 5).tolist() == [[5, 6, STOP, STOP, STOP], [7, 8, 9, STOP, STOP]]


def test_the_curve_by_length_has_a_point_for_every_five_lengths():
    task = Reversing(shortest=5, longest=12, validation_rows=300)
    meter = task.meter("validation")
    by_size = {}
    for batch in task.batches("validation", seed=0, batch_size=100):
        half = [y[: len(y) // 2] for _, y, _ in strings(batch)]  # the first half of each string is right
        meter.update(batch, decoded(half, batch))
        for _, y, _ in strings(batch):
            by_size.setdefault(-(-len(y) // 5) * 5, []).append((len(y) // 2) / len(y))
    curve = dict(meter.result()["symbols by length"])
    assert list(curve) == [5, 10, 15]
    assert curve == pytest.approx({size: np.mean(shares) for size, shares in by_size.items()})


def test_scores_of_decoding_are_left_out_where_nothing_is_decoded():
    batch = next(SMALL.batches("validation", seed=0, batch_size=10))
    found = score(SMALL, batch, Prediction(loss=np.zeros(batch.y.shape), best=batch.y))
    assert set(found) == {"loss", "exact"}


@pytest.mark.parametrize("wrong", [{"operation": "sort"}, {"shortest": 0}, {"shortest": 9, "longest": 8}, {"symbols": 1}])
def test_impossible_settings_are_refused_with_what_came(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}.*{next(iter(wrong.values()))}"):
        Reversing(**wrong)
