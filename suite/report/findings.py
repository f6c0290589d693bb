"""What a setting says, in sentences that are computed: who leads, whether it can be told apart, and what needs no order."""

from typing import NamedTuple

from suite.report import numbers
from suite.report.comparison import FEWEST_PAIRS, Comparison, Overall
from suite.report.entry import Entry, beats
from suite.report.tables import solved
from suite.report.tuning import leaders


class Finding(NamedTuple):
    """A sentence with the words it begins with."""

    kind: str  # "verdict", "note", "warning"
    lead: str
    text: str


def findings(comparison: Comparison) -> list[Finding]:
    """Return the sentences of one setting, the verdict first."""
    verdict = _verdict(comparison)
    notes = [*_unfinished(comparison), *_below(comparison), *_order(comparison), *_informed(comparison), *_budget(comparison)]
    return [verdict, *notes]


def over_all(rows: list[Overall]) -> Finding | None:
    """Return the sentence on all settings together."""
    models = [row for row in rows if row.block == "model"]
    if len(models) < 2:
        return None
    first = models[0]
    value, interval = numbers.estimate(*first.iqm)
    near = [row.name for row in models[1:] if not _meaningful(row)]
    far = [row.name for row in models[1:] if _meaningful(row)]
    told = f"It has the best normalised IQM over all tasks, {value} {interval}"
    if far:
        told += f"; a run of it beats a run of {numbers.join(far)} meaningfully often (P ≥ 0.75, interval above 0.5)"
    if near:
        told += f"; not separable from {numbers.join(near)}"
    return Finding("verdict", first.name if not near else f"{first.name}, but not separable", f"{told}.")


def _meaningful(row: Overall) -> bool:
    return row.improvement is not None and row.improvement.low > 0.5 and row.improvement.value >= 0.75


def shown(entry: Entry, comparison: Comparison) -> str:
    """Return the estimate of a row with its interval."""
    return " ".join(numbers.estimate(*comparison.estimates[entry.name]))


def direction(entry: Entry) -> str:
    """Return which way is better, in words."""
    return "higher is better" if entry.metric.better == "max" else "lower is better"


def _verdict(comparison: Comparison) -> Finding:
    best = comparison.best
    if best is None:
        return Finding("warning", "Nothing to compare yet:", "no model has a finished evaluation run.")
    told = f"{shown(best, comparison)} {best.metric.unit} ({direction(best)})"
    rivals = [pair for pair in comparison.pairs if pair.other.block == "model"]
    if len(best.scores) < 2:
        return Finding("verdict", f"{best.name} scores", f"{told}, on one seed: nothing can be separated.")
    if not rivals:
        return Finding("verdict", f"{best.name} scores", f"{told}; there is no other model to compare it with yet.")
    near = [pair.other.name for pair in rivals if not pair.separated]
    far = [pair.other.name for pair in rivals if pair.separated]
    if any(not entry.finished for entry in comparison.rows if entry.block == "model"):
        return Finding("verdict", f"So far, {best.name} leads:", f"{told}, n = {len(best.scores)}; runs are missing, nothing is decided.")
    if not near:
        return Finding("verdict", f"{best.name} is best:", f"{told}; told apart from {numbers.join(far)} by paired differences.")
    if min(pair.count for pair in rivals) < FEWEST_PAIRS:
        return Finding("verdict", f"{best.name} leads, but nothing can be separated:", f"{told}, on fewer than {FEWEST_PAIRS} seeds.")
    rest = f" It is told apart from {numbers.join(far)}." if far else ""
    lead = f"Not separable: {numbers.join([best.name, *near])}."
    ends = f"but paired differences do not tell it apart from {numbers.join(near)}"
    return Finding("verdict", lead, f"{best.name} has the best IQM, {told}, {ends}.{rest}")


def _unfinished(comparison: Comparison) -> list[Finding]:
    found = [f"{entry.name} ({entry.status})" for entry in comparison.rows if not entry.finished]
    return [Finding("warning", "Unfinished:", f"{numbers.join(found)}.")] if found else []


def _below(comparison: Comparison) -> list[Finding]:
    """Models that are no better than what can be had for nothing."""
    if comparison.trivial is None:
        return []
    name, value = comparison.trivial
    models = [entry for entry in comparison.rows if entry.block in ("model", "informed") and entry.name in comparison.estimates]
    low = [entry.name for entry in models if not beats(comparison.estimates[entry.name].value, value, entry.metric.better)]
    if not low:
        return []
    verb = "is" if len(low) == 1 else "are"
    return [Finding("warning", "Not better than trivial:", f"{numbers.join(low)} {verb} no better than {name} ({numbers.number(value)}).")]


def _order(comparison: Comparison) -> list[Finding]:
    """Trained baselines that solve the task, or that no model beats."""
    found = []
    for entry in comparison.rows:
        if entry.block != "baseline" or entry.name not in comparison.estimates:
            continue
        done, runs, told = solved(entry), len(entry.evaluated), shown(entry, comparison)
        if done is not None and 2 * done > runs:
            lead = "The task needs no order:" if entry.order_free else f"{entry.name} is enough:"
            which = "which does not know the order of its input, " if entry.order_free else ""
            found.append(Finding("warning", lead, f"{entry.name}, {which}solves it in {done} of {runs} runs ({told})."))
        elif comparison.best is not None and beats(
            comparison.estimates[entry.name].value, comparison.estimates[comparison.best.name].value, entry.metric.better
        ):
            against = f"{comparison.best.name} {shown(comparison.best, comparison)}"
            found.append(Finding("warning", f"No model beats {entry.name}:", f"it scores {told}, {against}."))
    return found


def _informed(comparison: Comparison) -> list[Finding]:
    """Informed rows that do better than the best of the others."""
    best = comparison.best
    if best is None or best.block != "model":
        return []
    value = comparison.estimates[best.name].value
    rows = [e for e in comparison.rows if e.block == "informed" and e.name in comparison.estimates]
    ahead = [e for e in rows if beats(comparison.estimates[e.name].value, value, e.metric.better)]
    return [
        Finding(
            "note",
            "Told the length:",
            f"{entry.name} scores {shown(entry, comparison)}, better than {best.name}; it knows the task's length, so they do not compare.",
        )
        for entry in ahead
    ]


def _budget(comparison: Comparison) -> list[Finding]:
    """The tuning budget at which another model would have led."""
    found = leaders(comparison.rows)
    if len(found) < 2:
        return []
    steps = [f"{name} from {n} trial{'s' if n > 1 else ''} on" for n, name in found]
    return [Finding("note", "The tuning budget decides:", f"by expected validation score the leader is {', then '.join(steps)}.")]
