"""What this report cannot say, computed from what was run and what was not."""

from collections.abc import Iterator, Sequence

from suite.report import numbers
from suite.report.entry import Entry
from suite.result import Record

SMOKE, FEW = 5, 10  # seeds: below the first a smoke test, below the second intervals are too narrow
OTHER_REGIMES = {"parameters": "equal FLOPs or equal seconds", "width": "equal parameters, equal FLOPs or equal seconds"}


def limitations(rows: Sequence[Entry]) -> list[str]:
    """Return the sentences that belong below every number of these rows."""
    trained = [entry for entry in rows if entry.block != "fitted"]
    if not trained:
        return ["No trained architecture has a run here yet."]
    records = [record for entry in rows for record in entry.group.records]
    return [*_runs(rows), *_definition(trained), *_rows(trained), *_records(records), *_code(rows)]


def _runs(rows: Sequence[Entry]) -> Iterator[str]:
    open_ = [entry for entry in rows if not entry.finished]
    if open_:
        named = numbers.join([f"{entry.name} on {entry.label} ({entry.status})" for entry in open_])
        yield f"The store is unfinished: {named}. Statements about these rows may change."
    seeds = min((entry.planned for entry in rows if entry.block != "fitted"), default=0)
    if seeds < SMOKE:
        yield f"{seeds} evaluation seed{'s' if seeds != 1 else ''}: a smoke test, not a comparison."
    elif seeds < FEW:
        yield (
            f"{seeds} evaluation seeds: percentile intervals of so few runs are too narrow (at 5 they cover about 88 %, not 95 %), "
            f"and the sign-flip test cannot reach a p below {numbers.probability(2 / 2**seeds)}. Ten seeds are the rule for a claim."
        )
    yield "Intervals resample seeds, not test items, and the best model was picked before it was compared."


def _definition(trained: Sequence[Entry]) -> Iterator[str]:
    experiment = trained[0].experiment
    regime = experiment.get("regime", "parameters")
    if regime in OTHER_REGIMES:
        yield f"Only the regime “equal {regime}” was run: at {OTHER_REGIMES[regime]} the ranking may differ."
    if experiment.get("sampler") == "tpe":
        yield "Tuned by TPE: best effort, not a fair comparison. Its trials depend on each other, so expected scores do not hold."
    trials = experiment.get("trials")
    if isinstance(trials, int) and trials < 20:
        yield f"{trials} tuning trials an architecture: a model that is harder to tune is at a disadvantage."
    if experiment.get("finalists", 1) == 1 and len(experiment.get("tuning_seeds", ())) <= 1:
        yield "Configurations were chosen on one seed each, without finalists."
    borrowed = sorted({entry.label for entry in trained if (entry.document.get("setting") or {}).get("tuned_as")})
    if borrowed:
        yield f"Not tuned on their own, but with the choice of another setting: {numbers.join(borrowed)}."
    if experiment.get("prior_look"):
        yield f"Prior look: {experiment['prior_look']}."


def _rows(trained: Sequence[Entry]) -> Iterator[str]:
    off = [
        f"{entry.name} on {entry.label} ({numbers.percent(entry.size['deviation'])})"
        for entry in trained
        if abs(float(entry.size.get("deviation") or 0)) > 0.02
    ]
    if off:
        yield f"Over 2 % off the target size: {numbers.join(off)}."
    edges = [f"{entry.name} on {entry.label}" for entry in trained if entry.chosen and entry.chosen.get("edge")]
    if edges:
        yield f"The chosen learning rate lies in the outer 10 % of its range, so a wider range may do better: {numbers.join(edges)}."
    informed = sorted({entry.name for entry in trained if entry.block == "informed"})
    if informed:
        yield f"Told the task's length, and therefore not ranked with the others: {numbers.join(informed)}."
    windows = sorted({e.name for e in trained if (e.document.get("spec") or {}).get("carried") and not e.architecture.get("carries")})
    if windows:
        yield f"Carry no state from window to window (context = window): {numbers.join(windows)}."


def _records(records: Sequence[Record]) -> Iterator[str]:
    failed: dict[str, int] = {}
    for record in records:
        if record.outcome != "done":
            failed[record.outcome] = failed.get(record.outcome, 0) + 1
    if failed:
        told = numbers.join([f"{count} {outcome}" for outcome, count in sorted(failed.items())])
        yield f"Failed runs count as the floor: {told} of {len(records)}."
    loaded_runs = sum(loaded(record) for record in records)
    if loaded_runs:
        yield f"Loaded host: in {loaded_runs} of {len(records)} runs the load average exceeded the cores, so speeds are too low and noisy."
    hosts = {record.provenance["host"] for record in records if "host" in record.provenance}
    if len(hosts) > 1:
        yield f"Runs come from {len(hosts)} machines: their speeds do not compare."
    reused = sum(record.reused_from is not None for record in records)
    if reused:
        looked = sum(record.reused_from is not None and record.phase == "evaluation" for record in records)
        told = f", {looked} of them evaluation runs whose test scores had been seen before (prior looks)" if looked else ""
        yield f"{reused} results were reused from other experiments with the same key{told}."
    again = sum(record.attempt > 1 for record in records)
    if again:
        yield f"{again} runs were repeated after a kill or a lost host; only the last attempt counts."
    dirty = sum(record.provenance.get("git_dirty") == "true" for record in records)
    if dirty:
        yield f"{dirty} of {len(records)} runs came from a working tree with uncommitted changes."


def _code(rows: Sequence[Entry]) -> Iterator[str]:
    definitions = {entry.document["definition"] for entry in rows if entry.document.get("definition")}
    if len(definitions) > 1:
        yield f"The rows come from {len(definitions)} versions of the definition: they may not compare."
    for name in dict.fromkeys(entry.name for entry in rows):
        for_one = {entry.document["code"] for entry in rows if entry.name == name and entry.document.get("code")}
        labels = {entry.label for entry in rows if entry.name == name}
        if len(for_one) > len(labels):
            yield f"{name} was trained by several versions of the code."


def loaded(record: Record) -> bool:
    """Whether a run says that the load of its host was more than its cores."""
    return "more than" in record.provenance.get("load", "")
