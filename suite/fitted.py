"""A fitted baseline on one setting: a group of one run."""

import math
from dataclasses import dataclass, field
from typing import Any

from suite import canonical, document
from suite.choice import Known
from suite.code_hash import code_hash
from suite.experiment import Setting
from suite.plugins import Question
from suite.result import baseline_key
from suite.wanted import Wanted


@dataclass(kw_only=True)
class Fitted:
    """The state of a fitted baseline while a sweep runs."""

    question: Question
    setting: Setting
    name: str
    document: dict[str, Any]
    experiment: str = ""  # id in MLflow
    parent: str = ""  # run id in MLflow
    known: dict[str, Known] = field(default_factory=dict)
    total: int = 1

    def __post_init__(self) -> None:
        self.key = baseline_key(self.setting.task, self.name)
        self.code = code_hash(None, self.setting.task)
        self.document |= {**document.of_baseline(self.name, self.key), "code": self.code}

    def wants(self) -> list[Wanted]:
        """Return the one run."""
        task, name = self.setting.task, f"baseline:{self.name}"
        return [
            Wanted(
                owner=self,
                name=name,
                key=self.key,
                architecture=name,
                phase="baseline",
                seed=0,
                number=0,
                values={},
                constants={f"task/{field}": canonical.text(value) for field, value in canonical.fields(task).items()},
                function="baseline",
                body={"reference": self.question.reference, "label": self.setting.label, "baseline": self.name},
            )
        ]

    def advance(self) -> bool:
        """Return False: nothing follows."""
        return False

    def value(self, phase: str, known: Known) -> float | None:
        """Return the main score on validation, or None where it is not defined."""
        value = known.value("validation", self.setting.task.main)
        return None if math.isnan(value) else value

    def figures(self) -> dict[str, float]:
        """Return its scores, named as the medians of the architectures."""
        main = self.setting.task.main
        scores = {split: known.value(split, main) for known in self.known.values() for split in known.scores}
        return {f"median/{split}/{main}": value for split, value in scores.items() if not math.isnan(value)}
