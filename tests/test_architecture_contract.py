"""What every architecture keeps, ours, a stranger's and the tests' own; a new line of the table is tested without an edit here."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from suite import flops, plugins
from suite.decoding import greedy
from suite.models import build
from suite.task import Spec
from tests import fake_architectures

ARCHITECTURES = {name: entry.value for name, entry in plugins.table("ARCHITECTURES").items()} | fake_architectures.ARCHITECTURES


def presets():
    """The names whose layer, wiring and kinds are another's too: they differ by options alone."""
    whole, found = set(), set()
    for name in sorted(ARCHITECTURES, key=lambda name: len(ARCHITECTURES[name].options)):
        one = ARCHITECTURES[name]
        layers = (one.target, *(value for value in one.options.values() if ":" in str(value).partition(".")[2]))  # and a cell's
        what = (layers, tuple(sorted(one.wiring.items())), one.kinds, one.causal, one.carries)
        (found.add(name) if what in whole else whole.add(what))
    return found


PRESETS = presets()
CASES = [pytest.param(name, kind, id=f"{name}-{kind}") for name, one in ARCHITECTURES.items() for kind in sorted(one.kinds)]
# What makes a kind of a layer's outputs stands around the layer and knows none of its options: a preset is run on steps.
EVERY = [
    case
    for case in CASES
    if case.values[1] == "steps" or case.values[0] not in PRESETS or "steps" not in ARCHITECTURES[case.values[0]].kinds
]
# A cell on kind once is the cell on steps and a pool, which tests of its own hold: once is run where it is a case by itself.
REST = [
    case
    for case in EVERY
    if not (case.values[1] == "once" and ARCHITECTURES[case.values[0]].carries and len(ARCHITECTURES[case.values[0]].kinds) > 1)
]
PLAIN = [case for case in REST if case.values[1] != "sequence"]
STEPS = [case for case in EVERY if case.values[1] == "steps"]
ONE = [case for case in EVERY if case.values[1] == "steps" or ARCHITECTURES[case.values[0]].kinds == {case.values[1]}]  # one kind each
CARRYING = [case for case in STEPS if ARCHITECTURES[case.values[0]].carries]
SEQUENCE = [case for case in EVERY if case.values[1] == "sequence"]

TIME, SYMBOLS, OUTPUTS = 6, 5, 4
RNG = np.random.default_rng(7)
X = RNG.integers(0, SYMBOLS, (8, TIME), dtype=np.int32)
OTHER = (X + 1) % SYMBOLS
TARGET = RNG.integers(0, OUTPUTS, (8, 3), dtype=np.int32)
LENGTHS = np.array([6, 4, 3, 1, 6, 2, 5, 3])
MASK = np.arange(TIME) < LENGTHS[:, None]


def spec(kind):
    return Spec(
        kind=kind,
        loss="categorical",
        inputs=SYMBOLS,
        outputs=OUTPUTS,
        tokens=True,
        length=TIME,
        longest=TIME,
        lengths=(TIME,),
        target_lengths=(3,) if kind == "sequence" else (),
        stop=1,
    )


