"""What the quickstart finds, trained again at the learning rates that its sweep chooses: medians over three of its fresh seeds."""

import numpy as np
import pytest

from suite import plugins, sizing, training
from suite.result import Trial

QUESTION = plugins.question("quickstart").experiment
CHOSEN = {
    "adding": {"elman": 0.007686, "lstm": 0.07178, "gru": 0.07178},
    "copying": {"elman": 0.007686, "lstm": 0.07178, "gru": 0.01207},
    "characters": {"elman": 0.01207, "lstm": 0.07178, "gru": 0.008272},
}


def medians(label):
    """Return the median test score of each architecture, with its failed runs at the floor."""
    setting = QUESTION.setting(label)
    scores = {}
    for name, rate in CHOSEN[label].items():
        architecture = plugins.architecture(name)
        size = sizing.solve(architecture, setting, QUESTION.regime)
        runs = [
            training.train(
                Trial(
                    reference="quickstart",
                    experiment=QUESTION,
                    label=label,
                    name=name,
                    architecture=architecture,
                    values={"learning_rate": rate, "clip": 1.0},
                    width=size.width,
                    inner=size.inner,
                    phase="evaluation",
                    seed=seed,
                )
            )
            for seed in QUESTION.seeds[:3]
        ]
        scores[name] = float(np.median([run.scores["test"][setting.task.main] for run in runs]))
    print(label, scores)
    return scores


@pytest.mark.slow
def test_gates_solve_the_adding_problem_and_the_vanilla_network_does_not():
    found = medians("adding")
    assert found["lstm"] < 0.01
    assert found["gru"] < 0.01
    assert found["elman"] > 0.13


@pytest.mark.slow
def test_the_gru_copies_best():
    found = medians("copying")
    assert found["gru"] > max(found["elman"], found["lstm"])


@pytest.mark.slow
def test_every_network_predicts_characters_better_than_a_bigram():
    setting = QUESTION.setting("characters")
    meter, bigram = setting.task.meter("test"), setting.task.baselines()["bigram"]
    for batch in setting.task.batches("test", seed=0, batch_size=32):
        meter.update(batch, bigram.predict(batch))
    assert max(medians("characters").values()) < meter.result()["bits"]
