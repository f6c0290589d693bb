"""Look-ahead labelling: which symbol a step asks for, and who can know it."""

import collections
import itertools
import math

import numpy as np
import pytest

from tasks.look_ahead import LookAhead

BOTH = [(ahead, delay) for ahead in (0, 1, 2, 4) for delay in range(ahead + 1)]


@pytest.mark.parametrize(("ahead", "delay"), BOTH)
def test_the_label_of_each_step_is_said_after_the_delay(ahead, delay):
    batch = next(LookAhead(length=9, ahead=ahead, delay=delay).batches("train", seed=0, batch_size=50))
    for x, y, weight in zip(batch.x, batch.y, batch.weight, strict=True):
        labels = {step + delay: x[step + ahead] for step in range(9 - ahead)}
        assert np.flatnonzero(weight).tolist() == sorted(labels)
        assert all(y[step] == label for step, label in labels.items())


@pytest.mark.parametrize(("ahead", "delay"), BOTH)
def test_the_past_tells_a_label_exactly_where_the_delay_is_as_long_as_the_look_ahead(ahead, delay):
    """Every row of two symbols is tried: the same past is followed by every label alike, or by one."""
    task = LookAhead(length=6, symbols=2, ahead=ahead, delay=delay)
    every = np.array(list(itertools.product(range(2), repeat=6)))
    for step in range(delay, delay + 6 - ahead):
        labels = collections.defaultdict(collections.Counter)
        for row in every:
            labels[tuple(row[: step + 1])][int(row[step - delay + ahead])] += 1
        right = np.mean([max(counts.values()) / counts.total() for counts in labels.values()])
        assert right == (1.0 if ahead == delay else 0.5)
    floors = task.metrics("test")["accuracy"].floors
    assert floors["constant" if ahead == delay else "causal"] == 0.5


def test_a_causal_model_is_told_that_chance_is_its_ceiling():
    assert "ceiling of every causal model" in LookAhead(ahead=1).metrics("test")["accuracy"].why
    assert "memoryless model can have all" in LookAhead(ahead=1, delay=1).metrics("test")["accuracy"].why
    assert not LookAhead().spec.causal


def test_counts_floor_is_the_commonest_symbol_of_the_row():
    rows = np.array(list(itertools.product(range(3), repeat=5)))
    counts = np.stack([(rows == symbol).sum(axis=1) for symbol in range(3)], axis=1)
    metrics = LookAhead(length=5, symbols=3, ahead=2).metrics("test")
    assert metrics["accuracy"].floors["counts only"] == pytest.approx(counts.max(axis=1).mean() / 5)
    labels = np.take_along_axis(counts, rows[:, 2:], axis=1)
    assert metrics["loss"].floors == pytest.approx({"causal": math.log(3), "counts only": -np.log(labels / 5).mean()})


@pytest.mark.parametrize("wrong", [{"symbols": 1}, {"ahead": 20}, {"ahead": -1}, {"delay": 3}, {"delay": -1}])
def test_impossible_settings_are_refused_with_what_came(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        LookAhead(**wrong)
