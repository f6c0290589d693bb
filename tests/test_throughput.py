"""The clock: what is counted, and what is not."""

import math

import numpy as np
import pytest

from suite.throughput import Clock, Lap, Memory, quantile, warm


class Watch:
    """A clock that a test moves by hand."""

    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


def timed(*laps):
    watch = Watch()
    clock = Clock(watch)
    for steps, tokens, seconds in laps:
        with clock.lap(steps, tokens):
            watch.time += seconds
        watch.time += 100.0  # data and evaluation between two laps
    return clock


def test_time_between_laps_does_not_count():
    figures = timed((10, 50, 9.0), *[(100, 500, 0.5)] * 4).figures()
    assert figures["step_milliseconds"] == pytest.approx(5.0)
    assert figures["tokens_per_second"] == pytest.approx(1000.0)


def test_the_first_ten_steps_are_warm_up():
    laps = [Lap(5, 1, 9.0), Lap(4, 1, 9.0), Lap(2, 1, 9.0), Lap(60, 1, 1.0)]
    assert warm(laps) == laps[3:]


def test_a_short_run_gives_a_sixth_to_warm_up():
    laps = [Lap(1, 1, 1.0)] * 12
    assert len(warm(laps)) == 10


def test_a_lap_counts_by_its_steps():
    figures = timed((10, 10, 1.0), (1, 10, 1.0), (1, 10, 1.0), (98, 980, 0.98)).figures()
    assert figures["step_milliseconds"] == pytest.approx(10.0)
    assert figures["step_milliseconds_iqr"] == pytest.approx(0.0)


def test_the_spread_is_the_interquartile_range():
    figures = timed((10, 1, 0.0), *[(10, 1, 0.01 * number) for number in (1, 2, 3, 4, 5, 6, 7, 8)]).figures()
    assert figures["step_milliseconds"] == pytest.approx(4.0)
    assert figures["step_milliseconds_iqr"] == pytest.approx(6.0 - 2.0)


def test_a_run_of_no_steps_has_no_speed():
    assert all(math.isnan(value) for value in timed().figures().values())
    assert all(math.isnan(value) for value in timed((3, 3, 1.0)).figures().values())  # nothing behind the warm-up


def test_weighted_quantiles_agree_with_repeated_values():
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=9), rng.integers(1, 6, 9)
    for share in (0.25, 0.5, 0.75):
        expected = np.quantile(np.repeat(values, weights), share, method="inverted_cdf")
        assert quantile(values, weights, share) == expected


def test_peak_memory_is_at_least_what_was_held():
    memory = Memory()
    before = memory.sample()
    held = np.ones(2**24)  # 128 MiB
    memory.sample()
    del held
    memory.sample()
    assert memory.peak > before + 2**26 or memory.gpu is not None
