"""What the data of every task promise, ours, third parties' and the fakes: each at its default configuration and at its tiny one."""

import dataclasses
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from suite import canonical
from suite.corpus import Missing
from suite.task import Task
from tests.task_cases import BATCH, CASES, REGISTERED, fingerprint, first, fixed, rows, same

ROOT = Path(__file__).parent.parent

IN_ANOTHER_PROCESS = """
import json
from tests.task_cases import CASES, fingerprint
print(json.dumps({name: fingerprint(task) for name, task in CASES.items()}))
"""


@pytest.fixture(scope="module", params=CASES)
def task(request):
    task = CASES[request.param]
    try:
        _ = task.spec
    except Missing as missing:
        pytest.skip(str(missing))
    return task


@functools.cache
def row_hashes(task, split, seed=0):
    """Return what identifies each row of up to 210 rows: its weighted content."""
    found = []
    for batch in first(task, split, batches=30, seed=seed):
        found += [row.x.tobytes() + row.y.tobytes() for row in rows(batch)]
    return found


def share_found(those, among):
    return np.mean([row in set(among) for row in those])


def test_a_task_is_a_frozen_hashable_dataclass_with_a_docstring_that_names_its_source(task):
    assert isinstance(task, Task)
    assert dataclasses.is_dataclass(task)
    assert task.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(task))
    assert hash(task) == hash(dataclasses.replace(task))
    assert (type(task).name, type(task).version) == (task.name, task.version)
    assert "Source:" in type(task).__doc__
    assert json.loads(canonical.text(task)) == canonical.fields(task)


def test_splits_are_train_validation_test_probe_and_variants_of_test(task):
    assert {"train", "validation", "test", "probe"} <= set(task.splits)
    assert all(split in ("train", "validation", "test", "probe") or split.startswith("test/") for split in task.splits)
    with pytest.raises(ValueError, match="split"):
        next(task.batches("no such split", seed=0, batch_size=2))


def test_batches_have_the_shapes_and_types_of_their_spec(task):
    spec = task.spec
    for split in task.splits:
        for batch in first(task, split):
            time = batch.x.shape[1]
            assert time in spec.lengths
            assert batch.x.shape == ((BATCH, time) if spec.tokens else (BATCH, time, spec.inputs))
            assert batch.x.dtype == (np.int32 if spec.tokens else np.float32)
            if spec.tokens:
                assert 0 <= batch.x.min() <= batch.x.max() < spec.inputs
            steps = {"once": (), "steps": (time,), "sequence": (batch.y.shape[-1],)}[spec.kind]
            assert batch.weight.shape == (BATCH, *steps)
            assert batch.weight.dtype == np.float32
            assert batch.weight.min() >= 0
            assert batch.weight.sum() > 0
            if spec.loss == "categorical":
                assert (batch.y.shape, batch.y.dtype) == ((BATCH, *steps), np.int32)
                assert 0 <= batch.y.min() <= batch.y.max() < spec.outputs
            else:
                assert batch.y.dtype == np.float32
                assert batch.y.shape in ({(BATCH, *steps, spec.outputs)} | ({(BATCH, *steps)} if spec.outputs == 1 else set()))
            if spec.loss == "binary":
                assert set(np.unique(batch.y)) <= {0, 1}
            assert np.isfinite(batch.x).all()
            assert np.isfinite(batch.y).all()
            assert (batch.reset is None) != spec.carried
            if spec.carried:
                assert (batch.reset.shape, batch.reset.dtype) == ((BATCH,), bool)


def test_only_training_is_limited_to_the_training_length(task):
    assert all(
        batch.x.shape[1] <= min(length for length in task.spec.lengths if length >= task.spec.length) for batch in first(task, "train")
    )
    longest = 0
    for split in task.splits:
        for batch in first(task, split):
            longest = max(longest, batch.x.shape[1] if batch.mask is None else batch.mask.sum(axis=1).max())
    assert longest <= task.spec.longest


def test_a_mask_is_true_on_the_left_and_what_is_masked_is_empty_and_weighs_nothing(task):
    for split in task.splits:
        for batch in first(task, split):
            if batch.mask is None:
                continue
            assert (batch.mask.shape, batch.mask.dtype) == (batch.x.shape[:2], bool)
            assert batch.mask[:, 0].all(), "a row without a valid step has no defined output"
            assert (np.diff(batch.mask.astype(int), axis=1) <= 0).all(), "padding stands on the right"
            assert not batch.x[~batch.mask].any()
            if task.spec.kind == "steps":
                assert not batch.weight[~batch.mask].any()


