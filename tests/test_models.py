"""A model keeps its promises: shapes, seeds, dropout, states, precision, saving, and refusals."""

import dataclasses
import random
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from suite import engine, plain, plugins
from suite.architecture import Architecture
from suite.dropout import Dropout
from suite.heads import Pool
from suite.linear_recurrence import LinearRecurrence
from suite.models import TIES_ABOVE, build
from suite.task import Spec
from tests.fake_architectures import ARCHITECTURES

LSTM = ARCHITECTURES["fake-lstm"]
CONVOLUTION = ARCHITECTURES["fake-convolution"]


def spec(kind="once", **changes):
    fields = {"kind": kind, "loss": "categorical", "inputs": 5, "outputs": 3, "tokens": True, "length": 6, "longest": 6, "lengths": (6,)}
    if kind == "sequence":
        fields["target_lengths"] = (4,)
    return Spec(**(fields | changes))


def tokens(batch=3, time=6, vocabulary=5):
    return np.random.default_rng(0).integers(0, vocabulary, (batch, time), dtype=np.int32)


def arrays(variables):
    return [variable.numpy() for variable in variables]


@pytest.mark.parametrize(("kind", "shape"), [("once", (3, 3)), ("steps", (3, 6, 3)), ("sequence", (3, 4, 3))])
@pytest.mark.parametrize("depth", [1, 2])
def test_outputs_have_the_shape_of_the_kind(kind, shape, depth):
    model = build(LSTM, spec(kind), width=4, depth=depth, seed=0)
    target = {"target_in": tokens(3, 4, 3)} if kind == "sequence" else {}
    assert model(tokens(), **target).shape == shape


@pytest.mark.parametrize(("name", "kind"), [("lstm", "steps"), ("lstm_bahdanau", "sequence"), ("lru", "steps")])
def test_a_model_is_built_without_taking_a_step(name, kind, monkeypatch):
    """Else the width solver would trace a loop for every width that it tries."""
    monkeypatch.setattr(engine, "run", None)
    monkeypatch.setattr(plain, "run", None)
    monkeypatch.setattr(LinearRecurrence, "_rows", None)
    model = build(plugins.architecture(name), spec(kind), width=4, seed=0)
    assert model.counts()["core"] > 0


def test_floats_enter_as_they_are():
    model = build(LSTM, spec(tokens=False, inputs=2), width=4, seed=0)
    assert model(np.zeros((3, 6, 2), np.float32)).shape == (3, 3)
    assert model.counts()["embedding"] == 0


def test_a_table_of_symbols_is_counted_apart():
    model = build(LSTM, spec(), width=4, embedding=7, seed=0)
    core, head = 4 * 4 * (7 + 4 + 1), 3 * (4 + 1)
    assert model.counts() == {"parameters": 35 + core + head, "core": core, "head": head, "embedding": 35, "counted": core + head}


def test_many_symbols_share_one_table_between_embedding_and_outputs():
    symbols = TIES_ABOVE + 1
    model = build(LSTM, spec("steps", inputs=symbols, outputs=symbols), width=4, embedding=2, seed=0)
    assert model.counts() == {"parameters": 2 * symbols + 128, "core": 112, "head": 10, "embedding": 2 * symbols, "counted": 122} | {
        "parameters": 2 * symbols + 4 * 4 * (2 + 4 + 1) + 2 * (4 + 1)
    }
    table = model.source.table.numpy()
    states = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    dense = states @ model.head.dense.kernel.numpy() + model.head.dense.bias.numpy()
    np.testing.assert_allclose(model.head(states), dense @ table.T, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "changes", [{"outputs": TIES_ABOVE, "inputs": TIES_ABOVE}, {"outputs": TIES_ABOVE + 1, "inputs": 5}, {"outputs": 3, "inputs": 300}]
)
def test_few_symbols_or_other_symbols_have_an_output_table_of_their_own(changes):
    model = build(LSTM, spec("steps", **changes), width=4, embedding=2, seed=0)
    assert model.counts()["head"] == changes["outputs"] * 5


def test_a_table_has_a_dense_gradient_that_adds_up_repeated_symbols():
    model = build(LSTM, spec("steps", inputs=300, outputs=300), width=4, embedding=2, seed=0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model.source(np.array([[7, 7, 9]])))
    (gradient,) = tape.gradient(loss, [model.source.table.value])
    expected = np.zeros((300, 2))
    expected[7], expected[9] = 2, 1
    assert isinstance(gradient, tf.Tensor)
    np.testing.assert_array_equal(gradient, expected)


