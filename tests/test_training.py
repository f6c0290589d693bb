"""A trial trains within its budget, whatever the chunks, the cache and the accidents."""

import dataclasses
import math
import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from suite import chunks, losses, optimisation, program, training
from suite.architecture import Architecture
from suite.optimisation import Values
from suite.task import Metric
from tests.fake_architectures import ARCHITECTURES
from tests.fakes import CarriedEcho, FirstPoint, FirstSign, Occurrence, Reversal, RunningParity
from tests.trials import trial

KINDS = {
    "once, classes": FirstSign(),
    "once, a vector": FirstPoint(),
    "once, flags": Occurrence(),
    "steps, masked": RunningParity(),
    "carried": CarriedEcho(),
}


@pytest.fixture(autouse=True)
def _without_xla(monkeypatch):
    """A graph compiles in a tenth of XLA's time, which these small models do not win back."""
    monkeypatch.setattr(program, "JIT_UP_TO", 0)


@pytest.fixture
def fresh():
    """Forget every program, so that the next trial compiles."""
    program._PROGRAMS.clear()
    yield
    program._PROGRAMS.clear()


@keras.saving.register_keras_serializable("tests")
class Failing(keras.layers.Dense):
    """A layer that breaks as soon as it is trained."""

    def __init__(self, units, *, length=None, **options):
        super().__init__(units, **options)

    def call(self, x, mask=None, training=False):
        if training:
            raise RuntimeError("the layer broke")
        return super().call(x)


@keras.saving.register_keras_serializable("tests")
class Affine(keras.layers.Dense):
    """One affine map a step, so that a step of training can be replayed by hand."""

    def __init__(self, units, *, length=None, **options):
        super().__init__(units, **options)

    def call(self, x, mask=None, training=False):
        return super().call(x)


@keras.saving.register_keras_serializable("tests")
class Interpreted(Affine):
    """A layer that asks Python for its numbers, which XLA cannot compile."""

    def call(self, x, mask=None, training=False):
        return tf.ensure_shape(tf.numpy_function(lambda array: array, [super().call(x)], tf.float32), (*x.shape[:-1], self.units))


