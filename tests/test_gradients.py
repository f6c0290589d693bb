"""Gradient flow: the numbers from synthetic curves, the probes against closed forms, and the traps that draw wrong plots."""

import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from suite import chunks, gradients, models, plugins
from suite.flow import by_lag, decay, summary
from suite.recurrence import Cell
from suite.task import Batch, Spec
from tests.fake_architectures import ARCHITECTURES
from tests.fakes import Reversal, RunningParity

LAGS = np.arange(60)


def exponential(rate, rows=3):
    return np.exp(rate * LAGS)[None, :] * np.array([1.0, 2.0, 5.0])[:rows, None]


@pytest.mark.parametrize("rate", [-0.5, -0.01, 0.03])
def test_the_decay_of_an_exponential_is_its_rate(rate):
    flow = summary(exponential(rate), longest=59)
    assert flow.decay == pytest.approx(rate, rel=1e-9)
    assert flow.fit == pytest.approx(1.0)


def test_the_horizon_is_the_time_in_which_a_gradient_falls_to_one_e_th():
    assert summary(exponential(-0.04), longest=59).horizon == pytest.approx(25.0)


def test_what_explodes_has_no_horizon():
    flow = summary(exponential(0.04), longest=59)
    assert math.isnan(flow.horizon)
    assert flow.exploding == 0.0  # e^(.04 * 59) = 10.6
    assert summary(exponential(0.2), longest=59).exploding == 1.0  # e^11.8


def test_the_half_horizon_is_the_first_lag_under_one_half():
    # .9^7 = .478, .9^6 = .531
    assert summary(exponential(math.log(0.9)), longest=59).half_horizon == 7


def test_the_half_horizon_is_censored_at_the_length():
    assert summary(exponential(-0.001), longest=59).half_horizon == 60


def test_flow_is_the_mean_of_the_ratio_capped_at_one_over_the_lags_of_the_task():
    norms = np.array([[2.0, 4.0, 1.0, 0.0, 9.0]])
    assert summary(norms, longest=3).flow == pytest.approx((1 + 1 + 0.5 + 0) / 4)
    assert summary(norms, longest=9).flow == pytest.approx((1 + 1 + 0.5 + 0 + 1) / 5)


def test_the_indices_are_shares_of_rows_at_the_longest_lag():
    norms = np.array([[1.0, 9e-4], [1.0, 2e-3], [1.0, 1.1e3], [2.0, 1.9e3]])
    flow = summary(norms, longest=1)
    assert (flow.vanishing, flow.exploding) == (0.25, 0.25)


def test_a_line_needs_ten_lags():
    assert not math.isnan(decay(np.exp(-0.1 * np.arange(15)), np.ones(15, bool))[0])  # lags 5 to 14
    assert math.isnan(decay(np.exp(-0.1 * np.arange(14)), np.ones(14, bool))[0])


def test_what_is_no_line_has_no_decay_but_says_how_badly_it_fits():
    slope, fit = decay(np.exp(np.sin(LAGS)), np.ones(60, bool))
    assert math.isnan(slope)
    assert fit < 0.9


def test_a_constant_gradient_decays_at_zero():
    assert decay(np.ones(60), np.ones(60, bool)) == (0.0, 1.0)


def test_decay_is_fitted_on_the_lags_5_to_150_only():
    lags = np.arange(200)
    bent = np.where(lags < 5, 1.0, np.where(lags <= 150, np.exp(-0.02 * lags), 7.0))
    assert decay(bent, np.ones(200, bool))[0] == pytest.approx(-0.02)


def test_norms_under_the_floor_are_not_fitted_and_their_share_is_told():
    norms = np.exp(-4.0 * LAGS)[None, :]  # e^-4k < 1e-30 from k = 18 on
    norms[:, 18:] = 0.0
    flow = summary(norms, longest=59)
    assert flow.decay == pytest.approx(-4.0)
    assert flow.underflow == pytest.approx(42 / 60)


