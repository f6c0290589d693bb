"""Trials on the fakes, for the tests of training."""

from optuna.distributions import FloatDistribution

from suite.experiment import Experiment, Setting
from suite.result import Trial
from tests.fake_architectures import ARCHITECTURES

SETTING = {"size": 100, "steps": 12, "batch_size": 4, "evaluations": 3}


def trial(task, name="fake-gru", *, values=None, architecture=None, width=4, phase="tuning", seed=0, experiment=None, **setting):
    """Return a trial of a fake architecture, or of the one given; `experiment` holds changed fields of the experiment."""
    made = Setting(task=task, label="it", **{**SETTING, **setting})
    fields = {"schedule": "constant", **(experiment or {})}
    question = Experiment(
        question="Does it train?",
        settings=(made,),
        architectures=(name,),
        space={"learning_rate": FloatDistribution(1e-3, 1e-1, log=True)},
        trials=2,
        seeds=(7, 8),
        **fields,
    )
    return Trial(
        reference="test",
        experiment=question,
        label="it",
        name=name,
        architecture=architecture or ARCHITECTURES[name],
        values={"learning_rate": 0.02, **(values or {})},
        width=width,
        phase=phase,
        seed=seed,
    )