Y = np.random.default_rng(3).normal(size=(3, 5, 2)).astype(np.float32)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 1, 0, 0]], bool)


@pytest.mark.parametrize(
    ("how", "summary"), [("last", lambda rows: rows[-1]), ("mean", lambda rows: rows.mean(0)), ("max", lambda rows: rows.max(0))]
)
def test_heads_read_the_valid_steps_only(how, summary):
    expected = np.stack([summary(y[mask]) for y, mask in zip(Y, MASK, strict=True)])
    np.testing.assert_allclose(Pool(how)(Y, mask=MASK), expected, rtol=1e-6)
    np.testing.assert_allclose(Pool(how)(Y), np.stack([summary(y) for y in Y]), rtol=1e-6)


def test_attention_weighs_the_valid_steps_by_a_softmax():
    pool = Pool("attention")
    pool(Y)
    kernel, bias = (weight.numpy() for weight in pool.weights)
    expected = []
    for y, mask in zip(Y.astype(np.float64), MASK, strict=True):
        weight = np.exp(y[mask] @ kernel[:, 0] + bias)
        expected.append(weight / weight.sum() @ y[mask])
    np.testing.assert_allclose(pool(Y, mask=MASK), np.stack(expected), rtol=1e-5)


@pytest.mark.parametrize("how", ["last", "mean", "max", "attention"])
def test_a_row_without_a_valid_step_stays_finite(how):
    assert np.isfinite(Pool(how)(Y, mask=np.zeros_like(MASK))).all()


@pytest.mark.parametrize("how", ["mean", "max", "attention"])
def test_the_head_is_chosen_by_the_wiring(how):
    model = build(dataclasses.replace(LSTM, wiring={"head": how}), spec(), width=4, seed=0)
    assert model.pool.how == how
    assert model(tokens()).shape == (3, 3)


def test_dropout_is_off_until_its_rate_is_assigned():
    model = build(LSTM, spec("steps"), width=4, depth=2, seed=0)
    plain = model(tokens()).numpy()
    np.testing.assert_array_equal(model(tokens(), training=True), plain)
    model.dropout.assign(0.5)
    assert not np.allclose(model(tokens(), training=True), plain)
    np.testing.assert_array_equal(model(tokens()), plain)


def test_dropout_drops_its_share_and_keeps_the_mean():
    drop = Dropout(0)
    drop.rate.assign(0.3)
    y = drop(np.ones((100, 100), np.float32), training=True).numpy()
    share, scale = np.mean(y == 0), 1 / 0.7
    assert abs(share - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 10_000)
    np.testing.assert_allclose(y[y > 0], scale, rtol=1e-6)


