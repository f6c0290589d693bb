"""The key of a trial changes with what can change its result, and with nothing else; results survive JSON."""

import dataclasses
import itertools
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from optuna.distributions import FloatDistribution

from suite import result
from suite.architecture import Architecture
from suite.experiment import Experiment, Setting
from suite.result import Result, Trial, baseline_key, own_values, thinned
from tests.fakes import FirstSign, Reversal

ROOT = Path(__file__).parent.parent
SPACE = {"learning_rate": FloatDistribution(1e-4, 1e-1, log=True)}
SETTING = Setting(task=FirstSign(), label="sign", size=100, steps=10, batch_size=8, evaluations=2)
EXPERIMENT = Experiment(question="Which?", settings=(SETTING,), architectures=("lstm",), space=SPACE, trials=2, seeds=(101,))
LAYER = Architecture(
    target="module:Layer",
    options={"peephole": False, "bias": 1.0},
    family="f",
    source="s",
    kinds=frozenset({"once", "sequence"}),
    causal=True,
    space={"bias": FloatDistribution(0.0, 2.0)},
)
TRIAL = Trial(
    reference="small",
    experiment=EXPERIMENT,
    label="sign",
    name="lstm",
    architecture=LAYER,
    values={"learning_rate": 0.01},
    width=5,
    phase="tuning",
    seed=0,
)


def trial(*, setting=None, experiment=None, architecture=None, **changes):
    new_setting = dataclasses.replace(SETTING, **(setting or {}))
    new_experiment = dataclasses.replace(EXPERIMENT, settings=(new_setting,), **(experiment or {}))
    layer = dataclasses.replace(LAYER, **(architecture or {}))
    return dataclasses.replace(TRIAL, **{"experiment": new_experiment, "architecture": layer, "label": new_setting.label, **changes})


MATTERS = {
    "task field": {"setting": {"task": FirstSign(length=5)}},
    "size": {"setting": {"size": 101}},
    "depth": {"setting": {"depth": 2}},
    "steps": {"setting": {"steps": 11}},
    "batch": {"setting": {"batch_size": 9}},
    "evaluations": {"setting": {"evaluations": 3}},
    "regime": {"experiment": {"regime": "width"}},
    "keep": {"experiment": {"keep": "last"}},
    "optimizer": {"experiment": {"optimizer": "sgd"}},
    "schedule": {"experiment": {"schedule": "constant"}},
    "warmup": {"experiment": {"warmup": 0.1}},
    "precision": {"experiment": {"precision": "mixed_bfloat16"}},
    "seconds": {"experiment": {"max_seconds": 9.0}},
    "bytes": {"experiment": {"max_bytes": 10**9}},
    "target": {"architecture": {"target": "module:Other"}},
    "an option that is a flag": {"architecture": {"options": {"peephole": True, "bias": 1.0}}},
    "wiring": {"architecture": {"wiring": {"head": "mean"}}},
    "version": {"architecture": {"version": 2}},
    "name": {"name": "gru"},
    "value": {"values": {"learning_rate": 0.011}},
    "another value": {"values": {"learning_rate": 0.01, "clip": None}},
    "width": {"width": 6},
    "inner": {"inner": 7},
    "phase": {"phase": "evaluation"},
    "seed": {"seed": 1},
}
MATTERS_NOT = {
    "question": {"experiment": {"question": "Which one, then?"}},
    "trials": {"experiment": {"trials": 60}},
    "finalists": {"experiment": {"finalists": 2, "tuning_seeds": (0, 1)}},
    "seeds": {"experiment": {"seeds": (7, 8, 9)}},
    "company": {"experiment": {"architectures": ("lstm", "gru")}},
    "a wider space": {"experiment": {"space": {"learning_rate": FloatDistribution(1e-5, 1.0, log=True)}}},
    "label": {"setting": {"label": "another"}},
    "reference": {"reference": "elsewhere.py:small"},
    "family and source": {"architecture": {"family": "g", "source": "t"}},
    "own space": {"architecture": {"space": {}}},
    "a default that is spelt out": {"setting": {"task": FirstSign(length=4)}},
    "an integer for a float": {"experiment": {"warmup": 0.05, "max_seconds": None}},
}


