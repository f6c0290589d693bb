"""Entry points of a worker process: JSON in, JSON out."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from suite import plugins
from suite.result import Emit, Result, baseline_key

if TYPE_CHECKING:
    from suite.task import Task


def prepare(threads: int | None = 1) -> None:
    """Give TensorFlow this many threads a pool (None: its own choice); call it before anything loads TensorFlow.

    Small models run fastest with one thread, and two processes with one thread each train two of them at once.

    Raises:
        ValueError: fewer than one thread.
    """
    if threads is None:
        return
    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def train(body: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Train the trial that `Trial.to_json` described and return its result's JSON."""
    from suite import training

    return training.train(plugins.trial(body), emit).to_json()


def size(body: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Return the size, as JSON, at which architecture `name` meets the target of setting `label` of `reference`.

    Raises:
        ValueError: no width meets it.
    """
    from suite import sizing

    experiment = plugins.question(body["reference"]).experiment
    return sizing.solve(plugins.architecture(body["name"]), experiment.setting(body["label"]), experiment.regime).to_json()


def baseline(body: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Score the fitted baseline `baseline` of setting `label` of `reference` and return a result's JSON. Needs no TensorFlow.

    Raises:
        ValueError: the task has no such baseline.
    """
    setting = plugins.question(body["reference"]).experiment.setting(body["label"])
    name, task = body["baseline"], setting.task
    known = task.baselines()
    if name not in known:
        raise ValueError(f"task {task.name!r} has the baselines {', '.join(known)}, got {name!r}")
    splits = ("validation", *(split for split in task.splits if split.partition("/")[0] == "test"))
    scores = {split: _scores(task, split, name, setting.batch_size) for split in splits}
    return Result(key=baseline_key(task, name), outcome="done", scores=scores, provenance={"data": task.digest()}).to_json()


def _scores(task: "Task", split: str, name: str, batch_size: int) -> dict[str, float]:
    """Return the numbers that the task's meter gives a baseline; one that it cannot define is left out."""
    predictor, meter = task.baselines()[name], task.meter(split)
    for batch in task.batches(split, seed=0, batch_size=batch_size):
        meter.update(batch, predictor.predict(batch))
    return {metric: float(value) for metric, value in meter.result().items() if not isinstance(value, tuple)}