def test_resetting_the_variables_repeats_the_dropped_elements():
    model = build(LSTM, spec(), width=8, depth=2, seed=0)
    model.dropout.assign(0.5)
    before = arrays(model.variables)
    first, second = (model(tokens(), training=True).numpy() for _ in range(2))
    assert not np.allclose(first, second)
    for variable, value in zip(model.variables, before, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(model(tokens(), training=True), first)


def test_the_same_elements_are_dropped_with_xla_and_without():
    drop, x = Dropout(3), tf.ones((8, 9, 7))
    drop.rate.assign(0.5)
    found = []
    for jit in (True, False):
        drop.generator.state.assign([3, 0])
        found.append(tf.function(lambda x: drop(x, training=True), jit_compile=jit)(x).numpy())
    np.testing.assert_array_equal(*found)
    assert drop.generator.state[1] == 1


def test_the_rate_is_a_value_of_a_compiled_graph():
    model = build(LSTM, spec(), width=8, depth=2, seed=0)
    step = tf.function(lambda x: model(x, training=True))
    x = tf.constant(tokens())
    plain = step(x).numpy()
    model.dropout.assign(0.5)
    assert not np.allclose(step(x), plain)
    model.dropout.assign(0.0)
    np.testing.assert_array_equal(step(x), plain)
    assert step.experimental_get_tracing_count() == 1


def drawn(shape, dtype):
    return np.random.normal(size=shape).astype(dtype)  # noqa: NPY002


@keras.saving.register_keras_serializable("fakes")
class Careless(keras.layers.Layer):
    """A third party's layer that draws its weights from every unseeded source there is."""

    def __init__(self, units, *, length=None, **options):
        super().__init__(**options)
        self.units = units

    def build(self, x_shape):
        shape = (x_shape[-1], self.units)
        self.stock = self.add_weight(name="stock", shape=shape, initializer="orthogonal")
        self.legacy = self.add_weight(name="legacy", shape=shape, initializer=drawn)
        self.unseeded = self.add_weight(name="unseeded", shape=shape, initializer=lambda shape, dtype: keras.random.normal(shape))
        self.inside = keras.layers.Dense(self.units, kernel_initializer="he_normal", bias_initializer="uniform")
        self.built = True

    def call(self, x, mask=None, training=False):
        return self.inside(x @ (self.stock + self.legacy + self.unseeded))


CARELESS = dataclasses.replace(CONVOLUTION, target=f"{__name__}:Careless")


@pytest.fixture
def careless(monkeypatch):
    monkeypatch.setattr(Architecture, "resolve", lambda self: Careless)
    return CARELESS


def test_initial_weights_follow_from_the_seed_alone(careless):
    one = arrays(build(careless, spec("steps"), width=4, embedding=3, seed=5).weights)
    random.random()
    keras.layers.Dense(3).build((1, 2))
    again = arrays(build(careless, spec("steps"), width=4, embedding=3, seed=5).weights)
    other = arrays(build(careless, spec("steps"), width=4, embedding=3, seed=6).weights)
    for a, b, c in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.ptp(a) == 0 or not np.isclose(a, c).any()


def test_a_thread_that_draws_meanwhile_changes_no_initial_weight():
    """The threads of a worker process do: the same seed must give the same trial."""
    made = lambda: arrays(build(LSTM, spec("steps"), width=4, embedding=3, seed=5).weights)
    alone, done = made(), threading.Event()

    def draw():
        while not done.is_set():
            random.random()

    other = threading.Thread(target=draw)
    other.start()
    try:
        beside = made()
    finally:
        done.set()
        other.join()
    for one, again in zip(alone, beside, strict=True):
        np.testing.assert_array_equal(one, again)


def test_building_leaves_every_global_random_state_and_the_precision_as_they_were(careless):
    python, legacy, policy = random.getstate(), np.random.get_state(), keras.config.dtype_policy().name  # noqa: NPY002
    keras.utils.set_random_seed(1)
    expected = random.random(), np.random.uniform(), keras.random.uniform((2,)).numpy()  # noqa: NPY002
    keras.utils.set_random_seed(1)
    build(careless, spec("steps"), width=4, seed=5, precision="mixed_bfloat16")
    with pytest.raises(ValueError, match="head must be one of"):
        build(dataclasses.replace(careless, wiring={"head": "sum"}), spec(), width=4, seed=5, precision="mixed_bfloat16")
    found = random.random(), np.random.uniform(), keras.random.uniform((2,)).numpy()  # noqa: NPY002
    assert found[:2] == expected[:2]
    np.testing.assert_array_equal(found[2], expected[2])
    assert keras.config.dtype_policy().name == policy
    random.setstate(python)
    np.random.set_state(legacy)  # noqa: NPY002


def test_two_halves_with_the_state_carried_over_equal_the_whole():
    model = build(LSTM, spec("steps", carried=True), width=4, depth=2, seed=0)
    x = tokens()
    whole = model(x).numpy()
    first, states = model(x[:, :3], states=model.zero_states(3))
    second, _ = model(x[:, 3:], states=states)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-6)
    assert not np.allclose(second, model(x[:, 3:]))


def test_what_carries_nothing_takes_and_returns_an_empty_state():
    model = build(CONVOLUTION, spec("steps", carried=True), width=4, depth=2, seed=0)
    assert model.zero_states(3) == ((), ())
    outputs, states = model(tokens(), states=model.zero_states(3))
    assert states == ((), ())
    np.testing.assert_array_equal(outputs, model(tokens()))
    assert model.probes(3, 6) == ((), ())


class Bag(keras.layers.Dense):
    """Pools by itself: the sum of what a dense layer says of every step."""

    def __init__(self, units, *, length=None, **options):
        super().__init__(units, **options)

    def call(self, x, mask=None, training=False):
        return keras.ops.sum(super().call(x), axis=1)


