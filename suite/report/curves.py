"""Curves of several seeds as one line with a band, and the scales on which they are drawn."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from suite.report.colours import Look
from suite.result import Curve

QUARTILES_FROM = 5  # seeds; with fewer the band is the range
LOG_FROM = 30.0  # largest over smallest


class Band(NamedTuple):
    """The median of several curves, with quartiles or the range."""

    name: str
    look: Look
    x: list[float]
    middle: list[float]
    low: list[float]
    high: list[float]
    seeds: int


class Guide(NamedTuple):
    """A line across a figure: a floor, a ceiling, a fitted baseline."""

    name: str
    value: float
    kind: str  # "floor", "ceiling", "fitted"


def band(name: str, look: Look, curves: Sequence[Curve]) -> Band | None:
    """Return the band over the points that any of these curves has, or None where there are none."""
    points: dict[float, list[float]] = {}
    for curve in curves:
        for x, y in curve:
            points.setdefault(x, []).append(y)
    if not points:
        return None
    at = sorted(points)
    ends = (0.25, 0.75) if len(curves) >= QUARTILES_FROM else (0.0, 1.0)
    low, middle, high = ([float(np.quantile(points[x], q)) for x in at] for q in (ends[0], 0.5, ends[1]))
    return Band(name, look, at, middle, low, high, len(curves))


def wide(values: Iterable[float]) -> bool:
    """Whether these values want a logarithmic scale: all above 0, and spread over more than one and a half powers of ten."""
    kept = [value for value in values if math.isfinite(value)]
    return bool(kept) and min(kept) > 0 and max(kept) / min(kept) >= LOG_FROM


def limits(values: Iterable[float], *, log: bool, least: float | None = None) -> tuple[float, float] | None:
    """Return the ends of an axis with some air; `least` cuts off what is smaller. None where there is nothing to show."""
    kept = [value for value in values if math.isfinite(value) and (not log or value > 0)]
    if not kept:
        return None
    low, high = float(min(kept)), float(max(kept))
    if least is not None:
        low, high = max(low, least), max(high, least)
    if log:
        low, high = math.log10(low), math.log10(high)
    air = 0.06 * (high - low) or max(0.05 * abs(high), 0.05)
    low, high = low - air, high + air
    return (10.0**low, 10.0**high) if log else (low, high)
