"""The hybrid is a recurrent layer under a block of attention."""

import numpy as np
import pytest

from suite import flops, gradients, initial, plugins
from suite.layers.hybrid import Hybrid
from suite.models import build
from suite.task import Spec
from tests import numpy_transformer as replay

X = np.random.default_rng(0).normal(size=(2, 9, 5)).astype(np.float32)
MASK = np.arange(9) < np.array([[9], [6]])
STEPS = Spec(kind="steps", loss="categorical", inputs=10, outputs=7, tokens=True, length=20, longest=20, lengths=(20,))


@pytest.mark.parametrize("cell", ["suite.layers.lstm:LSTM", "suite.layers.gru:GRU"])
def test_it_is_a_block_of_attention_on_the_states(cell):
    with initial.seeded(0):
        layer = Hybrid(8, cell=cell, heads=2, inner=11)
        layer.build((None, None, 5))
    rng = np.random.default_rng(1)
    for weight in layer.trainable_weights:
        weight.assign_add(rng.normal(0, 0.3, weight.shape))
    found = layer(X, mask=MASK).numpy()
    for row, mask in enumerate(MASK):
        h = layer.recurrent(X[row : row + 1, mask]).numpy()[0].astype(np.float64)
        expected = replay.normed(replay.through(h, layer.block, replay.causal(len(h)), None), layer.norm)
        np.testing.assert_allclose(found[row][mask], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "cell"), [("hybrid", lambda D, H: 4 * H * (D + H + 1)), ("hybrid_gru", lambda D, H: 3 * H * (D + H + 2))])
def test_its_parameters_and_flops_are_those_of_both_parts(name, cell):
    D, H, wide, T = 10, 8, 11, 20
    model = build(plugins.architecture(name), STEPS, width=H, inner=wide, seed=0)
    block = 4 * H * H + 4 * H + 2 * H * wide + H + wide + 4 * H
    assert model.counts()["core"] == cell(D, H) + block + 2 * H
    products = {"hybrid": 4, "hybrid_gru": 3}[name] * H * (D + H) + 4 * H * H + 2 * H * wide
    assert flops.per_token(model) == 2 * products + 4 * H * (T + 1) / 2 + 2 * H * 7


def test_it_tells_the_order_without_places():
    model = build(plugins.architecture("hybrid"), STEPS, width=8, seed=0)
    x = np.random.default_rng(2).integers(0, 10, (4, 20), dtype=np.int32)
    x[:, 0], x[:, 1] = 1, 2
    swapped = x.copy()
    swapped[:, 0], swapped[:, 1] = 2, 1
    assert np.abs((model(swapped) - model(x))[:, -1]).max() > 1e-4


def test_its_gradient_has_a_profile_and_no_rate():
    (flow,) = gradients.flows_at_start(plugins.architecture("hybrid"), width=8, length=12, rows=2, seeds=1)
    assert flow.profile
    assert np.all(flow.joint.median > 0)
