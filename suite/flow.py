"""Gradient flow in numbers: norms of dL/d(state) in, curves by lag, decay rate, horizons and indices out."""

import warnings
from typing import NamedTuple

import numpy as np

from suite.task import Array

UNDERFLOW = 1e-30  # a norm below this is not told apart from zero
FIRST_FITTED, LAST_FITTED, FEWEST_FITTED = 5, 150, 10  # lags
LEAST_FIT = 0.9  # of R squared
PRESENT = 0.75  # of the rows must have a lag for it to be kept


class Flow(NamedTuple):
    """How a gradient travels back through time; g(k) is its norm k steps before the state that the loss reads, joint over all states.

    Ratios are g(k) / g(0) of a row; curves are quantiles over rows, (lags,). What is undefined is NaN.

    Source: Hochreiter (1991); Bengio et al. (1994), doi:10.1109/72.279181; Pascanu et al. (2013), arXiv:1211.5063.
    """

    median: Array
    low: Array  # the 10 % quantile
    high: Array  # the 90 % quantile
    decay: float  # per step: the median ratio goes as exp(decay * k), vanishing below 0 and exploding above
    fit: float  # R squared of that line
    horizon: float  # steps, -1 / decay; NaN where nothing vanishes
    half_horizon: float  # the first lag with a median ratio under one half; the number of lags where there is none
    flow: float  # the mean of min(1, median ratio) over the lags of the task
    vanishing: float  # share of rows whose ratio at the longest lag is under 1e-3
    exploding: float  # and of those where it is over 1e3
    underflow: float  # share of norms that are not told apart from zero


def by_lag(norms: Array, read: Array, *, backward: bool = False) -> Array:
    """Return norms by lag, (batch, lags), NaN behind the ends of a row; lags that most rows have not are cut off, but lag 0 never.

    norms: (time, batch), at the step that made the state, NaN where it is padding. read: (batch,), the step whose state the
    loss reads. The lag counts the steps of processing, which for a `backward` direction run from the end to the start.
    """
    time, rows = norms.shape
    lags = np.arange(time)[None, :]
    steps = read[:, None] + lags if backward else read[:, None] - lags
    inside = (steps >= 0) & (steps < time)
    found = np.where(inside, norms.T[np.arange(rows)[:, None], np.clip(steps, 0, time - 1)], np.nan)
    present = (~np.isnan(found)).mean(axis=0) >= PRESENT
    present[0] = True
    return found[:, present]


def summary(norms: Array, *, longest: int, joint: Array | None = None) -> Flow:
    """Return the flow of norms by lag, (batch, lags); `longest` is the longest lag that the task asks for.

    Every row is divided by its joint norm at lag 0, which is `norms[:, 0]` unless `joint`, (batch,), is given.
    """
    start = norms[:, 0] if joint is None else joint
    kept = np.isfinite(start) & (start > UNDERFLOW)
    norms, start = norms[kept].astype(np.float64), start[kept].astype(np.float64)
    lags = norms.shape[1]
    if not len(norms):
        nothing = np.full(lags, np.nan)
        return Flow(nothing, nothing, nothing, *(float("nan"),) * 8)
    ratio = norms / start[:, None]
    low, median, high = _quantiles(ratio, (0.1, 0.5, 0.9))
    (raw,) = _quantiles(norms, (0.5,))
    rate, fit = decay(median, raw > UNDERFLOW)
    below = np.flatnonzero(median < 0.5)
    last = ratio[:, -1][~np.isnan(ratio[:, -1])]
    return Flow(
        median=median,
        low=low,
        high=high,
        decay=rate,
        fit=fit,
        horizon=-1 / rate if rate < 0 else float("nan"),
        half_horizon=float(below[0]) if len(below) else float(lags),
        flow=float(np.minimum(1.0, median[: longest + 1]).mean()),
        vanishing=float(np.mean(last < 1e-3)),
        exploding=float(np.mean(last > 1e3)),
        underflow=float(np.mean(norms[~np.isnan(norms)] < UNDERFLOW)),
    )


def _quantiles(values: Array, shares: tuple[float, ...]) -> Array:
    """Return quantiles over rows, (shares, lags), NaN left out; a lag that is NaN in every row stays NaN."""
    if not np.isnan(values).any():
        return np.quantile(values, shares, axis=0)  # ten times as fast
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanquantile(values, shares, axis=0)


def decay(ratio: Array, above: Array) -> tuple[float, float]:
    """Return the slope of log ratio against lag by least squares, and its R squared; the slope is NaN where no line fits.

    Fitted are the lags 5 to 150 that are `above` the floor, the last included; ten of them at least, R squared .9 at least.
    """
    lags = np.arange(len(ratio))
    kept = (lags >= FIRST_FITTED) & (lags <= LAST_FITTED) & above & np.isfinite(ratio) & (ratio > 0)
    if kept.sum() < FEWEST_FITTED:
        return float("nan"), float("nan")
    x, y = lags[kept].astype(np.float64), np.log(ratio[kept])
    x, y = x - x.mean(), y - y.mean()
    slope = float(x @ y / (x @ x))
    total, left = float(y @ y), float(np.square(y - slope * x).sum())
    fit = 1.0 - left / total if total > 1e-12 * len(y) else 1.0  # a constant is a line of slope 0
    return (slope if fit >= LEAST_FIT else float("nan")), fit
