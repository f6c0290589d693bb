"""Hello: one word, and what can be said of it without a memory."""

import math

import numpy as np
import pytest

from tasks.hello import LETTERS, Hello


def test_hello_predicts_ello_from_hell():
    batch = next(Hello().batches("train", seed=0, batch_size=2))
    assert ["".join(LETTERS[i] for i in row) for row in (*batch.x, *batch.y)] == ["hell", "hell", "ello", "ello"]


def test_hello_floor_is_what_the_best_table_from_letter_to_letter_gets():
    """All 4^4 tables of one answer for each letter, on the four steps of the word; the loss by the shares of what follows."""
    x, y = ([LETTERS.index(letter) for letter in word] for word in ("hell", "ello"))
    tables = np.array(np.meshgrid(*[range(4)] * 4)).reshape(4, -1)
    metrics = Hello().metrics("test")
    assert max(np.mean(tables[x] == np.array(y)[:, None], axis=0)) == metrics["accuracy"].floor
    assert (tables[x] == np.array(y)[:, None]).all(axis=0).mean() == metrics["exact"].floor
    assert metrics["loss"].floor == pytest.approx(-(2 * math.log(1) + 2 * math.log(1 / 2)) / 4)


def test_hello_is_solved_by_the_whole_word_only():
    name, threshold = Hello().solved
    assert name == "accuracy"
    assert 0.75 < threshold <= 1