def test_rows_without_any_gradient_are_left_out():
    norms = np.vstack([exponential(-0.1), np.zeros((1, 60))])
    assert summary(norms, longest=59).decay == pytest.approx(-0.1)
    nothing = summary(np.zeros((2, 60)), longest=59)
    assert math.isnan(nothing.decay)
    assert math.isnan(nothing.flow)


def test_curves_of_parts_are_divided_by_the_joint_norm():
    flow = summary(np.array([[0.0, 3.0]]), longest=1, joint=np.array([2.0]))
    assert flow.median.tolist() == [0.0, 1.5]


def test_lag_counts_back_from_the_step_that_is_read():
    norms = np.arange(5.0)[:, None] + np.array([0.0, 10.0])  # (time, batch)
    assert by_lag(norms, np.array([3, 3])).tolist() == [[3, 2, 1, 0], [13, 12, 11, 10]]


def test_lag_counts_forward_in_the_backward_direction():
    norms = np.arange(5.0)[:, None]
    assert by_lag(norms, np.array([1]), backward=True).tolist() == [[1, 2, 3, 4]]


def test_lags_that_fewer_than_three_quarters_of_the_rows_have_are_cut_off():
    norms = np.ones((6, 4))
    assert by_lag(norms, np.array([5, 5, 5, 2])).shape == (4, 6)
    assert by_lag(norms, np.array([5, 5, 2, 2])).shape == (4, 3)


def test_padding_is_no_lag_of_a_backward_direction():
    norms = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, np.nan], [np.nan, np.nan]])
    assert by_lag(norms, np.array([1, 0]), backward=True).tolist() == [[2, 3], [5, 6]]
    only = by_lag(norms, np.array([2, 1]), backward=True)
    assert only.tolist() == [[3], [6]]
    assert summary(only, longest=3).median.tolist() == [1]
    assert by_lag(norms * np.nan, np.array([2, 1])).shape == (2, 1)


def probed(name, spec, batch, *, width=6, depth=1, weights=None, **changes):
    """The model of an architecture of the table, and its norms on a batch."""
    architecture = dataclasses.replace(plugins.architecture(name), **changes)
    model = models.build(architecture, spec, width=width, depth=depth, seed=1)
    for variable, value in (weights or {}).items():
        next(v for v in model.trainable_variables if v.path.endswith(variable)).assign(value)
    norms = gradients.state_norms(model, spec, {name: tf.constant(array) for name, array in chunks.seen(batch).items()})
    return model, tf.nest.map_structure(lambda norm: norm.numpy(), norms)


def noise(rows=3, length=12, features=2, outputs=4, kind="once", mask=None):
    """A spec, and a batch of noise whose last step is the target."""
    rng = np.random.default_rng(0)
    spec = Spec(
        kind=kind, loss="categorical", inputs=features, outputs=outputs, tokens=False, length=length, longest=length, lengths=(length,)
    )
    x = rng.normal(size=(rows, length, features)).astype(np.float32)
    y = rng.integers(0, outputs, rows if kind == "once" else (rows, length)).astype(np.int32)
    weight = np.ones(rows, np.float32)
    if kind == "steps":
        weight = np.zeros((rows, length), np.float32)
        weight[:, -1] = 1
    return spec, Batch(x=x, y=y, weight=weight, mask=mask)


def jacobians(model, batch, states):
    """dL_b/ds_T and the Jacobians ds_t/ds_(t-1) of a one-layer Elman net with tanh, (batch, time, units, units), in float64."""
    weights = {v.path.rsplit("/", 1)[-1]: v.numpy().astype(np.float64) for v in model.body.stack[0].trainable_variables}
    h = np.zeros((len(batch.x), states))
    steps = []
    for t in range(batch.x.shape[1]):
        h = np.tanh(batch.x[:, t] @ weights["kernel"] + h @ weights["recurrent_kernel"] + weights["bias"])
        steps.append(weights["recurrent_kernel"].T[None] * (1 - h**2)[:, :, None])
    v, c = (variable.numpy().astype(np.float64) for variable in model.head.trainable_variables)
    logits = h @ v + c
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return (p - np.eye(len(c))[batch.y]) @ v.T, np.stack(steps, axis=1)