def plain(name):
    return Architecture(
        target=f"tests.test_training:{name}", family="test", source="tests", kinds=frozenset({"once", "steps"}), causal=True
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_task_trains(kind):
    result = training.train(trial(KINDS[kind]))
    assert result.outcome == "done", result.provenance
    assert [x for x, _ in result.curves["val/loss"]] == [4, 8, 12]
    assert result.scores["validation"]["loss"] == min(y for _, y in result.curves["val/loss"])
    assert all(math.isfinite(y) for y in dict(result.curves["train/loss"]).values())
    assert "test" not in result.scores


@pytest.mark.parametrize("kind", ["once, classes", "steps, masked", "carried"])
def test_the_number_of_steps_in_one_call_changes_nothing(kind, monkeypatch, fresh):
    curves = []
    for most in (1, 7):
        monkeypatch.setattr(chunks.Feed.__init__, "__kwdefaults__", {"most_steps": most, "most_bytes": chunks.MOST_BYTES})
        program._PROGRAMS.clear()
        curves.append(training.train(trial(KINDS[kind], values={"dropout": 0.3})).curves)
    for name in ("train/loss", "train/gradient_norm", "val/loss"):
        np.testing.assert_allclose(*(np.array(found[name]) for found in curves), rtol=1e-5, atol=1e-6)


def test_trials_of_one_structure_share_one_trace_and_equal_those_of_a_fresh_cache(fresh):
    values = {"learning_rate": 0.03, "clip": 0.5, "dropout": 0.2, "weight_decay": 0.01}
    wanted = trial(FirstSign(), values=values, seed=3, phase="evaluation")
    alone = training.train(wanted)
    program._PROGRAMS.clear()
    for seed, rate in ((0, 0.5), (1, 1e-4), (3, 0.1)):
        training.train(trial(FirstSign(), values={"learning_rate": rate}, seed=seed))
    shared = training.train(wanted)
    assert len(program._PROGRAMS) == 1
    assert program.program(wanted).traces == {"train": 1, "evaluate": 1}
    assert shared.curves == alone.curves
    assert shared.scores == alone.scores
    assert shared.cost["speed/trace_compile_seconds"] == 0.0
    assert alone.cost["speed/trace_compile_seconds"] > 0.0


def test_xla_and_a_plain_graph_agree(monkeypatch, fresh):
    task = FirstSign()
    plainly = training.train(trial(task, "fake-convolution", values={"dropout": 0.2}))
    program._PROGRAMS.clear()
    monkeypatch.setattr(program, "JIT_UP_TO", 100_000)
    compiled = training.train(trial(task, "fake-convolution", values={"dropout": 0.2}))
    assert plainly.provenance["jit"].startswith("off")
    assert compiled.provenance["jit"] == "on"
    for name in ("train/loss", "train/gradient_norm", "val/loss"):
        np.testing.assert_allclose(np.array(plainly.curves[name]), np.array(compiled.curves[name]), rtol=1e-4, atol=1e-6)


def test_a_layer_that_xla_cannot_compile_trains_without_and_says_so(monkeypatch, fresh):
    monkeypatch.setattr(program, "JIT_UP_TO", 100_000)
    result = training.train(trial(FirstPoint(), "interpreted", architecture=plain("Interpreted")))
    assert result.outcome == "done", result.provenance
    assert result.provenance["jit"].startswith("off: XLA cannot compile it")


def test_the_cache_holds_a_few_structures_only(monkeypatch, fresh):
    monkeypatch.setattr(program, "MOST_PROGRAMS", 2)
    for width in (2, 3, 4):
        program.program(trial(FirstSign(), width=width))
    assert len(program._PROGRAMS) == program.MOST_PROGRAMS
    assert program.structure(trial(FirstSign(), width=2)) not in program._PROGRAMS


def test_a_batch_shape_is_traced_once(fresh):
    asked = trial(RunningParity(validation_rows=600), steps=30)
    training.train(asked)
    traces = program.program(asked).traces
    assert traces["train"] <= 2  # two padded lengths
    assert traces["evaluate"] <= 2


def test_the_batches_of_a_seed_do_not_depend_on_the_architecture(monkeypatch):
    seen = []
    original = FirstSign.batches

    def batches(self, split, *, seed, batch_size, start=0):
        seen.append((split, seed))
        return original(self, split, seed=seed, batch_size=batch_size, start=start)

    monkeypatch.setattr(FirstSign, "batches", batches)
    for name in ("fake-gru", "fake-convolution"):
        training.train(trial(FirstSign(), name, seed=5))
    assert [seed for split, seed in seen if split == "train"] == [5, 5]
    assert {split for split, _ in seen} <= {"train", "validation", "probe"}


def test_the_test_split_is_read_once_and_in_the_evaluation_only(monkeypatch):
    read = []
    original = FirstPoint.batches

    def batches(self, split, **options):
        read.append(split)
        return original(self, split, **options)

    monkeypatch.setattr(FirstPoint, "batches", batches)
    task = FirstPoint(test_rows=51)
    for phase, times in (("tuning", 0), ("finalist", 0), ("evaluation", 1)):
        read.clear()
        scores = training.train(trial(task, phase=phase)).scores
        assert read.count("test") == times
        assert ("test" in scores) == (phase == "evaluation")


def test_nothing_global_is_drawn_from():
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    training.train(trial(FirstSign(), seed=11))
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002


def test_global_seeds_do_not_change_a_trial(fresh):
    results = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        program._PROGRAMS.clear()
        results.append(training.train(trial(FirstSign(), values={"dropout": 0.4})))
    assert results[0].curves == results[1].curves


def one_step(values, **fields):
    """Weights before and after one step of SGD of the affine model, its batch, and the gradient norm that was logged."""
    asked = trial(
        FirstPoint(),
        "affine",
        architecture=plain("Affine"),
        values=values,
        steps=1,
        evaluations=1,
        experiment={"optimizer": "sgd"},
        **fields,
    )
    made = program.program(asked)
    made.reset(asked, training.checked(asked))
    before = [weight.numpy().astype(np.float64) for weight in made.model.trainable_variables]
    result = training.train(asked)
    after = [weight.numpy().astype(np.float64) for weight in made.model.trainable_variables]
    batch = next(asked.setting.task.batches("train", seed=0, batch_size=4))
    return before, after, batch, result.curves["train/gradient_norm"][0][1]


def affine_gradients(weights, batch):
    """The gradients of mean_b |(x_T W + b) V + c - y|^2 by hand, in the order of the weights (W, b, V, c)."""
    w, b, v, c = weights
    x = batch.x[:, -1].astype(np.float64)
    hidden = x @ w + b
    error = 2 * (hidden @ v + c - batch.y) / len(x)
    return [x.T @ (error @ v.T), (error @ v.T).sum(0), hidden.T @ error, error.sum(0)]


def test_a_step_of_sgd_is_the_gradient_times_the_learning_rate():
    before, after, batch, norm = one_step({"learning_rate": 0.1})
    gradients = affine_gradients(before, batch)
    for old, new, gradient in zip(before, after, gradients, strict=True):
        np.testing.assert_allclose(new, old - 0.1 * gradient, atol=1e-6)
    assert norm == pytest.approx(math.sqrt(sum(np.square(gradient).sum() for gradient in gradients)), rel=1e-5)


def test_clipping_shortens_the_step_to_the_threshold_and_the_raw_norm_is_logged():
    before, after, batch, norm = one_step({"learning_rate": 0.1, "clip": 0.01})
    raw = math.sqrt(sum(np.square(gradient).sum() for gradient in affine_gradients(before, batch)))
    taken = math.sqrt(sum(np.square(new - old).sum() for old, new in zip(before, after, strict=True)))
    assert norm == pytest.approx(raw, rel=1e-5)
    assert raw > 0.1
    assert taken == pytest.approx(0.1 * 0.01, rel=1e-3)


def test_clipping_above_the_norm_does_nothing():
    assert [w.tolist() for w in one_step({"clip": 1e6})[1]] == [w.tolist() for w in one_step({"clip": None})[1]]


def test_weight_decay_is_decoupled_and_spares_biases():
    before, plainly, _, _ = one_step({"learning_rate": 0.1})
    _, decayed, _, _ = one_step({"learning_rate": 0.1, "weight_decay": 0.5})
    for old, without, with_decay in zip(before, plainly, decayed, strict=True):
        share = 0.1 * 0.5 if old.ndim > 1 else 0.0
        np.testing.assert_allclose(with_decay, without - share * old, atol=1e-6)


def test_a_padded_row_changes_no_score(fresh):
    task = FirstSign(validation_rows=10)  # of which the last batch of 256 repeats the first row 246 times
    asked = trial(task)
    result = training.train(asked)
    made = program.program(asked)
    rows = next(task.batches("validation", seed=0, batch_size=10))
    made.assign(best_weights(made, asked, result))
    outputs = made.model(rows.x).numpy().astype(np.float64)
    log = outputs - np.log(np.exp(outputs).sum(1, keepdims=True))
    assert result.scores["validation"]["loss"] == pytest.approx(-log[np.arange(10), rows.y].mean(), rel=1e-5)


def best_weights(made, asked, result):
    """Train again up to the validation that was best, and return the weights there."""
    best = min(result.curves["val/loss"], key=lambda point: (point[1], point[0]))[0]
    run = training._Run(asked, training.checked(asked), made, training.ignore)
    while run.step < best:
        run._advance(int(best))
    return made.weights()


def test_a_carried_state_reaches_the_next_window_and_validation_does_not_disturb_it():
    once, often = (training.train(trial(CarriedEcho(), steps=24, evaluations=count)).curves["train/loss"] for count in (1, 12))
    assert once == often


def test_windows_that_carry_a_state_read_like_one_long_row(fresh):
    echo = CarriedEcho()
    asked = trial(echo, values={"learning_rate": 1e-12}, steps=11, experiment={"optimizer": "sgd"})
    made = program.program(asked)
    made.reset(asked, training.checked(asked))
    batches = [batch for batch, _ in zip(echo.batches("train", seed=0, batch_size=4), range(11), strict=False)]
    assert [bool(batch.reset[0]) for batch in batches] == [True] + [False] * 7 + [True] + [False] * 2
    expected = []
    for run in (batches[:8], batches[8:]):
        outputs = made.model(np.concatenate([batch.x for batch in run], axis=1))
        loss = losses.per_target(echo.spec, outputs, np.concatenate([batch.y for batch in run], axis=1))
        expected += [part.numpy().mean() for part in tf.split(loss, len(run), axis=1)]
    found = [y for _, y in training.train(asked).curves["train/loss"]]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_decoding_waits_for_the_finalists(fresh):
    found = {phase: training.train(trial(Reversal(), phase=phase)) for phase in ("tuning", "finalist", "evaluation")}
    assert all(result.outcome == "done" for result in found.values()), [result.provenance for result in found.values()]
    assert "exact" not in found["tuning"].scores["validation"]
    assert "exact" in found["finalist"].scores["validation"]
    assert set(found["evaluation"].scores) == {"validation", "test"}
    assert "exact" in found["evaluation"].scores["test"]


def test_a_diverged_trial_scores_the_floors_and_holds_no_infinity(fresh):
    values = {"learning_rate": 1e30}
    result = training.train(trial(FirstPoint(), values=values, steps=40, phase="evaluation", experiment={"optimizer": "sgd"}))
    assert result.outcome == "diverged"
    assert result.scores == {split: {"loss": pytest.approx(2 / 3)} for split in ("validation", "test")}
    assert math.isnan(result.curves["train/loss"][-1][1])
    assert result.curves["train/loss"][-1][0] < 40
    assert not any(math.isinf(value) for curve in result.curves.values() for _, value in curve)


def test_a_diverged_trial_leaves_nothing_behind(fresh):
    asked = trial(FirstPoint(), experiment={"optimizer": "sgd"})
    alone = training.train(asked)
    training.train(trial(FirstPoint(), values={"learning_rate": 1e30}, experiment={"optimizer": "sgd"}))
    assert training.train(asked).curves == alone.curves


@pytest.mark.parametrize(("cap", "outcome"), [({"max_seconds": 1e-9}, "timeout"), ({"max_bytes": 1}, "memory")])
def test_a_trial_past_its_cap_ends_and_scores_the_floors(cap, outcome):
    result = training.train(trial(FirstSign(), experiment=cap))
    assert result.outcome == outcome
    assert result.scores["validation"]["accuracy"] == 0.5
    assert result.curves["train/loss"][-1][0] < 12


def test_a_model_that_raises_is_a_crashed_result():
    result = training.train(trial(FirstSign(), "failing", architecture=plain("Failing")))
    assert result.outcome == "crashed"
    assert "the layer broke" in result.provenance["error"]
    assert result.scores["validation"]["accuracy"] == 0.5


def test_an_option_that_a_layer_refuses_is_a_mistake_and_no_crash():
    options = {"cell": "tests.fake_architectures:StockGRU", "merge": "product"}
    asked = trial(FirstSign(), "refused", architecture=dataclasses.replace(ARCHITECTURES["fake-both-ways"], options=options))
    with pytest.raises(ValueError, match="merge must be one of"):
        training.train(asked)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"learning_rate": None}, "learning_rate must be above 0, got None"),
        ({"learning_rate": -1.0}, "learning_rate must be above 0"),
        ({"learning_rate": "fast"}, "learning_rate must be a number"),
        ({"clip": 0.0}, "clip must be above 0"),
        ({"dropout": 1.0}, "0 <= dropout < 1"),
        ({"weight_decay": -0.1}, "weight_decay must be 0 or more"),
        ({"momentum": 0.9}, "momentum"),
    ],
)
def test_impossible_values_are_refused_before_training(values, words):
    with pytest.raises(ValueError, match=words):
        training.train(trial(FirstSign(), values=values))


