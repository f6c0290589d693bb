"""Groups and records as the store returns them, made up: five seeds, a diverged run, an unfinished group, two settings."""

import dataclasses
import math

from suite import seeding
from suite.result import Group, Record

SEEDS = (101, 102, 103, 104, 105)
TRIALS = 8
LAGS = 49
ADDING = {
    "loss": {
        "unit": "squared error",
        "better": "min",
        "floors": {"constant": 1 / 6},
        "ceiling": 0.0,
        "why": "the sum of two U(0,1) has variance 1/6",
        "final": False,
    },
    "accuracy": {
        "unit": "share of rows",
        "better": "max",
        "floors": {"constant": 0.0784},
        "ceiling": 1.0,
        "why": "mass of a triangle",
        "final": False,
    },
}
COPYING = {
    "recall": {
        "unit": "share of symbols",
        "better": "max",
        "floors": {"memoryless": 0.125, "counts only": 0.387},
        "ceiling": 1.0,
        "why": "a guess; the commonest symbol, repeated",
        "final": False,
    },
    "loss": {
        "unit": "nats per step",
        "better": "min",
        "floors": {"memoryless": 5 * math.log(8) / 30},
        "ceiling": 0.0,
        "why": "blanks, then a uniform guess",
        "final": False,
    },
}
CHARACTERS = {
    "loss": {
        "unit": "bits per character",
        "better": "min",
        "floors": {"1-gram": 4.36},
        "ceiling": 0.0,
        "why": "frequencies of the training split",
        "final": False,
    },
}
TASKS = {
    "adding": (ADDING, "loss", "loss", ["loss", 0.01]),
    "copying": (COPYING, "recall", "loss", ["recall", 0.99]),
    "characters": (CHARACTERS, "loss", "loss", None),
}
FITTED = {"adding": {"constant": 0.1671}, "copying": {"commonest symbol": 0.389}, "characters": {"2-gram": 3.39, "3-gram": 2.62}}
ARCHITECTURES = {
    "elman": ("Elman", "Elman 1990", "model", False, 33),
    "lstm": ("LSTM", "Hochreiter & Schmidhuber 1997", "model", False, 16),
    "gru": ("GRU", "Cho et al. 2014", "model", False, 18),
    "gru_chrono": ("GRU", "Tallec & Ollivier 2018", "model", True, 18),
    "pooled_mlp": ("pooled", "Zaheer et al. 2017", "baseline", False, 24),
}
LEVELS = {  # the middle of the scores, and their spread
    "adding": {
        "elman": (0.160, 0.2),
        "lstm": (0.0006, 0.5),
        "gru": (0.0002, 0.4),
        "gru_chrono": (0.00015, 0.4),
        "pooled_mlp": (0.0033, 0.3),
    },
    "copying": {
        "elman": (0.45, 0.14),
        "lstm": (0.52, 0.12),
        "gru": (0.81, 0.1),
        "gru_chrono": (0.9, 0.05),
        "pooled_mlp": (0.37, 0.02),
    },
    "characters": {
        "elman": (2.58, 0.01),
        "lstm": (2.66, 0.012),
        "gru": (2.64, 0.015),
        "gru_chrono": (2.7, 0.01),
        "pooled_mlp": (3.1, 0.01),
    },
}
SPEEDS = {"elman": 1.6e6, "lstm": 0.9e6, "gru": 1.0e6, "gru_chrono": 1.0e6, "pooled_mlp": 4e6}  # tokens per second
HORIZONS = {"elman": (3.6, 11.0), "lstm": (4.6, 46.0), "gru": (2.2, 60.0), "gru_chrono": (110.0, 150.0)}
PROVENANCE = {
    "git_commit": "6f69b3d0c2",
    "git_dirty": "false",
    "python": "3.11.9",
    "tensorflow": "2.21.0",
    "keras": "3.15.1",
    "cpu": "an eight-core processor",
    "threads": "1",
    "host": "here",
    "load": "1.20, within the cores",
}


