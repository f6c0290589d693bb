"""Reads runs back from an MLflow client: groups and records from database rows alone, and quickly."""

import gc
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from suite import rows
from suite.result import Curve, Group, Record

GROUP = "group"  # the phase of a parent run
PAGE = 1000


class Child(NamedTuple):
    """A run as one search returns it: everything but the histories of its curves."""

    run: str
    experiment: str
    status: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]

    @property
    def finished(self) -> bool:
        """The tag `outcome` is the last thing written: a run that has it is whole."""
        return "outcome" in self.tags


def children(client: Any, experiments: Sequence[str], filter_string: str = "") -> list[Child]:
    """Return the runs of these MLflow experiments, in order of creation, without the histories of their curves."""
    found: list[Child] = []
    token: str | None = None
    with _uncollected():
        while experiments:
            page = client.search_runs(
                list(experiments), filter_string, max_results=PAGE, order_by=["attributes.start_time ASC"], page_token=token
            )
            for run in page:
                info, data = run.info, run.data
                found.append(Child(info.run_id, info.experiment_id, info.status, data.tags, data.params, data.metrics))
            token = page.token
            if not token:
                break
    return found


def records(client: Any, finished: Sequence[Child]) -> list[Record]:
    """Return finished runs with their curves."""
    drawn = {child.run: json.loads(child.tags["curves"]) for child in finished}
    holders: dict[str, list[str]] = {}
    for run, names in drawn.items():
        for name in names:
            holders.setdefault(name, []).append(run)
    curves: dict[str, dict[str, Curve]] = {run: dict.fromkeys(names, ()) for run, names in drawn.items()}
    with _uncollected():
        for name, runs in holders.items():
            for run, points in _histories(client, name, runs).items():
                curves[run][name] = tuple((float(step), points[step]) for step in sorted(points))
    return [rows.record(child.run, child.tags, child.params, child.metrics, curves[child.run]) for child in finished]


def without_curves(child: Child) -> Record:
    """Return a finished run as its search returned it."""
    return rows.record(child.run, child.tags, child.params, child.metrics, dict.fromkeys(json.loads(child.tags["curves"]), ()))


def groups(client: Any, experiments: Sequence[str], definition: str | None) -> list[Group]:
    """Return the groups that lie in these MLflow experiments: of the definition run last, or of that hash."""
    found = children(client, experiments)
    parents = [child for child in found if child.tags.get("phase") == GROUP]
    if not parents:
        return []
    chosen = definition or max(parents, key=lambda child: float(child.tags["begun"])).tags["definition"]
    documents = [(child, rows.joined_document(child.tags)) for child in parents if child.tags["definition"] == chosen]
    wanted = {key for _, document in documents for key in rows.keys_of(document)}
    best = latest(child for child in found if child.tags.get("key") in wanted)
    by_key = dict(zip(best, records(client, list(best.values())), strict=True))
    made = [_group(parent, document, by_key) for parent, document in documents]
    return sorted(made, key=lambda group: int(group.document["order"]))


def latest(found: Iterable[Child]) -> dict[str, Child]:
    """Return for each key its finished run; of several attempts the last."""
    best: dict[str, Child] = {}
    for child in found:
        if child.finished:
            key = child.tags["key"]
            if key not in best or int(child.tags["attempt"]) >= int(best[key].tags["attempt"]):
                best[key] = child
    return best


def _group(parent: Child, document: Mapping[str, Any], by_key: Mapping[str, Record]) -> Group:
    return Group(
        run=parent.run,
        label=parent.tags["label"],
        architecture=parent.tags["architecture"],
        role=parent.tags["role"],  # type: ignore[arg-type]
        document=document,
        records=tuple(by_key[key] for key in rows.keys_of(document) if key in by_key),
    )


def _histories(client: Any, name: str, runs: list[str]) -> dict[str, dict[int, float]]:
    """One query for all runs where the store allows it: 150 runs of 400 points in under a second."""
    bulk = getattr(client._tracking_client.store, "get_metric_history_bulk", None)
    found: dict[str, dict[int, float]] = {run: {} for run in runs}
    if bulk is None:
        for run in runs:
            for metric in client.get_metric_history(run, name):
                found[run][metric.step] = metric.value
        return found
    for start in range(0, len(runs), PAGE):
        for point in bulk(runs[start : start + PAGE], name, PAGE * PAGE):
            found[point.run_id][point.step] = point.value
    return found


@contextmanager
def _uncollected() -> Iterator[None]:
    """Garbage collection doubles the time of reading a hundred thousand rows."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
