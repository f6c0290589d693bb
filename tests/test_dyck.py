"""Dyck languages: every bracket fits, every set of followers is right, and floors against all words tried one by one."""

import collections
import math

import numpy as np
import pytest

from tasks.dyck import Dyck

TASKS = [
    Dyck(kinds=1, depth=3, length=7, longest=9),
    Dyck(kinds=2, depth=3, length=7, longest=9),
    Dyck(kinds=3, depth=2, length=5, longest=7),
]


def rows(task, split="train", count=500):
    return next(task.batches(split, seed=0, batch_size=count))


def follows(word, kinds, depth):
    """Return the flags behind a word, or fail where a bracket does not fit."""
    stack = []
    for bracket in word:
        if bracket < kinds:
            stack.append(bracket)
        else:
            assert stack.pop() == bracket - kinds
        assert len(stack) <= depth
    return (int(len(stack) < depth), *(int(bool(stack) and stack[-1] == kind) for kind in range(kinds)))


def every_word(task, length):
    """Return every word of a length with its probability."""
    words = {(): 1.0}
    for _ in range(length):
        longer = {}
        for word, p in words.items():
            may_open, *may_close = follows(word, task.kinds, task.depth)
            coin = 0.5 if may_open and any(may_close) else 1.0
            for kind in range(task.kinds):
                if may_open:
                    longer[(*word, kind)] = p * coin / task.kinds
                if may_close[kind]:
                    longer[(*word, task.kinds + kind)] = p * coin
        words = longer
    return words


@pytest.mark.parametrize("split", ["train", "test/length"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kinds}")
def test_brackets_fit_and_the_flags_are_what_may_follow(task, split):
    batch = rows(task, split, 100)
    for x, y in zip(batch.x.tolist(), batch.y, strict=True):
        for step in range(len(x)):
            assert tuple(y[step]) == follows(x[: step + 1], task.kinds, task.depth)


def test_words_are_as_probable_as_the_coin_says():
    task = TASKS[1]
    expected = every_word(task, 4)
    assert sum(expected.values()) == pytest.approx(1)
    found = collections.Counter(map(tuple, rows(task, count=20_000).x[:, :4].tolist()))
    assert set(found) == set(expected)
    for word, p in expected.items():
        assert found[word] / 20_000 == pytest.approx(p, abs=5 * math.sqrt(p / 20_000))


@pytest.mark.parametrize("name", ["memoryless", "counts only", "counts and last"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kinds}")
def test_floors_are_what_all_words_say(task, name):
    """Every word of every length is tried, grouped by its length and by what is known of it."""
    known = {
        "memoryless": lambda word: word[-1],
        "counts only": lambda word: tuple(sorted(word)),
        "counts and last": lambda word: (tuple(sorted(word)), word[-1] if word[-1] < task.kinds else None),
    }[name]
    right, nats = [], []
    for length in range(1, task.length + 1):
        groups = collections.defaultdict(collections.Counter)
        for word, p in every_word(task, length).items():
            groups[known(word)][follows(word, task.kinds, task.depth)] += p
        right.append(sum(max(group.values()) for group in groups.values()))
        total = 0.0
        for group in groups.values():
            shares = np.array([np.dot([flags[i] for flags in group], list(group.values())) for i in range(1 + task.kinds)]) / group.total()
            total += group.total() * sum(-q * math.log(q) for share in shares for q in (share, 1 - share) if q > 1e-12)
        nats.append(total)
    metrics = task.metrics("test")
    if task.kinds == 1 and name != "memoryless":
        assert np.mean(right) == pytest.approx(1)
        assert list(metrics["accuracy"].floors) == ["memoryless"]
        assert "counts" in metrics["accuracy"].why
    else:
        assert metrics["accuracy"].floors[name] == pytest.approx(np.mean(right))
        assert metrics["loss"].floors[name] == pytest.approx(np.mean(nats))


def test_counts_solve_one_kind_of_bracket_and_not_two():
    for kinds, expected in ((1, 1.0), (2, Dyck().metrics("test/length")["accuracy"].floors["counts only"])):
        batch = rows(Dyck(kinds=kinds), "test/length", 400)
        hit = (Dyck(kinds=kinds).baselines()["counts only"].predict(batch).best == batch.y).all(axis=2)
        assert hit[batch.weight > 0].mean() == pytest.approx(expected, abs=0.01)
    assert expected < 0.8


def test_only_steps_beyond_training_weigh_in_the_length_test():
    task = TASKS[1]
    assert (rows(task).weight == 1).all()
    assert (rows(task, "test/length").weight == [[0] * 7 + [1] * 2] * 500).all()


@pytest.mark.parametrize("wrong", [{"kinds": 0}, {"depth": 1}, {"length": 1}, {"longest": 40}])
def test_impossible_settings_are_refused_with_what_came(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        Dyck(**wrong)