def made(name, kind, *, times=1, **more):
    architecture = ARCHITECTURES[name]
    width = architecture.multiple * -(-6 // architecture.multiple)
    return build(architecture, spec(kind), width=times * width, **({"seed": 3} | more))


@functools.lru_cache(maxsize=4)  # one architecture's: conftest.py puts its tests together
def begun(name, kind, precision="float32"):
    """A model, and the weights that it began with."""
    one = made(name, kind, precision=precision)
    return one, one.get_weights()


@functools.lru_cache(maxsize=3)
def model(name, kind):
    """One model for the tests that leave it as it is, away from the symmetries of fresh weights."""
    one, _ = begun(name, kind)
    stirred(one)
    return one


def stirred(one):
    rng = np.random.default_rng(11)
    for weight in one.trainable_weights:
        weight.assign_add(rng.normal(0, 0.1, weight.shape))


def more(kind):
    return {"target_in": TARGET} if kind == "sequence" else {}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_its_target_resolves(name):
    assert issubclass(ARCHITECTURES[name].resolve(), keras.layers.Layer)


@pytest.mark.parametrize("units", [0, -1])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_refuses_a_width_that_is_none(name, units):
    architecture = ARCHITECTURES[name]
    with pytest.raises(ValueError, match=str(units)):
        architecture.resolve()(units, length=TIME, **architecture.options)


@pytest.mark.parametrize(("name", "kind"), EVERY)
def test_its_outputs_have_the_shape_of_the_kind(name, kind):
    outputs = model(name, kind)(X, **more(kind))
    assert outputs.shape == {"once": (8, OUTPUTS), "steps": (8, TIME, OUTPUTS), "sequence": (8, 3, OUTPUTS)}[kind]
    assert np.isfinite(outputs).all()


@pytest.mark.parametrize(("name", "kind"), ONE)
def test_two_layers_of_it_stand_on_each_other(name, kind):
    deep = made(name, kind, depth=2)
    assert deep(X, mask=MASK, **more(kind)).shape == model(name, kind)(X, **more(kind)).shape


@pytest.mark.parametrize(("name", "kind"), STEPS)
def test_it_reads_the_future_only_where_it_says_so(name, kind):
    one = model(name, kind)
    changed = np.concatenate([X[:, :3], OTHER[:, 3:]], axis=1)
    before, after = one(X).numpy(), one(changed).numpy()
    if ARCHITECTURES[name].causal:
        np.testing.assert_allclose(after[:, :3], before[:, :3], atol=1e-6)
    else:
        assert not np.allclose(after[:, :3], before[:, :3])
    assert not np.allclose(after[:, 3:], before[:, 3:])


@pytest.mark.parametrize(("name", "kind"), SEQUENCE)
def test_a_target_reads_no_later_target(name, kind):
    one = model(name, kind)
    changed = np.concatenate([TARGET[:, :2], (TARGET[:, 2:] + 1) % OUTPUTS], axis=1)
    before, after = one(X, target_in=TARGET).numpy(), one(X, target_in=changed).numpy()
    np.testing.assert_allclose(after[:, :2], before[:, :2], atol=1e-6)
    assert not np.allclose(after[:, 2:], before[:, 2:])


@pytest.mark.parametrize(("name", "kind"), REST)
def test_masked_steps_do_not_matter(name, kind):
    one = model(name, kind)
    before = one(X, mask=MASK, **more(kind)).numpy()
    after = one(np.where(MASK, X, OTHER), mask=MASK, **more(kind)).numpy()
    keep = MASK if kind == "steps" else np.ones(before.shape[:-1], bool)
    np.testing.assert_allclose(after[keep], before[keep], atol=1e-6)


@pytest.mark.parametrize(("name", "kind"), EVERY)
def test_a_padded_row_is_the_row_alone(name, kind):
    one, row = model(name, kind), 1
    padded = one(X, mask=MASK, **more(kind)).numpy()[row]
    target = {"target_in": TARGET[row : row + 1]} if kind == "sequence" else {}
    alone = one(X[row : row + 1, : LENGTHS[row]], **target).numpy()[0]
    np.testing.assert_allclose(padded[: LENGTHS[row]] if kind == "steps" else padded, alone, atol=1e-5)


@pytest.mark.parametrize(("name", "kind"), REST)
def test_every_weight_gets_a_gradient(name, kind):
    one = model(name, kind)
    pull = RNG.normal(size=one(X, **more(kind)).shape).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(one(X, training=True, **more(kind)) * pull)
    gradients = tape.gradient(loss, [weight.value for weight in one.trainable_weights])
    for weight, gradient in zip(one.trainable_weights, gradients, strict=True):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all(), weight.path
        assert np.any(gradient), weight.path


@pytest.mark.parametrize(("name", "kind"), ONE)
def test_its_weights_follow_from_the_seed_in_every_precision(name, kind):
    (one, weights), (_, again), other = begun(name, kind), begun(name, kind, "mixed_bfloat16"), made(name, kind, seed=4)
    for a, b in zip(weights, again, strict=True):
        np.testing.assert_array_equal(a, b)
    body = {id(weight) for weight in one.body.weights}
    pairs = [(a, b) for weight, a, b in zip(one.weights, weights, other.weights, strict=True) if id(weight) in body]
    assert any(np.ptp(a) > 0 and not np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(("name", "kind"), ONE)
def test_saved_and_loaded_it_predicts_the_same(name, kind, tmp_path):
    one = model(name, kind)
    one.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(X, mask=MASK, **more(kind)), one(X, mask=MASK, **more(kind)), atol=1e-7)


@pytest.mark.parametrize(("name", "kind"), ONE)
def test_it_runs_in_mixed_precision(name, kind):
    mixed, _ = begun(name, kind, "mixed_bfloat16")
    mixed.set_weights(model(name, kind).get_weights())
    with tf.GradientTape() as tape:
        outputs = mixed(X, mask=MASK, training=True, **more(kind))
        loss = tf.reduce_sum(outputs * outputs)
    assert outputs.dtype == tf.float32
    assert all(np.isfinite(g).all() for g in tape.gradient(loss, [w.value for w in mixed.trainable_weights], unconnected_gradients="zero"))
    keep = MASK if kind == "steps" else np.ones(outputs.shape[:-1], bool)
    np.testing.assert_allclose(outputs.numpy()[keep], model(name, kind)(X, mask=MASK, **more(kind)).numpy()[keep], atol=0.1)


@pytest.mark.parametrize(("name", "kind"), CARRYING)
def test_two_half_windows_equal_the_whole(name, kind):
    one = model(name, kind)
    states = one.zero_states(8)
    first, middle = one(X[:, :3], states=states)
    second, _ = one(X[:, 3:], states=middle)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), one(X), atol=1e-5)
    assert [s.shape for s in tf.nest.flatten(middle)] == [s.shape for s in tf.nest.flatten(states)]


