"""Greedy and beam search find what their definitions say, row by row, and the best of all sequences where there is room."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from suite import plugins
from suite.decoding import beam, decoded, greedy
from suite.graphs import Graphs
from suite.models import build
from suite.task import Batch, Spec
from tests.test_encoder_decoder import MASK, SPEC, X

START, STOP, SYMBOLS = 0, 1, 3
LONGEST = 4
HYPOTHESES = SYMBOLS**LONGEST  # more than there are


class Chain:
    """A model with a state: h' = tanh(h U + E[y]), logits = h' O; the source is the first h."""

    def __init__(self, seed=0, symbols=SYMBOLS, scale=2.0):
        rng = np.random.default_rng(seed)
        self.spec = Spec(
            kind="sequence", loss="categorical", inputs=5, outputs=symbols, tokens=False, length=1, longest=1, lengths=(1,),
            target_lengths=(LONGEST,), start=START, stop=STOP,
        )  # fmt: skip
        self.U, self.E, self.O = (rng.normal(0, scale, shape) for shape in ((5, 5), (symbols, 5), (5, symbols)))

    def start(self, x, mask, longest):
        return (tf.cast(x[:, 0], tf.float64), tf.ones_like(x))

    def next(self, ids, state):
        h = tf.tanh(state[0] @ self.U + tf.gather(self.E, ids))
        return tf.cast(h @ self.O, tf.float32), (h, state[1])

    def logs(self, h, y):
        """Numpy: log P of every next symbol, and the next state."""
        h = np.tanh(h @ self.U + self.E[y])
        logits = h @ self.O
        return logits - np.log(np.exp(logits).sum()), h


def sources(rows, seed=1):
    return np.random.default_rng(seed).normal(size=(rows, 1, 5)).astype(np.float32)


def objective(log, length):
    return log / ((5 + length) / 6) ** 0.6


def ends(prefix):
    return prefix[-1:] == (STOP,) or len(prefix) == LONGEST


def log_probability(model, x, y):
    """Of a sequence up to its stop, and how many symbols it has."""
    y = list(y)
    y = y[: y.index(STOP) + 1] if STOP in y else y
    h, total = x[0].astype(np.float64), 0.0
    for before, symbol in zip([START, *y[:-1]], y, strict=True):
        logs, h = model.logs(h, before)
        total += logs[symbol]
    return total, len(y)


def value(model, x, y):
    return objective(*log_probability(model, x, y))


def optimum(model, x):
    """The best of all sequences that end with stop or are as long as allowed, by trying every one."""
    every = (y for size in range(1, LONGEST + 1) for y in itertools.product(range(SYMBOLS), repeat=size))
    return max((y for y in every if ends(y) and STOP not in y[:-1]), key=lambda y: value(model, x, y))


def searched(model, x, width):
    """Beam search of one row in plain Python: the likeliest extensions take the places that no finished hypothesis has."""
    alive, done = [((), 0.0, x[0].astype(np.float64))], []
    while alive and len(done) < width:
        more = []
        for y, log, h in alive:
            logs, after = model.logs(h, y[-1] if y else START)
            more += [((*y, symbol), log + logs[symbol], after) for symbol in range(len(logs))]
        kept = sorted(more, key=lambda one: -one[1])[: width - len(done)]
        done += [one for one in kept if ends(one[0])]
        alive = [one for one in kept if not ends(one[0])]
    return max(done, key=lambda one: objective(one[1], len(one[0])))[0]


def filled(sequences):
    return np.array([[*y, *[STOP] * (LONGEST - len(y))] for y in sequences])


@pytest.mark.parametrize("seed", range(3))
def test_a_beam_of_one_is_greedy(seed):
    model, x = Chain(seed), sources(200)
    np.testing.assert_array_equal(beam(model, x, None, LONGEST, 1), greedy(model, x, None, LONGEST))


@pytest.mark.parametrize("seed", range(3))
def test_a_beam_with_a_place_for_every_sequence_finds_the_best_of_all(seed):
    model, x = Chain(seed), sources(25)
    expected = [optimum(model, row) for row in x]
    np.testing.assert_array_equal(beam(model, x, None, LONGEST, HYPOTHESES), filled(expected))
    assert len({len(y) for y in expected}) > 1


@pytest.mark.parametrize("width", [2, 3, 4, 5])
def test_a_beam_keeps_the_likeliest_extensions_in_the_places_that_are_free(width):
    model, x = Chain(7, scale=1.0), sources(60)
    np.testing.assert_array_equal(beam(model, x, None, LONGEST, width), filled([searched(model, row, width) for row in x]))


def test_a_wider_beam_is_better_on_the_whole_than_greedy_and_never_better_than_the_optimum():
    """Row by row it may lose: greedy's hypothesis can fall out of a beam. Over many rows it must not."""
    model, x = Chain(3, scale=1.0), sources(200)
    found = {width: beam(model, x, None, LONGEST, width).numpy() for width in (1, 2, 4, HYPOTHESES)}
    values = {width: np.array([value(model, row, y) for row, y in zip(x, ids, strict=True)]) for width, ids in found.items()}
    means = [values[width].mean() for width in (1, 2, 4, HYPOTHESES)]
    assert means == sorted(means)
    assert means[2] > means[0] + 0.01
    assert (values[4] >= values[1] - 1e-6).mean() > 0.95
    assert all((values[HYPOTHESES] >= value - 1e-6).all() for value in values.values())


