"""The encoder-decoder is its equations, and writes alone what it writes when taught."""

import dataclasses

import numpy as np
import pytest

from suite import plugins
from suite.decoding import greedy
from suite.models import build
from suite.task import Spec
from tests.fake_architectures import ARCHITECTURES

SPEC = Spec(
    kind="sequence",
    loss="categorical",
    inputs=7,
    outputs=5,
    tokens=True,
    length=6,
    longest=6,
    lengths=(6,),
    target_lengths=(4,),
    start=4,
    stop=2,
)
X = np.random.default_rng(0).integers(0, 7, (3, 6), dtype=np.int32)
MASK = np.arange(6) < np.array([6, 4, 2])[:, None]
TARGET = np.array([[4, 0, 1, 3], [4, 2, 2, 2], [4, 3, 3, 0]], np.int32)


def model(name="fake-gru", *, context="init", depth=1, seed=0, **more):
    architecture = dataclasses.replace(ARCHITECTURES[name], wiring={"context": context})
    made = build(architecture, SPEC, width=4, depth=depth, seed=seed, **more)
    for weight in made.trainable_weights:  # far from the start, so that symbols differ
        weight.assign(weight * 2.0)
    return made


EVERY = [
    ("fake-gru", "init", 1),
    ("fake-gru", "every_step", 2),
    ("fake-lstm", "both", 2),
    ("fake-lstm", "init", 2),
    ("fake-glance", "init", 1),
]


@pytest.mark.parametrize(("name", "context", "depth"), EVERY)
def test_one_step_at_a_time_equals_the_teacher_forced_pass(name, context, depth):
    made = model(name, context=context, depth=depth)
    forced = made(X, target_in=TARGET, mask=MASK).numpy()
    state = made.start(X, MASK)
    for step in range(TARGET.shape[1]):
        logits, state = made.next(TARGET[:, step], state)
        np.testing.assert_allclose(logits, forced[:, step], atol=1e-5)


@pytest.mark.parametrize(("name", "context", "depth"), EVERY)
def test_greedy_symbols_are_the_likeliest_of_the_teacher_forced_pass_on_themselves(name, context, depth):
    found = 0
    made = model(name, context=context, depth=depth)
    for bias in (-4, -1, 0, 1, 2, 4):
        made.head.dense.bias.assign([0, 0, bias, 0, 0])
        ids = greedy(made, X, MASK, 7).numpy()
        read = np.concatenate([np.full((3, 1), SPEC.start), ids[:, :-1]], axis=1)
        likeliest = np.argmax(made(X, target_in=read, mask=MASK), axis=-1)
        for row, expected in zip(ids, likeliest, strict=True):
            stops = np.flatnonzero(row == SPEC.stop)
            end = stops[0] + 1 if len(stops) else len(row)
            np.testing.assert_array_equal(row[:end], expected[:end])
            assert (row[end:] == SPEC.stop).all()
            found += len(stops) > 0
    assert 0 < found < 18  # some rows stop and some do not, or half of this is not tested


@pytest.mark.parametrize("context", ["init", "every_step"])
def test_decoding_runs_in_mixed_precision(context):
    ids = greedy(model("fake-lstm", context=context, depth=2, precision="mixed_bfloat16"), X, MASK, 3).numpy()
    assert ids.shape == (3, 3)
    assert ((ids >= 0) & (ids < SPEC.outputs)).all()


@pytest.mark.parametrize("name", ["fake-gru", "fake-glance"])
def test_decoding_stops_at_the_stop_symbol(name):
    made = model(name)
    made.head.dense.kernel.assign(np.zeros((4, 5)))
    made.head.dense.bias.assign([0, 0, 1, 0, 0])
    np.testing.assert_array_equal(greedy(made, X, MASK, 5), np.full((3, 5), SPEC.stop))
    made.head.dense.bias.assign([0, 1, 0, 0, 0])
    np.testing.assert_array_equal(greedy(made, X, MASK, 5), np.ones((3, 5)))


