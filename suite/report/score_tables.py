"""The tables of one setting: scores, paired differences, and what size, speed and gradients are."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from suite import statistics
from suite.report import numbers
from suite.report.colours import Look
from suite.report.comparison import Comparison
from suite.report.entry import BLOCKS, Entry
from suite.report.table import Row, Table
from suite.report.tables import solved, steps_to_solve


def _blocks(comparison: Comparison, row: Callable[[Entry], Row]) -> list[tuple[str, list[Row]]]:
    found = [(title, [row(entry) for entry in comparison.rows if entry.block == block]) for block, title in BLOCKS.items()]
    return [(title, rows) for title, rows in found if rows]


def scores(comparison: Comparison, looks: Mapping[str, Look]) -> Table:
    """Return the scores of all rows by block, and the ends of the scale."""
    metric = comparison.rows[0].metric
    has_threshold = bool(comparison.rows[0].document.get("solved"))

    def row(entry: Entry) -> Row:
        values = list(entry.scores.values())
        if entry.block == "fitted":
            cells = [numbers.number(values[0] if values else None), *[numbers.NOTHING] * (5 + 2 * has_threshold)]
            return Row(entry.name, cells, marks=[] if entry.finished else [entry.status])
        interval = comparison.estimates.get(entry.name)
        value, ends = numbers.estimate(*interval) if interval else (numbers.NOTHING, numbers.NOTHING)
        count = str(len(values)) if entry.finished else f"{len(values)} of {entry.planned}"
        cells = [value, ends, numbers.number(float(np.mean(values)) if values else None), count, str(sum(entry.failed.values()))]
        if has_threshold:
            done, steps = solved(entry), steps_to_solve(entry)
            cells += [numbers.NOTHING if done is None or not values else f"{done} of {len(values)}", _steps(entry, steps)]
        validation = float(statistics.iqm(entry.validation)) if entry.validation else None
        marks = comparison.flags(entry)
        return Row(entry.name, [*cells, numbers.number(validation)], looks[entry.name], marks, mark(comparison, entry) == "best")

    columns = [("IQM", metric.unit), ("95 % interval", "of the IQM"), ("mean", ""), ("n", "seeds"), ("failed", "score the floor")]
    columns += [("solved", "runs"), ("steps to solve", "median")] if has_threshold else []
    ends = [(f"floor: {name}", value) for name, value in metric.floors.items()] + [("ceiling", metric.ceiling)]
    scale = [Row(name, [numbers.number(value), *[numbers.NOTHING] * (len(columns))]) for name, value in ends]
    word = "higher" if metric.better == "max" else "lower"
    return Table(
        f"Test {comparison.rows[0].main}: {word} is better",
        [*columns, ("validation", "IQM")],
        [*_blocks(comparison, row), ("Ends of the scale", scale)],
    )


def _steps(entry: Entry, steps: float | None) -> str:
    if steps is not None:
        return numbers.whole(steps)
    budget = (entry.document.get("setting") or {}).get("steps")
    return f"> {numbers.whole(budget)}" if entry.evaluated and budget else numbers.NOTHING


def others(comparison: Comparison, looks: Mapping[str, Look]) -> Table:
    """Return every other metric of every test split, with the best floor of each."""
    measures = comparison.rows[0].measures
    columns = [
        (name if split == "test" else f"{name}, {split.removeprefix('test/')}", f"{metric.unit} {'↑' if metric.better == 'max' else '↓'}")
        for (split, name), metric in measures.items()
    ]

    def row(entry: Entry) -> Row:
        cells = [_other(comparison, entry, split, name) for split, name in measures]
        return Row(entry.name, cells, looks.get(entry.name))

    floor = Row("best floor", [numbers.number(metric.floor) for metric in measures.values()])
    blocks = [*_blocks(comparison, row), ("Ends of the scale", [floor])] if measures else []
    return Table("Other metrics on the test splits: IQM and 95 % interval", columns, blocks)


def _other(comparison: Comparison, entry: Entry, split: str, name: str) -> str:
    values = entry.values(split, name)
    if not values:
        return numbers.NOTHING
    if entry.block == "fitted":
        return numbers.number(values[0])
    return " ".join(numbers.estimate(*comparison.interval(entry, f"{split}/{name}", values)))


def pairs(comparison: Comparison, looks: Mapping[str, Look]) -> Table:
    """Return the best model against every other trained row."""
    best = comparison.best
    rows = []
    for pair in comparison.pairs:
        ranks = "too few" if pair.ranks is None else numbers.probability(pair.ranks)
        verdict = "told apart" if pair.separated else "not separable"
        cells = [" ".join(numbers.estimate(*pair.difference)), numbers.number(pair.shift), " ".join(numbers.estimate(*pair.improvement))]
        cells += [numbers.probability(pair.flip), numbers.probability(pair.adjusted), ranks, str(pair.count), verdict]
        marks = [] if pair.other.block == "model" else [pair.other.block]
        rows.append(Row(pair.other.name, cells, looks[pair.other.name], marks))
    columns = (
        ("difference", "IQM, 95 %"),
        ("shift", "Hodges–Lehmann"),
        ("P(improvement)", "95 %"),
        ("p", "sign-flip, exact"),
        ("p", "after Holm"),
        ("p", "signed-rank"),
        ("pairs", "seeds"),
        ("verdict", ""),
    )
    title = f"{best.name} against the others, paired by seed" if best else ""
    note = (
        "Positive where it is better. Told apart: the 95 % interval of the differences excludes 0 and the sign-flip p is at most 0.05 "
        "(at five seeds, where it cannot be, the smallest there is: 0.0625)."
    )
    return Table(title, columns, [("", rows)], note)


def sizes(rows: Sequence[Entry], looks: Mapping[str, Look]) -> Table:
    """Return size and speed of the trained rows."""

    def row(entry: Entry) -> Row:
        size = entry.size
        width = f"{size.get('width', numbers.NOTHING)}" + (f" / {size['inner']}" if size.get("inner") else "")
        parts = " / ".join(numbers.whole(size.get(part)) for part in ("core", "head", "embedding"))
        cells = [width, numbers.whole(size.get("parameters")), parts, numbers.percent(size.get("deviation"))]
        cells += [numbers.size(size.get("state_bytes")), numbers.short(size.get("flops_per_token"))]
        cells += [
            numbers.short(entry.cost("speed/tokens_per_second")),
            _spread(entry),
            numbers.seconds(entry.cost("speed/trace_compile_seconds")),
        ]
        return Row(entry.name, cells, looks[entry.name], ["informed"] if entry.block == "informed" else [])

    columns = (
        ("width", ""),
        ("parameters", "all"),
        ("core / head / embedding", "parameters"),
        ("off target", "counted size"),
        ("state", "a row"),
        ("FLOPs", "a token, forward"),
        ("tokens/s", "training"),
        ("ms/step", "median ± half IQR"),
        ("compile", "trace included"),
    )
    return Table("Size and speed", columns, [("", [row(entry) for entry in rows])])


def flows(rows: Sequence[Entry], looks: Mapping[str, Look]) -> Table:
    """Return the gradient flow of the trained rows that have states, at initialisation and after training."""
    columns = {
        "half_horizon": ("half-horizon", "steps"),
        "horizon": ("horizon", "steps"),
        "decay": ("decay", "a step, in logs"),
        "flow": ("flow", "0 to 1"),
        "vanishing": ("vanished", "share of rows"),
        "exploding": ("exploded", "share of rows"),
    }
    found = [Row(entry.name, [_change(entry, name) for name in columns], looks[entry.name]) for entry in rows]
    kept = [row for row in found if any(cell != numbers.NOTHING for cell in row.cells)]
    note = (
        "With respect to every state of the cell; medians over seeds. Half-horizon: the first lag at which it has halved (≥: never). "
        "Horizon: −1 / decay, where the decay is exponential. Flow: the mean of min(1, g(k)/g(0)) up to the task's lag. "
        "Vanished, exploded: under 0.001 or over 1000 at the longest lag."
    )
    return Table("Gradient flow: at initialisation → after training", list(columns.values()), [("", kept)], note)


def _spread(entry: Entry) -> str:
    step, iqr = entry.cost("speed/step_milliseconds"), entry.cost("speed/step_milliseconds_iqr")
    return numbers.number(step) + (f" ± {numbers.number(iqr / 2, 2)}" if iqr is not None and step is not None else "")


def _change(entry: Entry, name: str) -> str:
    """A gradient-flow number at initialisation and after training."""
    before, after = entry.flow(name, trained=False), entry.flow(name, trained=True)
    if before is None and after is None:
        return numbers.NOTHING
    if name == "half_horizon" and entry.lags is not None:
        ends = [numbers.NOTHING if v is None else f"≥ {v:g}" if v >= entry.lags else f"{v:g}" for v in (before, after)]
    else:
        ends = [numbers.number(value, 2) for value in (before, after)]
    return f"{ends[0]} → {ends[1]}"


def mark(comparison: Comparison, entry: Entry) -> str:
    """ "best" only where it can be told from every other model, "level" for it and those it cannot be told from."""
    models = [e for e in comparison.rows if e.block == "model"]
    if comparison.best is None or entry.block != "model" or any(not e.finished for e in models) or len(models) < 2:
        return ""
    near = [pair.other.name for pair in comparison.pairs if pair.other.block == "model" and not pair.separated]
    if entry is comparison.best:
        return "level" if near else "best"
    return "level" if entry.name in near else ""
