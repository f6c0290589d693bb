"""Draws the values of every trial before any runs, and shows a finished sweep as an Optuna study. Optuna's samplers live here alone."""

import json
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, json_to_distribution

from suite import canonical, seeding
from suite.architecture import Architecture
from suite.experiment import Experiment, Setting
from suite.result import Group, Value

optuna.logging.set_verbosity(optuna.logging.WARNING)

Space = Mapping[str, BaseDistribution]


def values(experiment: Experiment, setting: Setting, name: str, architecture: Architecture, number: int) -> dict[str, Value]:
    """Return the values of a trial: the shared ones, and the architecture's own."""
    return {**shared_values(experiment.shared_space(setting), number), **own_values(architecture, name, number)}


def shared_values(space: Space, number: int) -> dict[str, Value]:
    """Return what trial `number` draws from a shared space: the same for every architecture, setting and number of workers."""
    return _drawn(space, "plan", canonical.digest(space), number)


def own_values(architecture: Architecture, name: str, number: int) -> dict[str, Value]:
    """Return what trial `number` adds of this architecture's own; each keeps its default with probability 1/2."""
    space = dict(sorted(architecture.space.items()))
    drawn = _drawn(space, "plan", canonical.digest(space), name, number)
    kept = {option for option in space if seeding.generator("plan", "default", name, option, number).random() < 0.5}
    return {option: architecture.options[option] if option in kept else value for option, value in drawn.items()}


def study(group: Group) -> optuna.Study:
    """Return the finished tuning trials of a group as an Optuna study in memory: a view for importance and plots.

    A trial that failed has the floor as its value. Own values outside their distribution (kept defaults may be) are left out.
    """
    document = group.document
    space = {name: _distribution(body) for part in ("space", "own_space") for name, body in document[part].items()}
    metric = document["metrics"]["validation"][document["selects"]]
    direction, best = ("maximize", max) if metric["better"] == "max" else ("minimize", min)
    found = optuna.create_study(direction=direction, sampler=optuna.samplers.RandomSampler(seed=0), pruner=optuna.pruners.NopPruner())
    records = {record.key: record for record in group.records}
    for number, key in enumerate(document["keys"].get("tuning", [])):
        if (record := records.get(key)) is None:
            continue
        inside = {name: value for name, value in record.values.items() if name in space and _holds(space[name], value)}
        value = record.scores.get("validation", {}).get(document["selects"], float("nan"))
        failed = record.outcome != "done" or value != value
        found.add_trial(
            optuna.trial.create_trial(
                params=inside,
                distributions={name: space[name] for name in inside},
                value=best(metric["floors"].values()) if failed else value,
                user_attrs={"number": number, "key": key, "outcome": record.outcome},
            )
        )
    return found


def _drawn(space: Space, *axes: str | int) -> dict[str, Value]:
    """Ask a fresh study for its first trial: the sampler's seed alone decides."""
    if not space:
        return {}
    sampler = optuna.samplers.RandomSampler(seed=seeding.seed(*axes) % 2**32)
    return dict(optuna.create_study(sampler=sampler, pruner=optuna.pruners.NopPruner()).ask(dict(sorted(space.items()))).params)


def _distribution(body: Mapping[str, Any]) -> BaseDistribution:
    attributes = {name: value for name, value in body.items() if name != "type"}
    return json_to_distribution(json.dumps({"name": body["type"], "attributes": attributes}))


def _holds(distribution: BaseDistribution, value: Value) -> bool:
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))
    except (TypeError, ValueError):
        return False
