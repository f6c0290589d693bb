"""Both attentions are their equations, weigh the valid source and nothing else, and learn where to look."""

import dataclasses
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from suite import flops, plugins
from suite.alignment import SCORES, Alignment
from suite.models import build
from tests.fake_architectures import ARCHITECTURES
from tests.fake_streams import Reversal
from tests.test_encoder_decoder import MASK, SPEC, TARGET, X

RNG = np.random.default_rng(5)
H = RNG.normal(size=(3, 6, 4)).astype(np.float32)
S = RNG.normal(size=(3, 5, 4)).astype(np.float32)

ATTENDING = ("bahdanau", "luong_dot", "luong_general", "luong_concat", "luong_feeding")


def alignment(score, units=3):
    made = Alignment(score, units)
    made.build(H.shape)
    return made


def softmax(scores):
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def scored(score, weights, s, h):
    """In float64, from the equations: s (units,), h (time, units) -> (time,)."""
    if score == "dot":
        return h @ s
    if score == "general":
        (W,) = weights
        return h @ W @ s
    W, U, v = weights
    return np.array([np.tanh(s @ W + one @ U) @ v[:, 0] for one in h])


@pytest.mark.parametrize("score", SCORES)
def test_the_weights_are_a_softmax_of_the_scores_over_the_valid_source(score):
    made = alignment(score)
    c, a = made.weigh(S, made.remember(H, MASK))
    weights = [w.numpy().astype(np.float64) for w in made.weights]
    for row, mask in enumerate(MASK):
        h = H[row, mask].astype(np.float64)
        for step, s in enumerate(S[row].astype(np.float64)):
            share = softmax(scored(score, weights, s, h))
            np.testing.assert_allclose(a[row, step][mask], share, atol=1e-6)
            np.testing.assert_allclose(c[row, step], share @ h, atol=1e-6)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("mask", [MASK, MASK[:, ::-1], np.array([[1, 0, 1, 0, 1, 1]] * 3, bool)], ids=["right", "left", "holes"])
def test_the_weights_sum_to_one_over_the_valid_source_and_are_zero_on_padding(score, mask):
    made = alignment(score)
    _, a = made.weigh(100 * S, made.remember(H, mask))  # far into saturation
    np.testing.assert_allclose(a.numpy().sum(-1), 1, atol=1e-6)
    assert (a.numpy()[~np.broadcast_to(mask[:, None], a.shape)] == 0).all()


@pytest.mark.parametrize("score", SCORES)
def test_a_row_without_a_valid_step_has_no_weight_and_a_context_of_zero(score):
    made = alignment(score)
    c, a = made.weigh(S, made.remember(H, np.zeros_like(MASK)))
    assert not np.any(a)
    assert not np.any(c)


@pytest.mark.parametrize("score", SCORES)
def test_the_order_of_the_source_does_not_matter_to_the_context_and_moves_the_weights_along(score):
    made, order = alignment(score), np.array([3, 0, 5, 1, 4, 2])
    c, a = made.weigh(S, made.remember(H, MASK))
    turned_c, turned_a = made.weigh(S, made.remember(H[:, order], MASK[:, order]))
    np.testing.assert_allclose(turned_c, c, atol=1e-6)
    np.testing.assert_allclose(turned_a, a.numpy()[:, :, order], atol=1e-6)
    assert not np.allclose(turned_a, a)


