"""A worker's entry points: JSON in, JSON out, and no more loaded than they need."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from suite import plugins, worker
from suite.result import Result, Trial, baseline_key

ROOT = Path(__file__).parent.parent
QUESTION = """
from optuna.distributions import FloatDistribution
from suite.experiment import Experiment, Setting
from tests.fakes import Occurrence

EXPERIMENTS = {
    "it": Experiment(
        question="Does a worker find this?",
        settings=(Setting(task=Occurrence(), label="it", size=200, steps=4, batch_size=4, evaluations=2),),
        architectures=("elman",),
        space={"learning_rate": FloatDistribution(1e-3, 1e-1, log=True)},
        trials=2,
        seeds=(7, 8),
    )
}
"""


@pytest.fixture
def reference(tmp_path):
    file = tmp_path / "question.py"
    file.write_text(QUESTION)
    return plugins.question(str(file)).reference


def body(reference, **changes):
    question = plugins.question(reference)
    found = Trial(
        reference=reference,
        experiment=question.experiment,
        label="it",
        name="elman",
        architecture=plugins.architecture("elman"),
        values={"learning_rate": 0.01},
        width=5,
        phase="tuning",
        seed=0,
    )
    return {**found.to_json(), **changes}


def test_a_trial_goes_in_and_its_result_comes_out_as_json(reference):
    events = []
    asked = json.loads(json.dumps(body(reference)))
    found = json.loads(json.dumps(worker.train(asked, events.append)))
    result = Result.from_json(found)
    assert result.key == asked["key"]
    assert result.outcome == "done", result.provenance
    assert {event.name for event in events} >= {"train/loss", "val/loss", "grad/flow"}
    assert {"speed/tokens_per_second", "speed/step_milliseconds", "speed/wall_seconds", "size/parameters"} <= set(result.cost)


def test_a_definition_that_changed_is_refused(reference):
    with pytest.raises(plugins.BrokenPlugin, match="changed while it ran"):
        worker.train(body(reference, key="0" * 64), print)


def test_the_size_is_that_of_the_solver(reference):
    size = worker.size({"reference": reference, "label": "it", "name": "elman"}, print)
    # an Elman net of width H on 4 one-hot symbols and 3 flags has H^2 + 5 H + 3 H + 3 weights
    best = min(range(1, 30), key=lambda width: abs(width**2 + 8 * width + 3 - 200))
    assert size["width"] == best
    assert size["counted"] == best**2 + 8 * best + 3


def test_a_baseline_is_scored_on_validation_and_test(reference):
    found = Result.from_json(worker.baseline({"reference": reference, "label": "it", "baseline": "constant"}, print))
    task = plugins.question(reference).experiment.settings[0].task
    assert found.key == baseline_key(task, "constant")
    assert set(found.scores) == {"validation", "test"}
    floor = task.metrics("test")["loss"].floor
    assert math.isclose(found.scores["test"]["loss"], floor, rel_tol=0.2)  # 50 rows


def test_an_unknown_baseline_is_refused(reference):
    with pytest.raises(ValueError, match="has the baselines constant, got 'magic'"):
        worker.baseline({"reference": reference, "label": "it", "baseline": "magic"}, print)


def in_a_new_process(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_a_baseline_loads_no_tensorflow(reference):
    code = f"""
import sys
sys.path.insert(0, ".")
from suite import worker
worker.baseline({{"reference": {reference!r}, "label": "it", "baseline": "constant"}}, print)
print("tensorflow" in sys.modules, "keras" in sys.modules)
"""
    assert in_a_new_process(code) == "False False"


def test_threads_are_set_before_tensorflow_starts():
    code = """
from suite import worker
worker.prepare(threads=1)
import os, tensorflow as tf
print(os.environ["TF_NUM_INTRAOP_THREADS"], os.environ["TF_NUM_INTEROP_THREADS"])
"""
    assert in_a_new_process(code) == "1 1"
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        worker.prepare(threads=0)


@pytest.mark.slow
def test_a_trial_yields_the_same_in_another_process(reference):
    here = Result.from_json(worker.train(body(reference), lambda event: None))
    code = f"""
import json, sys
sys.path.insert(0, ".")
from suite import worker
print(json.dumps(worker.train(json.loads({json.dumps(json.dumps(body(reference)))}), lambda event: None)))
"""
    there = Result.from_json(json.loads(in_a_new_process(code)))
    assert there.curves == here.curves
    assert there.scores == here.scores
