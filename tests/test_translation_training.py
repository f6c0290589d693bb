"""Every kind of encoder-decoder learns to translate: plain, with attention, and the Transformer."""

import pytest

from suite import plugins, training
from tasks.translation import Translation
from tests.trials import trial

TASK = Translation(corpus="phrases", units="word", pairs=None)
BUDGET = {"width": 64, "embedding": 32, "steps": 400, "batch_size": 32, "evaluations": 2, "phase": "evaluation"}
RATES = {"lstm": 1e-2, "lstm_bahdanau": 1e-2, "transformer_seq2seq": 3e-3}


@pytest.mark.slow
@pytest.mark.parametrize("name", RATES)
def test_an_encoder_decoder_translates_better_than_the_most_alike_sentence_of_training(name):
    """A made grammar: 1,080 pairs train, and no test sentence is among them; the nearest neighbour has 39 BLEU."""
    made = trial(
        TASK,
        name,
        architecture=plugins.architecture(name),
        values={"learning_rate": RATES[name], "clip": 1.0},
        experiment={"schedule": "cosine"},
        **BUDGET,
    )
    found = training.train(made)
    assert found.outcome == "done", found.provenance.get("error")
    scores, metrics = found.scores["test"], TASK.metrics("test")
    assert scores["loss"] < metrics["loss"].floor / 2
    for way in ("BLEU", "BLEU beam4"):
        assert scores[way] > metrics[way].floor + 10
