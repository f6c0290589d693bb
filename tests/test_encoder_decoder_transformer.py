"""The Transformer that translates: its equations, its memory of what it wrote, its cost."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from suite import flops, plugins, program, training
from suite.decoding import greedy
from suite.layers.encoder_decoder_transformer import EncoderDecoderTransformer
from suite.models import build
from suite.task import Spec
from tests import numpy_transformer as replay
from tests.fakes import Reversal
from tests.trials import trial

SPEC = Spec(
    kind="sequence",
    loss="categorical",
    inputs=10,
    outputs=7,
    tokens=True,
    length=20,
    longest=20,
    lengths=(20,),
    target_lengths=(12,),
    start=6,
    stop=2,
)
RNG = np.random.default_rng(0)
X = RNG.integers(0, 10, (3, 20), dtype=np.int32)
MASK = np.arange(20) < np.array([20, 13, 4])[:, None]
TARGET = RNG.integers(0, 7, (3, 12), dtype=np.int32)
NAMES = ["transformer_seq2seq", "transformer_seq2seq_rope"]


def model(name="transformer_seq2seq", **more):
    made = build(plugins.architecture(name), SPEC, **{"width": 8, "seed": 0, **more})
    rng = np.random.default_rng(1)
    for weight in made.trainable_weights:
        weight.assign_add(rng.normal(0, 0.3, weight.shape))
    return made


@pytest.mark.parametrize("name", NAMES)
def test_it_is_its_equations(name):
    made = model(name, depth=1)
    body = made.body
    found = made(X, target_in=TARGET, mask=MASK).numpy()
    for row in range(3):
        x = np.eye(10)[X[row, MASK[row]]]
        memory = replay.whole(x, body.encoder[0], np.ones((len(x), len(x)), bool))
        y = replay.entered(np.eye(7)[TARGET[row]], body.entry)
        y = replay.normed(replay.through(y, body.decoder[0], replay.causal(12), np.arange(12), memory), body.norm)
        np.testing.assert_allclose(found[row], replay.dense(y, made.head.dense), rtol=1e-3, atol=1e-3)


def test_one_step_at_a_time_equals_the_teacher_forced_pass():
    made = model("transformer_seq2seq_rope", depth=2)
    forced = made(X, target_in=TARGET, mask=MASK).numpy()
    state = made.start(X, MASK)
    for step in range(6):
        logits, state = made.next(TARGET[:, step], state)
        np.testing.assert_allclose(logits, forced[:, step], rtol=1e-4, atol=1e-4)


def test_a_state_can_be_reordered_by_rows():
    made, order = model(), [2, 0, 1]
    state = made.start(X, MASK)
    for step in range(2):
        _, state = made.next(TARGET[:, step], state)
    assert all(array.shape[0] == 3 for array in tf.nest.flatten(state))
    moved, _ = made.next(TARGET[order, 2], tf.nest.map_structure(lambda array: tf.gather(array, order), state))
    straight, _ = made.next(TARGET[:, 2], state)
    np.testing.assert_allclose(moved, straight.numpy()[order], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("longest", [5, 30])
def test_it_writes_as_many_symbols_as_it_is_asked_for(longest):
    made = model()
    made.head.dense.bias.assign([0, 0, -9, 0, 0, 0, 0])  # it does not want to stop
    ids = greedy(made, X, MASK, longest).numpy()
    read = np.concatenate([np.full((3, 1), 6), ids[:, :-1]], axis=1)
    assert ids.shape == (3, longest)
    np.testing.assert_array_equal(ids, np.argmax(made(X, target_in=read, mask=MASK), axis=-1))


def test_a_step_beyond_the_room_is_refused():
    made = model()
    state = made.start(X, longest=2)
    for step in range(2):
        _, state = made.next(TARGET[:, step], state)
    with pytest.raises(tf.errors.InvalidArgumentError, match="room for 2 target steps"):
        made.next(TARGET[:, 2], state)


def test_its_parameters_are_those_of_the_formula():
    S, T, d, wide, depth = 10, 7, 16, 23, 3
    core = model(width=d, inner=wide, depth=depth).counts()["core"]
    block = 4 * d * d + 4 * d + 2 * d * wide + d + wide + 4 * d
    cross = 4 * d * d + 4 * d + 2 * d
    assert core == (S + T) * d + 2 * d + depth * (2 * block + cross) + 2 * 2 * d


def test_flops_are_those_of_source_and_target():
    S, T, d, depth = 10, 7, 8, 2
    source, target = 20, 12
    made = model(depth=depth)
    block = 2 * (4 * d * d + 2 * d * 4 * d)
    reads = source * (2 * S * d + depth * (block + 4 * source * d))
    cross = source * 4 * d * d + target * (4 * d * d + 4 * source * d)
    writes = target * (2 * T * d + depth * (block + 4 * d * (target + 1) / 2) + 2 * d * T)
    assert flops.per_token(made) == pytest.approx((reads + depth * cross + writes) / (source + target))


def test_dropout_stands_between_its_layers():
    made = model(depth=2)
    made.dropout.assign(0.5)
    made.head.dense.kernel.assign(np.zeros((8, 7)))
    between = lambda one: one.body(one.source(X), one.target(TARGET), training=True).numpy()
    assert not np.allclose(between(made), between(made))
    alone = model(depth=1)
    alone.dropout.assign(0.5)
    np.testing.assert_array_equal(between(alone), between(alone))


def test_decoding_runs_in_mixed_precision():
    made = build(plugins.architecture("transformer_seq2seq"), SPEC, width=8, depth=2, seed=0, precision="mixed_bfloat16")
    assert greedy(made, X, MASK, 3).numpy().shape == (3, 3)


def test_learned_places_of_a_target_are_refused():
    with pytest.raises(ValueError, match="position must be one of sinusoidal, rotary, none, got 'learned'"):
        EncoderDecoderTransformer(8, position="learned")


def test_it_learns_to_say_a_word_backwards(monkeypatch):
    monkeypatch.setattr(program, "JIT_UP_TO", 0)  # a graph compiles in a tenth of XLA's time
    architecture = plugins.architecture("transformer_seq2seq")
    asked = trial(Reversal(), "transformer_seq2seq", architecture=architecture, width=16, steps=200, batch_size=32, evaluations=1)
    result = training.train(dataclasses.replace(asked, values={"learning_rate": 0.01}))
    assert result.scores["validation"]["loss"] < 0.3, result.provenance  # a uniform guess has 1.6; 0.46 knows when to stop and no symbol