def group(label, architecture, *, seeds=SEEDS, trials=TRIALS, evaluated=None, tuned=None, informed=None, question=None):
    """One architecture on one setting; `tuned` and `evaluated` bound how many runs are finished."""
    metrics, main, selects, solved = TASKS[label]
    family, source, role, told, width = ARCHITECTURES[architecture]
    rng = seeding.generator("store", label, architecture)
    tuning = [_record(label, architecture, "tuning", n, 0, rng) for n in range(trials)]
    evaluation = [_record(label, architecture, "evaluation", n, seed, rng) for n, seed in enumerate(seeds)]
    scores = [record.scores["validation"][selects] for record in tuning]
    best = min(range(trials), key=lambda n: scores[n]) if trials else None
    chosen = None
    if tuned is None or tuned >= trials:
        chosen = {
            "trial": best,
            "values": dict(tuning[best].values),
            "edge": architecture == "lstm" and label == "adding",
            "validation": scores[best],
        }
    records = (
        *tuning[: trials if tuned is None else tuned],
        *(evaluation[: len(seeds) if evaluated is None else evaluated] if chosen else ()),
    )
    document = _document(label, metrics, main, selects, solved, seeds, trials, question)
    document |= {
        "architecture": {
            "name": architecture,
            "target": f"suite.layers.{family.lower()}:{family}",
            "options": {},
            "wiring": {},
            "family": family,
            "source": source,
            "role": role,
            "informed": told if informed is None else informed,
            "carries": role == "model",
        },
        "size": {
            "width": width,
            "inner": None,
            "target": 1220,
            "counted": 1220 + width - 16,
            "deviation": (width - 16) / 1220 + (0.02 if architecture == "pooled_mlp" else 0.0),
            "parameters": 1220 + width - 16,
            "core": 1200,
            "head": width + 4,
            "embedding": 0,
            "flops_per_token": 2400 + width,
            "state_bytes": 4 * width * (2 if family == "LSTM" else 1),
        },
        "space": {
            "learning_rate": {"type": "FloatDistribution", "low": 1e-3, "high": 1e-1, "log": True, "step": None},
            "clip": {"type": "CategoricalDistribution", "choices": [1.0]},
        },
        "own_space": {},
        "code": f"c0de{width:04d}",
        "keys": {
            "tuning": [record.key for record in tuning],
            "finalist": [],
            "evaluation": [[record.seed, record.key] for record in evaluation] if chosen else [],
        },
        "chosen": chosen,
    }
    return Group(run=f"run-{label}-{architecture}", label=label, architecture=architecture, role=role, document=document, records=records)


def fitted(label, name, value):
    """A fitted baseline with its one score."""
    metrics, main, selects, solved = TASKS[label]
    key = f"{label}-{name}"
    scores = {"validation": {main: value * 1.01}, "test": {main: value}}
    record = Record(
        run=f"run-{key}",
        key=key,
        label=label,
        architecture=f"baseline:{name}",
        phase="baseline",
        seed=0,
        values={},
        outcome="done",
        scores=scores,
        curves={},
        cost={},
        provenance=PROVENANCE,
    )
    document = _document(label, metrics, main, selects, solved, SEEDS, TRIALS, None)
    document |= {
        "architecture": {"name": f"baseline:{name}", "role": "fitted", "informed": False},
        "keys": {"baseline": [key]},
        "chosen": None,
    }
    return Group(run=f"parent-{key}", label=label, architecture=f"baseline:{name}", role="fitted", document=document, records=(record,))


def groups(labels=tuple(TASKS), names=tuple(ARCHITECTURES), **options):
    """A whole store, finished unless the options say otherwise."""
    found = []
    for label in labels:
        found += [group(label, name, **options) for name in names]
        found += [fitted(label, name, value) for name, value in FITTED[label].items()]
    return found


def unfinished():
    """A store in the middle of a sweep: one row tuned in part, one evaluated in part, one not begun."""
    return [
        group("adding", "elman"),
        group("adding", "lstm", evaluated=2),
        group("adding", "gru", tuned=3),
        group("adding", "pooled_mlp", tuned=0),
        fitted("adding", "constant", 0.1671),
    ]


def changed(group, **records):
    """The same group with every record's fields replaced by functions of the record."""
    new = tuple(dataclasses.replace(record, **{name: make(record) for name, make in records.items()}) for record in group.records)
    return dataclasses.replace(group, records=new)


def _document(label, metrics, main, selects, solved, seeds, trials, question):
    return {
        "name": "sample",
        "reference": "sample",
        "definition": "d3f1" * 16,
        "experiment": {
            "question": question or "Do gates help? Vanilla RNN, LSTM and GRU at equal size and equal tuning",
            "architectures": list(ARCHITECTURES),
            "space": {"learning_rate": {"type": "FloatDistribution", "low": 1e-3, "high": 1e-1, "log": True, "step": None}},
            "regime": "parameters",
            "trials": trials,
            "finalists": 1,
            "tuning_seeds": [0],
            "seeds": list(seeds),
            "keep": "best",
            "optimizer": "adam",
            "schedule": "constant",
            "warmup": 0.0,
            "precision": "float32",
            "max_seconds": None,
            "max_bytes": None,
            "sampler": "random",
        },
        "setting": {
            "label": label,
            "size": 1220,
            "depth": 1,
            "embedding": None,
            "steps": 1000,
            "batch_size": 32,
            "evaluations": 5,
            "tuned_as": None,
            "space": {},
        },
        "task": {"name": label, "version": 1, "fields": {"length": 50}, "digest": f"{label}-digest"},
        "spec": {"kind": "once", "loss": "squared", "length": 50, "longest": 50, "carried": False},
        "metrics": {"validation": metrics, "test": metrics},
        "main": main,
        "selects": selects,
        "solved": solved,
        "card": {
            "type": "Card",
            "source": "Hochreiter & Schmidhuber 1997",
            "licence": "generated",
            "sizes": {"train": 0, "validation": 1000, "test": 1000},
            "balance": {},
            "digest": f"{label}-digest",
            "notes": "",
        },
    }


