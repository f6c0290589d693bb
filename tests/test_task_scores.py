"""What the metrics of every task promise: each floor is measured, each ceiling reached."""

import numpy as np
import pytest

from suite.corpus import Missing
from suite.task import Prediction
from tests.task_cases import CASES, fixed


@pytest.fixture(scope="module", params=CASES)
def task(request):
    task = CASES[request.param]
    try:
        _ = task.spec
    except Missing as missing:
        pytest.skip(str(missing))
    return task


def oracle(batch, spec):
    """Return the prediction of one who knows the targets."""
    weight_shape = batch.weight.shape
    probabilities = np.eye(spec.outputs)[batch.y] if spec.loss == "categorical" else batch.y.astype(float)
    decoded = {name: batch.y for name in ("greedy", "beam4")} if spec.kind == "sequence" else None
    return Prediction(loss=np.zeros(weight_shape), best=batch.y, probabilities=probabilities, decoded=decoded)


def scored(task, split, predict, *, batch_size=20):
    """Return the scores of a predictor on a whole split, and those of each of its batches."""
    whole, parts = task.meter(split), []
    for batch in task.batches(split, seed=0, batch_size=batch_size):
        prediction, part = predict(batch), task.meter(split)
        whole.update(batch, prediction)
        part.update(batch, prediction)
        parts.append(part.result())
    return whole.result(), parts


def number(score):
    """Return a score as one number, a curve as the mean of its points."""
    return np.mean([value for _, value in score]) if isinstance(score, tuple) else score


def test_metrics_name_what_is_reported_chosen_and_solved(task):
    metrics = task.metrics("validation")
    assert task.main in metrics
    assert task.selects in metrics
    assert not metrics[task.selects].final
    if task.solved is not None:
        name, threshold = task.solved
        metric = metrics[name]
        assert not metric.final
        assert metric.normalised(threshold) > 0.5
    for metric in metrics.values():
        assert metric.better in ("max", "min")
        assert metric.floors
        assert metric.unit
        assert metric.why
        assert (metric.ceiling > metric.floor) == (metric.better == "max")
        assert (metric.ceiling - metric.floor) != 0


def test_every_floor_is_what_the_baseline_of_its_name_gets(task):
    baselines = task.baselines()
    sizes = task.describe().sizes
    for split in [split for split in fixed(task) if split != "probe"]:
        metrics = task.metrics(split)
        named = {floor for metric in metrics.values() for floor in metric.floors}
        measured = {name: scored(task, split, baseline.predict) for name, baseline in baselines.items() if name in named}
        for name, metric in metrics.items():
            for floor, stated in metric.floors.items():
                assert floor in measured, f"{name} states a floor {floor!r} that no baseline measures"
                whole, parts = measured[floor]
                found = [number(part[name]) for part in parts if name in part]  # a batch may hold nothing that this metric scores
                spread = np.std(found) / np.sqrt(len(found)) if len(found) > 1 else np.inf
                rare = 5 / sizes[split] * abs(metric.ceiling - stated)  # an event that this split need not hold
                assert number(whole[name]) == pytest.approx(stated, abs=6 * spread + rare + 1e-9), (split, name, floor)


def test_one_who_knows_the_targets_reaches_the_ceiling_of_every_metric(task):
    """Where the targets hold noise, knowing them beats the ceiling: there it is what the task's `ideal` gets, but for chance."""
    ideal = getattr(task, "ideal", None)
    for split in fixed(task):
        whole, _ = scored(task, split, lambda batch: oracle(batch, task.spec))
        metrics = task.metrics(split)
        assert set(whole) == set(metrics)
        for name, metric in metrics.items():
            values = [value for _, value in whole[name]] if isinstance(whole[name], tuple) else [whole[name]]
            if ideal is None:
                assert values == pytest.approx([metric.ceiling] * len(values), abs=1e-9)
            else:
                assert all((value > metric.ceiling) == (metric.better == "max") for value in values)
        if ideal is None or split == "probe":
            continue
        whole, parts = scored(task, split, ideal, batch_size=2)
        for name, metric in metrics.items():
            spread = np.std([part[name] for part in parts]) / np.sqrt(len(parts))
            assert spread < 0.15 * abs(metric.ceiling - metric.floor), "a split too small to tell"
            assert whole[name] == pytest.approx(metric.ceiling, abs=4 * spread)


def test_scores_do_not_depend_on_the_batch_size(task):
    predict = next(iter(task.baselines().values())).predict
    one, other = (scored(task, "validation", predict, batch_size=size)[0] for size in (3, 64))
    assert set(one) == set(other)
    for name, score in one.items():
        np.testing.assert_allclose(score, other[name], rtol=1e-6, atol=1e-12)