def test_the_probes_agree_with_the_product_of_jacobians():
    spec, batch = noise()
    model, norms = probed("elman", spec, batch)
    slope, steps = jacobians(model, batch, 6)
    expected = []
    for t in range(11, -1, -1):
        expected.insert(0, np.linalg.norm(slope, axis=1))
        slope = np.einsum("bi,bij->bj", slope, steps[:, t])
    np.testing.assert_allclose(norms[0][0], expected, rtol=1e-5)


def test_the_gradient_of_the_outputs_would_show_the_direct_path_only():
    """Trap 1: a plot of it looks like total vanishing for every model."""
    spec, batch = noise()
    _, norms = probed("elman", spec, batch)
    assert (norms[0][0][:-1] > 1e-12).all()


def test_the_norms_are_those_of_each_row_whatever_the_batch():
    """Trap 4: a mean over the batch would scale them by its size."""
    spec, batch = noise(rows=3)
    _, three = probed("lstm", spec, batch)
    one = Batch(x=batch.x[:1], y=batch.y[:1], weight=batch.weight[:1])
    _, alone = probed("lstm", spec, one)
    for state, single in zip(three[0], alone[0], strict=True):
        np.testing.assert_allclose(state[:, :1], single, rtol=1e-5)


def test_the_joint_norm_sees_the_carousel_that_h_alone_misses():
    """Trap 2: the path from cell state to cell state does not pass through h."""
    spec, batch = noise(length=30)
    units = 6
    bias = np.zeros(4 * units, np.float32)
    gates = plugins.architecture("lstm").resolve().gates
    for gate, value in (("f", 4.0), ("i", -4.0)):  # keep, and write little
        bias[gates.index(gate) * units :][:units] = value
    model, norms = probed("lstm", spec, batch, weights={"bias": bias})
    measured = gradients.measure(model, spec, batch, norms)
    assert measured.parts["h"].median[-1] < 0.1 * measured.joint.median[-1]
    joint = np.sqrt(sum(np.square(norm) for norm in norms[0]))
    np.testing.assert_allclose(summary(by_lag(joint, np.full(3, 29)), longest=29).median, measured.joint.median)


def test_the_cell_state_after_the_last_step_gets_no_gradient():
    spec, batch = noise()
    model, norms = probed("lstm", spec, batch)
    assert (norms[0][1][-1] == 0).all()
    parts = gradients.measure(model, spec, batch, norms).parts
    assert parts["c"].median[0] == 0
    assert parts["c"].median[1] > 0
    assert parts["h"].median[0] == 1


def test_lag_starts_at_the_last_valid_step():
    """Trap 8."""
    mask = np.ones((3, 12), bool)
    mask[:, 9:] = False
    spec, batch = noise(mask=mask)
    model, norms = probed("gru", spec, batch)
    short_spec, short = noise()
    short = Batch(x=batch.x[:, :9], y=batch.y, weight=batch.weight)
    _, expected = probed("gru", dataclasses.replace(short_spec), short)
    found = gradients.measure(model, spec, batch, norms)
    np.testing.assert_allclose(found.joint.median, gradients.measure(model, spec, short, expected).joint.median, rtol=1e-4)


def test_the_loss_of_one_step_is_probed_not_the_sum_of_all():
    """Trap 5: a row's single target says where lag 0 is; what follows it has no gradient."""
    spec, batch = noise(kind="steps")
    weight = np.zeros_like(batch.weight)
    weight[:, 7] = 1
    batch = batch._replace(weight=weight)
    model, norms = probed("elman", spec, batch)
    assert (norms[0][0][8:] == 0).all()
    assert len(gradients.measure(model, spec, batch, norms).joint.median) == 8


def test_rows_that_weigh_nothing_are_left_out():
    spec, batch = noise(rows=4)
    model, norms = probed("elman", spec, batch)
    weight = np.array([1, 1, 1, 0], np.float32)
    _, padded = probed("elman", spec, batch._replace(weight=weight))
    three = Batch(x=batch.x[:3], y=batch.y[:3], weight=weight[:3])
    expected = gradients.measure(model, spec, three, tuple((layer[0][:, :3],) for layer in norms))
    found = gradients.measure(model, spec, batch._replace(weight=weight), padded)
    np.testing.assert_allclose(found.joint.median, expected.joint.median, rtol=1e-6)