def test_a_general_score_with_the_identity_is_the_dot_score():
    general, dot = alignment("general"), alignment("dot")
    general.key_kernel.assign(np.eye(4))
    for found, expected in zip(general.weigh(S, general.remember(H)), dot.weigh(S, dot.remember(H)), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def wired(name="elman", *, context="init", seed=0, spec=SPEC, stirred=True, width=4, table=None, **more):
    attention = more.pop("attention", "none")
    wiring = {"context": context, "attention": attention}
    made = build(dataclasses.replace((table or plugins.architecture)(name), wiring=wiring), spec, width=width, seed=seed, **more)
    for weight in made.trainable_weights if stirred else ():
        weight.assign(weight * 2.0)
    return made


fake = functools.partial(wired, table=ARCHITECTURES.get)


def named(layer):
    return {weight.path.rpartition("/")[2]: weight.numpy().astype(np.float64) for weight in layer.weights}


def elman(weights, x, h):
    return np.tanh(x @ weights["kernel"] + h @ weights["recurrent_kernel"] + weights["bias"])


@pytest.mark.parametrize(
    ("attention", "context"),
    [*((attention, "init") for attention in ATTENDING), ("bahdanau", "every_step"), ("bahdanau", "both"), ("luong_feeding", "both")],
)
def test_the_whole_model_is_its_equations(attention, context):
    made = wired(attention=attention, context=context)
    encoder, decoder = named(made.body.encoder), named(made.body.decoder)
    align = [w.numpy().astype(np.float64) for w in made.body.align.weights]
    score = {"bahdanau": "concat", "luong_feeding": "general"}.get(attention) or attention.removeprefix("luong_")
    W_c = None if attention == "bahdanau" else made.body.combine.kernel.numpy().astype(np.float64)
    V, b = (weight.numpy().astype(np.float64) for weight in (made.head.dense.kernel, made.head.dense.bias))
    found = made(X, target_in=TARGET, mask=MASK).numpy()
    maps = made.attention_map(X, TARGET, MASK).numpy()
    for row, mask in enumerate(MASK):
        h = [np.zeros(4)]
        for x in np.eye(7)[X[row][mask]]:
            h.append(elman(encoder, x, h[-1]))
        last, h = h[-1], np.array(h[1:])
        s = np.zeros(4) if context == "every_step" else last
        constant = [] if context == "init" else [last]
        fed = np.zeros(4)
        for step, y in enumerate(np.eye(5)[TARGET[row]]):
            if attention == "bahdanau":
                a = softmax(scored(score, align, s, h))
                s = out = elman(decoder, np.concatenate([y, a @ h, *constant]), s)
            else:
                before = [fed] if attention == "luong_feeding" else []
                s = elman(decoder, np.concatenate([y, *before, *constant]), s)
                a = softmax(scored(score, align, s, h))
                out = fed = np.tanh(np.concatenate([a @ h, s]) @ W_c)
            np.testing.assert_allclose(maps[row, step][mask], a, atol=1e-5)
            np.testing.assert_allclose(found[row, step], out @ V + b, atol=1e-5)


@functools.cache
def size(attention, name="elman"):
    made = wired(name, attention=attention)
    return made.counts()["core"], flops.per_token(made) * (SPEC.length + max(SPEC.target_lengths))


@pytest.mark.parametrize(("name", "gates"), [("elman", 1), ("lstm", 4)])
def test_attention_costs_the_parameters_of_its_equations(name, gates):
    units = 4
    square, fed = units * units, gates * units * units  # `fed`: the decoder's kernel of what attention feeds to it
    expected = {"bahdanau": units * (units + units) + units + fed}
    if name == "elman":
        expected |= {"luong_dot": 2 * square, "luong_general": 3 * square, "luong_feeding": 3 * square + fed}
        expected |= {"luong_concat": units * (units + units) + units + 2 * square}
    for attention, more in expected.items():
        assert size(attention, name)[0] - size("none", name)[0] == more, attention


def test_attention_costs_floating_point_operations_for_every_pair_of_steps():
    """Per target step, of T source steps: Bahdanau 2aH + T 2a + 2TH, and U h_j once a source step; Luong 2TH + 2TH + 4H^2."""
    T, target, U = SPEC.length, max(SPEC.target_lengths), 4
    more = {attention: size(attention)[1] - size("none")[1] for attention in ATTENDING}
    fed = target * 2 * U * U
    assert more["bahdanau"] == pytest.approx(target * (2 * U * U + T * 2 * U + 2 * T * U) + T * 2 * U * U + fed)
    assert more["luong_dot"] == pytest.approx(target * (2 * T * U + 2 * T * U + 4 * U * U))
    assert more["luong_general"] == pytest.approx(more["luong_dot"] + T * 2 * U * U)
    assert more["luong_feeding"] == pytest.approx(more["luong_general"] + fed)


@pytest.mark.parametrize(
    ("name", "attention", "depth"), [("fake-gru", "luong_concat", 1), ("fake-lstm", "bahdanau", 2), ("fake-lstm", "luong_feeding", 1)]
)
def test_a_strangers_layer_attends_too_one_step_at_a_time_as_all_at_once(name, attention, depth):
    made = fake(name, attention=attention, depth=depth)
    forced = made(X, target_in=TARGET, mask=MASK).numpy()
    maps = made.attention_map(X, TARGET, MASK).numpy()
    state = made.start(X, MASK)
    for step in range(TARGET.shape[1]):
        logits, state = made.next(TARGET[:, step], state)
        np.testing.assert_allclose(logits, forced[:, step], atol=1e-5)
    assert maps.shape == (3, 4, 6)
    np.testing.assert_allclose(maps.sum(-1), 1, atol=1e-6)
    assert (maps[~np.broadcast_to(MASK[:, None], maps.shape)] == 0).all()


def test_what_does_not_attend_has_no_map():
    assert fake("fake-gru").attention_map(X, TARGET, MASK) is None
    assert build(ARCHITECTURES["fake-glance"], SPEC, width=4, seed=0).attention_map(X, TARGET, MASK) is None


def test_a_map_is_in_float32_in_mixed_precision_too():
    mixed = wired("lstm", attention="bahdanau", stirred=False, precision="mixed_bfloat16").attention_map(X, TARGET, MASK)
    exact = wired("lstm", attention="bahdanau", stirred=False).attention_map(X, TARGET, MASK)
    assert mixed.dtype == tf.float32
    np.testing.assert_allclose(mixed.numpy().sum(-1), 1, atol=1e-6)
    np.testing.assert_allclose(mixed, exact, atol=0.02)


@pytest.mark.parametrize("attention", ["bahdanau", "luong_feeding"])
def test_a_map_is_made_in_a_graph_of_unknown_sizes_too(attention):
    made = wired(attention=attention)
    sizes = [tf.TensorSpec((None, None), tf.int32)] * 2
    graph = tf.function(
        lambda x, target: (made(x, target_in=target), made.attention_map(x, target)), autograph=False, input_signature=sizes
    )
    outputs, maps = graph(X, TARGET)
    np.testing.assert_allclose(outputs, made(X, target_in=TARGET), atol=1e-5)
    np.testing.assert_allclose(maps, made.attention_map(X, TARGET), atol=1e-5)


def gradients(made, jit):
    weights = [weight.value for weight in made.trainable_weights]

    @tf.function(jit_compile=jit, autograph=False)
    def step():
        with tf.GradientTape() as tape:
            outputs = made(X, target_in=TARGET, mask=MASK, training=True)
            loss = tf.reduce_sum(outputs * outputs)
        return outputs, tape.gradient(loss, weights)

    return step()


@pytest.mark.parametrize(("attention", "name"), [("bahdanau", "gru"), ("luong_general", "elman")])
def test_in_one_xla_program_the_gradients_are_those_of_eager_steps(attention, name):
    made = wired(name, attention=attention)
    outputs, found = gradients(made, jit=True)
    tf.config.run_functions_eagerly(True)
    try:
        expected_outputs, expected = gradients(made, jit=False)
    finally:
        tf.config.run_functions_eagerly(False)
    np.testing.assert_allclose(outputs, expected_outputs, atol=1e-5)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * max(1.0, np.abs(other).max()))


