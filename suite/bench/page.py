"""The measurements as one self-contained page: what a step costs against time, units and batch, and every row."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from suite.report import figures
from suite.report.colours import PALETTE, Look, looks
from suite.report.curves import Band

AXES = {"time": "steps of a row", "units": "units", "batch": "rows of a batch"}
USUAL = {"batch": 64, "time": 200, "features": 64, "units": 128}

Row = Mapping[str, Any]


def html(rows: Sequence[Row]) -> str:
    """Return the page; the same rows give the same bytes."""
    folder = Path(figures.__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([Path(__file__).parent, folder]), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    look = looks({name for row in rows for name in row["medians"]})
    return environment.get_template("bench.html").render(
        css=(folder / "page.css").read_text(encoding="utf-8"),
        palette=PALETTE,
        rows=rows,
        figures=[drawn for axis in AXES if (drawn := _drawn(rows, axis, look))],
        busy=any(row["load"] > row["cores"] for row in rows),
    )


def _drawn(rows: Sequence[Row], axis: str, look: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the figure of the cost against one axis, the others as usual, or None where there is one point only."""
    others = {name: value for name, value in USUAL.items() if name != axis}
    points: dict[str, dict[float, float]] = {}
    for row in rows:
        if row["cell"] == "lstm" and row["kind"] == "plain" and all(row[name] == value for name, value in others.items()):
            for name, milliseconds in row["medians"].items():
                points.setdefault(name, {})[float(row[axis])] = milliseconds
    bands = [_line(name, look[name], found) for name, found in sorted(points.items()) if len(found) > 1]
    if not bands:
        return None
    words = f"milliseconds of a training step of an LSTM against {AXES[axis]}"
    svg = figures.lines(
        bands, x_label=AXES[axis], y_label="ms a step", name=f"bench-{axis}", words=words, log=True, log_x=True, markers=True
    )
    return {"title": words, "svg": svg}


def _line(name: str, look: Look, found: Mapping[float, float]) -> Band:
    places = sorted(found)
    values = [found[place] for place in places]
    return Band(name, look, places, values, values, values, 1)
