"""The plan is drawn up front: fair, the same for everyone, and unchanged by more trials."""

import math
from dataclasses import replace

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from suite import canonical, choice, plan
from suite.architecture import Architecture
from suite.result import Group, Record
from suite.task import Metric

SPACE = {"learning_rate": FloatDistribution(1e-4, 1e-1, log=True), "clip": CategoricalDistribution((None, 0.1, 1.0))}
OWN = {"bias": FloatDistribution(1.0, 3.0), "heads": IntDistribution(1, 8)}
LAYER = Architecture(
    target="module:Layer", options={"bias": 0.0, "heads": 99}, family="f", source="s", kinds=frozenset({"once"}), causal=True, space=OWN
)
LESS = Metric("nats", "min", {"uniform": 1.0}, 0.0, "")
MORE = Metric("share", "max", {"guess": 0.5}, 1.0, "")
NAN = math.nan


def test_a_trial_draws_the_same_again_and_each_trial_its_own():
    first = [plan.shared_values(SPACE, n) for n in range(60)]
    assert first[:30] == [plan.shared_values(SPACE, n) for n in range(30)]
    assert len({values["learning_rate"] for values in first}) == 60


def test_the_order_in_which_a_space_is_written_does_not_matter():
    assert plan.shared_values(dict(reversed(SPACE.items())), 3) == plan.shared_values(SPACE, 3)


def test_another_space_draws_anew():
    wider = {**SPACE, "learning_rate": FloatDistribution(1e-5, 1e-1, log=True)}
    assert plan.shared_values(wider, 3)["clip"] != plan.shared_values(SPACE, 3)["clip"] or plan.shared_values(
        wider, 3
    ) != plan.shared_values(SPACE, 3)


def test_draws_follow_their_distribution():
    """400 draws: the log of the rate is uniform (Kolmogorov-Smirnov at 0.1 %: 1.95 / sqrt(400)), each clip a third."""
    drawn = [plan.shared_values(SPACE, n) for n in range(400)]
    share = np.sort([(math.log10(values["learning_rate"]) + 4) / 3 for values in drawn])
    assert np.abs(share - (np.arange(400) + 0.5) / 400).max() < 1.95 / math.sqrt(400)
    counts = [sum(values["clip"] == option for values in drawn) for option in (None, 0.1, 1.0)]
    assert all(abs(count - 400 / 3) < 4 * math.sqrt(400 * 2 / 9) for count in counts)


def test_own_values_keep_their_default_half_of_the_time_each_for_itself():
    drawn = [plan.own_values(LAYER, "one", n) for n in range(400)]
    assert all(values["bias"] == 0.0 or 1.0 <= values["bias"] <= 3.0 for values in drawn)
    kept = np.array([[values["bias"] == 0.0, values["heads"] == 99] for values in drawn])
    assert np.all(np.abs(kept.mean(axis=0) - 0.5) < 4 * 0.5 / 20)
    both = (kept[:, 0] & kept[:, 1]).mean()
    assert abs(both - 0.25) < 4 * math.sqrt(0.25 * 0.75 / 400)


def test_own_values_depend_on_the_name_and_leave_the_shared_ones_alone():
    assert [plan.own_values(LAYER, "one", n) for n in range(9)] != [plan.own_values(LAYER, "two", n) for n in range(9)]
    assert plan.own_values(replace(LAYER, space={}), "one", 0) == {}


def test_the_best_median_comes_first():
    assert choice.ranked({0: [0.3, 0.9, 0.2], 1: [0.4, 0.1, 0.5], 2: [0.2, 0.25, 0.6]}, LESS) == [2, 0, 1]
    assert choice.ranked({0: [0.6], 1: [0.9], 2: [0.7]}, MORE) == [1, 2, 0]


def test_a_failed_trial_scores_the_floor_and_loses_to_any_that_ended_well():
    assert choice.ranked({0: [NAN], 1: [0.9]}, LESS) == [1, 0]
    assert choice.ranked({0: [NAN], 1: [5.0]}, LESS) == [1, 0]  # worse than the floor, but it ended well
    assert choice.ranked({0: [NAN], 1: [0.1]}, MORE) == [1, 0]
    assert choice.ranked({0: [NAN], 1: [NAN]}, LESS) == [0, 1]
    assert choice.scored(NAN, LESS) == 1.0
    assert choice.scored(7.0, LESS) == 1.0
    assert choice.scored(0.2, MORE) == 0.5


def test_one_failure_among_three_seeds_does_not_decide_and_two_do():
    assert choice.ranked({0: [0.1, 0.1, NAN], 1: [0.3, 0.3, 0.3]}, LESS) == [0, 1]
    assert choice.ranked({0: [0.1, NAN, NAN], 1: [0.3, 0.3, 0.3]}, LESS) == [1, 0]


@pytest.mark.parametrize(("value", "edge"), [(1.01e-4, True), (10**-3.71, True), (10**-3.69, False), (1e-2, False), (10**-1.29, True)])
def test_the_edge_is_a_tenth_of_the_logarithmic_range(value, edge):
    """Three decades from 1e-4: the outer tenths end at 10^-3.7 and begin at 10^-1.3."""
    assert choice.at_edge(SPACE["learning_rate"], value) is edge


def test_a_choice_among_given_values_has_no_edge():
    assert not choice.at_edge(CategoricalDistribution((1e-3,)), 1e-3)
    assert not choice.at_edge(FloatDistribution(1e-3, 1e-3, log=True), 1e-3)
    assert choice.at_edge(FloatDistribution(0.0, 1.0), 0.05)


def record(key, values, loss, outcome="done"):
    return Record(
        run=key,
        key=key,
        label="l",
        architecture="a",
        phase="tuning",
        seed=0,
        values=values,
        outcome=outcome,
        scores={"validation": {"loss": loss}},
        curves={},
        cost={},
        provenance={},
    )


def test_the_study_is_a_view_of_the_finished_trials():
    keys = [str(n) for n in range(6)]
    drawn = [{**plan.shared_values(SPACE, n), **plan.own_values(LAYER, "a", n)} for n in range(6)]
    records = tuple(
        record(key, values, n / 10, "diverged" if n == 2 else "done") for n, (key, values) in enumerate(zip(keys, drawn, strict=True))
    )
    document = {
        "space": canonical.canonical(SPACE),
        "own_space": canonical.canonical(OWN),
        "selects": "loss",
        "metrics": {"validation": {"loss": LESS._asdict()}},
        "keys": {"tuning": keys},
    }
    study = plan.study(Group(run="r", label="l", architecture="a", role="model", document=document, records=records[:5]))
    assert [trial.value for trial in study.trials] == [0.0, 0.1, 1.0, 0.3, 0.4]
    assert study.best_trial.user_attrs["key"] == "0"
    for trial, values in zip(study.trials, drawn, strict=False):
        assert trial.params["learning_rate"] == values["learning_rate"]
        assert trial.params["clip"] == values["clip"]
        assert ("bias" in trial.params) == (values["bias"] != 0.0)