def test_small_and_large_gradients_keep_their_norm():
    """Trap 7: squares of 1e-25 are zero in float32, and those of 1e25 infinite."""
    for size in (1e-25, 1e25):
        norm = gradients._norm(tf.fill((1, 1, 4), np.float32(size))).numpy()
        assert norm[0, 0] == pytest.approx(2 * size, rel=1e-6)


def test_each_layer_of_a_stack_has_its_curve():
    spec, batch = noise()
    model, norms = probed("gru", spec, batch, depth=2)
    measured = gradients.measure(model, spec, batch, norms)
    assert set(measured.parts) == {"layer_1", "layer_2"}
    squares = sum(np.square(by_lag(layer[0], np.full(3, 11))) for layer in norms)
    np.testing.assert_allclose(measured.joint.median, summary(np.sqrt(squares), longest=11).median, rtol=1e-6)
    assert measured.joint.median[0] == 1


def test_a_pooling_head_has_a_profile_and_no_rate():
    spec, batch = noise()
    model, norms = probed("gru", spec, batch, wiring={"head": "mean"})
    measured = gradients.measure(model, spec, batch, norms)
    assert measured.profile
    assert measured.scalars() == {}


def test_both_directions_of_a_bidirectional_layer_start_where_they_end():
    spec, batch = noise()
    options = {"cell": plugins.architecture("elman").target}
    model, norms = probed(
        "elman", spec, batch, target="suite.layers.bidirectional:Bidirectional", options=options, carries=False, causal=False
    )
    forward, backward = norms[0]
    assert forward.shape == backward.shape == (12, 3)
    measured = gradients.measure(model, spec, batch, norms)
    squares = np.square(forward[::-1].T) + np.square(backward.T)
    np.testing.assert_allclose(measured.joint.median, summary(np.sqrt(squares), longest=11).median, rtol=1e-6)
    assert forward[-1].min() > 10 * forward[0].max()
    assert backward[0].min() > 10 * backward[-1].max()


def test_an_encoder_decoder_has_a_profile_of_its_source():
    spec = Reversal().spec
    batch = gradients.diagnostic(Reversal())
    model, norms = probed("gru", spec, batch)
    measured = gradients.measure(model, spec, batch, norms)
    assert measured.profile
    assert np.isfinite(measured.joint.median[0])


def test_the_diagnostic_batch_is_always_the_same():
    one, two = (gradients.diagnostic(RunningParity()) for _ in range(2))
    assert one.x.tolist() == two.x.tolist()
    assert len(one.x) == gradients.ROWS
    assert (one.weight.sum(axis=1) == 1).all()


def test_flow_at_the_start_is_the_same_every_time_and_differs_by_seed():
    architecture = plugins.architecture("elman")
    found = [gradients.flows_at_start(architecture, width=8, length=20, seeds=2) for _ in range(2)]
    assert found[0][0].joint.flow == found[1][0].joint.flow
    assert found[0][0].joint.flow != found[0][1].joint.flow
    assert gradients.flows_at_start(ARCHITECTURES["fake-convolution"], width=8, length=20, seeds=2) == []


LENGTH, UNITS, FEATURES, ROWS = 200, 64, 10, 16


def glorot(rng, rows, columns):
    limit = math.sqrt(6 / (rows + columns))
    return rng.uniform(-limit, limit, (rows, columns))


def orthogonal(rng, rows, columns):
    """Orthonormal rows, (rows, columns): a joint draw over the gates."""
    q, r = np.linalg.qr(rng.normal(size=(columns, rows)))
    return (q * np.sign(np.diag(r))).T


@keras.saving.register_keras_serializable("tests")
class Logistic(Cell):
    """h' = sigmoid(x W + h U + b)"""

    gates = ("h",)
    states = ("h",)

    def step(self, x, states, recur):
        (h,) = recur(states[0], add=x)
        return (ops.sigmoid(h),)