def test_an_architecture_that_cannot_take_the_task_is_refused():
    with pytest.raises(ValueError, match="the task allows only the past"):
        training.train(trial(RunningParity(), "fake-both-ways"))


def test_events_are_the_points_of_the_curves():
    events = []
    result = training.train(trial(FirstSign()), events.append)
    told = {}
    for event in events:
        told.setdefault(event.name, []).append((event.step, event.value))
        assert event.key == result.key
    assert {name: tuple(points) for name, points in told.items()} == dict(result.curves)


def test_curves_hold_at_most_64_points_and_lose_no_step():
    curves = training.Curves("key", 1000, training.ignore)
    losses = np.arange(1000.0)
    for first in range(0, 1000, 90):
        curves.train(losses[first : first + 90], losses[first : first + 90])
    found = curves.result()["train/loss"]
    assert len(found) == 64
    assert found[-1][0] == 1000
    widths = np.diff([0, *(x for x, _ in found)])
    assert np.dot(widths, [y for _, y in found]) == pytest.approx(losses.sum())


def test_what_has_no_states_has_no_state_metrics():
    for name in ("fake-convolution", "fake-gru"):  # the latter's layer takes no probes
        assert not [curve for curve in training.train(trial(FirstSign(), name)).curves if curve.startswith("grad/")]


