"""Estimates, intervals and tests for few runs: arrays in, numbers out.

Sources: Agarwal et al. (2021), arXiv:2108.13264 (IQM, stratified bootstrap, probability of improvement); Hodges & Lehmann (1963),
doi:10.1214/aoms/1177704172; Wilcoxon (1945), doi:10.2307/3001968; Holm (1979); Tang et al. (2020), arXiv:2004.13705 (expected validation).
"""

from collections.abc import Callable, Sequence
from math import comb
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy import stats

Array = np.ndarray[Any, np.dtype[np.float64]]
Values = Sequence[float] | Array
Statistic = Callable[[Array], Array]  # (..., n) -> (...)
Better = Literal["max", "min"]
Alternative = Literal["two-sided", "greater", "less"]

RESAMPLES = 10_000
LEVEL = 0.95
FEWEST_RANKS = 6  # below, a two-sided signed-rank test cannot reach .05 by much
MOST_FLIPS = 20  # 2**20 sign patterns are enumerated


class Interval(NamedTuple):
    """An estimate with the ends of its interval; the ends are NaN where one value alone cannot have any."""

    value: float
    low: float
    high: float


def iqm(values: Values) -> Array:
    """Return the interquartile mean along the last axis: the mean of what a 25 % cut at either end leaves."""
    ordered = np.sort(_filled(values), axis=-1)
    count = ordered.shape[-1]
    cut = int(0.25 * count)
    return np.asarray(ordered[..., cut : count - cut].mean(axis=-1))


def mean(values: Values) -> Array:
    """Return the mean along the last axis."""
    return np.asarray(_filled(values).mean(axis=-1))


def median(values: Values) -> Array:
    """Return the median along the last axis."""
    return np.asarray(np.median(_filled(values), axis=-1))


def hodges_lehmann(differences: Values) -> Array:
    """Return the median of all pairwise averages (each value with itself too) along the last axis: a shift that one outlier cannot move."""
    d = _filled(differences)
    first, second = np.triu_indices(d.shape[-1])
    return np.asarray(np.median((d[..., first] + d[..., second]) / 2, axis=-1))


def bootstrap(values: Values, statistic: Statistic, generator: np.random.Generator, *, resamples: int = RESAMPLES) -> Interval:
    """Return the statistic with its 95 % percentile bootstrap interval; one value has no interval."""
    return stratified([values], statistic, generator, resamples=resamples)


def stratified(tasks: Sequence[Values], statistic: Statistic, generator: np.random.Generator, *, resamples: int = RESAMPLES) -> Interval:
    """Return the statistic of all runs of all tasks together, with a bootstrap that redraws runs inside each task only."""
    runs = [_filled(task) for task in tasks]
    estimate = float(statistic(np.concatenate(runs)))
    if min(len(task) for task in runs) < 2:
        return Interval(estimate, float("nan"), float("nan"))
    drawn = [_redrawn(task, generator, resamples) for task in runs]
    return _interval(estimate, statistic(np.concatenate(drawn, axis=-1)))


def normalised(values: Values, floor: float, ceiling: float) -> Array:
    """Return 0 at the floor, 1 at the ceiling, clipped to both (NaN counts as the floor).

    Raises:
        ValueError: floor and ceiling are equal, or one is not finite.
    """
    if not (np.isfinite(floor) and np.isfinite(ceiling) and floor != ceiling):
        raise ValueError(f"expected a finite floor and another finite ceiling, got {floor} and {ceiling}")
    scaled = (np.asarray(values, dtype=np.float64) - floor) / (ceiling - floor)
    return np.asarray(np.clip(np.nan_to_num(scaled, nan=0.0), 0.0, 1.0))


def probability_of_improvement(first: Sequence[Values], second: Sequence[Values], better: Better = "max") -> float:
    """Return the mean over tasks of P(a run of `first` beats a run of `second`), ties counted half."""
    if len(first) != len(second) or not first:
        raise ValueError(f"expected the same tasks on both sides, got {len(first)} and {len(second)}")
    return float(np.mean([_wins(_filled(x), _filled(y), better) for x, y in zip(first, second, strict=True)]))


def improvement(first: Sequence[Values], second: Sequence[Values], generator: np.random.Generator, better: Better = "max") -> Interval:
    """Return the probability of improvement with its stratified bootstrap interval."""
    estimate = probability_of_improvement(first, second, better)
    if min(len(task) for task in (*first, *second)) < 2:
        return Interval(estimate, float("nan"), float("nan"))
    drawn = [
        _wins(_redrawn(_filled(x), generator, RESAMPLES), _redrawn(_filled(y), generator, RESAMPLES), better)
        for x, y in zip(first, second, strict=True)
    ]
    return _interval(estimate, np.mean(drawn, axis=0))


def sign_flip(differences: Values, alternative: Alternative = "two-sided", margin: float = 0.0) -> float:
    """Return the exact p of the paired sign-flip test that the differences exceed (or lie below) `margin`.

    Raises:
        ValueError: more pairs than can be enumerated.
    """
    d = _filled(differences) - margin
    if len(d) > MOST_FLIPS:
        raise ValueError(f"the exact test takes at most {MOST_FLIPS} pairs, got {len(d)}")
    sums = np.zeros(1)
    for value in d:
        sums = np.concatenate([sums + value, sums - value])
    seen, slack = d.sum(), 1e-12 * np.abs(d).sum()
    if alternative == "greater":
        return float(np.mean(sums >= seen - slack))
    if alternative == "less":
        return float(np.mean(sums <= seen + slack))
    return float(np.mean(np.abs(sums) >= abs(seen) - slack))


def signed_rank(differences: Values, alternative: Alternative = "two-sided") -> float | None:
    """Return the p of Wilcoxon's signed-rank test, zeros dropped and ties given middle ranks; None where pairs are too few.

    Exact up to 20 pairs, a normal approximation beyond.
    """
    d = _filled(differences)
    d = d[d != 0]
    if len(d) < FEWEST_RANKS:
        return None
    if len(d) > MOST_FLIPS:
        return float(stats.wilcoxon(d, alternative=alternative, method="approx", correction=True).pvalue)
    return sign_flip(np.sign(d) * stats.rankdata(np.abs(d)), alternative)


def holm(probabilities: Values) -> Array:
    """Return Holm's adjusted p of each hypothesis of a family, in the order given."""
    p = np.asarray(probabilities, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted


def expected_validation(values: Values, better: Better = "max") -> Array:
    """Return the expected best validation score of n = 1..B trials drawn without replacement from these B (unbiased)."""
    sign = 1.0 if better == "max" else -1.0
    v = np.sort(sign * _filled(values))
    total = len(v)
    expected = [sum(comb(i - 1, n - 1) * v[i - 1] for i in range(n, total + 1)) / comb(total, n) for n in range(1, total + 1)]
    return sign * np.asarray(expected)


def _filled(values: Values) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.shape[-1:] in ((), (0,)):
        raise ValueError(f"expected at least one value, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("expected finite values; score a failed run as the floor first")
    return array


def _redrawn(values: Array, generator: np.random.Generator, resamples: int) -> Array:
    return values[generator.integers(0, len(values), (resamples, len(values)))]


def _interval(estimate: float, drawn: Array) -> Interval:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(estimate, float(low), float(high))


def _wins(x: Array, y: Array, better: Better) -> Array:
    """(..., n) against (..., m) -> (...)."""
    above = np.sign(x[..., :, None] - y[..., None, :]) * (1 if better == "max" else -1)
    return np.asarray((0.5 + above / 2).mean(axis=(-2, -1)))
