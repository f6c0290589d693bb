"""The tuning record of one setting: what was chosen, and every trial."""

from collections.abc import Mapping, Sequence
from typing import Any

from suite.report import drawings, numbers
from suite.report.colours import Look
from suite.report.entry import Entry
from suite.report.table import Row, Table
from suite.report.tuning import Tuning
from suite.result import Record

MOST_WORDS = 80  # characters of an error


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items()) or numbers.NOTHING


def _value(value: Any) -> str:
    if value is None:
        return "off"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def tuning(rows: Sequence[Entry], looks: Mapping[str, Look]) -> Table:
    """Return what each row spent and chose."""
    found = []
    for entry in rows:
        record, chosen = Tuning(entry), entry.chosen or {}
        done = f"{len(record.scores)} of {len(entry.tuning)}" if entry.tuning else f"as {_chosen_as(entry)}"
        edge = "yes" if chosen.get("edge") else "no" if chosen else numbers.NOTHING
        picked = f"trial {chosen['trial']}: {_values(chosen.get('values') or {})}" if chosen else "not chosen yet"
        cells = [done, str(record.failed), picked, drawings.tuning_score(entry), edge, numbers.seconds(record.total_seconds)]
        found.append(Row(entry.name, cells, looks[entry.name]))
    columns = (
        ("trials", "done"),
        ("failed", "score the floor"),
        ("best configuration", "chosen on validation"),
        ("validation", "" if not rows else rows[0].main if rows[0].finalists else rows[0].selects),
        ("edge", "of the range"),
        ("spent", "all runs, wall"),
    )
    return Table("What each tried and chose", columns, [("", found)])


def _chosen_as(entry: Entry) -> str:
    """Return the label of the setting whose choice this row takes."""
    return str((entry.document.get("setting") or {}).get("tuned_as") or numbers.NOTHING)


def trials(entry: Entry) -> Table:
    """Return every trial of a row, finalists last."""
    names, chosen = Tuning(entry).columns, (entry.chosen or {}).get("trial")
    rows = []
    for trial in entry.tuning:
        values = [numbers.NOTHING if trial.record is None else _value(trial.record.values.get(name)) for name in names]
        outcome = "not run yet" if trial.record is None else _outcome(trial.record)
        marks = ["chosen"] if trial.number == chosen else []
        again = trial.record is not None and trial.record.reused_from is not None
        rows.append(
            Row(f"trial {trial.number}", [*values, outcome, numbers.number(trial.score)], marks=[*marks, *(["reused"] if again else [])])
        )
    for number, seed, record in entry.finalists:
        values = [numbers.NOTHING if record is None else _value(record.values.get(name)) for name in names]
        value = None if record is None else record.scores.get("validation", {}).get(entry.selects)
        outcome = "not run yet" if record is None else _outcome(record)
        rows.append(Row(f"trial {number}", [*values, outcome, numbers.number(value)], marks=[f"finalist, seed {seed}"]))
    columns = [*((name, "") for name in names), ("outcome", ""), ("validation", entry.selects)]
    return Table(entry.name, columns, [("", rows)])


def _outcome(record: Record) -> str:
    """How a run ended, with what it said where it crashed."""
    error = record.provenance.get("error", "")
    return f"{record.outcome}: {error[:MOST_WORDS]}" if error else record.outcome
