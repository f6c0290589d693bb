"""Tidy tables from the store: one row a setting and architecture, as plain JSON values, as CSV, and as lines for a terminal."""

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from suite import statistics
from suite.report import numbers
from suite.report.comparison import Comparison
from suite.report.entry import Entry, by_setting, entries, middle
from suite.report.tuning import Tuning
from suite.result import Group

SIZES = ("width", "inner", "target", "counted", "deviation", "parameters", "core", "head", "embedding", "flops_per_token", "state_bytes")


def rows(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Return everything that the page's tables show; what is not known yet is None."""
    found = []
    for setting in by_setting(entries(groups)).values():
        comparison = Comparison(setting)
        found += [plain(_row(entry, comparison)) for entry in setting]
    return found


def json_text(groups: Sequence[Group]) -> str:
    """Return the rows as JSON: a list of objects."""
    return json.dumps(rows(groups), indent=2, allow_nan=False) + "\n"


def csv_text(groups: Sequence[Group]) -> str:
    """Return the rows as CSV; lists and objects are JSON inside their cell, and what is not known is empty."""
    found = rows(groups)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = list(found[0]) if found else []
    writer.writerow(columns)
    for row in found:
        writer.writerow([_cell(row[column]) for column in columns])
    return text.getvalue()


def progress(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Return how far each row has come: runs done and planned by phase, failures, and what was chosen."""
    found = []
    for entry in entries(groups):
        finalists = [record for *_, record in entry.finalists]
        records = [trial.record for trial in entry.tuning] + finalists + list(entry.evaluated.values())
        found.append(
            {
                "setting": entry.label,
                "architecture": entry.name,
                "status": entry.status,
                "tuned": sum(trial.record is not None for trial in entry.tuning),
                "trials": len(entry.tuning),
                "finalist_runs": sum(record is not None for record in finalists),
                "finalist_planned": len(finalists),
                "evaluated": len(entry.evaluated),
                "seeds": entry.planned,
                "failed": sum(record is not None and record.outcome != "done" for record in records),
                "chosen_trial": (entry.chosen or {}).get("trial"),
            }
        )
    return found


def summary(groups: Sequence[Group]) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return the columns and the formatted rows of the short table that ends a run."""
    columns = ("setting", "architecture", "metric", "IQM", "95 % interval", "n", "failed", "parameters", "tokens/s", "half-horizon", "note")
    lines = []
    for setting in by_setting(entries(groups)).values():
        comparison = Comparison(setting)
        for entry in setting:
            row = _row(entry, comparison)
            value, interval = numbers.estimate(row["iqm"], _nan(row["low"]), _nan(row["high"]))
            metric = f"{entry.main} ({'higher' if entry.metric.better == 'max' else 'lower'} is better)"
            n = f"{row['n']}/{row['planned']}" if row["n"] < row["planned"] else str(row["n"])
            size, speed, half = (
                numbers.whole(row["parameters"]),
                numbers.short(row["tokens_per_second"]),
                numbers.number(row["half_horizon"]),
            )
            note = "; ".join(row["flags"])
            lines.append([entry.label, entry.name, metric, value, interval, n, str(row["failed"]), size, speed, half, note])
    return columns, lines


def plain(value: Any) -> Any:
    """Return `value` as strict JSON data: numbers that are not finite become None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _row(entry: Entry, comparison: Comparison) -> dict[str, Any]:
    return {
        "experiment": entry.document.get("name"),
        "setting": entry.label,
        "architecture": entry.name,
        "block": entry.block,
        "status": entry.status,
        "metric": entry.main,
        "unit": entry.metric.unit,
        "better": entry.metric.better,
        "split": "test",
        **_scores(entry, comparison),
        **_pair(entry, comparison),
        **_tuning(entry),
        "others": {f"{split}/{name}": _other(entry.values(split, name)) for split, name in entry.measures},
        **_size(entry),
        **_flow(entry),
        "family": entry.architecture.get("family"),
        "source": entry.architecture.get("source"),
        "task": (entry.document.get("task") or {}).get("name"),
        "data_digest": (entry.document.get("task") or {}).get("digest"),
        "definition": entry.document.get("definition"),
        "code": entry.document.get("code"),
    }


def _scores(entry: Entry, comparison: Comparison) -> dict[str, Any]:
    metric, values = entry.metric, list(entry.scores.values())
    interval = comparison.estimates.get(entry.name)
    if interval is None:  # a fitted baseline's one score has no interval
        nothing = float("nan")
        interval = statistics.Interval(values[0] if values else nothing, nothing, nothing)
    comparable = bool(values) and metric.floor != metric.ceiling
    return {
        "n": len(values),
        "planned": entry.planned,
        "failed": sum(entry.failed.values()),
        "iqm": interval.value,
        "low": interval.low,
        "high": interval.high,
        "mean": float(np.mean(values)) if values else None,
        "median": float(np.median(values)) if values else None,
        "normalised": float(statistics.iqm(statistics.normalised(values, metric.floor, metric.ceiling))) if comparable else None,
        "validation": float(statistics.iqm(entry.validation)) if entry.validation else None,
        "seeds": list(entry.scores) if entry.block != "fitted" else [],
        "scores": values,
        "solved": solved(entry),
        "steps_to_solve": steps_to_solve(entry),
        "floors": dict(metric.floors),
        "floor": metric.floor,
        "ceiling": metric.ceiling,
        "flags": comparison.flags(entry),
    }


def _pair(entry: Entry, comparison: Comparison) -> dict[str, Any]:
    """The best model against this row."""
    pair, best = comparison.pair(entry.name), comparison.best
    return {
        "best": None if best is None else best.name,
        "pairs": pair and pair.count,
        "difference": pair and pair.difference.value,
        "difference_low": pair and pair.difference.low,
        "difference_high": pair and pair.difference.high,
        "separated": pair and pair.separated,
        "shift": pair and pair.shift,
        "improvement": pair and pair.improvement.value,
        "improvement_low": pair and pair.improvement.low,
        "improvement_high": pair and pair.improvement.high,
        "sign_flip_p": pair and pair.flip,
        "sign_flip_p_holm": pair and pair.adjusted,
        "signed_rank_p": pair and pair.ranks,
    }


def _tuning(entry: Entry) -> dict[str, Any]:
    tuning, chosen = Tuning(entry), entry.chosen or {}
    return {
        "trials": len(entry.tuning),
        "trials_done": len(tuning.scores),
        "trials_failed": tuning.failed,
        "tuned_as": (entry.document.get("setting") or {}).get("tuned_as"),
        "chosen_trial": chosen.get("trial"),
        "chosen_values": chosen.get("values"),
        "chosen_validation": chosen.get("validation"),
        "edge": chosen.get("edge"),
        "expected_validation": tuning.expected,
        "wall_seconds": tuning.total_seconds,
        "reused": sum(record.reused_from is not None for record in entry.group.records),
    }


def _size(entry: Entry) -> dict[str, Any]:
    return {
        **{name: entry.size.get(name) for name in SIZES},
        "tokens_per_second": entry.cost("speed/tokens_per_second"),
        "step_milliseconds": entry.cost("speed/step_milliseconds"),
        "step_milliseconds_iqr": entry.cost("speed/step_milliseconds_iqr"),
        "compile_seconds": entry.cost("speed/trace_compile_seconds"),
        "peak_bytes": entry.cost("speed/peak_bytes"),
    }


def _flow(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("decay", "horizon", "half_horizon", "flow", "vanishing", "exploding"):
        found[f"{name}_init"] = entry.flow(name, trained=False)
        found[name] = entry.flow(name, trained=True)
    return {**found, "lags": entry.lags}


def _other(values: list[float]) -> float | None:
    return float(statistics.iqm(values)) if values else None


def solved(entry: Entry) -> int | None:
    """Return how many evaluation runs solved the task; None where it has no threshold."""
    if not entry.document.get("solved") or entry.block == "fitted":
        return None
    steps = (record.cost.get("steps_to_solve") for record in entry.evaluated.values())
    return sum(value is not None and math.isfinite(value) for value in steps)


def steps_to_solve(entry: Entry) -> float | None:
    """Return the median steps to solve over all runs, unsolved ones counted as never; None where the median run never solved."""
    if not entry.document.get("solved") or entry.block == "fitted" or not entry.evaluated:
        return None
    steps = sorted(record.cost.get("steps_to_solve", math.nan) for record in entry.evaluated.values() if solved_by(record.cost))
    half = math.ceil(len(entry.evaluated) / 2)
    return middle([steps[half - 1]]) if len(steps) >= half else None


def solved_by(cost: Any) -> bool:
    """Whether a run's costs say that it solved its task."""
    return math.isfinite(cost.get("steps_to_solve", math.nan))


def _nan(value: float | None) -> float:
    return math.nan if value is None else value


def _cell(value: Any) -> Any:
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else value
