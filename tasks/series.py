"""The base of forecasting tasks: one long series, cut by time, and the value some steps ahead."""

import dataclasses
import functools
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import ClassVar, NamedTuple, Self

import numpy as np

from suite.seeding import generator
from suite.task import Array, Baseline, Batch, Card, Meter, Metric, Prediction, Spec
from tasks.autoregression import Autoregression
from tasks.generated import PROBE_ROWS, check_request, one_target, padded
from tasks.guesses import Guess
from tasks.meters import Means
from tasks.windows import sliding

SHARES = {"train": 70, "validation": 15, "test": 15}  # percent of the series, in this order
LONGEST_PAST = 32  # steps that the linear forecast sees, fewer where half a window is shorter


class Series(NamedTuple):
    """A series as it was measured, and which of its columns is to be forecast."""

    values: Array  # float64 (time, features)
    target: int


class Part(NamedTuple):
    """One stretch of the series, in units of training: its mean is 0 there and its variance 1, column by column."""

    x: Array  # float32 (time, features)
    first: int  # place of its first step in the series


class Scaled(NamedTuple):
    """The series cut by time and put to scale by training alone."""

    parts: dict[str, Part]
    mean: Array  # (features,), of training
    deviation: Array
    target: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class SeriesTask(ABC):
    """A task of one series. A subclass gives `name`, `version`, `series` and `origin`.

    x: s_1 s_2 s_3 s_4      (batch, window, features)        y: s_2 s_3 s_4 s_5      (batch, window), `horizon` 1

    The first 70 % of the series are training, the next 15 % validation, the last 15 % test; no window, and no target,
    crosses from one to another. Values are put to scale by mean and deviation of training. Training draws windows anywhere
    and weighs every step; the other splits slide by half a window and weigh second halves, so that each target counts once,
    behind half a window or more.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    splits: ClassVar[tuple[str, ...]] = ("train", "validation", "test", "probe")
    main: ClassVar[str] = "nmse"
    selects: ClassVar[str] = "loss"
    solved: ClassVar[None] = None

    window: int = 64
    horizon: int = 1  # how many steps ahead
    period: int = 0  # of the seasons, in steps; 0: none is known

    def __post_init__(self) -> None:
        if self.window < 4 or self.window % 2:
            raise ValueError(f"window must be an even number of steps, 4 or more, got {self.window}")
        if self.horizon < 1:
            raise ValueError(f"horizon must be at least 1 step, got {self.horizon}")
        if self.period < 0 or self._seasons_back > self.window // 2:
            raise ValueError(f"period must leave a season within half a window ({self.window // 2} steps), got {self.period}")

    @abstractmethod
    def series(self) -> Series:
        """Return the whole series."""

    @abstractmethod
    def origin(self) -> tuple[str, str]:
        """Return source and licence."""

    @property
    def noise(self) -> float:
        """Return the squared error, in units of the series, that no forecast can be expected to beat."""
        return 0.0

    @cached_property
    def spec(self) -> Spec:
        return Spec(
            kind="steps",
            loss="squared",
            inputs=_scaled(self).parts["train"].x.shape[1],
            outputs=1,
            tokens=False,
            causal=True,
            length=self.window,
            longest=self.window,
            lengths=(self.window,),
        )

    def batches(self, split: str, *, seed: int, batch_size: int, start: int = 0) -> Iterator[Batch]:
        """Return the batches of a split from number `start` on; `seed` matters to training only.

        Raises:
            ValueError: no such split, or a size below 1.
        """
        check_request(self.splits, split, batch_size, start)
        if split == "train":
            return (self._training(seed, index, batch_size) for index in count(start))
        starts, weight = self._fixed(split)
        firsts = range(start * batch_size, len(starts), batch_size)
        return (
            padded(self._cut(split, starts[first : first + batch_size], weight[first : first + batch_size]), batch_size) for first in firsts
        )

    def _training(self, seed: int, index: int, batch_size: int) -> Batch:
        rng = generator(self.name, self.version, "train", seed, index)
        starts = rng.integers(0, self._final("train") + 1, batch_size)
        return self._cut("train", starts, np.ones((batch_size, self.window), np.float32))

    def _fixed(self, split: str) -> tuple[Array, Array]:
        if split != "probe":
            return sliding(self._final(split), self.window)
        starts = np.linspace(0, self._final(split), PROBE_ROWS).astype(int)
        return starts, one_target(np.ones((PROBE_ROWS, self.window), np.float32))

    def _final(self, split: str) -> int:
        """Where the last window of a split begins, whose last target still lies in it."""
        return len(_scaled(self).parts[_part(split)].x) - self.window - self.horizon

    def _cut(self, split: str, starts: Array, weight: Array) -> Batch:
        part, target = _scaled(self).parts[_part(split)], _scaled(self).target
        steps = starts[:, None] + np.arange(self.window)
        y = part.x[steps + self.horizon, target]
        return Batch(x=part.x[steps], y=y, weight=weight, extra={"step": part.first + steps})

    def metrics(self, split: str) -> Mapping[str, Metric]:
        floors = _floors(self, split)
        why = "measured here: the last value that was seen; the mean of training"
        noise = self.noise
        if noise:
            why += "; the ceiling is the variance of what the past does not hold"
        unit = scale(self)[1] ** 2
        ceilings = {"loss": noise / unit, "mse": noise, "nmse": noise / unit / _variance(self, split)}
        units = {
            "loss": "squared error, variance of training",
            "mse": "squared error, units of the series",
            "nmse": "squared error, variance of this split",
        }
        return {name: Metric(units[name], "min", floors[name], ceilings[name], why) for name in units}

    def meter(self, split: str) -> Meter:
        unit, variance = scale(self)[1] ** 2, _variance(self, split)

        def error(factor: float) -> Callable[[Batch, Prediction], tuple[Array, Array]]:
            return lambda batch, prediction: (factor * np.reshape(prediction.loss, batch.y.shape), batch.weight)

        return Means({"loss": error(1.0), "mse": error(unit), "nmse": error(1 / variance)})

    def baselines(self) -> Mapping[str, Baseline]:
        found = {
            "mean": Guess(lambda batch: forecast(batch, np.zeros(batch.y.shape))),
            "persistence": Guess(lambda batch: forecast(batch, batch.x[:, :, _scaled(self).target])),
            "least squares": Guess(lambda batch: forecast(batch, _linear(self).forecast(batch.x))),
        }
        if self.period:
            found["seasonal naive"] = Guess(lambda batch: forecast(batch, self._last_season(batch)))
        return found

    @property
    def _seasons_back(self) -> int:
        """How many steps before the present one stands the value of the same season as the target, the latest that was seen."""
        return -self.horizon % self.period if self.period else 0

    def _last_season(self, batch: Batch) -> Array:
        values = batch.x[:, :, _scaled(self).target].astype(np.float64)
        back = self._seasons_back
        found = np.full(values.shape, np.nan)
        found[:, back:] = values[:, : values.shape[1] - back]
        return found

    def digest(self) -> str:
        return _scaled(self).sha256

    def describe(self) -> Card:
        scaled = _scaled(self)
        sizes = {split: len(self._fixed(split)[0]) for split in self.splits[1:]}
        steps = ", ".join(f"{len(part.x):,} {name}" for name, part in scaled.parts.items())
        mean, deviation = scale(self)
        notes = f"steps: {steps}; training has mean {mean:.6g} and deviation {deviation:.6g}"
        return Card(*self.origin(), {"train": 0, **sizes}, {}, scaled.sha256, notes)

    def tiny(self) -> Self:
        return dataclasses.replace(self, window=max(8, 2 * self.period))


def forecast(batch: Batch, values: Array) -> Prediction:
    """Return the prediction of these values (batch, time), with its squared error; NaN where there is none."""
    return Prediction(loss=(values - batch.y.astype(np.float64)) ** 2, best=values)


def scale(task: SeriesTask) -> tuple[float, float]:
    """Return mean and deviation of the column that is forecast, in training."""
    scaled = _scaled(task)
    return float(scaled.mean[scaled.target]), float(scaled.deviation[scaled.target])


def _part(split: str) -> str:
    return "validation" if split == "probe" else split


@functools.lru_cache(maxsize=16)
def _scaled(task: SeriesTask) -> Scaled:
    """Cut the series and put it to scale.

    Raises:
        ValueError: too short for one window in every part, or a column that does not change in training.
    """
    values, target = task.series()
    cuts = np.cumsum([len(values) * share // 100 for share in SHARES.values()])[:-1]
    parts = dict(zip(SHARES, np.split(values, cuts), strict=True))
    if (shortest := min(map(len, parts.values()))) < (least := task.window + task.horizon):
        needed = -(-least * 100 // min(SHARES.values()))
        raise ValueError(
            f"{task.origin()[0]}: every split must hold {least} steps (window and horizon), about {needed:,} in all, "
            f"got {len(values):,}, of which {shortest} in the shortest"
        )
    mean, deviation = parts["train"].mean(axis=0), parts["train"].std(axis=0)
    if (flat := deviation <= 1e-12 * np.abs(mean)).any():
        raise ValueError(f"{task.origin()[0]}: column {np.flatnonzero(flat)[0] + 1} of those read does not change in training")
    scaled = {
        name: Part(((part - mean) / deviation).astype(np.float32), int(first))
        for (name, part), first in zip(parts.items(), (0, *cuts), strict=True)
    }
    sha256 = hashlib.sha256(np.ascontiguousarray(values, "<f8").tobytes() + f" {target}".encode()).hexdigest()
    return Scaled(scaled, mean, deviation, target, sha256)


@functools.lru_cache(maxsize=64)
def _variance(task: SeriesTask, split: str) -> float:
    """Return the variance of the targets that weigh in a split, in units of training.

    Raises:
        ValueError: they do not vary.
    """
    starts, weight = task._fixed(split)
    y = task._cut(split, starts, weight).y[weight > 0]
    if not (variance := float(y.var(dtype=np.float64))):
        raise ValueError(f"{task.origin()[0]}: the value to forecast does not change in {_part(split)}")
    return variance


@functools.lru_cache(maxsize=16)
def _linear(task: SeriesTask) -> Autoregression:
    scaled = _scaled(task)
    x = scaled.parts["train"].x.astype(np.float64)
    return Autoregression.fitted(x[: -task.horizon], x[task.horizon :, scaled.target], min(LONGEST_PAST, task.window // 2))


@functools.lru_cache(maxsize=64)
def _floors(task: SeriesTask, split: str) -> dict[str, dict[str, float]]:
    """Return metric -> floor -> value, measured on a whole split."""
    baselines = task.baselines()
    starts, weight = task._fixed(split)
    batch = task._cut(split, starts, weight)
    found: dict[str, dict[str, float]] = {"loss": {}, "mse": {}, "nmse": {}}
    for floor in ("mean", "persistence"):
        meter = task.meter(split)
        meter.update(batch, baselines[floor].predict(batch))
        for name, value in meter.result().items():
            found[name][floor] = float(value) if not isinstance(value, tuple) else np.nan
    return found
