"""Which figures a setting has, and the words beside them."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from suite.report import curves, figures, numbers
from suite.report.colours import Look
from suite.report.comparison import Comparison
from suite.report.curves import Band, Guide
from suite.report.entry import Entry, score
from suite.report.findings import direction
from suite.report.tuning import Tuning

LEAST_RATIO = 1e-9  # a smaller gradient ratio leaves the panel


class Drawing(NamedTuple):
    """A figure with its title and caption."""

    svg: str
    title: str
    caption: str


def drawings(comparison: Comparison, looks: Mapping[str, Look], name: str) -> list[Drawing]:
    """Return the figures of one setting, results first, then training, then gradients; what has no data has no figure."""
    rows = [entry for entry in comparison.rows if entry.block != "fitted"]
    guides = _guides(comparison)
    found = [
        _strip(comparison, rows, looks, guides, name),
        _speed(comparison, rows, looks, guides, name),
        _learning(rows, looks, name),
        _half_horizon(rows, looks, name),
        *_gradients(rows, looks, name),
        *_finals(rows, looks, name),
        *_maps(rows, looks, name),
    ]
    return [drawing for drawing in found if drawing is not None]


def tuning(comparison: Comparison, looks: Mapping[str, Look], name: str) -> list[Drawing]:
    """Return the figures of the sweep: the expected best validation score against trials and against seconds."""
    rows = [Tuning(entry) for entry in comparison.rows if entry.block != "fitted"]
    found = []
    for what, curve_of, label in (
        ("trials", Tuning.by_trials, "tuning trials"),
        ("seconds", Tuning.by_seconds, "wall seconds of tuning"),
    ):
        drawn = [curves.band(row.entry.name, looks[row.entry.name], [curve_of(row)]) for row in rows if curve_of(row)]
        bands = [one for one in drawn if one is not None]
        if not bands:
            continue
        entry = rows[0].entry
        log = curves.wide([value for one in bands for value in one.middle])
        picture = figures.lines(
            bands,
            x_label=label,
            y_label=f"best {entry.selects} on validation, expected",
            name=f"{name}-expected-{what}",
            words=f"Expected best validation {entry.selects} against {label}: {_ends(bands)}",
            log=log,
            log_x=what == "seconds" and curves.wide([x for one in bands for x in one.x]),
            markers=True,
        )
        caption = "The best of so many random trials, expected over all subsets of those run (unbiased; failures count as the floor)."
        found.append(Drawing(picture, f"What tuning buys, by {what}", caption))
    return found


def _guides(comparison: Comparison) -> list[Guide]:
    """Floors and fitted baselines, those of (nearly) one value as one line, and the ceiling."""
    metric = comparison.rows[0].metric
    every = [Guide(f"floor: {name}", float(value), "floor") for name, value in metric.floors.items()]
    every += [Guide(entry.name, value, "fitted") for entry in comparison.rows if entry.block == "fitted" for value in entry.scores.values()]
    found: list[Guide] = []
    for guide in every:
        near = next((n for n, other in enumerate(found) if math.isclose(guide.value, other.value, rel_tol=0.01)), None)
        if near is None:
            found.append(guide)
        elif found[near].name != f"floor: {guide.name}":
            found[near] = found[near]._replace(name=f"{found[near].name}, {guide.name}")
    return [*found, Guide("ceiling", float(metric.ceiling), "ceiling")]


def _axis(entry: Entry) -> str:
    return f"test {entry.main}, {entry.metric.unit} ({direction(entry)})"


def _strip(c: Comparison, rows: Sequence[Entry], looks: Mapping[str, Look], guides: list[Guide], name: str) -> Drawing | None:
    dots = [
        figures.Dots(e.name, looks[e.name], list(e.scores.values()), list(e.failed.values()), c.estimates[e.name]) for e in rows if e.scores
    ]
    if not dots:
        return None
    told = "; ".join(f"{row.name} {' '.join(numbers.estimate(*row.interval))}" for row in dots)
    picture = figures.strip(dots, guides, label=_axis(rows[0]), name=f"{name}-runs", words=f"Test {rows[0].main} of every run: {told}")
    failed = " A cross is a failed run, scored as the floor." if any(any(row.failed) for row in dots) else ""
    return Drawing(picture, "Every run", f"A point is a seed, the upright bar the interquartile mean, the line its 95 % interval.{failed}")


def _speed(c: Comparison, rows: Sequence[Entry], looks: Mapping[str, Look], guides: list[Guide], name: str) -> Drawing | None:
    places = [
        figures.Place(e.name, looks[e.name], speed, c.estimates[e.name])
        for e in rows
        if e.scores and (speed := e.cost("speed/tokens_per_second")) is not None and speed > 0
    ]
    if not places:
        return None
    told = "; ".join(f"{place.name} {numbers.short(place.x)} tokens/s, {numbers.number(place.y.value)}" for place in places)
    picture = figures.scatter(
        places,
        guides,
        x_label="training tokens per second",
        y_label=_axis(rows[0]),
        name=f"{name}-speed",
        words=f"Test {rows[0].main} against training speed: {told}",
    )
    return Drawing(
        picture, "Score against speed", "Interquartile mean with its 95 % interval; speed is the median over runs on this machine."
    )


def _learning(rows: Sequence[Entry], looks: Mapping[str, Look], name: str) -> Drawing | None:
    for metric in dict.fromkeys((rows[0].main, rows[0].selects) if rows else ()):
        bands = _bands(rows, looks, f"val/{metric}")
        if not bands:
            continue
        facts = (rows[0].document["metrics"].get("validation") or {}).get(metric)
        guides = [Guide(f"floor: {key}", float(value), "floor") for key, value in (facts["floors"] if facts else {}).items()]
        log = curves.wide([v for one in bands for v in (*one.low, *one.high)])
        unit = f", {facts['unit']}" if facts else ""
        picture = figures.lines(
            bands,
            guides,
            x_label="training steps",
            y_label=f"validation {metric}{unit}",
            name=f"{name}-learning",
            words=f"Validation {metric} against training steps, at the end: {_ends(bands)}",
            log=log,
            markers=max(len(one.x) for one in bands) <= 12,
        )
        return Drawing(picture, "Learning curves", f"{_told(bands)} A diverged run ends where it diverged.")
    return None


def _gradients(rows: Sequence[Entry], looks: Mapping[str, Look], name: str) -> list[Drawing]:
    both = {
        "at initialisation": _bands(rows, looks, "grad/by_lag_init"),
        "after training": _bands(rows, looks, "grad/by_lag"),
    }
    values = [v for bands in both.values() for one in bands for v in (*one.low, *one.high)]
    ends = curves.limits(values, log=True, least=LEAST_RATIO)
    found = []
    for when, bands in both.items():
        if not bands or ends is None:
            continue
        picture = figures.lines(
            bands,
            x_label="lag: steps back from the state that the loss reads",
            y_label="‖∂L/∂state‖ relative to lag 0",
            name=f"{name}-lag-{'init' if when == 'at initialisation' else 'trained'}",
            words=f"Norm of the gradient with respect to the state against lag {when}, at the longest lag: {_ends(bands)}",
            log=True,
            ends=ends,
        )
        caption = f"Norm of dL/d(state), joint over all states of the cell, divided by that at lag 0. {_told(bands)}"
        found.append(Drawing(picture, f"Gradient by lag {when}", caption))
    return found


def _half_horizon(rows: Sequence[Entry], looks: Mapping[str, Look], name: str) -> Drawing | None:
    bands = _bands(rows, looks, "grad/half_horizon")
    if not bands or max(len(one.x) for one in bands) < 3:
        return None
    shifted = [one._replace(x=[x + 1 for x in one.x]) for one in bands]
    picture = figures.lines(
        shifted,
        x_label="training steps + 1",
        y_label="half-horizon, steps",
        name=f"{name}-half-horizon",
        words=f"Half-horizon of the gradient against training steps, at the end: {_ends(bands)}",
        log=curves.wide([v for one in bands for v in (*one.low, *one.high)]),
        log_x=True,
        markers=True,
    )
    caption = f"The first lag at which the gradient has halved; the number of lags where it never does. {_told(bands)}"
    return Drawing(picture, "How far back gradients reach while training", caption)


def _finals(rows: Sequence[Entry], looks: Mapping[str, Look], name: str) -> list[Drawing]:
    """Scores that are curves (over length, or the like) on the test splits."""
    maps = {f"final/test/{one}" for entry in rows for one in entry.maps}
    names = sorted({curve for e in rows for r in e.evaluated.values() for curve in r.curves if curve.startswith("final/test")} - maps)
    found = []
    for place, curve in enumerate(names):
        bands = _bands(rows, looks, curve)
        if not bands:
            continue
        split, _, metric = curve.removeprefix("final/").rpartition("/")
        label = f"{metric} on {split}"
        picture = figures.lines(
            bands,
            x_label="length",
            y_label=label,
            name=f"{name}-final-{place}",
            words=f"{label}, at the last point: {_ends(bands)}",
            markers=True,
        )
        found.append(Drawing(picture, f"{metric.capitalize()} in parts", f"{label}. {_told(bands)}"))
    return found


def _maps(rows: Sequence[Entry], looks: Mapping[str, Look], name: str) -> list[Drawing]:
    """Curves that are tables: what the first seed of each row attends to."""
    found = []
    for entry in rows:
        for place, (title, (down, across)) in enumerate(entry.maps.items()):
            kept = next((curve for curve in entry.curves(f"final/test/{title}") if len(curve) == len(down) * len(across)), None)
            if kept is None:
                continue
            values = [value for _, value in kept]
            table = [values[first : first + len(across)] for first in range(0, len(values), len(across))]
            tops = "; ".join(f"{label}: {across[row.index(max(row))]}" for label, row in zip(down, table, strict=True))
            picture = figures.heat(
                table, down, across, look=looks[entry.name], name=f"{name}-map-{entry.name}-{place}", words=f"{entry.name}, {title}: {tops}"
            )
            caption = "A row is a symbol of the reference, a column one of the source; the darker, the larger the weight. One seed."
            found.append(Drawing(picture, f"{title.capitalize()} of {entry.name}", caption))
    return found


def _bands(rows: Sequence[Entry], looks: Mapping[str, Look], curve: str) -> list[Band]:
    drawn = (curves.band(entry.name, looks[entry.name], entry.curves(curve)) for entry in rows)
    return [one for one in drawn if one is not None]


def _told(bands: Sequence[Band]) -> str:
    """What line and band are."""
    count = max(one.seeds for one in bands)
    if count == 1:
        return "One seed."
    inside = "quartiles" if count >= curves.QUARTILES_FROM else "range"
    return f"Line: median over seeds; band: {inside}."


def _ends(bands: Sequence[Band]) -> str:
    return "; ".join(f"{one.name} {numbers.number(one.middle[-1])}" for one in bands)


def tuning_score(entry: Entry) -> str:
    """Return the validation score of the choice."""
    chosen = entry.chosen
    if not chosen:
        return numbers.NOTHING
    value = chosen.get("validation")
    if value is None:
        record = next((trial.record for trial in entry.tuning if trial.number == chosen.get("trial")), None)
        value = None if record is None else score(record, "validation", entry.selects)
    return numbers.number(value)