class Told:
    """Says at every step what a table says after the symbol before: (symbols, symbols) probabilities."""

    def __init__(self, table):
        self.table = np.log(np.maximum(np.array(table, np.float32), 1e-9))
        self.spec = dataclasses.replace(Chain().spec, outputs=len(table))

    def start(self, x, mask, longest):
        return (tf.zeros((x.shape[0], 1)),)

    def next(self, ids, state):
        return tf.gather(self.table, ids), state


def test_what_has_ended_early_is_not_lost_to_what_looks_better_for_a_while():
    """After the start: stop .4, or a .6; after a: b or c .5, and so on. Greedy ends at .6 / 2^3, a beam of two keeps the .4."""
    table = [[0, 0.4, 0.6, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0.5, 0.5], [0, 0, 0, 0.5, 0.5], [0, 0, 0, 0.5, 0.5]]
    model, x = Told(table), sources(1)
    np.testing.assert_array_equal(greedy(model, x, None, LONGEST), [[2, 3, 3, 3]])
    np.testing.assert_array_equal(beam(model, x, None, LONGEST, 2), [[STOP] * 4])


def test_longer_sequences_pay_less_for_each_symbol():
    """stop: .36, -1.022 / 1; a b stop: .64 * .6 * .92 = .353, -1.041 / (8 / 6)^.6 = -.876."""
    table = [[0, 0.36, 0.64, 0], [0, 1, 0, 0], [0, 0, 0.4, 0.6], [0, 0.92, 0.08, 0]]
    assert math.log(0.36) > math.log(0.64 * 0.6 * 0.92)
    assert objective(math.log(0.36), 1) < objective(math.log(0.64 * 0.6 * 0.92), 3)
    np.testing.assert_array_equal(beam(Told(table), sources(1), None, LONGEST, 3), [[2, 3, STOP, STOP]])


def test_a_beam_wider_than_the_symbols_has_empty_places_that_never_win():
    table = [[0, 0.01, 0.99], [0, 1, 0], [0, 0.01, 0.99]]
    np.testing.assert_array_equal(beam(Told(table), sources(2), None, LONGEST, 8), [[2] * 4] * 2)


@pytest.mark.parametrize("width", [1, 4])
def test_a_row_does_not_depend_on_its_neighbours(width):
    model, x = Chain(5), sources(20)
    together = beam(model, x, None, LONGEST, width).numpy()
    alone = np.concatenate([beam(model, row[None], None, LONGEST, width).numpy() for row in x])
    np.testing.assert_array_equal(together, alone)
    assert len({tuple(y) for y in together}) > 3