def test_the_kept_weights_are_the_best_or_the_last():
    for keep in ("best", "last"):
        result = training.train(trial(FirstSign(), values={"learning_rate": 0.3}, steps=60, evaluations=6, experiment={"keep": keep}))
        points = [y for _, y in result.curves["val/accuracy"]]
        selected = [y for _, y in result.curves[f"val/{FirstSign().selects}"]]
        expected = min(range(6), key=lambda index: (selected[index], index)) if keep == "best" else 5
        assert result.scores["validation"]["accuracy"] == points[expected]


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains(precision):
    result = training.train(trial(FirstSign(), experiment={"precision": precision}))
    assert result.outcome == "done", result.provenance
    assert result.scores["validation"]["loss"] < 2


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_the_first_step_of_our_loop_is_keras_s_own(optimizer):
    weights = [keras.Variable(np.array([[1.0, -2.0]], np.float32)), keras.Variable(np.array([0.5], np.float32))]
    copies = [keras.Variable(weight.numpy()) for weight in weights]
    gradients = [tf.constant([[0.3, -0.1]]), tf.constant([2.0])]
    ours = optimisation.build(optimizer, weights)
    optimisation.apply(ours, weights, gradients, rate=tf.constant(0.1), clip=tf.constant(math.inf), decay=tf.constant(0.0))
    keras.optimizers.get({"class_name": optimizer, "config": {"learning_rate": 0.1}}).apply(gradients, copies)
    for weight, copy in zip(weights, copies, strict=True):
        np.testing.assert_allclose(weight.numpy(), copy.numpy(), rtol=1e-6)


