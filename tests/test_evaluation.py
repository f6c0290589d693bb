"""What an evaluation hands to the meter: decoded symbols and attention maps in the end, and neither while tuning."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import pytest

from suite import plugins, training
from suite.decoding import beam, greedy
from suite.evaluation import evaluate
from suite.optimisation import Values
from suite.program import program
from tests.fake_streams import Reversal, exact
from tests.trials import trial


@dataclass(frozen=True, kw_only=True)
class Watched(Reversal):
    """Reversal whose meter keeps what it is given."""

    name: ClassVar[str] = "fake-watched"
    seen: ClassVar[list] = []

    @cached_property
    def spec(self):
        return replace(super().spec, needs=frozenset({"greedy", "beam4", "attention"}))

    def meter(self, split):
        meter = super().meter(split)
        given = meter.update

        def update(batch, prediction):
            self.seen.append((split, batch, prediction))
            given(batch, prediction)

        meter.update = update
        return meter


@pytest.fixture
def task():
    Watched.seen.clear()
    return Watched(validation_rows=50, test_rows=40)


ELMAN = plugins.architecture("elman")
ATTENDING = replace(ELMAN, wiring={"attention": "luong_dot"})


@pytest.mark.parametrize("architecture", [ELMAN, ATTENDING], ids=["without attention", "with attention"])
def test_the_meter_gets_decoded_symbols_and_maps_where_it_asks_for_them(task, architecture):
    one = trial(task, architecture=architecture)
    made = program(one)
    made.reset(one, Values(0.01, np.inf, 0.0, 0.0))
    evaluate(made, task, "validation", batch_size=16)
    assert all(prediction.decoded is None and prediction.attention is None for _, _, prediction in task.seen)
    task.seen.clear()
    scores = evaluate(made, task, "validation", batch_size=16, decode=True)
    right = total = 0.0
    for _, batch, prediction in task.seen:
        np.testing.assert_array_equal(prediction.decoded["greedy"], greedy(made.model, batch.x, batch.mask, 4))
        np.testing.assert_array_equal(prediction.decoded["beam4"], beam(made.model, batch.x, batch.mask, 4, 4))
        found, weight = exact(batch, prediction)
        right, total = right + (found * weight).sum(), total + weight.sum()
        if architecture is ELMAN:
            assert prediction.attention is None
        else:
            assert prediction.attention.shape == (*batch.y.shape, batch.x.shape[1])
            np.testing.assert_allclose(prediction.attention, made.model.attention_map(batch.x, batch.target_in, batch.mask), atol=1e-6)
    assert scores.numbers["exact"] == pytest.approx(right / total)


def test_maps_are_made_for_finalists_and_in_the_evaluation_alone(task):
    for phase, splits in {"tuning": set(), "finalist": {"validation"}, "evaluation": {"validation", "test"}}.items():
        task.seen.clear()
        result = training.train(trial(task, architecture=ATTENDING, phase=phase))
        assert result.outcome == "done"
        assert {split for split, _, prediction in task.seen if prediction.attention is not None} == splits
        assert {split for split, _, prediction in task.seen if prediction.decoded is not None} == splits
