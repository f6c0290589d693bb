"""The rows of the table that differ in their head read what they name."""

import numpy as np
import pytest

from suite import plugins
from suite.models import build
from suite.task import Spec

SPEC = Spec(kind="once", loss="categorical", inputs=5, outputs=3, tokens=True, length=6, longest=6, lengths=(6,))
X = np.random.default_rng(0).integers(0, 5, (3, 6), dtype=np.int32)
MASK = np.arange(6) < np.array([[6], [4], [1]])


def attended(y, pool):
    kernel, bias = (weight.numpy() for weight in pool.weights)
    weight = np.exp(y @ kernel[:, 0] + bias)
    return weight / weight.sum() @ y


POOLS = {
    "lstm": lambda y, pool: y[-1],
    "lstm_mean": lambda y, pool: y.mean(0),
    "lstm_max": lambda y, pool: y.max(0),
    "lstm_attention": attended,
    "transformer": lambda y, pool: y.mean(0),
    "kim_cnn": lambda y, pool: y.max(0),
}


@pytest.mark.parametrize("name", POOLS)
def test_a_row_reads_its_steps_as_its_name_says(name):
    model = build(plugins.architecture(name), SPEC, width=8, seed=0)
    y, _ = model.body(model.source(X), mask=MASK)
    pooled = np.stack([POOLS[name](row[mask], model.pool) for row, mask in zip(y.numpy().astype(np.float64), MASK, strict=True)])
    kernel, bias = (weight.numpy() for weight in model.head.dense.weights)
    np.testing.assert_allclose(model(X, mask=MASK), pooled @ kernel + bias, rtol=1e-4, atol=1e-5)


def test_scoring_the_steps_costs_a_weight_a_unit_and_a_bias():
    plain, attentive = (build(plugins.architecture(name), SPEC, width=8, seed=0).counts() for name in ("lstm", "lstm_attention"))
    assert attentive["head"] == plain["head"] + 8 + 1
    assert attentive["core"] == plain["core"]
