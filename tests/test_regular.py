"""Regular languages: what the answers mean, how long words are, and floors against all words tried one by one."""

import collections
import itertools
import math

import numpy as np
import pytest

from tasks.automaton import Automaton
from tasks.cycle_navigation import CycleNavigation
from tasks.even_pairs import EvenPairs
from tasks.knowing import knowledge
from tasks.modular_arithmetic import ModularArithmetic
from tasks.parity import Parity
from tasks.state_tracking import StateTracking

LANGUAGES = [
    Parity(),
    EvenPairs(),
    CycleNavigation(),
    ModularArithmetic(),
    ModularArithmetic(modulus=3),
    StateTracking(objects=3),
    StateTracking(),
]
ONCE = [task for task in LANGUAGES if not task.every]
ids = lambda task: f"{task.name}-{task.spec.outputs}"


def rows(task, split="train", count=1_000):
    return next(task.batches(split, seed=0, batch_size=count))


def words(task, split="train", count=300):
    batch = rows(task, split, count)
    return [(x[mask].tolist(), y) for x, mask, y in zip(batch.x, batch.mask, batch.y, strict=True)]


@pytest.mark.parametrize("split", ["train", "test/length"])
def test_parity_counts_ones_modulo_two(split):
    assert all(y == sum(word) % 2 for word, y in words(Parity(), split))


@pytest.mark.parametrize("split", ["train", "test/length"])
def test_even_pairs_counts_unequal_neighbours_modulo_two(split):
    assert all(y == sum(a != b for a, b in itertools.pairwise(word)) % 2 for word, y in words(EvenPairs(), split))


@pytest.mark.parametrize("places", [5, 7])
def test_cycle_navigation_ends_where_the_moves_add_up_to(places):
    found = words(CycleNavigation(places=places))
    assert all(y == sum(symbol - 1 for symbol in word) % places for word, y in found)
    assert {symbol for word, _ in found for symbol in word} == {0, 1, 2}


@pytest.mark.parametrize("modulus", [3, 5])
def test_modular_arithmetic_is_what_python_makes_of_the_expression(modulus):
    signs = [*map(str, range(modulus)), "+", "-", "*"]
    for word, y in words(ModularArithmetic(modulus=modulus)):
        text = "".join(signs[symbol] for symbol in word)
        assert all(sign.isdigit() == (place % 2 == 0) for place, sign in enumerate(text))
        assert eval(text) % modulus == y


@pytest.mark.parametrize("objects", [3, 4, 5])
def test_state_tracking_moves_objects_about(objects):
    task = StateTracking(objects=objects)
    orders = sorted(itertools.permutations(range(objects)))
    batch = rows(task, count=20)
    for x, y in zip(batch.x, batch.y, strict=True):
        order = list(range(objects))
        for move, answer in zip(x, y, strict=True):
            if move == 0:
                order[0], order[1] = order[1], order[0]
            else:
                order.insert(0, order.pop())
            assert orders[answer] == tuple(order)


def test_the_picture_of_state_tracking_is_true():
    assert StateTracking(objects=3).automaton.run(np.array([[0, 1, 1, 0]])).tolist() == [[2, 5, 1, 4]]


def test_every_order_of_five_objects_is_reached():
    batch = rows(StateTracking(), "test/length", 300)
    assert set(batch.y[:, -1].tolist()) <= set(range(120))
    assert len(np.unique(batch.y)) == 120


@pytest.mark.parametrize("task", ONCE, ids=ids)
def test_words_of_training_have_every_length_alike_and_those_of_the_length_test_are_longer(task):
    period = 2 if task.name == "modular-arithmetic" else 1
    for split, expected in (("train", range(1, 41, period)), ("test", range(1, 41, period)), ("test/length", range(41, 101, period))):
        lengths, times = np.unique(rows(task, split, 4_000).mask.sum(axis=1), return_counts=True)
        assert lengths.tolist() == list(expected)
        share = 4_000 / len(expected)
        assert times == pytest.approx(share, abs=5 * math.sqrt(share))


def test_the_length_test_has_sixty_lengths_evenly_spaced_up_to_the_longest():
    lengths = Parity(length=20, longest=500).lengths("test/length")
    assert len(lengths) == 60
    assert (lengths[0], lengths[-1]) == (21, 500)
    assert set(np.diff(lengths)) <= {8, 9}


def test_where_every_step_is_asked_only_steps_beyond_training_weigh_in_the_length_test():
    task = StateTracking(length=5, longest=9)
    assert (rows(task).weight == 1).all()
    assert rows(task).x.shape[1] == 5
    assert (rows(task, "test/length").weight == [[0] * 5 + [1] * 4] * 1_000).all()


