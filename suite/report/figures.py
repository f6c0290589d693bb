"""Draws: all runs with their interval, curves with bands, and one measure against another, each as an inline SVG."""

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from suite.report import svg
from suite.report.colours import Look
from suite.report.curves import Band, Guide, limits, wide
from suite.report.numbers import tick
from suite.statistics import Interval

LEAST_WEIGHT = 0.005  # of a map: less is not seen
TOP = 0.985  # of the labels at the right edge
WIDTH, HEIGHT = 5.2, 3.3  # inches; a phone shows them at about this size, a desk at twice
_STYLE = {
    "svg.hashsalt": "suite",
    "svg.fonttype": "none",
    "font.size": 9.5,
    "axes.edgecolor": svg.MUTED,
    "axes.labelcolor": svg.MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": svg.GRID,
    "grid.linewidth": 0.7,
    "text.color": svg.INK,
    "xtick.color": svg.MUTED,
    "ytick.color": svg.MUTED,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "lines.linewidth": 1.9,
    "lines.solid_capstyle": "round",
    "path.simplify": False,
    "text.parse_math": False,  # a name may hold a dollar
}


class Dots(NamedTuple):
    """All runs of one row: their values, which of them failed, and the interval."""

    name: str
    look: Look
    values: list[float]
    failed: list[bool]
    interval: Interval


class Place(NamedTuple):
    """A row in the plane of two measures."""

    name: str
    look: Look
    x: float
    y: Interval


def strip(rows: Sequence[Dots], guides: Sequence[Guide], *, label: str, name: str, words: str) -> str:
    """Draw every run of every row, the IQM with its interval, and the ends of the scale."""
    values = [value for row in rows for value in row.values]
    log = wide(values + [guide.value for guide in guides if guide.kind != "ceiling"])
    shown = [guide for guide in guides if not log or guide.value > 0]
    with _drawing(height=1.25 + 0.42 * len(rows) + 0.16 * len(shown)) as (figure, axes):
        for place, row in enumerate(rows):
            colour, y = svg.SERIES[row.look.slot], float(-place)
            spots = [y + 0.16 * ((n % 3) - 1) for n in range(len(row.values))]
            for failed, marker in ((False, row.look.marker), (True, "x")):
                at = [n for n, flag in enumerate(row.failed) if flag is failed]
                axes.scatter(
                    [row.values[n] for n in at],
                    [spots[n] for n in at],
                    s=26,
                    marker=marker,
                    color=colour,
                    alpha=1.0 if failed else 0.45,
                    linewidths=1.4 if failed else 0,
                )
            if math.isfinite(row.interval.low):
                axes.plot([row.interval.low, row.interval.high], [y, y], color=colour, linewidth=3.2)
            axes.plot([row.interval.value] * 2, [y - 0.24, y + 0.24], color=colour, linewidth=2.6)
        axes.set_yticks([-float(place) for place in range(len(rows))], [row.name for row in rows], color=svg.INK)
        axes.set_ylim(-len(rows) + 0.4, 0.55)
        axes.grid(False, axis="y")
        ends = limits(values + [guide.value for guide in shown], log=log)
        _scale(axes, "x", log, ends)
        axes.set_xlabel(label)
        for place, guide in enumerate(sorted(shown, key=lambda guide: guide.value)):
            _across(axes, guide, vertical=True)
            left = ends is None or _share(guide.value, ends, log) < 0.6
            axes.annotate(
                f"{'◂ ' if left else ''}{guide.name}{'' if left else ' ▸'}",
                (guide.value, 1.0),
                xytext=(2 if left else -2, 4 + 11 * place),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="left" if left else "right",
                fontsize=8.5,
                color=svg.MUTED,
                annotation_clip=False,
            )
        return _done(figure, name, words)


def lines(
    bands: Sequence[Band],
    guides: Sequence[Guide] = (),
    *,
    x_label: str,
    y_label: str,
    name: str,
    words: str,
    log: bool = False,
    log_x: bool = False,
    ends: tuple[float, float] | None = None,
    markers: bool = False,
) -> str:
    """Draw curves with bands, each labelled at its end."""
    with _drawing() as (figure, axes):
        for one in bands:
            colour = svg.SERIES[one.look.slot]
            axes.fill_between(one.x, one.low, one.high, color=colour, alpha=0.16, linewidth=0)
            marker = one.look.marker if markers or len(one.x) == 1 else None
            axes.plot(one.x, one.middle, color=colour, linestyle=one.look.dash, marker=marker, markersize=4.2)
        values = [value for one in bands for value in (*one.low, *one.high)]
        shown = ends or limits(values + [guide.value for guide in guides if guide.kind != "ceiling"], log=log)
        _scale(axes, "y", log, shown)
        _scale(axes, "x", log_x, limits([x for one in bands for x in one.x], log=log_x))
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        for guide in guides:
            if guide.kind != "ceiling" and (not log or guide.value > 0):
                _across(axes, guide, vertical=False)
        tails = [(one.name, svg.SERIES[one.look.slot], one.middle[-1]) for one in bands]
        tails += [(guide.name, svg.MUTED, guide.value) for guide in guides if guide.kind != "ceiling" and (not log or guide.value > 0)]
        _labels(axes, tails, log)
        return _done(figure, name, words)