def test_targets_of_a_sequence_end_with_stop_and_are_read_in_behind_start(task):
    spec = task.spec
    if spec.kind != "sequence":
        pytest.skip(f"kind {spec.kind}")
    for split in task.splits:
        for batch in first(task, split):
            assert batch.target_in.dtype == np.int32
            assert batch.y.shape[1] in spec.target_lengths
            assert (batch.target_in[:, 0] == spec.start).all()
            assert (batch.target_in[:, 1:] == batch.y[:, :-1]).all()
            last = batch.y.shape[1] - 1 - np.argmax(batch.weight[:, ::-1] > 0, axis=1)
            real = batch.weight.max(axis=1) > 0
            assert (batch.y[np.arange(BATCH), last] == spec.stop)[real].all()
            assert (batch.y[np.arange(batch.y.shape[1]) > last[:, None]] == spec.stop).all()


def test_fixed_splits_hold_the_rows_that_the_card_says_and_padding_rows_weigh_nothing(task):
    sizes = task.describe().sizes
    assert set(sizes) == set(task.splits)
    for split in fixed(task):
        seen = 0
        for batch in task.batches(split, seed=0, batch_size=BATCH):
            assert len(batch.x) == len(batch.y) == len(batch.weight) == BATCH
            weighs = batch.weight.reshape(BATCH, -1).max(axis=1) > 0
            assert weighs[: weighs.sum()].all(), "padding rows come last"
            seen += int(weighs.sum())
        assert seen == sizes[split]


def test_a_batch_does_not_depend_on_where_the_iteration_starts(task):
    for split in task.splits:
        whole = first(task, split, batches=5)
        for start in range(1, len(whole)):
            assert same(first(task, split, batches=1, start=start)[0], whole[start])
    assert list(task.batches("validation", seed=0, batch_size=BATCH, start=10**6)) == []


def test_row_k_of_a_fixed_split_is_the_same_for_every_batch_size_and_seed(task):
    for split in fixed(task):
        for_size = {}
        for batch_size, seed in ((1, 0), (5, 1), (64, 2)):
            found = []
            for batch in first(task, split, batches=-(-80 // batch_size), seed=seed, batch_size=batch_size):
                found += rows(batch)
            for_size[batch_size] = found[:80]
        one, *others = for_size.values()
        for other in others:
            assert len(other) == len(one)
            assert all(a.x.tobytes() == b.x.tobytes() and a.y.tobytes() == b.y.tobytes() for a, b in zip(one, other, strict=True))


def test_training_follows_its_seed_and_no_global_random_state(task):
    np.random.seed(1)  # noqa: NPY002
    once = first(task, "train", seed=5)
    np.random.seed(2)  # noqa: NPY002
    again = first(task, "train", seed=5)
    assert all(same(a, b) for a, b in zip(once, again, strict=True))


def test_another_training_seed_gives_other_batches(task):
    once, other = first(task, "train", seed=5), first(task, "train", seed=6)
    if len({row.x.tobytes() for batch in once for row in rows(batch)}) == 1:
        pytest.skip("there is one row in all")
    assert not any(same(a, b) for a, b in zip(once, other, strict=True))


def test_data_and_digest_are_the_same_in_another_process():
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "17"}
    done = subprocess.run([sys.executable, "-c", IN_ANOTHER_PROCESS], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {name: fingerprint(task) for name, task in CASES.items()}


def test_no_split_repeats_another_more_often_than_chance_does(task):
    """Chance is how often two training seeds meet: 1 where there is one row in all, 0 for text and real numbers."""
    validation, test, train = (row_hashes(task, split) for split in ("validation", "test", "train"))
    chance = share_found(train, row_hashes(task, "train", 1))
    allowed = chance + 0.05 + 5 * np.sqrt(chance * (1 - chance) / min(len(validation), len(test)))
    for one, other in ((validation, test), (test, validation), (validation, train), (test, train)):
        assert share_found(one, other) <= allowed


def test_a_probe_row_weighs_one_target(task):
    for batch in task.batches("probe", seed=0, batch_size=BATCH):
        weight = batch.weight.reshape(BATCH, -1)
        real = weight.max(axis=1) > 0
        assert (np.count_nonzero(weight, axis=1)[real] == 1).all()
        assert (weight.sum(axis=1)[real] == 1).all()


def test_the_card_says_where_the_data_come_from(task):
    card = task.describe()
    assert card.source
    assert card.licence
    assert card.digest == task.digest()
    assert len(card.digest) == 64
    assert sum(card.balance.values()) == pytest.approx(1) or not card.balance


def test_tiny_is_small_and_asks_the_same_question():
    for task in REGISTERED.values():
        tiny = task.tiny()
        try:
            _ = task.spec, tiny.spec
        except Missing:
            continue
        assert (tiny.name, tiny.spec.kind, tiny.spec.loss, tiny.main, tiny.selects) == (
            task.name,
            task.spec.kind,
            task.spec.loss,
            task.main,
            task.selects,
        )
        assert sum(tiny.describe().sizes.values()) * tiny.spec.longest <= 10_000