def test_the_cosine_rises_over_the_warm_up_and_falls_to_nothing():
    rates = optimisation.learning_rates("cosine", 2.0, 100, 0.1)
    assert rates.argmax() in (9, 10)
    assert rates.max() == 2.0
    assert rates[0] == pytest.approx(0.2)
    assert rates[55] == pytest.approx(1.0)  # halfway through the fall
    assert 0 < rates[-1] < 0.01
    assert (np.diff(rates[10:]) < 0).all()


def test_a_constant_schedule_is_constant_and_another_is_refused():
    assert set(optimisation.learning_rates("constant", 0.5, 7, 0.1)) == {0.5}
    with pytest.raises(ValueError, match="schedule"):
        optimisation.learning_rates("linear", 0.5, 7, 0.1)


def test_evaluations_are_evenly_spaced_and_the_last_is_at_the_end():
    assert training.evaluated(1000, 5) == (200, 400, 600, 800, 1000)
    assert training.evaluated(7, 7) == (1, 2, 3, 4, 5, 6, 7)
    assert training.evaluated(10, 3) == (3, 7, 10)


def test_gradient_flow_is_measured_at_the_start_the_end_and_log_spaced():
    assert training.diagnosed(1000) == (0, 1, 3, 10, 32, 100, 316, 1000)
    assert training.diagnosed(1) == (0, 1)
    assert len(training.diagnosed(100_000)) < 26