def scatter(places: Sequence[Place], guides: Sequence[Guide], *, x_label: str, y_label: str, name: str, words: str) -> str:
    """Draw one measure against another, with the interval of the second."""
    with _drawing() as (figure, axes):
        values = [value for place in places for value in place.y if math.isfinite(value)]
        values += [guide.value for guide in guides if guide.kind != "ceiling"]
        log, log_x = wide(values), wide([place.x for place in places])
        for place in places:
            colour = svg.SERIES[place.look.slot]
            if math.isfinite(place.y.low):
                axes.plot([place.x, place.x], [place.y.low, place.y.high], color=colour, linewidth=2.2, alpha=0.55)
            axes.plot([place.x], [place.y.value], marker=place.look.marker, markersize=7.5, color=colour, linestyle="")
        ends, ends_x = limits(values, log=log), limits([place.x for place in places], log=log_x)
        if ends_x is not None and not log_x:
            room = 0.18 * (ends_x[1] - ends_x[0])
            ends_x = (ends_x[0] - room, ends_x[1] + room)
        _scale(axes, "y", log, ends)
        _scale(axes, "x", log_x, ends_x)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        for guide in guides:
            if guide.kind != "ceiling" and (not log or guide.value > 0):
                _across(axes, guide, vertical=False)
        tails = [(place.name, svg.SERIES[place.look.slot], place.y.value) for place in places]
        tails += [(guide.name, svg.MUTED, guide.value) for guide in guides if guide.kind != "ceiling" and (not log or guide.value > 0)]
        _labels(axes, tails, log)
        return _done(figure, name, words)


def heat(table: Sequence[Sequence[float]], down: Sequence[str], across: Sequence[str], *, look: Look, name: str, words: str) -> str:
    """Draw weights between 0 and 1 as squares, the darker the larger, with the names of rows and columns."""
    with _drawing(height=0.9 + 0.2 * len(down)) as (figure, axes):
        for row, weights in enumerate(table):
            for column, weight in enumerate(weights):
                if weight >= LEAST_WEIGHT:
                    axes.add_patch(
                        Rectangle((column - 0.5, row - 0.5), 1, 1, color=svg.SERIES[look.slot], alpha=min(weight, 1.0), linewidth=0)
                    )
        axes.set_xlim(-0.5, len(across) - 0.5)
        axes.set_ylim(len(down) - 0.5, -0.5)
        axes.set_xticks(range(len(across)), across, rotation=90, color=svg.INK)
        axes.set_yticks(range(len(down)), down, color=svg.INK)
        axes.grid(False)
        axes.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
        return _done(figure, name, words)


@contextmanager
def _drawing(height: float = HEIGHT) -> Iterator[tuple[Figure, Axes]]:
    """Yield a figure in our style, whatever the user's own settings of matplotlib say."""
    with matplotlib.style.context(["default", _STYLE]):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        yield figure, figure.add_subplot()


def _done(figure: Figure, name: str, words: str) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return svg.inline(text.getvalue(), name=name, words=words)


def _scale(axes: Axes, which: str, log: bool, ends: tuple[float, float] | None) -> None:
    axis: Any = axes.xaxis if which == "x" else axes.yaxis
    if log:
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    if ends is not None:
        (axes.set_xlim if which == "x" else axes.set_ylim)(*ends)
    if log:
        decades = math.log10(ends[1] / ends[0]) if ends is not None else 3
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2.2 else (1.0,), numticks=7))
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
    else:
        axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))


def _across(axes: Axes, guide: Guide, *, vertical: bool) -> None:
    dash = {"floor": (0, (4, 2)), "ceiling": (0, (1, 1.5)), "fitted": (0, (1.5, 2.5))}[guide.kind]
    (axes.axvline if vertical else axes.axhline)(guide.value, color=svg.MUTED, linewidth=1.1, linestyle=dash, zorder=1)


def _labels(axes: Axes, tails: Sequence[tuple[str, str, float]], log: bool) -> None:
    """Write names at the right edge at the height of their values, pushed apart where they would touch."""
    ends = axes.get_ylim()
    shares = ((min(max(_share(value, ends, log), 0.0), 1.0), name, colour) for name, colour, value in tails)
    wanted = sorted(shares, key=lambda item: item[:2])
    gap = min(0.075, TOP / max(len(wanted), 1))
    heights: list[float] = []
    for share, *_ in wanted:
        heights.append(max(share, heights[-1] + gap) if heights else share)
    excess = max(heights[-1] - TOP, 0.0) if heights else 0.0
    for place in range(len(heights) - 1, -1, -1):  # push back down what was pushed over the top
        top = TOP if place == len(heights) - 1 else heights[place + 1] - gap
        heights[place] = min(heights[place], top) if excess else heights[place]
    for height, (share, name, colour) in zip(heights, wanted, strict=True):
        line = {"arrowstyle": "-", "color": colour, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0}
        axes.annotate(
            name,
            (1.0, share),
            xytext=(1.035, height),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            color=colour,
            fontsize=9,
            arrowprops=line,
            annotation_clip=False,
        )


def _share(value: float, ends: tuple[float, float], log: bool) -> float:
    """Where a value lies between the ends of an axis, 0 to 1."""
    if log:
        return math.log(max(value, 1e-300) / ends[0]) / math.log(ends[1] / ends[0])
    return (value - ends[0]) / (ends[1] - ends[0])
