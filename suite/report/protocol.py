"""How it was run, where it came from, and what it rests on: budgets, provenance, sources."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from suite.report import numbers
from suite.report.entry import Entry

MOST_SHOWN = 4  # distinct values of one provenance key


def protocol(rows: Sequence[Entry]) -> list[tuple[str, str]]:
    """Return what was held equal, as terms and their values."""
    experiment = rows[0].experiment
    seeds, tuning_seeds = experiment.get("seeds", ()), experiment.get("tuning_seeds", ())
    warmup = f"{float(experiment.get('warmup') or 0.0):.0%}".replace("%", " %")
    tried = f"{experiment.get('trials', '?')} {_sampler(experiment)} trials"
    space = "; ".join(f"{name} {distribution(body)}" for name, body in _space(rows).items())
    found = [
        ("Size", f"equal {experiment.get('regime', 'parameters')}; embedding tables are not counted, fixed random weights are"),
        ("Search space", space or numbers.NOTHING),
        ("Tuning", f"{tried} for each architecture, trial n with the same shared values for all"),
        ("Choice", f"on validation; {_finalists(experiment)}; the test split is read by the evaluation runs only"),
        ("Tuning seeds", _listed(tuning_seeds)),
        ("Evaluation seeds", f"{_listed(seeds)}, which the sweep never saw"),
        ("Optimiser", f"{experiment.get('optimizer', '?')}, {experiment.get('schedule', '?')} schedule, warm-up {warmup} of the steps"),
        ("Kept weights", f"{experiment.get('keep', '?')} on validation" if experiment.get("keep") == "best" else "last"),
        ("Precision", str(experiment.get("precision", "?"))),
        ("Caps", _caps(experiment)),
        ("Failures", "diverged, capped and crashed runs are results, scored as the floor"),
        (
            "Statistics",
            "interquartile mean; 95 % percentile bootstrap, 10,000 resamples; pairs by seed; exact sign-flip test, Holm in a task",
        ),
    ]
    return found


def provenance(rows: Sequence[Entry]) -> list[tuple[str, list[str]]]:
    """Return each key with its distinct values over all runs, the commonest first."""
    hashes = [
        ("definition", [str(entry.document.get("definition", ""))[:16] for entry in rows]),
        ("code", [str(entry.document.get("code", ""))[:16] for entry in rows]),
        ("data", [str((entry.document.get("task") or {}).get("digest", ""))[:16] for entry in rows]),
    ]
    found = [(f"{name} sha256", _distinct(values, "rows")) for name, values in hashes if any(values)]
    records = [record for entry in rows for record in entry.group.records]
    keys = sorted({key for record in records for key in record.provenance})
    return found + [(key, _distinct([record.provenance[key] for record in records if key in record.provenance], "runs")) for key in keys]


def sources(rows: Sequence[Entry]) -> list[tuple[str, str]]:
    """Return where architectures and tasks come from, each once."""
    found: dict[str, str] = {}
    for entry in rows:
        if entry.architecture.get("source"):
            found.setdefault(entry.name, f"{entry.architecture['source']} ({entry.architecture.get('family', 'architecture')})")
    for entry in rows:
        card, task = entry.document.get("card") or {}, entry.document.get("task") or {}
        if card.get("source"):
            sizes = ", ".join(
                f"{split} {numbers.whole(size)}" if size else f"{split} endless" for split, size in (card.get("sizes") or {}).items()
            )
            licence = f"; licence: {card['licence']}" if card.get("licence") else ""
            notes = f". {card['notes']}" if card.get("notes") else ""
            found.setdefault(
                f"task {task.get('name', entry.label)}", f"{card['source']}{licence}{f'; rows: {sizes}' if sizes else ''}{notes}"
            )
    return list(found.items())


def distribution(body: Any) -> str:
    """Return a search distribution in words: `0.001 to 0.1, log`; a single choice is a constant."""
    if not isinstance(body, Mapping):
        return str(body)
    if "choices" in body:
        words = ["off" if choice is None else str(choice) for choice in body["choices"]]
        return f"= {words[0]}" if len(words) == 1 else f"one of {', '.join(words)}"
    return f"{numbers.number(body.get('low'))} to {numbers.number(body.get('high'))}{', log-uniform' if body.get('log') else ''}"


def _space(rows: Sequence[Entry]) -> Mapping[str, Any]:
    """The shared space, with what single settings and architectures add."""
    found: dict[str, Any] = {}
    for entry in rows:
        for name, body in (entry.document.get("space") or {}).items():
            found.setdefault(name, body)
        for name, body in (entry.document.get("own_space") or {}).items():
            found.setdefault(f"{name} of {entry.name}", body)
    return found or rows[0].experiment.get("space") or {}


def _sampler(experiment: Mapping[str, Any]) -> str:
    return "random" if experiment.get("sampler", "random") == "random" else f"{experiment['sampler']} (best effort)"


def _finalists(experiment: Mapping[str, Any]) -> str:
    count = int(experiment.get("finalists", 1))
    return "the best trial" if count == 1 else f"the best median of {count} finalists, run on every tuning seed"


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(str(value) for value in values) or numbers.NOTHING


def _caps(experiment: Mapping[str, Any]) -> str:
    seconds, memory = experiment.get("max_seconds"), experiment.get("max_bytes")
    caps = [f"{numbers.seconds(seconds)} a run"] * bool(seconds) + [numbers.size(memory)] * bool(memory)
    return ", ".join(caps) or "none"


def _distinct(values: Sequence[str], what: str) -> list[str]:
    counts = sorted(Counter(str(value) for value in values).items(), key=lambda item: (-item[1], item[0]))
    if len(counts) == 1:
        return [counts[0][0]]
    if len(counts) > MOST_SHOWN:
        return [f"{len(counts)} different values in {len(values)} {what}, kept with each"]
    return [f"{value} ({count} {what})" for value, count in counts]
