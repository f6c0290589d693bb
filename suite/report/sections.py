"""The page's parts as plain texts and tables: what a template fills in, formatted and nothing more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from suite.report import drawings, numbers, score_tables, tuning_tables
from suite.report.colours import Look
from suite.report.comparison import Comparison, Overall
from suite.report.drawings import Drawing
from suite.report.entry import BLOCKS, Entry
from suite.report.findings import Finding, direction, findings
from suite.report.table import Row, Table


@dataclass(frozen=True)
class Section:
    """All that the page says of one setting."""

    id: str
    label: str
    facts: Sequence[tuple[str, str]]
    findings: Sequence[Finding]
    scores: Table
    others: Table
    pairs: Table
    sizes: Table
    flows: Table
    figures: Sequence[Drawing]
    tuning: Table
    tuning_figures: Sequence[Drawing]
    trials: Sequence[Table]


def section(comparison: Comparison, looks: Mapping[str, Look], number: int) -> Section:
    """Return everything of one setting."""
    rows, name = comparison.rows, f"t{number}"
    trained = [entry for entry in rows if entry.block != "fitted"]
    return Section(
        id=name,
        label=rows[0].label,
        facts=_facts(rows[0]),
        findings=findings(comparison),
        scores=score_tables.scores(comparison, looks),
        others=score_tables.others(comparison, looks),
        pairs=score_tables.pairs(comparison, looks),
        sizes=score_tables.sizes(trained, looks),
        flows=score_tables.flows(trained, looks),
        figures=drawings.drawings(comparison, looks, name),
        tuning=tuning_tables.tuning(trained, looks),
        tuning_figures=drawings.tuning(comparison, looks, name),
        trials=[tuning_tables.trials(entry) for entry in trained if entry.tuning],
    )


def glance(comparisons: Sequence[Comparison], looks: Mapping[str, Look], every: Sequence[Overall]) -> dict[str, Any]:
    """Return the matrix of architectures and settings: estimate, interval, and the share of the way from floor to ceiling."""
    names = {e.name: e.block for c in comparisons for e in c.rows if e.block != "fitted"}
    order = sorted(names, key=lambda name: (list(BLOCKS).index(names[name]), list(names).index(name)))
    totals = {row.name: row for row in every}
    rows = [
        {
            "name": name,
            "look": looks[name],
            "block": names[name],
            "cells": [_glance_cell(comparison, name) for comparison in comparisons],
            "overall": _overall_cell(totals.get(name)),
        }
        for name in order
    ]
    columns = [(c.rows[0].label, f"{c.rows[0].main}, {c.rows[0].metric.unit}", c.rows[0].metric.better) for c in comparisons]
    return {"columns": columns, "rows": rows, "overall": bool(every)}


def overall_table(every: Sequence[Overall], looks: Mapping[str, Look]) -> Table:
    """Return the table over all settings."""
    rows = []
    for row in every:
        gap, against = numbers.number(1 - row.mean), row.improvement
        chance = " ".join(numbers.estimate(*against)) if against is not None else numbers.NOTHING
        marks = [] if row.block == "model" else [row.block]
        rows.append(
            Row(row.name, [*numbers.estimate(*row.iqm), numbers.number(row.mean), gap, str(row.runs), chance], looks[row.name], marks)
        )
    columns = (
        ("IQM", "normalised"),
        ("95 % interval", "stratified bootstrap"),
        ("mean", ""),
        ("gap to 1", ""),
        ("runs", ""),
        ("P(best beats it)", "95 %"),
    )
    note = "0 is a setting's floor, 1 its ceiling. Below 11 tasks no pairwise test across tasks is offered: it could not reject."
    return Table("All tasks together, in normalised scores", columns, [("", rows)], note)


def _glance_cell(comparison: Comparison, name: str) -> dict[str, Any]:
    entry = next((e for e in comparison.rows if e.name == name), None)
    if entry is None or name not in comparison.estimates:
        return {"value": numbers.NOTHING, "interval": "" if entry is None else entry.status, "share": 0, "mark": ""}
    value, interval = numbers.estimate(*comparison.estimates[name])
    return {
        "value": value,
        "interval": interval,
        "share": round(100 * entry.metric.normalised(comparison.estimates[name].value))
        if entry.metric.floor != entry.metric.ceiling
        else 0,
        "mark": score_tables.mark(comparison, entry),
    }


def _overall_cell(row: Overall | None) -> dict[str, Any]:
    if row is None:
        return {"value": numbers.NOTHING, "interval": "", "share": 0, "mark": ""}
    value, interval = numbers.estimate(*row.iqm)
    return {"value": value, "interval": interval, "share": round(100 * row.iqm.value), "mark": ""}


def _facts(entry: Entry) -> list[tuple[str, str]]:
    task, setting, metric = entry.document.get("task") or {}, entry.document.get("setting") or {}, entry.metric
    fields = ", ".join(f"{name} {value}" for name, value in (task.get("fields") or {}).items())
    ends = "; ".join(f"{name} {numbers.number(value)}" for name, value in metric.floors.items())
    found = [
        ("Task", f"{task.get('name', entry.label)}, version {task.get('version', 1)}{': ' if fields else ''}{fields}"),
        ("Measured by", f"{entry.main} on the test split, {metric.unit}; {direction(entry)}"),
        ("Floors", f"{ends} (the score uses the best: {numbers.number(metric.floor)})"),
        ("Ceiling", numbers.number(metric.ceiling)),
        ("Why", metric.why),
        ("Chosen on", f"{entry.selects} on the validation split"),
    ]
    if entry.document.get("solved"):
        name, threshold = entry.document["solved"]
        found.append(("Solved", f"{name} past {numbers.number(threshold)} at two validations in a row"))
    budget = [f"{numbers.whole(setting['steps'])} steps of {setting['batch_size']} rows"] if "steps" in setting else []
    if "size" in setting:
        budget.append(f"target size {numbers.whole(setting['size'])}")
    if setting.get("depth", 1) != 1:
        budget.append(f"depth {setting['depth']}")
    if setting.get("tuned_as"):
        budget.append(f"takes the choice of {setting['tuned_as']}")
    return [*found, ("Budget", ", ".join(budget))] if budget else found