@pytest.mark.parametrize("width", [0, -1])
def test_a_beam_without_a_place_is_refused(width):
    with pytest.raises(ValueError, match=f"at least 1 hypothesis, got {width}"):
        beam(Chain(), sources(1), None, LONGEST, width)


def real(name, depth, wiring):
    made = build(dataclasses.replace(plugins.architecture(name), wiring=wiring), SPEC, width=4, depth=depth, seed=3)
    for weight in made.trainable_weights:
        weight.assign(weight * 2.5)
    return made


MODELS = [("elman", 2, {"attention": "bahdanau"}), ("lstm", 1, {"attention": "luong_feeding", "context": "both"})]


@pytest.mark.parametrize(("name", "depth", "wiring"), MODELS)
def test_a_beam_follows_the_states_of_its_hypotheses(name, depth, wiring):
    """The same search over teacher-forced passes on every prefix, which carry no state from step to step."""
    model, longest, width = real(name, depth, wiring), 4, 3
    ids = beam(model, X, MASK, longest, width).numpy()
    alive, done = [[((), 0.0)] for _ in X], [[] for _ in X]
    for step in range(longest):
        every = [(row, y, log) for row, hypotheses in enumerate(alive) for y, log in hypotheses]
        rows = [row for row, _, _ in every]
        read = np.array([[SPEC.start, *y] for _, y, _ in every], np.int32)
        logits = model(X[rows], target_in=read, mask=MASK[rows]).numpy()[:, -1].astype(np.float64)
        gains = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        more = [[] for _ in X]
        for (row, y, log), gain in zip(every, gains, strict=True):
            more[row] += [((*y, symbol), log + one) for symbol, one in enumerate(gain)]
        for row, extensions in enumerate(more):
            kept = sorted(extensions, key=lambda one: -one[1])[: width - len(done[row])]
            full = [y[-1] == SPEC.stop or step == longest - 1 for y, _ in kept]
            done[row] += [one for one, ends in zip(kept, full, strict=True) if ends]
            alive[row] = [one for one, ends in zip(kept, full, strict=True) if not ends]
    for found, hypotheses in zip(ids, done, strict=True):
        best = max(hypotheses, key=lambda one: objective(one[1], len(one[0])))[0]
        np.testing.assert_array_equal(found, [*best, *[SPEC.stop] * (longest - len(best))])


def test_the_padding_of_the_source_does_not_change_what_is_decoded():
    model, junk = real("elman", 1, {"attention": "bahdanau"}), np.full((3, 2), 3, np.int32)
    padded = beam(model, np.hstack([X, junk]), np.hstack([MASK, junk == 0]), 5, 4)
    np.testing.assert_array_equal(padded, beam(model, X, MASK, 5, 4))


def test_a_shape_is_traced_once():
    model, x = Chain(), tf.constant(sources(3))
    beam(model, x, None, LONGEST, 2)
    traced = beam.experimental_get_tracing_count()
    beam(model, x + 1, None, LONGEST, 2)
    assert beam.experimental_get_tracing_count() == traced
    beam(model, x, None, LONGEST, 3)
    assert beam.experimental_get_tracing_count() == traced + 1


@pytest.mark.parametrize(("needs", "names"), [({"greedy", "beam4"}, ["greedy", "beam4"]), ({"beam4"}, ["beam4"]), ({"attention"}, None)])
def test_what_the_meter_asks_for_is_decoded_up_to_the_longest_target(needs, names):
    asking = dataclasses.replace(SPEC, needs=frozenset(needs), target_lengths=(3, 5))
    model = build(plugins.architecture("elman"), asking, width=4, seed=0)
    found = decoded(model, Batch(x=X, y=np.zeros((3, 3)), weight=np.ones((3, 3)), mask=MASK), Graphs())
    if names is None:
        assert found is None
    else:
        assert list(found) == names
        assert all(ids.shape == (3, 5) for ids in found.values())
        np.testing.assert_array_equal(found["beam4"], beam(model, X, MASK, 5, 4))
