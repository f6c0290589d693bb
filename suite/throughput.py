"""The timing protocol: what a training step costs, with compiling, warm-up, data and evaluation outside the clock."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import psutil
import tensorflow as tf

from suite.task import Array

WARM_UP = 10  # steps
TIMED = 50  # steps behind the warm-up that a figure should rest on
NAN = float("nan")


class Lap(NamedTuple):
    """One graph call."""

    steps: int
    tokens: int  # valid ones
    seconds: float


class Clock:
    """Laps of training steps. `now` is a clock in seconds, so that tests bring their own."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.now = now
        self.laps: list[Lap] = []

    @contextmanager
    def lap(self, steps: int, tokens: int) -> Iterator[None]:
        """Time the call inside, which must block until its result is there."""
        begun = self.now()
        yield
        self.laps.append(Lap(steps, tokens, self.now() - begun))

    def figures(self) -> dict[str, float]:
        """Return tokens a second, and median and interquartile range of the milliseconds a step; NaN where nothing was timed.

        The first laps are warm-up: ten steps, or a sixth of a run that is too short for ten. A lap counts by its steps.
        """
        laps = warm(self.laps)
        if not laps:
            return {"tokens_per_second": NAN, "step_milliseconds": NAN, "step_milliseconds_iqr": NAN}
        steps = np.array([lap.steps for lap in laps], np.float64)
        seconds = np.array([lap.seconds for lap in laps])
        low, median, high = (quantile(1e3 * seconds / steps, steps, share) for share in (0.25, 0.5, 0.75))
        speeds = np.array([lap.tokens for lap in laps]) / seconds
        return {"tokens_per_second": quantile(speeds, steps, 0.5), "step_milliseconds": median, "step_milliseconds_iqr": high - low}


def warm(laps: list[Lap]) -> list[Lap]:
    """Return the laps behind the warm-up."""
    total = sum(lap.steps for lap in laps)
    least = min(WARM_UP, total / (1 + TIMED / WARM_UP))
    passed, index = 0, 0
    while index < len(laps) and passed < least:
        passed += laps[index].steps
        index += 1
    return laps[index:]


def quantile(values: Array, weights: Array, share: float) -> float:
    """Return the smallest value under which, itself included, lies at least this share of the weight."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) >= share * weights.sum() * (1 - 1e-12)
    return float(values[order][np.argmax(reached)])


class Memory:
    """The peak of the bytes in use, sampled: of the first GPU where there is one, else resident in this process."""

    def __init__(self) -> None:
        self.peak = 0
        self.gpu = "GPU:0" if tf.config.list_physical_devices("GPU") else None
        if self.gpu is not None:
            tf.config.experimental.reset_memory_stats(self.gpu)

    def sample(self) -> int:
        """Return the bytes in use now and keep their maximum."""
        if self.gpu is not None:
            used = tf.config.experimental.get_memory_info(self.gpu)
            self.peak = max(self.peak, int(used["peak"]))
            return int(used["current"])
        used_here = int(psutil.Process().memory_info().rss)
        self.peak = max(self.peak, used_here)
        return used_here


def load() -> tuple[float, bool]:
    """Return the load average of the last minute, and whether the host was busy: above its cores, speeds mean little."""
    average = os.getloadavg()[0] if hasattr(os, "getloadavg") else NAN
    return average, average > (os.cpu_count() or 1)