def test_a_layer_that_pools_by_itself_needs_no_head_and_bears_no_other(monkeypatch):
    monkeypatch.setattr(Architecture, "resolve", lambda self: Bag)
    model = build(CONVOLUTION, spec(), width=4, seed=0)
    summed = np.eye(5)[tokens()].sum(1) @ model.body.stack[0].kernel.numpy()  # the biases are zero still
    np.testing.assert_allclose(model(tokens()), summed @ model.head.dense.kernel.numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="Bag pools by itself: nothing can stand on it, got depth 2"):
        build(CONVOLUTION, spec(), width=4, depth=2, seed=0)


@pytest.mark.parametrize(
    ("architecture", "changes", "sizes", "reason"),
    [
        (CONVOLUTION, {"kind": "sequence"}, {}, "serves tasks of kind once, steps, not 'sequence'"),
        (ARCHITECTURES["fake-both-ways"], {"kind": "steps", "causal": True}, {}, "reads the future"),
        (ARCHITECTURES["fake-gated"], {}, {"width": 3}, "positive multiple of 2 .* got 3"),
        (LSTM, {}, {"width": 0}, "positive multiple of 1 .* got 0"),
        (LSTM, {}, {"inner": 3}, "belongs to architectures with a second width, got 3"),
        (LSTM, {}, {"depth": 0}, "depth must be at least 1, got 0"),
        (LSTM, {"tokens": False}, {"embedding": 3}, "belongs to tasks of tokens, got 3"),
        (ARCHITECTURES["fake-gated"], {"longest": 8, "lengths": (6, 8)}, {}, "up to the training length, 6 steps, got rows of 8"),
        (dataclasses.replace(LSTM, wiring={"head": "sum"}), {}, {}, "head must be one of last, mean, max, attention, got 'sum'"),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_reason(architecture, changes, sizes, reason):
    with pytest.raises(ValueError, match=reason):
        build(architecture, spec(**changes), **({"width": 4, "seed": 0} | sizes))


def test_a_row_beyond_the_training_length_is_refused_where_the_layer_ends_there():
    model = build(ARCHITECTURES["fake-gated"], spec("steps"), width=4, seed=0)
    with pytest.raises(ValueError, match="up to 6 steps, got 7"):
        model(tokens(time=7))


@pytest.mark.parametrize("kind", ["once", "steps", "sequence"])
def test_a_saved_model_predicts_the_same(kind, tmp_path):
    model = build(
        dataclasses.replace(LSTM, wiring={"head": "attention", "context": "both"}), spec(kind), width=4, depth=2, embedding=3, seed=0
    )
    for weight in model.trainable_weights:  # what was trained is saved, not what was drawn
        weight.assign(weight * 1.5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    more = {"target_in": tokens(3, 4, 3)} if kind == "sequence" else {}
    np.testing.assert_array_equal(loaded(tokens(), **more), model(tokens(), **more))
    assert loaded.spec == model.spec


def test_a_shared_table_stays_shared_when_saved(tmp_path):
    model = build(LSTM, spec("steps", inputs=300, outputs=300), width=4, embedding=2, seed=0)
    model.source.table.assign(model.source.table * 2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(tokens()), model(tokens()))
    assert loaded.head.tied is loaded.source
    assert len({id(weight) for weight in loaded.weights}) == len(loaded.weights) == len(model.weights)


@pytest.mark.parametrize("kind", ["once", "steps", "sequence"])
def test_mixed_precision_keeps_weights_and_outputs_in_float32(kind):
    model = build(LSTM, spec(kind), width=4, depth=2, embedding=3, seed=0, precision="mixed_bfloat16")
    more = {"target_in": tokens(3, 4, 3)} if kind == "sequence" else {}
    outputs = model(tokens(), **more)
    assert outputs.dtype == tf.float32
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}
    assert model.body.compute_dtype == "bfloat16"
    exact = build(LSTM, spec(kind), width=4, depth=2, embedding=3, seed=0)(tokens(), **more)
    np.testing.assert_allclose(outputs, exact, atol=0.02)
    assert not np.array_equal(outputs, exact)


def test_carried_states_keep_their_dtype_in_mixed_precision():
    model = build(LSTM, spec("steps", carried=True), width=4, seed=0, precision="mixed_bfloat16")
    before = model.zero_states(3)
    _, after = model(tokens(), states=before)
    assert [s.dtype for s in tf.nest.flatten(after)] == [s.dtype for s in tf.nest.flatten(before)]