@pytest.mark.parametrize("what", MATTERS)
def test_the_key_changes_with(what):
    assert trial(**MATTERS[what]).key != TRIAL.key


@pytest.mark.parametrize("what", MATTERS_NOT)
def test_the_key_does_not_change_with(what):
    assert trial(**MATTERS_NOT[what]).key == TRIAL.key


def test_all_keys_that_differ_differ_from_each_other():
    keys = [trial(**change).key for change in MATTERS.values()]
    assert len(set(keys)) == len(keys)


def test_one_and_one_point_nought_are_one_choice():
    assert trial(values={"learning_rate": 1}).key == trial(values={"learning_rate": 1.0}).key
    assert trial(experiment={"max_seconds": 9}).key == trial(experiment={"max_seconds": 9.0}).key


def test_true_and_one_are_two_choices():
    """In Python they are equal, and a peer's path of options took one for the other."""
    flag, number = ({"architecture": {"options": {"peephole": value, "bias": 1.0}}} for value in (True, 1))
    assert trial(**flag).key != trial(**number).key


def test_the_order_of_values_and_options_does_not_matter():
    first = trial(values={"learning_rate": 0.01, "clip": 1.0}, architecture={"options": {"peephole": False, "bias": 1.0}})
    second = trial(values={"clip": 1.0, "learning_rate": 0.01}, architecture={"options": {"bias": 1.0, "peephole": False}})
    assert first.key == second.key


def test_the_protocol_is_in_the_key(monkeypatch):
    before = TRIAL.key
    monkeypatch.setattr(result, "PROTOCOL", result.PROTOCOL + 1)
    assert trial().key != before


def test_a_finalist_is_a_tuning_trial_unless_the_task_decodes():
    assert trial(phase="finalist").key == TRIAL.key
    decodes = {"setting": {"task": Reversal(), "label": "sign"}}
    assert any(metric.final for metric in Reversal().metrics("validation").values())
    assert trial(**decodes, phase="finalist").key != trial(**decodes).key


def test_the_key_is_the_same_in_another_process_whatever_the_hash_seed():
    code = "from tests.test_result import TRIAL; print(TRIAL.key)"
    for seed in ("1", "2"):
        environment = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == TRIAL.key


def test_baselines_have_keys_of_their_own():
    keys = {baseline_key(task, name) for task in (FirstSign(), FirstSign(length=5)) for name in ("uniform", "constant")}
    assert len(keys) == 4


def test_a_result_survives_json_text():
    first = Result(
        key="k",
        outcome="diverged",
        scores={"validation": {"loss": 0.1 + 0.2}},
        curves={"train/loss": ((1.0, 1 / 3),)},
        cost={"speed/wall_seconds": 1.5},
        provenance={"impl": "plain"},
        arrays=Path("/a/b.npz"),
    )
    assert Result.from_json(json.loads(json.dumps(first.to_json()))) == first
    lost = Result.from_json(json.loads(json.dumps(Result(key="k", outcome="done", cost={"steps_to_solve": math.nan}).to_json())))
    assert math.isnan(lost.cost["steps_to_solve"])


def test_a_curve_of_more_than_64_points_is_refused_and_thinning_keeps_both_ends():
    points = [(float(step), step / 3) for step in range(1000)]
    with pytest.raises(ValueError, match="at most 64 points, got 1000 in 'train/loss'"):
        Result(key="k", outcome="done", curves={"train/loss": tuple(points)})
    kept = thinned(points)
    assert len(kept) == 64
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    gaps = [b[0] - a[0] for a, b in itertools.pairwise(kept)]
    assert max(gaps) - min(gaps) <= 1
    assert thinned(points[:64]) == tuple(points[:64])


def test_own_values_replace_options_and_shared_ones_do_not():
    assert own_values(trial(values={"learning_rate": 0.01, "bias": 0.5})) == {"peephole": False, "bias": 0.5}
    assert own_values(TRIAL) == {"peephole": False, "bias": 1.0}
