"""The time loop: against equations and gradients written out by hand, for any cell, mask, direction, precision and way of running."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import suite.layers
import suite.layers.transfer
from suite.recurrence import Cell
from tests import bptt

NAMES = tuple(bptt.CELLS)
BATCH, TIME, FEATURES, UNITS = 5, 7, 3, 4
MASKS = {
    "none": None,
    "end": np.arange(TIME) < np.array([7, 4, 1, 6, 2])[:, None],
    "middle": np.array([[1, 1, 0, 1, 0, 1, 1], [0, 0, 1, 1, 1, 0, 0], [1] * 7, [0] * 7, [0, 1, 0, 1, 0, 1, 0]], bool),
}
WAYS = ("eager", "graph", "xla")


def layer(name, *, dtype="float64", seed=0, features=FEATURES, **options):
    """A built layer, away from the symmetries of fresh weights."""
    made = getattr(suite.layers, name)(UNITS, dtype=dtype, **options)
    made.build((None, None, features))
    stir(made, seed)
    return made


def stir(made, seed=0):
    rng = np.random.default_rng(seed)
    for weight in made.trainable_weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))


def noise(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def run_as(way, function, *tensors):
    """Call a function eagerly, in a graph or under XLA."""
    tensors = [tf.convert_to_tensor(tensor) for tensor in tensors]
    return function(*tensors) if way == "eager" else tf.function(function, autograph=False, jit_compile=way == "xla")(*tensors)


def arrays(made):
    return [np.asarray(weight, np.float64) for weight in (made.kernel, made.recurrent_kernel, made.bias)]


def derived(made, x, initial, d_outputs, d_final, mask=None, way="eager"):
    """Outputs, final states, and all gradients of sum(outputs * d_outputs) + sum(final * d_final) by the layer itself."""
    count = len(initial)
    probes = [np.zeros((x.shape[1], *state.shape), state.dtype) for state in initial]

    def compute(x, *rest):
        states, probes = list(rest[:count]), tuple(rest[count:])
        watched = [x, *states, *probes, *(weight.value for weight in made.trainable_weights)]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            y, *final = made(x, mask=mask, initial_state=states, probes=probes)
            loss = tf.reduce_sum(y * d_outputs) + sum(tf.reduce_sum(s * d) for s, d in zip(final, d_final, strict=True))
        return y, final, tape.gradient(loss, watched)

    y, final, found = run_as(way, compute, x, *initial, *probes)
    found = [np.asarray(one) for one in found]
    return np.asarray(y), [np.asarray(one) for one in final], found


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients_are_those_of_bptt_by_hand(name, mask):
    reference, mask = bptt.CELLS[name], MASKS[mask]
    made = layer(name, return_sequences=True, return_state=True)
    x, initial = noise(BATCH, TIME, FEATURES), [noise(BATCH, UNITS, seed=9 + k) for k in range(reference.states)]
    d_outputs, d_final = noise(BATCH, TIME, UNITS, seed=2), [noise(BATCH, UNITS, seed=3 + k) for k in range(reference.states)]
    if mask is not None:  # before the first valid step the output is zero, whatever the state
        d_outputs = d_outputs * (np.cumsum(mask, axis=1) > 0)[:, :, None]
    y, final, found = derived(made, x, initial, d_outputs, d_final, mask)
    outputs, states, _ = bptt.run(reference, x, arrays(made), initial, mask)
    begun = np.ones((BATCH, TIME), bool) if mask is None else np.cumsum(mask, axis=1) > 0
    np.testing.assert_allclose(y, outputs * begun[:, :, None], atol=1e-12)
    for state, expected in zip(final, states, strict=True):
        np.testing.assert_allclose(state, expected, atol=1e-12)
    by_hand = bptt.gradients(reference, x, arrays(made), initial, d_outputs, d_final, mask)
    expected = [by_hand.x, *by_hand.initial, *by_hand.states, by_hand.kernel, by_hand.recurrent, by_hand.bias]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_in_float32_they_are_the_same_however_the_layer_runs(name, way):
    reference, mask = bptt.CELLS[name], MASKS["middle"]
    made = layer(name, dtype="float32", return_sequences=True, return_state=True)
    x, initial = noise(BATCH, TIME, FEATURES), [np.zeros((BATCH, UNITS)) for _ in range(reference.states)]
    begun = (np.cumsum(mask, axis=1) > 0)[:, :, None]
    d_outputs, d_final = noise(BATCH, TIME, UNITS, seed=2) * begun, [np.zeros((BATCH, UNITS)) for _ in range(reference.states)]
    single = lambda array: np.asarray(array, np.float32)
    y, final, found = derived(made, single(x), [single(s) for s in initial], single(d_outputs), [single(d) for d in d_final], mask, way)
    outputs, states, _ = bptt.run(reference, single(x).astype(float), arrays(made), initial, mask)
    np.testing.assert_allclose(y, outputs, atol=1e-6)
    np.testing.assert_allclose(final[-1], states[-1], atol=1e-6)
    by_hand = bptt.gradients(reference, single(x).astype(float), arrays(made), initial, d_outputs, d_final, mask)
    expected = [by_hand.x, *by_hand.initial, *by_hand.states, by_hand.kernel, by_hand.recurrent, by_hand.bias]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * max(1.0, np.abs(other).max()))


@pytest.mark.parametrize("name", NAMES)
def test_the_probe_gradient_is_the_product_of_jacobians(name):
    """dL/ds_t = dL/ds_T J_T ... J_(t+1), where J_t = ds_t / ds_(t-1) by central differences of the equations."""
    reference = bptt.CELLS[name]
    made = layer(name, return_sequences=True, return_state=True)
    x, initial = noise(1, TIME, FEATURES), [noise(1, UNITS, seed=9 + k) for k in range(reference.states)]
    d_final = [noise(1, UNITS, seed=3 + k) for k in range(reference.states)]
    found = derived(made, x, initial, np.zeros((1, TIME, UNITS)), d_final)[2]
    probes = np.concatenate(found[1 + reference.states : 1 + 2 * reference.states], axis=-1)[:, 0]  # (time, states * units)
    weights = arrays(made)

    def advance(flat, t):
        states = [part[None] for part in np.split(flat, reference.states)]
        return np.concatenate([new[0] for new in bptt.run(reference, x[:, t : t + 1], weights, states)[1]])

    flat, trail = np.concatenate([state[0] for state in initial]), []
    for t in range(TIME):
        trail.append(flat)
        flat = advance(flat, t)
    slope = np.concatenate([d[0] for d in d_final])
    step = 1e-6
    for t in reversed(range(TIME)):
        np.testing.assert_allclose(probes[t], slope, atol=1e-8)
        nudges = step * np.eye(len(flat))
        jacobian = np.stack([(advance(trail[t] + nudge, t) - advance(trail[t] - nudge, t)) / (2 * step) for nudge in nudges], axis=1)
        slope = slope @ jacobian


@pytest.mark.parametrize("name", NAMES)
def test_a_probe_is_added_behind_its_step_and_the_output_sees_it(name):
    made = layer(name, return_sequences=True)
    x = noise(2, 3, FEATURES)
    probes = [np.zeros((3, 2, UNITS)) for _ in made.states]
    probes[0][1] = 0.5
    before, after = made(x).numpy(), made(x, probes=probes).numpy()
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    np.testing.assert_allclose(after[:, 1], before[:, 1] + 0.5)
    assert not np.allclose(after[:, 2], before[:, 2])


@pytest.mark.parametrize("name", NAMES)
def test_in_a_graph_probes_are_added_as_they_are_outside_of_one(name):
    made = layer(name, return_sequences=True)
    x = noise(2, 3, FEATURES)
    probes = [noise(3, 2, UNITS) for _ in made.states]
    graph = tf.function(lambda *probes: made(x, probes=list(probes)), autograph=False)
    np.testing.assert_allclose(graph(*map(tf.constant, probes)), made(x, probes=probes), rtol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_probes_that_a_graph_knows_to_be_zero_have_the_gradient_of_probes_that_it_reads(name):
    made = layer(name, return_sequences=True)
    x, pull = noise(40, 30, FEATURES), noise(40, 30, UNITS)  # so many that zeros are filled in

    def flow(probes):
        with tf.GradientTape() as tape:
            tape.watch(probes)
            loss = tf.reduce_sum(made(x, probes=probes) * pull)
        return tape.gradient(loss, probes)

    zeros = [tf.zeros((30, 40, UNITS), tf.float64) for _ in made.states]
    read = tf.function(lambda *probes: flow(list(probes)), autograph=False)(*zeros)
    known = tf.function(lambda: flow([tf.zeros((30, 40, UNITS), tf.float64) for _ in made.states]), autograph=False)()
    for one, other in zip(known, read, strict=True):
        assert np.any(one)
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_going_backwards_is_going_forwards_over_the_turned_row(name):
    ahead, behind = layer(name, return_sequences=True), layer(name, return_sequences=True, go_backwards=True)
    x, mask = noise(BATCH, TIME, FEATURES), MASKS["middle"]
    np.testing.assert_array_equal(behind(x, mask=mask), ahead(x[:, ::-1], mask=mask[:, ::-1]))


@pytest.mark.parametrize("name", NAMES)
def test_the_last_output_is_the_end_of_the_sequence_of_outputs(name):
    x, mask = noise(BATCH, TIME, FEATURES), MASKS["end"]
    y, *final = layer(name, return_sequences=True, return_state=True)(x, mask=mask)
    np.testing.assert_array_equal(layer(name)(x, mask=mask), y[:, -1])
    np.testing.assert_array_equal(final[0], y[:, -1])
    np.testing.assert_array_equal(y.numpy()[1, 4:], np.repeat(y.numpy()[1, 3:4], 3, axis=0))  # a masked step repeats the last output


def test_masked_outputs_are_zero_where_asked_for():
    x, mask = noise(BATCH, TIME, FEATURES), MASKS["middle"]
    blank = layer("LSTM", return_sequences=True, zero_output_for_mask=True)(x, mask=mask).numpy()
    plain = layer("LSTM", return_sequences=True)(x, mask=mask).numpy()
    np.testing.assert_array_equal(blank, np.where(mask[:, :, None], plain, 0))


@pytest.mark.parametrize("name", NAMES)
def test_one_step_at_a_time_is_the_whole_row(name):
    made = layer(name, return_sequences=True, return_state=True)
    x = noise(BATCH, TIME, FEATURES)
    whole, *final = made(x)
    states, outputs = None, []
    for t in range(TIME):
        y, *states = made(x[:, t : t + 1], initial_state=states)
        outputs.append(y)
    np.testing.assert_allclose(np.concatenate(outputs, axis=1), whole, atol=1e-12)
    for one, other in zip(states, final, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_one_graph_takes_any_batch_and_any_length(name):
    made = layer(name, return_sequences=True)
    function = tf.function(made, input_signature=[tf.TensorSpec((None, None, FEATURES), tf.float64)], autograph=False)
    for batch, time in ((2, 3), (5, 1), (1, 9)):
        x = noise(batch, time, FEATURES)
        np.testing.assert_allclose(function(x), made(x), atol=1e-12)
    assert function.experimental_get_tracing_count() == 1


def test_a_stateful_layer_carries_its_states_from_batch_to_batch_until_reset():
    x = noise(BATCH, 6, FEATURES)
    whole = layer("LSTM", return_sequences=True)(x).numpy()
    kept = suite.layers.LSTM(UNITS, return_sequences=True, stateful=True, dtype="float64")
    kept.build((BATCH, 3, FEATURES))
    stir(kept)
    assert len(kept.weights) == 3
    for _ in range(2):
        np.testing.assert_allclose(kept(x[:, :3]), whole[:, :3], atol=1e-12)
        np.testing.assert_allclose(kept(x[:, 3:]), whole[:, 3:], atol=1e-12)
        kept.reset_states()
    with pytest.raises(ValueError, match="keeps the states of 5 rows, got a batch of 2"):
        kept(x[:2])
    with pytest.raises(ValueError, match="must know the batch"):
        suite.layers.LSTM(UNITS, stateful=True).build((None, 3, FEATURES))


# --- what a cell may declare -------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable("tests")
class Peephole(Cell):
    """i = sigmoid(x W + h U + p * c);  c' = (1 - i) * c + i * tanh(x W + h U);  h' = tanh(c')"""

    gates = ("i", "g")
    states = ("h", "c")

    def step(self, x, states, recur):
        h, c = states
        i, g = recur(h, add=x)
        i = ops.sigmoid(i + self.p * c)
        c = (1 - i) * c + i * ops.tanh(g)
        return ops.tanh(c), c

    def weights_of_its_own(self, features):
        self.peephole = self.add_weight(name="peephole", shape=(self.units,), initializer="ones")

    def vectors(self):
        return {"p": self.peephole}


@keras.saving.register_keras_serializable("tests")
class Antisymmetric(Cell):
    """h' = h + tanh(x W + h (R - R^T) + context) * clock_t"""

    gates = ("h",)
    states = ("h",)
    constants = ("context",)

    def step(self, x, states, recur):
        (h,) = states
        now, clock = x
        (a,) = recur(h, add=(now,))
        return (h + ops.tanh(a + self.context) * clock,)

    def kernels(self):
        return self.recurrent_kernel - ops.transpose(self.recurrent_kernel)

    def signals(self, batch, time, training):
        return (ops.cast(tf.range(time) % 3, self.compute_dtype)[:, None, None],)


@keras.saving.register_keras_serializable("tests")
class Blocks(Cell):
    """h' = tanh(x W_h + m V + q);  m = (h U_h) * x W_q: an input block without recurrence, a product without input."""

    gates = ("h",)
    states = ("h",)
    only_inputs = ("q",)
    only_products = ("v",)

    def step(self, x, states, recur):
        (h,) = states
        x_h, x_q = x
        (m,) = recur(h, "h")
        (a,) = recur(m * x_q, "v", add=(x_h,))
        return (ops.tanh(a),)


def of(kind, **options):
    made = kind(UNITS, dtype="float64", return_sequences=True, **options)
    made.build((None, None, FEATURES))
    stir(made)
    return made


def step_by_step(kind, made, x, context=None):
    """The same equations in numpy."""
    w, u, b = arrays(made)
    h, c = np.zeros((len(x), UNITS)), np.zeros((len(x), UNITS))
    out = []
    for t in range(x.shape[1]):
        if kind is Peephole:
            i, g = np.split(x[:, t] @ w + b + h @ u, 2, axis=-1)
            i = bptt.sigmoid(i + made.peephole.numpy() * c)
            c = (1 - i) * c + i * np.tanh(g)
            h = np.tanh(c)
        elif kind is Antisymmetric:
            h = h + np.tanh(x[:, t] @ w + b + h @ (u - u.T) + context) * (t % 3)
        else:
            (x_h, x_q), (u_h, u_v) = np.split(x[:, t] @ w + b, 2, axis=-1), np.split(u, 2, axis=1)
            h = np.tanh(x_h + ((h @ u_h) * x_q) @ u_v)
        out.append(h)
    return np.stack(out, axis=1)


KINDS = (Peephole, Antisymmetric, Blocks)


def given(kind):
    return {"constants": [noise(BATCH, UNITS, seed=8)]} if kind is Antisymmetric else {}


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_constants_signals_kernels_and_odd_blocks_reach_the_step(kind):
    made, x = of(kind), noise(BATCH, TIME, FEATURES)
    context = given(kind).get("constants", [None])[0]
    np.testing.assert_allclose(made(x, **given(kind)), step_by_step(kind, made, x, context), atol=1e-12)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_their_gradients_are_those_of_finite_differences(kind, way):
    made, x, pull = of(kind), noise(BATCH, TIME, FEATURES), noise(BATCH, TIME, UNITS, seed=2)
    weights = made.trainable_weights

    def compute(x, *constants):
        watched = [x, *constants, *(weight.value for weight in weights)]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            loss = tf.reduce_sum(made(x, **({"constants": list(constants)} if constants else {})) * pull)
        return loss, tape.gradient(loss, watched)

    constants = given(kind).get("constants", [])
    _, found = run_as(way, compute, x, *constants)
    values = [x, *constants, *(weight.numpy() for weight in weights)]
    for index, (value, gradient) in enumerate(zip(values, found, strict=True)):
        direction = noise(*value.shape, seed=20 + index)

        def loss(amount, index=index, direction=direction):
            moved = [v + (amount * direction if i == index else 0) for i, v in enumerate(values)]
            for weight, new in zip(weights, moved[1 + len(constants) :], strict=True):
                weight.assign(new)
            context = moved[1] if constants else None
            return (step_by_step(kind, made, moved[0], context) * pull).sum()

        expected = (loss(1e-5) - loss(-1e-5)) / 2e-5
        loss(0.0)
        assert np.sum(np.asarray(gradient) * direction) == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_what_a_cell_cannot_take_is_refused_with_what_it_takes():
    x = noise(BATCH, TIME, FEATURES)
    with pytest.raises(ValueError, match=r"takes the constants \(context\), got 0"):
        of(Antisymmetric)(x)
    with pytest.raises(ValueError, match=r"takes one probe a state \(h, c\), got 1"):
        layer("LSTM")(x, probes=[np.zeros((TIME, BATCH, UNITS))])
    with pytest.raises(ValueError, match="expected 2 states, got 1"):
        layer("LSTM")(x, initial_state=[np.zeros((BATCH, UNITS))])
    with pytest.raises(ValueError, match=r"units must be a positive integer, got 2\.5"):
        suite.layers.LSTM(2.5)
    with pytest.raises(ValueError, match="initialization must be one of per_gate, joint, uniform, got 'keras'"):
        suite.layers.LSTM(2, initialization="keras")


@keras.saving.register_keras_serializable("tests")
class Wrong(Cell):
    """Steps that break the contract, one an option."""

    gates = ("a", "b")
    states = ("h",)
    options = ("fault",)

    def __init__(self, units, *, fault, **options):
        super().__init__(units, **options)
        self.fault = fault

    def step(self, x, states, recur):
        (h,) = states
        if self.fault == "gate":
            recur(h, "c")
        if self.fault == "add":
            recur(h, "a", add=x)
        return (h, h) if self.fault == "states" else (recur(h)[0][:, :1],)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("gate", "has the recurrent blocks a, b, got c"),
        ("add", "2 terms to add to 1 products"),
        ("states", "one tensor for each of h"),
        ("shape", "must keep the shape"),
    ],
)
def test_a_step_that_breaks_the_contract_is_told_how(fault, message):
    with pytest.raises(ValueError, match=message):
        Wrong(UNITS, fault=fault)(noise(BATCH, TIME, FEATURES))