@pytest.mark.parametrize("name", ["majority", "memoryless", "first and last", "counts only"])
@pytest.mark.parametrize("task", LANGUAGES, ids=ids)
def test_what_little_is_known_of_a_word_tells_what_it_tells_of_all_words(task, name):
    """Every word of 1 to 5 steps is tried, grouped by what is known of it."""
    known = {
        "majority": lambda word: (),
        "memoryless": lambda word: word[-1],
        "first and last": lambda word: (word[0], word[-1]),
        "counts only": lambda word: tuple(sorted(word)),
    }[name]
    automaton = task.automaton
    for length in range(1, 6, len(automaton.alphabets)):
        groups = collections.defaultdict(collections.Counter)
        every = list(itertools.product(*(automaton.alphabets[step % len(automaton.alphabets)] for step in range(length))))
        for word, answer in zip(every, automaton.run(np.array(every))[:, -1], strict=True):
            groups[known(word)][int(answer)] += 1
        right = sum(max(group.values()) for group in groups.values()) / len(every)
        nats = sum(-n * math.log(n / group.total()) for group in groups.values() for n in group.values()) / len(every)
        found = knowledge(automaton, 9)[name]
        assert found.accuracy(length) == pytest.approx(right)
        assert found.nats(length) == pytest.approx(nats)
        guess = found.probabilities(np.array(every), np.full(len(every), length))
        for word, shares in zip(every, guess, strict=True):
            group = groups[known(word)]
            assert shares == pytest.approx([group[answer] / group.total() for answer in range(automaton.classes)])


def test_parity_and_cycle_are_functions_of_counts_and_even_pairs_of_both_ends():
    """These are no floors: who knows that much has solved the task."""
    for task, solves in ((Parity(), "counts only"), (CycleNavigation(), "counts only"), (EvenPairs(), "first and last")):
        for split in ("test", "test/length"):
            metric = task.metrics(split)["accuracy"]
            assert solves not in metric.floors
            assert f"tells the class: {solves}" in metric.why
            assert len(metric.floors) == 3
            batch = rows(task, split, 200)
            assert (task.baselines()[solves].predict(batch).best == batch.y).all()


def test_floors_beyond_training_are_chance_and_at_training_lengths_what_short_words_give_away():
    parity = Parity().metrics("test")["accuracy"].floors
    assert parity == pytest.approx({"majority": 1 / 2, "memoryless": (1 + 39 / 2) / 40, "first and last": (2 + 38 / 2) / 40})
    assert Parity().metrics("test/length")["accuracy"].floor == pytest.approx(1 / 2)
    assert CycleNavigation().metrics("test/length")["accuracy"].floor == pytest.approx(1 / 5, abs=1e-5)
    assert ModularArithmetic().metrics("test/length")["accuracy"].floor == pytest.approx(1 / 5, abs=1e-4)


@pytest.mark.parametrize(("length", "ways"), [(4, [0, 1 / 2, 2 / 3]), (7, [0, 2 / 7, 10 / 21, 4 / 7])])
def test_counts_tell_little_of_even_pairs(length, ways):
    """The ends of a word with c ones of n differ in 2 c (n - c) of its n (n - 1) orders."""
    joint = knowledge(EvenPairs().automaton, length)["counts only"].joint[-1]
    for ones, share in enumerate(ways):
        assert joint[ones, 1] / joint[ones].sum() == pytest.approx(share)


@pytest.mark.parametrize(("objects", "orders"), [(3, 6), (5, 120)])
def test_the_number_of_swaps_tells_an_order_of_an_odd_number_of_objects_but_for_half_of_all(objects, orders):
    """A swap is odd, a shift of 3 or 5 even: long words are spread over one half of the group."""
    known = knowledge(StateTracking(objects=objects).automaton, 100)["counts only"]
    assert known.accuracy(100) == pytest.approx(2 / orders, rel=0.1)
    assert known.nats(100) == pytest.approx(math.log(orders / 2), rel=0.01)


def test_an_automaton_commutes_where_the_order_of_symbols_never_matters():
    assert Parity().automaton.commutes
    assert CycleNavigation().automaton.commutes
    assert not EvenPairs().automaton.commutes
    assert not StateTracking(objects=3).automaton.commutes
    assert Automaton(moves=((0, 1), (1, 1)), answers=(0, 1), alphabets=((0, 1),)).commutes


def test_the_curve_over_every_step_is_the_accuracy_of_that_step():
    task = StateTracking(objects=3, length=3, longest=6, test_rows=50)
    meter = task.meter("test/length")
    for batch in task.batches("test/length", seed=0, batch_size=25):
        best = np.where(np.arange(6) == 4, batch.y, (batch.y + np.arange(25)[:, None] % 2) % 6)
        meter.update(batch, task.baselines()["majority"].predict(batch)._replace(best=best))
    assert meter.result()["accuracy by length"] == ((4.0, 0.52), (5.0, 1.0), (6.0, 0.52))


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (Parity, {"length": 1}),
        (Parity, {"longest": 41}),
        (CycleNavigation, {"places": 2}),
        (ModularArithmetic, {"modulus": 1}),
        (StateTracking, {"objects": 6}),
    ],
)
def test_impossible_settings_are_refused_with_what_came(kind, wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        kind(**wrong)
