"""Look-ahead labelling separates: trained, a reader of both directions has every label, one of the past has chance or its delay."""

import pytest

from suite import plugins, program, training
from tasks.look_ahead import LookAhead
from tests.trials import trial

TASK = {"length": 8, "symbols": 4, "ahead": 1, "validation_rows": 500}
BUDGET = {"width": 12, "steps": 250, "batch_size": 64, "evaluations": 2, "values": {"learning_rate": 0.03}}


@pytest.fixture(autouse=True)
def _without_xla(monkeypatch):
    monkeypatch.setattr(program, "JIT_UP_TO", 0)


@pytest.mark.parametrize(("name", "delay", "low", "high"), [("bigru", 0, 0.99, 1.0), ("gru", 0, 0.22, 0.28), ("gru", 1, 0.99, 1.0)])
def test_what_a_trained_model_gets_is_what_it_could_read(name, delay, low, high):
    """One symbol of 4, guessed 3,500 times: chance is .25 within .03."""
    found = training.train(trial(LookAhead(**TASK, delay=delay), name, architecture=plugins.architecture(name), **BUDGET))
    assert low <= found.scores["validation"]["accuracy"] <= high