@pytest.mark.parametrize(("attention", "way"), [("bahdanau", "plain"), ("luong_feeding", "plain"), ("luong_general", "engine")])
def test_attention_that_feeds_back_says_that_its_loop_is_plain(attention, way):
    made = wired("gru", attention=attention)
    tf.function(lambda: made(X, target_in=TARGET), autograph=False)()
    told = {layer.impl for layer in made._flatten_layers() if hasattr(layer, "impl")}
    assert told == ({"engine"} if way == "engine" else {"engine", "plain: attention inside the target's loop"})


def test_dropout_between_layers_stays_off_unless_training():
    made = wired("gru", attention="bahdanau", depth=2)
    plain = made(X, target_in=TARGET, training=True).numpy()
    made.dropout.assign(0.5)
    np.testing.assert_array_equal(made(X, target_in=TARGET), plain)
    assert not np.allclose(made(X, target_in=TARGET, training=True), plain)


@pytest.mark.parametrize("attention", ["bahdanau", "luong_dot"])
def test_a_probe_of_the_encoders_state_feels_every_target_through_attention(attention):
    made = wired("gru", attention=attention, context="every_step")
    probes = made.probes(3, 6)
    with tf.GradientTape() as tape:
        tape.watch(probes)
        outputs = made(X, target_in=TARGET, probes=probes)
        loss = tf.reduce_sum(outputs[:, 0, 0])
    ((gradient,),) = tape.gradient(loss, probes)
    np.testing.assert_allclose(outputs, made(X, target_in=TARGET), atol=1e-6)
    assert gradient.shape == (6, 3, 4)
    assert (np.abs(gradient).sum(axis=(1, 2)) > 0).all()


@pytest.mark.parametrize("attention", ["bahdanau", "luong_dot"])
def test_it_learns_to_reverse_and_where_to_look(attention):
    """After some hundred steps the weight lies on the symbol that is said next, which a fixed vector gives no way to point at."""
    task = Reversal(length=6, symbols=4)
    made = wired("gru", width=16, spec=task.spec, attention=attention, stirred=False)
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build(made.trainable_variables)

    @tf.function(autograph=False)
    def step(x, target_in, mask, y, weight):
        with tf.GradientTape() as tape:
            outputs = made(x, target_in=target_in, mask=mask, training=True)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, outputs)
            loss = tf.reduce_sum(loss * weight) / tf.reduce_sum(weight)
        optimizer.apply_gradients(
            zip(tape.gradient(loss, [v.value for v in made.trainable_variables]), made.trainable_variables, strict=True)
        )
        return loss

    batches = task.batches("train", seed=0, batch_size=32)
    losses = [float(step(b.x, b.target_in, b.mask, b.y, b.weight)) for b, _ in zip(batches, range(300), strict=False)]
    batch = next(task.batches("validation", seed=0, batch_size=50))
    maps = made.attention_map(batch.x, batch.target_in, batch.mask).numpy()
    sizes = batch.mask.sum(axis=1)
    looked = [maps[row, step, size - 1 - step] for row, size in enumerate(sizes) if size > 1 for step in range(size)]
    uniform = [1 / size for size in sizes if size > 1 for _ in range(size)]
    assert np.mean(losses[-10:]) < 0.1 * losses[0]
    assert np.mean(looked) > 1.5 * np.mean(uniform)  # .57 and more, against .27
