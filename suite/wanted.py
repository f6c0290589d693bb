"""What a sweep is made of: groups, and the runs that they ask for."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from suite.choice import Known
from suite.experiment import Setting
from suite.result import Value


class Owner(Protocol):
    """A group of runs on one setting: an architecture, or a fitted baseline."""

    setting: Setting
    document: dict[str, Any]
    code: str
    experiment: str  # id in MLflow
    parent: str  # run id in MLflow
    known: dict[str, Known]  # what has finished, by key

    @property
    def total(self) -> int:
        """How many runs there will be, as far as one can tell."""
        ...

    def wants(self) -> "list[Wanted]":
        """Return every run that is planned by now, finished ones included, each key once."""
        ...

    def advance(self) -> bool:
        """Plan the next phase where the present one is done; return whether anything new is planned."""
        ...

    def value(self, phase: str, known: Known) -> float | None:
        """Return the score worth showing while the sweep runs, or None where there is none."""
        ...

    def figures(self) -> dict[str, float]:
        """Return the numbers that the parent run shows in the end."""
        ...


class Wanted(NamedTuple):
    """A run that a group asks for: all that the store and the executor must know of it."""

    owner: Owner
    name: str  # how MLflow shows it
    key: str
    architecture: str
    phase: str
    seed: int
    number: int  # of the trial in the plan
    values: Mapping[str, Value]
    constants: Mapping[str, Value]
    function: str  # of the worker's module
    body: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The label of the setting."""
        return self.owner.setting.label

    @property
    def task(self) -> str:
        """The name of the task."""
        return self.owner.setting.task.name
