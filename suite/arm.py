"""One architecture on one setting: its planned trials, what is known of them, and what it wants next."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

from suite import choice, plan
from suite.architecture import Architecture
from suite.choice import Known
from suite.experiment import Setting
from suite.plugins import Question
from suite.result import Phase, Trial, Value
from suite.wanted import Wanted


class Planned(NamedTuple):
    """A trial with its number in the plan."""

    number: int
    trial: Trial


@dataclass(kw_only=True)
class Arm:
    """The state of a group while a sweep runs. `known` holds what has finished, by key."""

    question: Question
    setting: Setting
    name: str
    architecture: Architecture
    size: Mapping[str, Any]
    document: dict[str, Any]
    code: str
    experiment: str = ""  # id in MLflow
    parent: str = ""  # run id in MLflow
    known: dict[str, Known] = field(default_factory=dict)
    tuning: list[Planned] = field(default_factory=list)
    finalists: list[Planned] = field(default_factory=list)
    evaluation: list[Planned] = field(default_factory=list)
    chosen: dict[str, Any] | None = None
    tuned_as: "Arm | None" = None

    def __post_init__(self) -> None:
        experiment = self.question.experiment
        if self.setting.tuned_as is None:
            for number in range(experiment.trials):
                values = plan.values(experiment, self.setting, self.name, self.architecture, number)
                self.tuning.append(self._planned(values, "tuning", experiment.tuning_seeds[0], number))
        self._write()

    @property
    def planned(self) -> list[Planned]:
        """Every trial of the plan by now, each key once, under the phase that asked for it first."""
        found: dict[str, Planned] = {}
        for one in (*self.tuning, *self.finalists, *self.evaluation):
            found.setdefault(one.trial.key, one)
        return list(found.values())

    def wants(self) -> list[Wanted]:
        """Return every run that is planned by now, finished ones included, each key once."""
        return [self._wanted(one) for one in self.planned]

    @property
    def total(self) -> int:
        """How many runs there will be, as far as one can tell before the finalists are known."""
        experiment = self.question.experiment
        tuned = 0
        if self.setting.tuned_as is None:
            tuned = len({one.trial.key for one in self.tuning})
            if experiment.finalists > 1 and not self.finalists:
                tuned += experiment.finalists * (len(experiment.tuning_seeds) - 1)
        return max(len(self.planned), tuned + len(experiment.seeds))

    def advance(self) -> bool:
        """Plan the next phase where the present one is done; return whether anything new is planned."""
        if self.evaluation:
            return False
        experiment = self.question.experiment
        if self.tuned_as is not None:
            self.chosen = None if self.tuned_as.chosen is None else dict(self.tuned_as.chosen)
        elif not self._all(self.tuning):
            return False
        elif experiment.finalists > 1 and not self.finalists:
            for number in self._ranking(self.tuning, self.setting.task.selects)[: experiment.finalists]:
                values = self.tuning[number].trial.values
                self.finalists += [self._planned(values, "finalist", seed, number) for seed in experiment.tuning_seeds]
            self._write()
            return True
        elif self._all(self.finalists):
            self.chosen = self._choice()
        if self.chosen is None:
            return False
        self.evaluation = [self._planned(self.chosen["values"], "evaluation", seed, self.chosen["trial"]) for seed in experiment.seeds]
        self._write()
        return True

    def figures(self) -> dict[str, float]:
        """Return the medians that the parent run shows, failures at the floor."""
        task = self.setting.task
        done = [self.known[one.trial.key] for one in self.evaluation if one.trial.key in self.known]
        if not done:
            return {}
        found = {"group/evaluations": float(len(done)), "group/failures": float(sum(known.outcome != "done" for known in done))}
        for split in ("validation", *choice.tests(task)):
            metrics = task.metrics(split)
            if task.main in metrics:
                metric = metrics[task.main]
                found[f"median/{split}/{task.main}"] = median(choice.scored(known.value(split, task.main), metric) for known in done)
        for cost in ("speed/tokens_per_second", "speed/wall_seconds"):
            if measured := [known.cost[cost] for known in done if cost in known.cost]:
                found[f"median/{cost}"] = median(measured)
        return found

    def value(self, phase: str, known: Known) -> float | None:
        """Return the score worth showing while the sweep runs, or None where the trial failed."""
        task = self.setting.task
        value = known.value("test", task.main) if phase == "evaluation" else known.value("validation", task.selects)
        return None if math.isnan(value) else value

    def _choice(self) -> dict[str, Any]:
        """The winner of the finals by the median of the main metric; without finals, the best of the tuning."""
        task = self.setting.task
        metric = task.main if self.finalists else task.selects
        pool = self.finalists or self.tuning
        best = self._ranking(pool, metric)[0]
        values = self.tuning[best].trial.values
        scores = [self.known[one.trial.key].value("validation", metric) for one in pool if one.number == best]
        facts = task.metrics("validation")[metric]
        rate = self.question.experiment.shared_space(self.setting)["learning_rate"]
        return {
            "trial": best,
            "values": dict(values),
            "edge": choice.at_edge(rate, values["learning_rate"]),
            "validation": median(choice.scored(score, facts) for score in scores),
        }

    def _ranking(self, pool: list[Planned], metric: str) -> list[int]:
        found: dict[int, list[float]] = {}
        for one in pool:
            found.setdefault(one.number, []).append(self.known[one.trial.key].value("validation", metric))
        return choice.ranked(found, self.setting.task.metrics("validation")[metric])

    def _all(self, pool: list[Planned]) -> bool:
        return all(one.trial.key in self.known for one in pool)

    def _planned(self, values: Mapping[str, Value], phase: Phase, seed: int, number: int) -> Planned:
        trial = Trial(
            reference=self.question.reference,
            experiment=self.question.experiment,
            label=self.setting.label,
            name=self.name,
            architecture=self.architecture,
            values=values,
            width=self.size["width"],
            inner=self.size["inner"],
            phase=phase,
            seed=seed,
        )
        return Planned(number, trial)

    def _wanted(self, one: Planned) -> Wanted:
        trial, setting, experiment = one.trial, self.setting, self.question.experiment
        constants = {name: getattr(setting, name) for name in ("size", "depth", "embedding", "steps", "batch_size", "evaluations")}
        constants |= {name: getattr(experiment, name) for name in ("regime", "optimizer", "schedule", "warmup", "keep", "precision")}
        constants |= {"width": trial.width, "inner": trial.inner}
        names = {
            "tuning": f"tuning {one.number}",
            "finalist": f"finalist {one.number} seed {trial.seed}",
            "evaluation": f"seed {trial.seed}",
        }
        return Wanted(
            owner=self,
            name=f"{self.name} {names[trial.phase]}",
            key=trial.key,
            architecture=self.name,
            phase=trial.phase,
            seed=trial.seed,
            number=one.number,
            values=trial.values,
            constants=constants,
            function="train",
            body=trial.to_json(),
        )

    def _write(self) -> None:
        self.document |= {
            "keys": {
                "tuning": [one.trial.key for one in self.tuning],
                "finalist": [[one.number, one.trial.seed, one.trial.key] for one in self.finalists],
                "evaluation": [[one.trial.seed, one.trial.key] for one in self.evaluation],
            },
            "chosen": self.chosen,
        }
