"""Trial, result and identity: what is trained, what it yields, and the key under which it is never trained twice."""

import dataclasses
import functools
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from suite import canonical
from suite.architecture import Architecture, Option
from suite.experiment import Experiment, Setting
from suite.task import Task

PROTOCOL = 1  # raise it when training, scoring or seeding changes what a trial yields
MOST_POINTS = 64

Phase = Literal["tuning", "finalist", "evaluation"]
Outcome = Literal["done", "diverged", "timeout", "memory", "crashed"]
Value = float | int | str | bool | None
Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One (setting, architecture, values, seed), trained once."""

    reference: str  # where the definition is found again: "quickstart", or "path/to/file.py:name"
    experiment: Experiment
    label: str  # of the setting
    name: str  # of the architecture
    architecture: Architecture
    values: Mapping[str, Value]  # shared values, and the architecture's own
    width: int
    inner: int | None = None
    phase: Phase
    seed: int

    @property
    def setting(self) -> Setting:
        """The setting that the label names."""
        return self.experiment.setting(self.label)

    @functools.cached_property
    def key(self) -> str:
        """The sha256 of everything that can change the result, and of nothing else."""
        return canonical.digest(self._identity())

    def _identity(self) -> dict[str, Any]:
        setting, experiment, architecture = self.setting, self.experiment, self.architecture
        decodes = any(metric.final for metric in setting.task.metrics("validation").values())
        return {
            "protocol": PROTOCOL,
            "task": task_identity(setting.task),
            "architecture": {
                "name": self.name,
                "target": architecture.target,
                "options": architecture.options,
                "wiring": architecture.wiring,
                "version": architecture.version,
            },
            "values": {name: _number(value) for name, value in self.values.items()},
            "size": [self.width, self.inner, experiment.regime, setting.size, setting.depth, setting.embedding],
            "budget": [setting.steps, setting.batch_size, setting.evaluations],
            "training": [experiment.keep, experiment.optimizer, experiment.schedule, float(experiment.warmup), experiment.precision],
            "caps": [None if experiment.max_seconds is None else float(experiment.max_seconds), experiment.max_bytes],
            "phase": "tuning" if self.phase == "finalist" and not decodes else self.phase,
            "seed": self.seed,
        }

    def to_json(self) -> dict[str, Any]:
        """Return what a worker needs to load the trial again through the plug-ins."""
        return {
            "reference": self.reference,
            "label": self.label,
            "name": self.name,
            "values": dict(self.values),
            "width": self.width,
            "inner": self.inner,
            "phase": self.phase,
            "seed": self.seed,
            "key": self.key,
        }


@functools.lru_cache(maxsize=256)
def task_identity(task: Task) -> dict[str, Any]:
    """Return name, version, fields that differ from their defaults, and digest of a task."""
    return {"name": task.name, "version": task.version, "fields": canonical.fields(task, changed_only=True), "digest": task.digest()}


def baseline_key(task: Task, name: str) -> str:
    """Return the key of a fitted baseline's scores on a task."""
    return canonical.digest({"protocol": PROTOCOL, "task": task_identity(task), "baseline": name})


class Event(NamedTuple):
    """What a running trial tells the driver: a point of a curve. Training writes nothing itself."""

    key: str
    name: str  # "train/loss", "val/accuracy", "grad/flow"
    step: float
    value: float


Emit = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a trial yields; also when it diverged, timed out or ran out of memory.

    `scores` are split -> metric -> value; `curves` are named as they are tracked ("train/loss", "grad/by_lag") and hold
    at most 64 points; `cost` holds seconds, bytes and counts; `provenance` whatever is needed to repeat it.
    """

    key: str
    outcome: Outcome
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    arrays: Path | None = None  # one .npz of longer arrays

    def __post_init__(self) -> None:
        for name, curve in self.curves.items():
            if len(curve) > MOST_POINTS:
                raise ValueError(f"a curve holds at most {MOST_POINTS} points, got {len(curve)} in {name!r}")

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON data (NaN stays NaN)."""
        body = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        body["arrays"] = None if self.arrays is None else str(self.arrays)
        plain: dict[str, Any] = json.loads(json.dumps(body))
        return plain

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Result":
        """Return the result that `to_json` described."""
        curves = {name: tuple((float(x), float(y)) for x, y in points) for name, points in body["curves"].items()}
        arrays = None if body["arrays"] is None else Path(body["arrays"])
        return cls(**{**body, "curves": curves, "arrays": arrays})


@dataclass(frozen=True, kw_only=True)
class Record:
    """A finished run as the store holds it: everything that a report draws, and no code."""

    run: str  # MLflow's run id
    key: str
    label: str
    architecture: str  # or "baseline:<name>"
    phase: str  # tuning, finalist, evaluation, baseline
    seed: int
    values: Mapping[str, Value]
    outcome: Outcome
    scores: Mapping[str, Mapping[str, float]]
    curves: Mapping[str, Curve]
    cost: Mapping[str, float]
    provenance: Mapping[str, str]
    attempt: int = 1
    reused_from: str | None = None


@dataclass(frozen=True, kw_only=True)
class Group:
    """An architecture (or a fitted baseline) on one setting, as its parent run holds it."""

    run: str
    label: str
    architecture: str
    role: Literal["model", "baseline", "fitted"]  # fitted: without gradients
    document: Mapping[str, Any]  # the definition's JSON: experiment, setting, spec, metrics, card, size, keys, chosen
    records: tuple[Record, ...]  # those whose keys the document names, in its order; missing ones are not done yet


def thinned(points: list[tuple[float, float]]) -> Curve:
    """Return at most 64 of these points, evenly spread, first and last kept."""
    if len(points) <= MOST_POINTS:
        return tuple(points)
    step = (len(points) - 1) / (MOST_POINTS - 1)
    return tuple(points[round(index * step)] for index in range(MOST_POINTS))


def _number(value: Value) -> Value:
    """Values are compared as numbers: 1 and 1.0 are one choice."""
    if isinstance(value, float) and value.is_integer() and math.isfinite(value):
        return int(value)
    return value


def own_values(trial: Trial) -> dict[str, Option]:
    """Return the layer's options with the trial's own choices put in."""
    own = {name: value for name, value in trial.values.items() if name in trial.architecture.space and value is not None}
    return {**trial.architecture.options, **own}
