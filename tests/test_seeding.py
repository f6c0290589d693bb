"""Seeds by axis: pinned, distinct, and the only source of the data."""

import hashlib

import numpy as np
import pytest

import tasks.generated
from suite import seeding
from suite.seeding import generator, seed
from tasks.adding import Adding
from tests.fakes import FAKES


def test_a_seed_is_the_first_128_bits_of_the_sha256_of_its_axes():
    text = b'["adding",1,"train",0,7]'
    assert seed("adding", 1, "train", 0, 7) == int.from_bytes(hashlib.sha256(text).digest()[:16], "big")


def test_a_seed_changes_with_every_axis_and_with_its_order():
    axes = [("a", 1), ("a", 2), ("b", 1), (1, "a"), ("a", 1, 0), ("a",), ("1", "a"), ("a", "1"), ("a1",), (), ("a", -1)]
    assert len({seed(*each) for each in axes}) == len(axes)


def test_a_seed_has_128_bits():
    assert max(seed("bits", index).bit_length() for index in range(100)) == 128


@pytest.mark.parametrize("axis", [1.0, None, True, ("a",), np.int64(3), FAKES])
def test_an_axis_is_a_string_or_an_integer(axis):
    with pytest.raises(ValueError, match="seed axis must be a string or an integer"):
        seed("a", axis)


def test_generators_of_the_same_axes_agree_and_of_others_do_not():
    one, same, other = generator("a", 1).random(8), generator("a", 1).random(8), generator("a", 2).random(8)
    assert (one == same).all()
    assert (one != other).any()


def test_generators_take_no_global_state_and_leave_none():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    generator("a").random(100)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_splits_of_generated_tasks_never_share_a_seed(monkeypatch):
    used = {}
    split = ""

    def recorded(*axes):
        used.setdefault(split, set()).add(seeding.seed(*axes))
        return generator(*axes)

    monkeypatch.setattr(tasks.generated, "generator", recorded)
    task = Adding(length=10, validation_rows=300, test_rows=301)
    for split in task.splits:
        batches = task.batches(split, seed=0, batch_size=50)
        for _ in range(25):
            next(batches, None)
    # Training rows of ten batches of 50 are drawn together, those of fixed splits 64 at a time.
    assert {name: len(seeds) for name, seeds in used.items()} == {"train": 3, "validation": 5, "test": 5, "probe": 1}
    assert len(set.union(*used.values())) == 14


def test_the_version_of_a_task_changes_its_data(monkeypatch):
    before = next(Adding().batches("train", seed=0, batch_size=4)).x
    monkeypatch.setattr(Adding, "version", 2)
    assert (next(Adding().batches("train", seed=0, batch_size=4)).x != before).any()


def test_the_digest_of_a_generated_task_is_that_of_its_first_training_batch():
    for task in (Adding(), Adding(length=7), FAKES["fake-reversal"]):
        batch = next(task.batches("train", seed=0, batch_size=32))
        found = hashlib.sha256()
        for name, array in batch._asdict().items():
            if array is not None:
                found.update(f"{name} {array.dtype.str} {array.shape}\n".encode() + array.tobytes())
        assert task.digest() == found.hexdigest()
