"""A worker without TensorFlow: trains by formula, in no time, and misbehaves on demand (environment FAKE_...)."""

import math
import os
import signal
import time
from pathlib import Path

from suite import plugins
from suite.result import Event, Result, baseline_key


def train(body, emit):
    """The best learning rate is 0.01; each seed moves the score a little. Every call leaves a line in FAKE_LOG."""
    trial = plugins.trial(body)
    with Path(os.environ["FAKE_LOG"]).open("a") as log:
        log.write(f"{trial.key} {trial.phase} {trial.name} {trial.seed}\n")
    time.sleep(float(os.environ.get("FAKE_SLEEP", "0")))
    misbehave(f"{trial.name} {trial.phase} {trial.seed}")
    rate = trial.values["learning_rate"]
    distance = abs(math.log10(rate / 0.01))
    if distance > 1.4:
        return Result(key=trial.key, outcome="diverged", scores=floors(trial), provenance={"impl": "fake"}).to_json()
    loss = 0.1 + distance / 10 + trial.seed / 1e5
    curve = tuple((step, loss + 1 / step) for step in (1, 2, 3))
    for step, value in curve:
        emit(Event(trial.key, "val/loss", step, value))
    scores = {split: {name: loss for name in trial.setting.task.metrics(split)} for split in ("validation", "test")}
    if trial.phase != "evaluation":
        del scores["test"]
    cost = {"speed/tokens_per_second": 1000.0, "size/parameters": 10.0}
    return Result(
        key=trial.key, outcome="done", scores=scores, curves={"val/loss": curve}, cost=cost, provenance={"impl": "fake"}
    ).to_json()


def floors(trial):
    return {"validation": {name: metric.floor for name, metric in trial.setting.task.metrics("validation").items()}}


def size(body, emit):
    if os.environ.get("FAKE_NO_SIZE") == body["name"]:
        raise ValueError(f"no width of {body['name']} meets it")
    return {"width": 3, "inner": None, "target": 10, "counted": 10, "deviation": 0.0, "parameters": 10}


def baseline(body, emit):
    task = plugins.question(body["reference"]).experiment.setting(body["label"]).task
    return Result(key=baseline_key(task, body["baseline"]), outcome="done", scores={"validation": {"loss": 0.5}}).to_json()


def misbehave(who):
    """FAKE_POISON kills whoever is named, always; FAKE_KILL_ONCE the first who comes, by a file that it takes away."""
    if os.environ.get("FAKE_POISON") == who:
        os.write(2, b"about to die\n")
        os.kill(os.getpid(), signal.SIGKILL)
    once = os.environ.get("FAKE_KILL_ONCE", "")
    if once and Path(once).exists():
        Path(once).unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def echo(body, emit):
    """Send `events` events, `pause` seconds apart, then say what came and from which process."""
    misbehave(str(body.get("n")))
    for number in range(body.get("events", 0)):
        emit(Event("key", "train/loss", number, number / 2))
        time.sleep(body.get("pause", 0))
    if "raise" in body:
        raise ValueError(body["raise"])
    return {"n": body.get("n"), "process": os.getpid(), "threads": os.environ.get("TF_NUM_INTRAOP_THREADS")}