@pytest.mark.parametrize("name", [name for name, one in ARCHITECTURES.items() if one.carries and "sequence" in one.kinds])
def test_what_carries_a_state_serves_sequences_in_windows_too_unless_it_would_be_another_one_there(name):
    """In windows there is no encoder-decoder: what differs by its wiring alone would be the same architecture under two names."""
    one, own = ARCHITECTURES[name], {"context", "attention"}
    others = [other for other in ARCHITECTURES.values() if "steps" in other.kinds and not own & set(other.wiring)]
    same = own & set(one.wiring) and any((other.target, other.options) == (one.target, one.options) for other in others)
    assert bool(same) != ("steps" in one.kinds)


@pytest.mark.parametrize(("name", "kind"), SEQUENCE)
def test_one_target_step_at_a_time_equals_all_at_once(name, kind):
    one = model(name, kind)
    forced = one(X, target_in=TARGET, mask=MASK).numpy()
    state = one.start(X, MASK)
    for step in range(TARGET.shape[1]):
        logits, state = one.next(TARGET[:, step], state)
        np.testing.assert_allclose(logits, forced[:, step], atol=1e-5)


@pytest.mark.parametrize(("name", "kind"), SEQUENCE)
def test_it_decodes_its_own_symbols(name, kind):
    one, unknown = model(name, kind), (8, None)  # of unknown length no loop is compiled, which is another test's
    sizes = (tf.TensorSpec(unknown, tf.int32), tf.TensorSpec(unknown, tf.bool))
    ids = tf.function(lambda x, mask: greedy(one, x, mask, 4), input_signature=sizes, autograph=False)(X, MASK).numpy()
    start = np.full((8, 1), one.spec.start)
    likeliest = np.argmax(one(X, target_in=np.concatenate([start, ids[:, :-1]], axis=1), mask=MASK), axis=-1)
    running = np.cumsum(ids == one.spec.stop, axis=1) - (ids == one.spec.stop) == 0
    np.testing.assert_array_equal(ids, np.where(running, likeliest, one.spec.stop))


@pytest.mark.parametrize(("name", "kind"), PLAIN)
def test_probes_of_zero_change_nothing_and_their_gradient_reaches_the_first_step(name, kind):
    one = model(name, kind)
    probes = one.probes(8, TIME)
    if not tf.nest.flatten(probes):
        pytest.skip("no state to probe")
    with tf.GradientTape() as tape:
        tape.watch(probes)
        outputs = one(X, probes=probes)
        loss = tf.reduce_sum(outputs[..., 0])
    np.testing.assert_allclose(outputs, one(X), atol=1e-6)
    gradients = tf.nest.flatten(tape.gradient(loss, probes, unconnected_gradients="zero"))
    assert [g.shape for g in gradients] == [p.shape for p in tf.nest.flatten(probes)]
    assert all(np.isfinite(g).all() for g in gradients)
    passes = [
        state not in getattr(layer, "no_gradient", ())  # a clock, a scale
        for layer, shapes in zip(one.body.stack, probes, strict=True)
        for state in (layer.states if hasattr(layer, "states") and shapes else range(len(shapes)))
    ]
    assert [bool(np.any(g)) for g in gradients] == passes
    assert all(np.any(sum(np.abs(g.numpy()[t]).sum() for g in gradients)) for t in range(TIME))


@pytest.mark.parametrize(("name", "kind"), PLAIN)
def test_it_runs_beyond_the_training_length_where_it_says_so(name, kind):
    one, long = model(name, kind), np.concatenate([X, OTHER], axis=1)
    if ARCHITECTURES[name].extends:
        assert np.isfinite(one(long)).all()
    else:
        with pytest.raises(ValueError, match="defined up to 6 steps, got 12"):
            one(long)


@pytest.mark.parametrize(("name", "kind"), ONE)
def test_its_parameters_and_flops_grow_with_the_width(name, kind):
    one, two = model(name, kind), made(name, kind, times=2)
    core = lambda model: sum(np.prod(weight.shape) for weight in model.body.weights)  # an echo state network trains none of it
    assert 0 < core(one) < core(two)
    assert 0 < one.counts()["counted"] < two.counts()["counted"]
    assert 0 < flops.per_token(one) < flops.per_token(two)
    counts = one.counts()
    assert counts["parameters"] == counts["core"] + counts["head"] + counts["embedding"]
    assert counts["parameters"] == sum(np.prod(weight.shape) for weight in one.trainable_weights)
