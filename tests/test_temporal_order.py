"""Temporal order: where the marks stand, what the class means, and what can be said without the order."""

import itertools
import math

import numpy as np
import pytest

from tasks.temporal_order import SYMBOLS, TemporalOrder


def rows(task, count=5_000):
    batch = next(task.batches("train", seed=0, batch_size=count))
    return batch, ["".join(SYMBOLS[i] for i in row[mask]) for row, mask in zip(batch.x, batch.mask, strict=True)]


def marks(text):
    return "".join(symbol for symbol in text if symbol in "XY")


def test_ids_follow_the_picture():
    assert [SYMBOLS.index(symbol) for symbol in "EbXdacYacB"] == [6, 1, 4, 3, 0, 2, 5, 0, 2, 7]


@pytest.mark.parametrize("count", [2, 3])
def test_the_class_is_the_order_of_the_marks_and_all_are_alike(count):
    batch, texts = rows(TemporalOrder(length=20, marks=count))
    classes = ["".join(marks) for marks in itertools.product("XY", repeat=count)]
    assert [classes[y] for y in batch.y] == [marks(text) for text in texts]
    times = np.bincount(batch.y, minlength=2**count)
    assert times == pytest.approx(5_000 / 2**count, abs=5 * math.sqrt(5_000 / 2**count))


@pytest.mark.parametrize(("count", "windows"), [(2, [(10, 20), (50, 60)]), (3, [(10, 20), (33, 43), (66, 76)])])
def test_at_length_100_the_marks_stand_where_the_paper_has_them(count, windows):
    _, texts = rows(TemporalOrder(marks=count))
    assert {len(text) for text in texts} == set(range(100, 111))
    assert all(text[0] == "E" and text[-1] == "B" and set(text[1:-1]) == set("abcdXY") & set(text) for text in texts)
    steps = np.array([[step for step, symbol in enumerate(text) if symbol in "XY"] for text in texts])
    assert [(steps[:, i].min(), steps[:, i].max()) for i in range(count)] == windows


@pytest.mark.parametrize("length", [10, 11, 20, 37])
@pytest.mark.parametrize("count", [2, 3])
def test_scaled_rows_keep_every_mark(length, count):
    _, texts = rows(TemporalOrder(length=length, marks=count), 500)
    assert all(text[0] == "E" and text[-1] == "B" and len(marks(text)) == count for text in texts)


@pytest.mark.parametrize(("count", "accuracy"), [(2, 0.75), (3, 0.5)])
def test_floors_are_what_the_number_of_each_mark_tells(count, accuracy):
    """Every class once: those with the same number of Y cannot be told apart, and one of each group is guessed right."""
    groups = {}
    for order in itertools.product("XY", repeat=count):
        groups.setdefault(order.count("Y"), []).append(order)
    metrics = TemporalOrder(marks=count).metrics("test")
    assert metrics["accuracy"].floor == pytest.approx(len(groups) / 2**count) == accuracy
    assert metrics["loss"].floor == pytest.approx(sum(len(group) * math.log(len(group)) for group in groups.values()) / 2**count)
    assert metrics["accuracy"].floors["memoryless"] == 1 / 2**count


@pytest.mark.parametrize("wrong", [{"length": 9}, {"marks": 4}, {"marks": 1}])
def test_impossible_settings_are_refused_with_what_came(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        TemporalOrder(**wrong)
