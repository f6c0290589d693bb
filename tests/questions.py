"""Definition files for tests of the sweep: small questions on fake tasks."""

QUESTION = """
from optuna.distributions import CategoricalDistribution, FloatDistribution
from suite.experiment import Experiment, Setting
from tests.fakes import FirstPoint, FirstSign

EXPERIMENTS = {{
    "small": Experiment(
        question={question!r},
        settings=({settings}),
        architectures={architectures!r},
        space={{"learning_rate": FloatDistribution({low}, {high}, log=True), "clip": CategoricalDistribution((None, 1.0))}},
        trials={trials},
        finalists={finalists},
        tuning_seeds={tuning_seeds!r},
        seeds={seeds!r},
    )
}}
"""
SETTING = "Setting(task={task}, label={label!r}, size=10, steps={steps}, batch_size=8, evaluations=2, tuned_as={tuned_as!r}),"


def setting(task="FirstSign()", label="sign", steps=10, tuned_as=None):
    return SETTING.format(task=task, label=label, steps=steps, tuned_as=tuned_as)


def write(file, *settings, **changes):
    """Write a definition file and return its path as text."""
    facts = {
        "question": "Which one?",
        "architectures": ("elman", "lstm"),
        "low": 1e-4,
        "high": 1e-1,
        "trials": 4,
        "finalists": 1,
        "tuning_seeds": (0,),
        "seeds": (101, 102),
        **changes,
    }
    file.write_text(QUESTION.format(settings=" ".join(settings or (setting(),)), **facts))
    return str(file)
