"""What a sweep pays again and again: another trial, its trace, new values; measured in this process."""

import dataclasses
import time
from typing import Any, NamedTuple

import numpy as np

from suite.bench.cases import TINY, Case
from suite.bench.small import trial

TRIALS = 20


class Cost(NamedTuple):
    """One figure, and what it should stay under."""

    what: str
    cell: str
    value: float
    unit: str
    limit: float


def costs(cases: tuple[Case, ...] = TINY, trials: int = TRIALS) -> list[Cost]:
    """Return the costs of trials of one structure, by cell."""
    return [cost for case in cases for cost in _of(case, trials)]


def _of(case: Case, trials: int) -> list[Cost]:
    from suite import optimisation, training
    from suite.chunks import Feed
    from suite.program import program

    one = trial(case)
    task, values = one.setting.task, training.checked(one)
    begun = time.perf_counter()
    made = program(one)
    chunk = Feed(task.batches("train", seed=0, batch_size=case.batch)).take(100)
    if chunk is None:
        raise ValueError("the training split ended")
    rates = optimisation.learning_rates("constant", 1e-3, chunk.steps, 0.0)
    made.prepare(chunk, (), rates, values)
    first = time.perf_counter() - begun
    beyond: list[float] = []
    for number in range(trials):
        another = dataclasses.replace(one, values={"learning_rate": 1e-3 * (1 + number), "clip": 1.0 + number})
        begun = time.perf_counter()
        program(another).reset(another, training.checked(another))
        beyond.append(time.perf_counter() - begun)
        made.train(chunk, (), rates, values)
    return [
        Cost("the first trial of a structure, to its first step", case.cell, first, "seconds", float("nan")),
        Cost("another trial, beyond its steps", case.cell, 1e3 * float(np.median(beyond)), "milliseconds", 50.0),
        Cost(f"traces of the training step after {trials} trials", case.cell, float(made.traces["train"]), "traces", 1.0),
    ]


def to_json(found: list[Cost]) -> list[dict[str, Any]]:
    """Return the costs as JSON data."""
    return [cost._asdict() for cost in found]
