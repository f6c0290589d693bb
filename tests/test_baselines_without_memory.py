"""The trained baselines: what counts, places and windows can tell, and what they cannot."""

import dataclasses

import numpy as np
import pytest

from suite import flops, initial, plugins
from suite.layers.bag import BagOfWords, DeepAveraging
from suite.layers.positional import PositionalMLP
from suite.models import build
from suite.task import Spec

X = np.random.default_rng(0).normal(size=(3, 7, 2)).astype(np.float32)
MASK = np.array([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0, 0], [0, 1, 0, 1, 0, 0, 1]], bool)
STEPS = Spec(kind="steps", loss="categorical", inputs=10, outputs=7, tokens=True, length=20, longest=20, lengths=(20,))
ONCE = dataclasses.replace(STEPS, kind="once")


def built(target, *given, **options):
    """A layer whose weights are the same in every run, biases included."""
    with initial.seeded(0):
        layer = target(*given, **options)
        layer.build((None, None, 2))
    rng = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign_add(rng.normal(0, 0.1, weight.shape))
    return layer


def relu(x):
    return np.maximum(x, 0)


def means():
    """The mean of the valid steps so far, row by row."""
    found = np.zeros(X.shape)
    for row, (x, mask) in enumerate(zip(X.astype(np.float64), MASK, strict=True)):
        for t in range(7):
            valid = x[: t + 1][mask[: t + 1]]
            found[row, t] = valid.mean(0) if len(valid) else 0
    return found


def test_a_bag_of_words_is_an_affine_map_of_the_mean_so_far():
    layer = built(BagOfWords, 4)
    W, b = (weight.numpy() for weight in layer.weights)
    np.testing.assert_allclose(layer(X, mask=MASK), means() @ W + b, rtol=1e-5, atol=1e-6)


def test_deep_averaging_is_two_layers_on_the_mean_so_far():
    layer = built(DeepAveraging, 4)
    W1, b1, W2, b2 = (weight.numpy() for weight in layer.weights)
    np.testing.assert_allclose(layer(X, mask=MASK), relu(relu(means() @ W1 + b1) @ W2 + b2), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["bag_of_words", "deep_averaging"])
def test_counts_know_no_order_and_no_length(name):
    model = build(plugins.architecture(name), ONCE, width=6, embedding=3, seed=0)
    x = np.random.default_rng(2).integers(0, 10, (4, 20), dtype=np.int32)
    shuffled = np.random.default_rng(3).permuted(x, axis=1)
    np.testing.assert_allclose(model(shuffled), model(x), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model(np.concatenate([x, x], axis=1)), model(x), rtol=1e-4, atol=1e-6)


def test_a_bag_of_words_is_affine_in_the_counts_and_deep_averaging_is_not():
    first, second = np.zeros((1, 20), np.int32), np.ones((1, 20), np.int32)
    half = np.concatenate([first[:, :10], second[:, :10]], axis=1)
    gaps = {}
    for name in ("bag_of_words", "deep_averaging"):
        model = build(plugins.architecture(name), ONCE, width=16, seed=0)
        gaps[name] = np.abs(model(half) - (model(first) + model(second)) / 2).max()
    assert gaps["bag_of_words"] < 1e-6 < 1e-3 < gaps["deep_averaging"]


def test_in_bfloat16_a_long_mean_stays_a_mean():
    layer = BagOfWords(4, dtype="mixed_bfloat16")
    y = layer(np.ones((1, 3000, 2), np.float32)).numpy().astype(np.float64)
    np.testing.assert_allclose(y[0, -1], y[0, 0], rtol=0.01)


def test_a_positional_mlp_at_the_last_step_is_a_perceptron_on_the_whole_row():
    layer = built(PositionalMLP, 5, length=7)
    kernel, bias = (weight.numpy().astype(np.float64) for weight in layer.weights)
    expected = relu(X.reshape(3, -1) @ kernel.reshape(-1, 5) + bias)
    np.testing.assert_allclose(layer(X)[:, -1], expected, rtol=1e-5, atol=1e-6)
    masked = relu((X * MASK[:, :, None]).reshape(3, -1) @ kernel.reshape(-1, 5) + bias)
    np.testing.assert_allclose(layer(X, mask=MASK)[:, -1], masked, rtol=1e-5, atol=1e-6)


def test_a_positional_mlp_knows_the_place_that_a_bag_does_not():
    x = np.zeros((2, 20), np.int32)
    x[0, 3] = x[1, 11] = 1
    apart = {}
    for name in ("positional_mlp", "bag_of_words"):
        one, other = build(plugins.architecture(name), ONCE, width=8, seed=0)(x).numpy()
        apart[name] = np.abs(one - other).max()
    assert apart["bag_of_words"] < 1e-6 < 1e-3 < apart["positional_mlp"]


def test_its_weights_grow_with_the_length():
    for length in (20, 40):
        spec = dataclasses.replace(STEPS, length=length, longest=length, lengths=(length,))
        assert build(plugins.architecture("positional_mlp"), spec, width=6, seed=0).counts()["core"] == length * 10 * 6 + 6


def test_a_positional_mlp_ends_at_its_last_place():
    with pytest.raises(ValueError, match="weights for 6 places, got 7 steps"):
        PositionalMLP(5, length=6)(X)


@pytest.mark.parametrize(("name", "seen"), [("step_mlp", 1), ("window_mlp", 8)])
def test_a_window_sees_its_steps_and_no_others(name, seen):
    model = build(plugins.architecture(name), STEPS, width=16, seed=0)
    x = np.random.default_rng(4).integers(0, 10, (16, 20), dtype=np.int32)
    before = model(x).numpy()
    for lag in range(12):
        changed = x.copy()
        changed[:, 15 - lag] = (changed[:, 15 - lag] + 1) % 10
        assert np.allclose(model(changed)[:, 15], before[:, 15], atol=1e-6) == (lag >= seen)


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("bag_of_words", lambda D, H: 2 * D * H),
        ("deep_averaging", lambda D, H: 2 * (D * H + H * H)),
        ("positional_mlp", lambda D, H: 2 * D * H),
        ("step_mlp", lambda D, H: 2 * D * H),
    ],
)
def test_flops_are_those_of_the_products_per_step(name, core):
    assert flops.per_token(build(plugins.architecture(name), STEPS, width=6, seed=0)) == core(10, 6) + 2 * 6 * 7


def test_baselines_are_marked_as_such():
    for name in ("bag_of_words", "deep_averaging", "pooled_mlp", "positional_mlp", "step_mlp", "window_mlp"):
        assert plugins.architecture(name).role == "baseline"
    assert plugins.architecture("positional_mlp").informed
    assert plugins.architecture("tcn_fitted").informed
    assert not plugins.architecture("tcn").informed
