"""The contract of an experiment: a frozen question, with one space, size, budget and set of seeds for every architecture."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from suite import canonical
from suite.corpus import Missing
from suite.task import Task

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

SHARED_VALUES = ("learning_rate", "clip", "dropout", "weight_decay")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A task and its budget, the same for every architecture."""

    task: Task
    label: str = ""  # default: the task's name and its non-default fields; unique in the experiment
    size: int  # target, in the unit of the regime
    depth: int = 1
    embedding: int | None = None  # None: one-hot
    space: Mapping[str, "BaseDistribution"] = field(default_factory=dict)  # of this task (dropout), shared by all architectures
    tuned_as: str | None = None  # takes the choice of the setting with this label
    steps: int
    batch_size: int
    evaluations: int = 20

    def __post_init__(self) -> None:
        for name in ("size", "depth", "steps", "batch_size", "evaluations"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if self.embedding is not None and (self.embedding < 1 or not _of_tokens(self.task)):
            raise ValueError(f"embedding must be at least 1 and belongs to tasks of tokens, got {self.embedding} for {self.task.name!r}")
        if self.evaluations > self.steps:
            raise ValueError(f"evaluations must not exceed steps ({self.steps}), got {self.evaluations}")
        if not self.label:
            object.__setattr__(self, "label", default_label(self.task))
        if "/" in self.label:
            raise ValueError(f"a label holds no slash, got {self.label!r}")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A question, and everything that is held equal while it is answered. Literals, and at most one comprehension."""

    question: str
    settings: tuple[Setting, ...]
    architectures: tuple[str, ...]
    space: Mapping[str, "BaseDistribution"]  # the same for every architecture
    regime: Literal["parameters", "flops", "seconds", "width"] = "parameters"
    trials: int
    finalists: int = 1
    tuning_seeds: tuple[int, ...] = (0,)
    seeds: tuple[int, ...]  # of the evaluation: the sweep never saw them
    keep: Literal["best", "last"] = "best"
    optimizer: str = "adam"
    schedule: Literal["constant", "cosine"] = "cosine"
    warmup: float = 0.05
    precision: str = "float32"
    max_seconds: float | None = None
    max_bytes: int | None = None
    sampler: Literal["random", "tpe"] = "random"  # tpe: best effort, marked in every output

    def __post_init__(self) -> None:
        if not self.question.strip():
            raise ValueError("an experiment asks a question, got an empty one")
        if not self.settings or not self.architectures:
            raise ValueError("an experiment needs at least one setting and one architecture")
        _distinct("architectures", self.architectures)
        labels = tuple(setting.label for setting in self.settings)
        _distinct("labels", labels)
        for setting in self.settings:
            if setting.tuned_as is not None and (setting.tuned_as not in labels or setting.tuned_as == setting.label):
                raise ValueError(f"tuned_as names another setting out of {labels}, got {setting.tuned_as!r}")
            if setting.tuned_as is not None and self.setting(setting.tuned_as).tuned_as is not None:
                raise ValueError(f"tuned_as names a setting that is tuned itself, got {setting.tuned_as!r}")
            check_space({**self.space, **setting.space}, setting.label)
            if both := set(self.space) & set(setting.space):
                raise ValueError(f"{sorted(both)} stand in the space of the experiment and of setting {setting.label!r}: keep one")
        if self.regime in ("flops", "seconds"):
            raise ValueError(f"regime {self.regime!r} is not built yet: use 'parameters' or 'width'")
        if self.regime not in ("parameters", "width"):
            raise ValueError(f"regime must be parameters or width, got {self.regime!r}")
        if self.trials < 1 or not 1 <= self.finalists <= self.trials:
            raise ValueError(f"expected 1 <= finalists <= trials, got {self.finalists} finalists of {self.trials} trials")
        if not self.tuning_seeds or not self.seeds:
            raise ValueError("tuning_seeds and seeds must not be empty")
        _distinct("tuning_seeds", self.tuning_seeds)
        _distinct("seeds", self.seeds)
        if seen := set(self.seeds) & set(self.tuning_seeds):
            raise ValueError(f"evaluation seeds must be fresh: the sweep sees {sorted(seen)} (tuning_seeds {self.tuning_seeds})")
        if self.keep not in ("best", "last") or self.schedule not in ("constant", "cosine") or self.sampler not in ("random", "tpe"):
            raise ValueError(f"unknown keep, schedule or sampler: {self.keep!r}, {self.schedule!r}, {self.sampler!r}")
        if self.optimizer not in ("adam", "rmsprop", "sgd"):
            raise ValueError(f"optimizer must be adam, rmsprop or sgd, got {self.optimizer!r}")
        if self.precision not in ("float32", "mixed_bfloat16", "mixed_float16"):
            raise ValueError(f"precision must be float32, mixed_bfloat16 or mixed_float16, got {self.precision!r}")
        if not 0.0 <= self.warmup < 1.0:
            raise ValueError(f"warmup is a share of the steps, 0 <= warmup < 1, got {self.warmup}")
        for name in ("max_seconds", "max_bytes"):
            if (cap := getattr(self, name)) is not None and cap <= 0:
                raise ValueError(f"{name} must be positive, got {cap}")

    def setting(self, label: str) -> Setting:
        """Return the setting of this label."""
        for setting in self.settings:
            if setting.label == label:
                return setting
        raise ValueError(f"no setting {label!r}; there are {', '.join(s.label for s in self.settings)}")

    def shared_space(self, setting: Setting) -> dict[str, "BaseDistribution"]:
        """Return the space that every architecture shares on this setting, sorted by name."""
        return dict(sorted({**self.space, **setting.space}.items()))

    def tiny(self) -> "Experiment":
        """Return the same question at a budget for tests: tiny tasks, few steps, two trials, two seeds."""
        settings = tuple(
            dataclasses.replace(s, task=s.task.tiny(), label=s.label, steps=6, batch_size=4, evaluations=2) for s in self.settings
        )
        return dataclasses.replace(self, settings=settings, trials=2, finalists=1, tuning_seeds=self.tuning_seeds[:1], seeds=self.seeds[:2])


def default_label(task: Task) -> str:
    """Return the task's name and its non-default fields: `copying length=5 delay=20`."""
    changed = canonical.fields(task, changed_only=True)
    parts = [f"{name}={value}" for name, value in changed.items() if isinstance(value, (bool, int, float, str))]
    return " ".join([task.name, *parts])


def _of_tokens(task: Task) -> bool:
    """Whether a task is of tokens, as far as one can tell: one that lacks its corpus is stopped when it is to run, not here."""
    try:
        return task.spec.tokens
    except Missing:
        return True


def check_space(space: Mapping[str, "BaseDistribution"], label: str) -> None:
    """Refuse a shared space with an unknown value, or with one outside its domain.

    Raises:
        ValueError: names the value, the domain and what came.
    """
    if unknown := set(space) - set(SHARED_VALUES):
        raise ValueError(f"{label}: shared values are {', '.join(SHARED_VALUES)}, got {sorted(unknown)}")
    if "learning_rate" not in space:
        raise ValueError(f"{label}: the space needs a learning_rate")
    domains: dict[str, tuple[str, Any]] = {
        "learning_rate": ("above 0", lambda v: v is not None and v > 0),
        "clip": ("above 0, or None for off", lambda v: v is None or v > 0),
        "dropout": ("0 <= dropout < 1", lambda v: v is not None and 0 <= v < 1),
        "weight_decay": ("0 or more", lambda v: v is not None and v >= 0),
    }
    for name, distribution in space.items():
        body = distribution._asdict()
        ends = body["choices"] if "choices" in body else (body["low"], body["high"])
        words, inside = domains[name]
        for end in ends:
            if isinstance(end, (bool, str)) or not inside(end):
                raise ValueError(f"{label}: {name} must be {words}, got {end!r} in {distribution}")


def _distinct(what: str, values: tuple[Any, ...]) -> None:
    if len(set(values)) != len(values):
        raise ValueError(f"{what} must be distinct, got {values}")
