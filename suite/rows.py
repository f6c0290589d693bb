"""Turns a result into metrics, params and tags, and back: the one place that knows how a run looks in the store."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from suite.result import Curve, Record, Result, Value

MOST_KEYS = 30  # MLflow draws one chart for each metric name
MOST_METRICS, MOST_TEXTS = 1000, 100  # of one log_batch
LONGEST_TAG = 7900
METRIC_NAME = re.compile(r"[\w\-. :/]+")

Points = Mapping[str, Mapping[int, float]]  # name -> step -> value


class Point(NamedTuple):
    """One value of a metric."""

    name: str
    value: float
    step: int


class Rows(NamedTuple):
    """What one run adds to the store's tables."""

    metrics: list[Point]
    params: dict[str, str]
    tags: dict[str, str]


class NewRun(NamedTuple):
    """A run to be created: where, under which parent, and all that is known before it starts."""

    experiment: str  # id of the MLflow experiment
    parent: str
    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]


def of_result(result: Result, live: Points) -> Rows:
    """Return the rows of a finished run; `live` are the points that it has already logged.

    Curves are step metrics and single numbers are metrics at step 0. What MLflow cannot hold exactly, or what would
    exceed 30 names, becomes a param: constants (`size/`), steps that are no whole numbers, single numbers beyond the 30th.
    """
    metrics: list[Point] = []
    params: dict[str, str] = {}
    drawn: list[str] = []
    for name, curve in result.curves.items():
        points = {int(x): finite(y) for x, y in curve}
        logged = live.get(name, {})
        exact = [float(x) for x, _ in curve] == sorted(float(step) for step in points)
        if curve and exact and all(_same(points.get(step, math.inf), value) for step, value in logged.items()):
            drawn.append(name)
            metrics += [Point(name, value, step) for step, value in points.items() if step not in logged]
        else:
            params[f"curve/{name}"] = json.dumps([[x, finite(y)] for x, y in curve])
    names = set(live) | set(result.curves)
    for name, value in _singles(result):
        if name.startswith("size/"):
            params[name] = json.dumps(value)
        elif name in names or len(names) >= MOST_KEYS:
            params[f"single/{name}"] = json.dumps(value)
        else:
            names.add(name)
            metrics.append(Point(name, value, 0))
    tags = {f"provenance/{name}": text[-LONGEST_TAG:] for name, text in result.provenance.items()}
    tags |= {"curves": json.dumps(drawn), "outcome": result.outcome, "impl": result.provenance.get("impl", "")}
    return Rows(metrics, params, tags)


def record(
    run: str, tags: Mapping[str, str], params: Mapping[str, str], metrics: Mapping[str, float], curves: Mapping[str, Curve]
) -> Record:
    """Return the finished run that these rows describe; `curves` holds those that the tag `curves` names."""
    singles = {name: value for name, value in metrics.items() if name not in curves}
    longer: dict[str, Curve] = {}
    values: dict[str, Value] = {}
    for name, text in params.items():
        group, slash, rest = name.partition("/")
        if not slash:
            values[name] = value_of(text)
        elif group == "single":
            singles[rest] = json.loads(text)
        elif group == "size":
            singles[name] = json.loads(text)
        elif group == "curve":
            longer[rest] = tuple((float(x), float(y)) for x, y in json.loads(text))
    for name in longer:
        singles.pop(name, None)  # its live points are for the eye
    scores: dict[str, dict[str, float]] = {}
    for name in [name for name in singles if name.startswith("final/")]:
        split, _, metric = name.removeprefix("final/").rpartition("/")
        scores.setdefault(split, {})[metric] = singles.pop(name)
    return Record(
        run=run,
        key=tags["key"],
        label=tags["label"],
        architecture=tags["architecture"],
        phase=tags["phase"],
        seed=int(tags["seed"]),
        values=values,
        outcome=tags["outcome"],  # type: ignore[arg-type]
        scores=scores,
        curves={**curves, **longer},
        cost=singles,
        provenance={name.removeprefix("provenance/"): text for name, text in tags.items() if name.startswith("provenance/")},
        attempt=int(tags["attempt"]),
        reused_from=tags.get("reused_from"),
    )


def result_of(found: Record) -> Result:
    """Return the result that a record holds, to be written again where it is reused."""
    return Result(
        key=found.key, outcome=found.outcome, scores=found.scores, curves=found.curves, cost=found.cost, provenance=found.provenance
    )


def text_of(value: Value) -> str:
    """Return a value as a param that reads back as the same value and type."""
    if isinstance(value, str) and not _reads_as_json(value):
        return value
    return json.dumps(value)


def value_of(text: str) -> Value:
    """Return the value that `text_of` wrote."""
    return json.loads(text) if _reads_as_json(text) else text


def finite(value: float) -> float:
    """Return the value, or NaN for an infinity: MLflow stores those as 1.8e308, which ruins axes."""
    return float(value) if math.isfinite(value) else math.nan


def split_document(document: Mapping[str, Any]) -> dict[str, str]:
    """Return a document as numbered tags, none longer than a tag may be."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=True)
    parts = [text[start : start + LONGEST_TAG] for start in range(0, len(text), LONGEST_TAG)]
    return {"document.parts": str(len(parts)), **{f"document.{number}": part for number, part in enumerate(parts)}}


def joined_document(tags: Mapping[str, str]) -> dict[str, Any]:
    """Return the document that `split_document` spread over tags."""
    found: dict[str, Any] = json.loads("".join(tags[f"document.{number}"] for number in range(int(tags["document.parts"]))))
    return found


def keys_of(document: Mapping[str, Any]) -> list[str]:
    """Return the keys that a group's document names, each once, in its order."""
    keys = document["keys"]
    later = [entry[-1] for phase in ("finalist", "evaluation") for entry in keys.get(phase, [])]
    return list(dict.fromkeys([*keys.get("baseline", []), *keys.get("tuning", []), *later]))


def _singles(result: Result) -> list[tuple[str, float]]:
    """Scores first: where there are too many names, costs give way."""
    scores = [(f"final/{split}/{name}", finite(value)) for split, values in result.scores.items() for name, value in values.items()]
    return scores + [(name, finite(value)) for name, value in result.cost.items()]


def _same(first: float, second: float) -> bool:
    return first == second or (math.isnan(first) and math.isnan(second))


def _reads_as_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