@keras.saving.register_keras_serializable("tests")
class Rectified(Cell):
    """h' = relu(x W + h U + b)"""

    gates = ("h",)
    states = ("h",)

    def step(self, x, states, recur):
        (h,) = recur(states[0], add=x)
        return (ops.relu(h),)


def small(rng, rows, columns):
    """Le et al. (2015), arXiv:1504.00941."""
    return rng.normal(scale=0.001, size=(rows, columns))


def identity(rng, rows, columns):
    return np.eye(rows)


def reference_decays(name, *, kernel=glorot, recurrent=orthogonal, bias=lambda gate, rng: 0.0):
    """The decay of ten initialisations: per-gate Glorot kernels, a joint recurrent kernel, and this bias of each gate."""
    target = {"logistic": "tests.test_gradients:Logistic", "rectified": "tests.test_gradients:Rectified"}.get(name)
    architecture = plugins.architecture(name) if target is None else dataclasses.replace(plugins.architecture("elman"), target=target)
    gates = architecture.resolve().gates
    spec, _ = noise(length=LENGTH, features=FEATURES, outputs=10)
    model = models.build(architecture, spec, width=UNITS, seed=1)
    weights = {variable.path.rsplit("/", 1)[-1]: variable for variable in model.body.stack[0].trainable_variables}
    probe = tf.function(lambda batch: gradients.state_norms(model, spec, batch), autograph=False)
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        weights["kernel"].assign(np.concatenate([kernel(rng, FEATURES, UNITS) for _ in gates], axis=1))
        weights["recurrent_kernel"].assign(recurrent(rng, UNITS, UNITS * len(gates)))
        flat = np.concatenate([np.broadcast_to(bias(gate, np.random.default_rng(seed)), UNITS) for gate in gates])
        weights["bias"].assign(np.broadcast_to(flat, weights["bias"].shape))
        x = rng.normal(size=(ROWS, LENGTH, FEATURES)).astype(np.float32)
        batch = Batch(x=x, y=rng.integers(0, 10, ROWS).astype(np.int32), weight=np.ones(ROWS, np.float32))
        norms = probe({key: tf.constant(array) for key, array in chunks.seen(batch).items()})
        measured = gradients.measure(model, spec, batch, tf.nest.map_structure(lambda norm: norm.numpy(), norms), parts=False)
        found.append(measured.joint.decay)
    return found


def chrono(gate, rng):
    """b_f = log U(1, T - 1), b_i = -b_f (Tallec & Ollivier 2018, arXiv:1804.11188)."""
    kept = np.log(rng.uniform(1, LENGTH - 1, UNITS))
    return {"f": kept, "i": -kept}.get(gate, 0.0)


@pytest.mark.parametrize(
    ("name", "expected", "options"),
    [
        ("logistic", -1.46, {"recurrent": glorot}),
        ("logistic", -1.50, {}),
        ("rectified", -0.0036, {"kernel": small, "recurrent": identity}),
        ("elman", -0.254, {"recurrent": glorot}),
        ("elman", -0.277, {}),
        ("lstm", -0.52, {}),
        ("lstm", -0.216, {"bias": lambda gate, rng: float(gate == "f")}),
        ("lstm", -0.0087, {"bias": chrono}),
        ("gru", -0.485, {}),
    ],
    ids=[
        "logistic, Glorot",
        "logistic, orthogonal",
        "IRNN",
        "tanh, Glorot",
        "tanh, orthogonal",
        "LSTM, forget bias 0",
        "LSTM, forget bias 1",
        "LSTM, chrono",
        "GRU",
    ],
)
def test_the_decay_at_initialisation_is_the_measured_one(name, expected, options):
    """T=200, 64 units, 10 features N(0, 1), cross-entropy of the last step; the reference was measured with other code."""
    found = np.mean(reference_decays(name, **options))
    assert found == pytest.approx(expected, abs=max(0.25 * abs(expected), 0.005))
