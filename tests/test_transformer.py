"""The Transformer is its equations: attention, places, normalisation, counts, and what it can see."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from suite import flops, initial, plugins, program, training
from suite.layers import positions
from suite.layers.attention_block import Attention
from suite.layers.transformer import Transformer
from suite.models import build
from suite.sizing import TOLERANCE, solve
from suite.task import Spec
from tests import numpy_transformer as replay
from tests.fakes import FirstSign
from tests.test_sizing import setting
from tests.trials import trial

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 9, 5)).astype(np.float32)
MASK = np.array([[1] * 9, [1] * 6 + [0] * 3, [0, 0, 1, 1, 0, 1, 1, 1, 0]], bool)
STEPS = Spec(kind="steps", loss="categorical", inputs=10, outputs=7, tokens=True, length=20, longest=20, lengths=(20,))
KINDS = ("sinusoidal", "learned", "rotary", "none")


def stirred(layer, scale=0.3):
    """A layer away from its start, where gains are one and biases zero."""
    rng = np.random.default_rng(1)
    for weight in layer.trainable_weights:
        weight.assign_add(rng.normal(0, scale, weight.shape))
    return layer


def built(units=8, features=5, **options):
    with initial.seeded(0):
        layer = Transformer(units, length=9, **options)
        layer.build((None, None, features))
    return stirred(layer)


@pytest.mark.parametrize("position", KINDS)
@pytest.mark.parametrize("more", [{}, {"future": False}, {"future": False, "window": 3}], ids=["whole", "past", "window"])
def test_it_is_its_equations_on_the_valid_steps(position, more):
    layer = built(position=position, heads=2, inner=11, **more)
    found = layer(X, mask=MASK if "window" not in more else MASK[:1].repeat(3, axis=0)).numpy()
    for row, (x, mask) in enumerate(zip(X, MASK, strict=True)):
        valid = x[mask] if "window" not in more else x
        seen = replay.causal(len(valid), more.get("window")) if more else np.ones((len(valid), len(valid)), bool)
        expected = replay.whole(valid, layer, seen)
        np.testing.assert_allclose(found[row][mask] if "window" not in more else found[row], expected, rtol=1e-4, atol=1e-4)


def test_attention_equals_that_of_keras():
    ours, theirs = Attention(8, 4), keras.layers.MultiHeadAttention(4, 2)
    x, other = RNG.normal(size=(2, 6, 8)).astype(np.float32), RNG.normal(size=(2, 7, 8)).astype(np.float32)
    seen = RNG.random((2, 6, 7)) < 0.7
    seen[:, :, 0] = True
    ours.build((None, None, 8))
    stirred(ours)
    theirs(x, other)
    each = [(dense.kernel.numpy(), dense.bias.numpy()) for dense in (ours.query, ours.key, ours.value)]
    weights = [part for W, b in each for part in (W.reshape(8, 4, 2), b.reshape(4, 2))]
    theirs.set_weights([*weights, ours.out.kernel.numpy().reshape(4, 2, 8), ours.out.bias.numpy()])
    found = ours(x, *ours.remembered(tf.constant(other)), seen)
    np.testing.assert_allclose(found, theirs(x, other, attention_mask=seen), rtol=1e-4, atol=1e-5)


def test_rotated_products_know_distances_and_nothing_else():
    q, k = (RNG.normal(size=(1, 1, 1, 16)).astype(np.float32) for _ in range(2))
    product = lambda at, distance: float(np.sum(positions.rotated(q, np.array([[at]])) * positions.rotated(k, np.array([[at + distance]]))))
    for distance in (0, 1, 7):
        np.testing.assert_allclose(product(500, distance), product(0, distance), rtol=1e-3, atol=1e-3)
    assert abs(product(0, 1) - product(0, 7)) > 0.1
    np.testing.assert_allclose(product(3, 0), np.sum(q * k), rtol=1e-4)


def test_sinusoids_begin_at_zero_and_one_and_turn_a_radian_a_step():
    waves = positions.sinusoids(np.arange(4)[None], 6).numpy()[0]
    np.testing.assert_allclose(waves[0], [0, 0, 0, 1, 1, 1])
    np.testing.assert_allclose(waves[:, 0], np.sin(np.arange(4)), rtol=1e-5)
    np.testing.assert_allclose(waves[3, 5], np.cos(3 * 10_000 ** (-4 / 6)), rtol=1e-5)


def test_padding_takes_no_place():
    np.testing.assert_array_equal(positions.places(X, MASK)[2], [0, 0, 0, 1, 1, 2, 3, 4, 4])
    np.testing.assert_array_equal(positions.places(X)[0], np.arange(9))


@pytest.mark.parametrize("position", KINDS)
def test_without_places_the_order_of_a_row_only_moves_its_outputs(position):
    layer, order = built(position=position), RNG.permutation(9)
    moved = np.allclose(layer(X[:, order]), layer(X).numpy()[:, order], atol=1e-4)
    assert moved == (position == "none")


def test_without_places_the_past_alone_tells_the_order():
    layer = built(position="none", future=False)
    swapped = X[:, [1, 0, *range(2, 9)]]
    np.testing.assert_allclose(layer(swapped)[:, 2:], layer(X)[:, 2:], atol=1e-5)  # one layer sums the past up
    deep = build(plugins.architecture("transformer_causal_nopos"), STEPS, width=8, depth=2, seed=0)
    stirred(deep)
    tokens = RNG.integers(0, 10, (4, 20), dtype=np.int32)
    tokens[:, 0], tokens[:, 1] = 1, 2
    other = tokens.copy()
    other[:, 0], other[:, 1] = 2, 1
    assert np.abs((deep(tokens) - deep(other))[:, 2:]).max() > 1e-3


@pytest.mark.parametrize(("depth", "window", "field"), [(1, 4, 4), (2, 4, 7), (1, 0, 20), (1, 1, 1)])
def test_a_step_sees_the_window_of_the_past(depth, window, field):
    architecture = plugins.architecture("transformer_causal")
    options = {**architecture.options, "window": window}
    floats = dataclasses.replace(STEPS, inputs=3, tokens=False)
    model = stirred(build(architecture, floats, width=8, depth=depth, options=options, seed=0))
    x = tf.Variable(RNG.normal(size=(4, 20, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x)[:, -1] ** 2)
    seen = np.abs(tape.gradient(loss, x)).sum((0, 2)) > 0
    assert seen[20 - field :].all()
    assert not seen[: 20 - field].any()


@pytest.mark.parametrize("position", ["sinusoidal", "learned"])
def test_its_parameters_are_those_of_the_formula(position):
    D, d, wide, depth = 10, 16, 23, 3
    name = {"sinusoidal": "transformer", "learned": "transformer_learned"}[position]
    model = build(plugins.architecture(name), STEPS, width=d, inner=wide, depth=depth, seed=0)
    block = 4 * d * d + 4 * d + 2 * d * wide + d + wide + 4 * d
    assert model.counts()["core"] == D * d + d + depth * block + 2 * d + (20 * d if position == "learned" else 0)


def test_only_the_first_layer_tells_places_and_only_the_last_is_normalised():
    model = build(plugins.architecture("transformer"), STEPS, width=8, depth=3, seed=0)
    assert [layer.entry is not None for layer in model.body.stack] == [True, False, False]
    assert [layer.norm is not None for layer in model.body.stack] == [False, False, True]


def test_the_second_width_meets_the_size_that_multiples_of_eight_miss():
    size = solve(plugins.architecture("transformer_causal"), setting(STEPS, size=5000, depth=2), "parameters")
    assert abs(size.deviation) < TOLERANCE
    assert size.width % 8 == 0
    assert size.inner not in (None, 4 * size.width)


def test_flops_count_the_scores_that_are_seen():
    D, d, T, head = 10, 8, 20, 2 * 8 * 7
    products = 2 * (4 * d * d + 2 * d * 4 * d)
    model = lambda name: build(plugins.architecture(name), STEPS, width=d, depth=2, seed=0)
    assert flops.per_token(model("transformer")) == 2 * D * d + 2 * (products + 4 * T * d) + head
    seen = np.tril(np.ones((T, T))).sum() / T
    assert flops.per_token(model("transformer_causal")) == pytest.approx(2 * D * d + 2 * (products + 4 * seen * d) + head)
    seen = replay.causal(T, 16).sum() / T
    assert flops.per_token(model("transformer_causal_window16")) == pytest.approx(2 * D * d + 2 * (products + 4 * seen * d) + head)


def test_a_row_without_a_valid_step_stays_finite():
    for future in (True, False):
        assert np.isfinite(built(future=future)(X, mask=np.zeros_like(MASK))).all()


def test_in_a_compiled_program_it_says_the_same():
    layer = built(position="rotary", future=False)
    compiled = tf.function(lambda x, mask: layer(x, mask=mask), jit_compile=True)(X, MASK)
    np.testing.assert_allclose(compiled.numpy()[MASK], layer(X, mask=MASK).numpy()[MASK], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"position": "alibi"}, "position must be one of sinusoidal, learned, rotary, none, got 'alibi'"),
        ({"position": "learned"}, "position 'learned' needs a length"),
        ({"heads": 3}, "units must be a multiple of the 3 heads, got 8"),
        ({"heads": 8, "position": "rotary"}, "the width of a head must be even, got 8 units in 8 heads"),
        ({"window": 4}, "window must be 0, or the steps that a layer without future sees, got 4"),
        ({"inner": 0}, "inner must be at least 1, got 0"),
    ],
)
def test_a_layer_that_cannot_be_is_refused(options, reason):
    with pytest.raises(ValueError, match=reason):
        Transformer(8, **options)


def test_a_layer_inside_a_stack_reads_its_own_width():
    with pytest.raises(ValueError, match="reads 8 units, got 5"):
        Transformer(8, first=False)(X)


@pytest.mark.parametrize("name", ["transformer", "transformer_causal", "tcn_short", "positional_mlp"])
def test_it_learns_what_stood_first(name, monkeypatch):
    monkeypatch.setattr(program, "JIT_UP_TO", 0)  # a graph compiles in a tenth of XLA's time
    architecture = plugins.architecture(name)
    asked = trial(FirstSign(), name, architecture=architecture, width=16, steps=200, batch_size=32, evaluations=1)
    result = training.train(dataclasses.replace(asked, values={"learning_rate": 0.01}))
    assert result.scores["validation"]["accuracy"] > 0.85, result.provenance  # a coin has 0.5