def test_solved_is_two_validations_in_a_row():
    metric = Metric("share", "max", {"none": 0.0}, 1.0, "")
    points = ((10.0, 0.9), (20.0, 0.1), (30.0, 0.8), (40.0, 0.8))
    assert training.solved_at(points, 0.8, metric) == 30
    assert math.isnan(training.solved_at(points[:3], 0.8, metric))
    assert training.solved_at(((1.0, 0.1), (2.0, 0.0)), 0.1, metric._replace(better="min")) == 1


def test_nan_is_worse_than_any_score():
    metric = Metric("nats", "min", {"none": 1.0}, 0.0, "")
    assert training.better(metric, 5.0, math.nan)
    assert not training.better(metric, math.nan, 5.0)
    assert not training.better(metric, math.nan, math.nan)
    assert training.better(metric, 1.0, 2.0)


def test_losses_are_summed_over_outputs_and_averaged_by_weight():
    spec = FirstPoint().spec
    loss = losses.per_target(spec, tf.constant([[1.0, 2.0], [0.0, 0.0]]), tf.constant([[0.0, 0.0], [math.nan, 3.0]]))
    assert loss[0] == 5.0
    assert losses.weighted_mean(loss, tf.constant([2.0, 0.0])) == 5.0  # the NaN weighs nothing
    one = dataclasses.replace(spec, outputs=1)
    assert losses.per_target(one, tf.constant([[3.0]]), tf.constant([1.0])).numpy().tolist() == [4.0]
    assert losses.best(one, tf.constant([[3.0]]), tf.constant([1.0])).numpy().tolist() == [3.0]


def test_flags_are_scored_as_bernoulli_variables():
    logits = np.array([[2.0, -1.0, 0.0]])
    y = np.array([[1.0, 1.0, 0.0]])
    p = 1 / (1 + np.exp(-logits))
    expected = -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum()
    spec = Occurrence().spec
    assert losses.per_target(spec, tf.constant(logits), tf.constant(y)).numpy()[0] == pytest.approx(expected)
    assert losses.best(spec, tf.constant(logits), tf.constant(y)).numpy().tolist() == [[1, 0, 0]]


def test_values_default_to_no_clipping_no_dropout_no_decay():
    assert training.checked(trial(FirstSign())) == Values(0.02, math.inf, 0.0, 0.0)


def test_a_chunk_never_mixes_two_shapes():
    short, long = (np.zeros((2, time), np.int32) for time in (3, 5))
    batches = [chunks.Batch(x=x, y=x, weight=np.ones(x.shape, np.float32)) for x in (short, short, long, short)]
    feed = chunks.Feed(iter(batches), most_steps=3)
    taken = [feed.take(9) for _ in range(4)]
    assert [None if chunk is None else chunk.steps for chunk in taken] == [2, 1, 1, None]
    assert taken[0].arrays["x"].shape == (3, 2, 3)


def test_tokens_are_valid_steps_of_rows_that_weigh_something():
    x = np.zeros((3, 4), np.int32)
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]], bool)
    batch = chunks.Batch(x=x, y=np.zeros(3), weight=np.array([1.0, 1.0, 0.0]), mask=mask)
    assert chunks.tokens(batch) == 6
    assert chunks.tokens(batch._replace(mask=None)) == 8