def _record(label, architecture, phase, number, seed, rng):
    metrics, main, _, solved = TASKS[label]
    middle, spread = LEVELS[label][architecture]
    unlucky = (phase, number, architecture, label) == ("evaluation", 4, "elman", "copying")
    diverged = unlucky or (phase == "tuning" and number == 5)
    scores, curves = {"validation": {}, "test": {}}, {}
    factor = math.exp(spread * rng.normal()) * (1.0 if phase == "evaluation" else math.exp(abs(rng.normal(0, 1.2))))
    for metric, facts in metrics.items():
        floor = (max if facts["better"] == "max" else min)(facts["floors"].values())
        if metric == main:
            value = middle * factor if facts["better"] == "min" else min(1.0, middle * (factor if phase == "evaluation" else 1 / factor))
        else:
            value = floor * 0.4 * factor if facts["better"] == "min" else (floor + 1) / 2
        value = floor if diverged else (min(value, floor * 1.02) if facts["better"] == "min" else value)
        scores["validation"][metric] = value * (1 + 0.01 * rng.normal())
        scores["test"][metric] = value
        points = range(200, 1001, 200) if not diverged else range(200, 401, 200)
        curves[f"val/{metric}"] = tuple((float(s), floor * (value / floor) ** (s / 1000) * math.exp(0.03 * rng.normal())) for s in points)
    if phase == "tuning":
        scores.pop("test")
    curves["train/loss"] = tuple((float(s), math.exp(-s / 400) + 0.01 * rng.random()) for s in range(20, 1001, 20))
    curves["train/gradient_norm"] = tuple((float(s), 1 + rng.random()) for s in range(20, 1001, 20))
    if architecture in HORIZONS:
        begin, end = HORIZONS[architecture]
        for name, horizon in (("grad/by_lag_init", begin), ("grad/by_lag", end)):
            noise = math.exp(0.1 * rng.normal())
            curves[name] = tuple((float(k), math.exp(-k / (horizon * noise))) for k in range(LAGS + 1))
        steps = (0.0, 1.0, 10.0, 100.0, 1000.0)
        horizons = [begin * (end / begin) ** (n / 4) * math.exp(0.05 * rng.normal()) for n in range(5)]
        curves["grad/horizon"] = tuple(zip(steps, horizons, strict=True))
        curves["grad/decay"] = tuple((s, -1 / h) for s, h in zip(steps, horizons, strict=True))
        curves["grad/half_horizon"] = tuple(
            (s, float(min(LAGS + 1, math.ceil(h * math.log(2))))) for s, h in zip(steps, horizons, strict=True)
        )
        curves["grad/flow"] = tuple((s, min(1.0, h / 50)) for s, h in zip(steps, horizons, strict=True))
        curves["grad/vanishing"] = tuple((s, 0.0) for s in steps)
        curves["grad/exploding"] = tuple((s, 0.0) for s in steps)
    past = False
    if solved is not None and not diverged:
        reached, sign = scores["validation"][solved[0]], 1 if metrics[solved[0]]["better"] == "max" else -1
        past = sign * reached > sign * solved[1]
    speed = SPEEDS[architecture] * math.exp(0.05 * rng.normal())
    cost = {
        "speed/tokens_per_second": speed,
        "speed/step_milliseconds": 1600 / speed * 1000,
        "speed/step_milliseconds_iqr": 0.1,
        "speed/trace_compile_seconds": 1.5,
        "speed/wall_seconds": 1.6e6 / speed + 2,
        "speed/cpu_seconds": 3.0,
        "speed/peak_bytes": 4.2e8,
        "steps_to_solve": 600.0 if past else math.nan,
        "size/parameters": 1220.0,
    }
    values = {"learning_rate": round(float(math.exp(rng.uniform(math.log(1e-3), math.log(1e-1)))), 6), "clip": 1.0}
    return Record(
        run=f"{label}-{architecture}-{phase}-{number}",
        key=f"key-{label}-{architecture}-{phase}-{number}",
        label=label,
        architecture=architecture,
        phase=phase,
        seed=seed,
        values=values,
        outcome="diverged" if diverged else "done",
        scores=scores,
        curves=curves,
        cost=cost,
        provenance=PROVENANCE,
    )