@pytest.mark.parametrize(("name", "context", "depth"), EVERY)
def test_the_padding_of_the_source_does_not_matter(name, context, depth):
    made = model(name, context=context, depth=depth)
    padded = made(X, target_in=TARGET, mask=MASK).numpy()
    for row, length in enumerate((6, 4, 2)):
        alone = made(X[row : row + 1, :length], target_in=TARGET[row : row + 1]).numpy()
        np.testing.assert_allclose(padded[row], alone[0], atol=1e-6)


@pytest.mark.parametrize(("name", "context", "depth"), EVERY)
def test_a_later_target_does_not_change_an_earlier_output_and_the_source_does(name, context, depth):
    made = model(name, context=context, depth=depth)
    before = made(X, target_in=TARGET).numpy()
    changed = TARGET.copy()
    changed[:, 2:] = (changed[:, 2:] + 1) % 5
    after = made(X, target_in=changed).numpy()
    np.testing.assert_allclose(after[:, :2], before[:, :2], atol=1e-6)
    assert not np.allclose(after[:, 2:], before[:, 2:])
    assert not np.allclose(made((X + 1) % 7, target_in=TARGET), before)


def test_a_context_at_every_step_costs_one_kernel_of_the_encoders_width():
    core = {context: model(context=context).counts()["core"] for context in ("init", "every_step", "both")}
    assert core["every_step"] == core["both"] == core["init"] + 3 * 4 * 4


def test_the_encoder_and_the_decoder_begin_with_different_weights():
    made = model()
    encoder, decoder = made.body.encoder.weights[1], made.body.decoder.weights[1]
    assert encoder.shape == decoder.shape
    assert not np.allclose(encoder, decoder)


@pytest.mark.parametrize("context", ["init", "every_step", "both"])
def test_the_decoder_is_its_equation(context):
    """s_t = tanh(W_y y_(t-1) + W_c c + W_s s_(t-1) + b) and the head reads s_t; the seed's decoder is `every_step`."""
    made = build(dataclasses.replace(plugins.architecture("elman"), wiring={"context": context}), SPEC, width=4, seed=0)
    W, U, b = ({w.name: w.numpy().astype(np.float64) for w in made.body.encoder.weights}[n] for n in ("kernel", "recurrent_kernel", "bias"))
    h = np.zeros((3, 4))
    for x in np.moveaxis(np.eye(7)[X], 1, 0):
        h = np.tanh(x @ W + h @ U + b)
    W, U, b = ({w.name: w.numpy().astype(np.float64) for w in made.body.decoder.weights}[n] for n in ("kernel", "recurrent_kernel", "bias"))
    s = np.zeros((3, 4)) if context == "every_step" else h
    outputs = []
    for y in np.moveaxis(np.eye(5)[TARGET], 1, 0):
        read = y if context == "init" else np.concatenate([y, h], axis=1)
        s = np.tanh(read @ W + s @ U + b)
        outputs.append(s @ made.head.dense.kernel.numpy() + made.head.dense.bias.numpy())
    np.testing.assert_allclose(made(X, target_in=TARGET), np.stack(outputs, axis=1), atol=1e-5)


def test_target_symbols_have_a_table_of_their_own():
    counts = model(embedding=3).counts()
    assert counts["embedding"] == 7 * 3 + 5 * 3


def test_many_target_symbols_share_their_table_with_the_outputs():
    many = dataclasses.replace(SPEC, outputs=300)
    made = build(ARCHITECTURES["fake-gru"], many, width=4, embedding=3, seed=0)
    assert made.head.tied is made.target
    assert made.counts()["head"] == 3 * (4 + 1)


@pytest.mark.parametrize(
    ("wiring", "reason"),
    [
        ({"context": "never"}, "context must be one of init, every_step, both, got 'never'"),
        ({"attention": "luong"}, "attention must be one of none, bahdanau, luong_dot, luong_general, .*, got 'luong'"),
    ],
)
def test_an_unknown_wiring_is_refused(wiring, reason):
    with pytest.raises(ValueError, match=reason):
        build(dataclasses.replace(ARCHITECTURES["fake-gru"], wiring=wiring), SPEC, width=4, seed=0)
