"""Every registered experiment is a fair, runnable, frozen question."""

import dataclasses

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from suite import canonical, checks, plugins
from suite.experiment import Experiment, Setting

EXPERIMENTS = {name: entry.value for name, entry in plugins.table("EXPERIMENTS").items()}


@pytest.fixture(scope="module", params=EXPERIMENTS)
def experiment(request):
    return EXPERIMENTS[request.param]


def test_it_asks_a_question_and_is_frozen(experiment):
    assert experiment.question[0].isupper()
    with pytest.raises(dataclasses.FrozenInstanceError):
        experiment.trials = 1


def test_every_architecture_is_registered_and_can_take_every_task(experiment):
    for setting in experiment.settings:
        if not runnable(setting):
            continue
        for name in experiment.architectures:
            assert plugins.architecture(name).serves(setting.task.spec.kind, causal=setting.task.spec.causal) is None


def test_its_canonical_form_is_the_same_twice(experiment):
    assert canonical.text(experiment) == canonical.text(dataclasses.replace(experiment))


def test_evaluation_seeds_are_fresh(experiment):
    assert not set(experiment.seeds) & set(experiment.tuning_seeds)


def test_tiny_asks_the_same_of_the_same(experiment):
    if not all(runnable(setting) for setting in experiment.settings):
        pytest.skip("a corpus is not here")
    tiny = experiment.tiny()
    assert tiny.question == experiment.question
    assert tiny.architectures == experiment.architectures
    assert [s.label for s in tiny.settings] == [s.label for s in experiment.settings]
    assert sum(s.steps for s in tiny.settings) < 100


def runnable(setting):
    """Whether the setting's corpus is here (a generated task always is)."""
    try:
        setting.task.digest()
    except ValueError:
        return False
    return True


TASK = next(iter(EXPERIMENTS["quickstart"].settings)).task
SETTING = Setting(task=TASK, size=100, steps=10, batch_size=2, evaluations=2)
GOOD = {
    "question": "Which?",
    "settings": (SETTING,),
    "architectures": ("elman",),
    "space": {"learning_rate": FloatDistribution(1e-3, 1e-1)},
    "trials": 2,
    "seeds": (7,),
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"question": " "}, "asks a question"),
        ({"architectures": ("elman", "elman")}, "must be distinct"),
        ({"settings": (SETTING, SETTING)}, "must be distinct"),
        ({"space": {}}, "needs a learning_rate"),
        ({"space": {"learning_rate": FloatDistribution(0.0, 1.0)}}, "learning_rate must be above 0"),
        ({"space": {**GOOD["space"], "dropout": FloatDistribution(0.0, 1.0)}}, "dropout must be 0 <= dropout < 1"),
        ({"space": {**GOOD["space"], "clip": CategoricalDistribution((None, -1.0))}}, "clip must be above 0"),
        ({"space": {**GOOD["space"], "momentum": FloatDistribution(0.0, 0.9)}}, "shared values are"),
        ({"regime": "flops"}, "regime 'flops' is not built yet"),
        ({"regime": "seconds"}, "regime 'seconds' is not built yet"),
        ({"trials": 0}, "finalists <= trials"),
        ({"finalists": 3}, "finalists <= trials"),
        ({"seeds": ()}, "must not be empty"),
        ({"seeds": (0, 1)}, "must be fresh"),
        ({"warmup": 1.0}, "warmup is a share"),
        ({"optimizer": "adamm"}, "optimizer must be"),
        ({"precision": "float64"}, "precision must be"),
        ({"max_seconds": 0.0}, "max_seconds must be positive"),
        ({"settings": (dataclasses.replace(SETTING, label="a", tuned_as="b"),)}, "tuned_as names another setting"),
    ],
)
def test_a_question_that_cannot_be_fair_is_refused(changes, words):
    Experiment(**GOOD)
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        Experiment(**{**GOOD, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": 0}, "size must be at least 1, got 0"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"evaluations": 11}, "evaluations must not exceed steps"),
        ({"embedding": 0}, "embedding must be at least 1, or None for one-hot, got 0"),
        ({"label": "a/b"}, "holds no slash"),
    ],
)
def test_a_setting_that_cannot_be_trained_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        Setting(**{"task": TASK, "size": 100, "steps": 10, "batch_size": 2, "evaluations": 2, **changes})


def test_an_embedding_of_numbers_is_refused_before_any_trial():
    """Not at construction: a definition is read where its corpus is missing, too."""
    setting = dataclasses.replace(SETTING, embedding=4)
    with pytest.raises(ValueError, match="embedding belongs to tasks of tokens, got 4 for 'adding'"):
        checks.check(plugins.Question("it", "it", Experiment(**{**GOOD, "settings": (setting,)})))