# --- as an ordinary Keras layer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_keras_model_predicts_the_same(name, tmp_path):
    inputs = keras.Input((None, FEATURES))
    first = getattr(suite.layers, name)(UNITS, return_sequences=True)(inputs)
    model = keras.Model(inputs, keras.layers.Bidirectional(getattr(suite.layers, name)(UNITS))(first))
    model.save(tmp_path / "model.keras")
    x = noise(BATCH, TIME, FEATURES).astype("float32")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "model.keras")(x), model(x))


@pytest.mark.parametrize("merge", ["concat", "sum", None])
def test_keras_bidirectional_reads_the_valid_steps_from_both_ends(merge):
    x, mask = noise(BATCH, TIME, FEATURES).astype("float32"), MASKS["end"]
    both = keras.layers.Bidirectional(suite.layers.LSTM(UNITS, return_sequences=True), merge_mode=merge)
    found = both(x, mask=mask)
    theirs = keras.layers.Bidirectional(keras.layers.LSTM(UNITS, return_sequences=True), merge_mode=merge)
    theirs.build(x.shape)
    for ours, other in zip((both.forward_layer, both.backward_layer), (theirs.forward_layer, theirs.backward_layer), strict=True):
        suite.layers.transfer.to_keras(ours, other)
    for one, other in zip(tf.nest.flatten(found), tf.nest.flatten(theirs(x, mask=mask)), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_sequential_model_with_an_embedding_and_its_mask_fits():
    ids = np.random.default_rng(0).integers(0, 6, (16, TIME))
    model = keras.Sequential(
        [
            keras.layers.Embedding(6, 3, mask_zero=True),
            suite.layers.GRU(UNITS, return_sequences=True),
            keras.layers.Bidirectional(suite.layers.LSTM(UNITS)),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    history = model.fit(ids, (ids == 3).sum(axis=1), batch_size=6, epochs=30, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert model.predict(ids, verbose=0).shape == (16, 1)


def test_states_pass_from_one_layer_to_another_in_a_functional_model():
    source, target = keras.Input((None, FEATURES)), keras.Input((None, FEATURES))
    _, *states = suite.layers.LSTM(UNITS, return_state=True, name="encoder")(source)
    y = suite.layers.LSTM(UNITS, return_sequences=True, name="decoder")(target, initial_state=states)
    model = keras.Model([source, target], y)
    a, b = noise(2, 3, FEATURES).astype("float32"), noise(2, 5, FEATURES, seed=4).astype("float32")
    _, h, c = model.get_layer("encoder")(a)
    np.testing.assert_array_equal(model([a, b]), model.get_layer("decoder")(b, initial_state=[h, c]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("precision", "tolerance"), [("mixed_bfloat16", 0.1), ("mixed_float16", 0.01)])
def test_mixed_precision_computes_in_half_and_keeps_weights_in_single(name, precision, tolerance):
    half, single = layer(name, dtype=precision, return_sequences=True), layer(name, dtype="float32", return_sequences=True)
    x = noise(BATCH, TIME, FEATURES).astype("float32")
    with tf.GradientTape() as tape:
        y = half(x)
        loss = tf.reduce_sum(tf.cast(y, "float32") ** 2)
    assert y.dtype == half.compute_dtype
    np.testing.assert_allclose(tf.cast(y, "float32"), single(x), atol=tolerance)
    found = tape.gradient(loss, [weight.value for weight in half.trainable_weights])
    assert all(
        weight.dtype == "float32" and one.dtype == tf.float32 and np.isfinite(one).all()
        for weight, one in zip(half.trainable_weights, found, strict=True)
    )


@pytest.mark.parametrize("flags", [(False, False), (False, True), (True, False), (True, True)])
def test_symbolic_shapes_are_the_computed_ones(flags):
    sequences, state = flags
    made = suite.layers.LSTM(UNITS, return_sequences=sequences, return_state=state)
    symbols = tf.nest.flatten(made(keras.Input((TIME, FEATURES), batch_size=BATCH)))
    found = tf.nest.flatten(made(noise(BATCH, TIME, FEATURES)))
    assert [tuple(one.shape) for one in symbols] == [tuple(one.shape) for one in found]


def test_the_mask_goes_on_with_the_sequence_and_ends_with_it():
    embedded = keras.layers.Embedding(5, FEATURES, mask_zero=True)(np.array([[1, 2, 0]]))
    assert suite.layers.LSTM(UNITS, return_sequences=True)(embedded)._keras_mask.numpy().tolist() == [[True, True, False]]
    assert getattr(suite.layers.LSTM(UNITS)(embedded), "_keras_mask", None) is None
