"""The benchmark counts what it says, pairs turns, survives a subject that cannot, and shows it on a page that fetches nothing."""

import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest

from suite.bench import cases, measure, page, process
from suite.bench.cases import Case
from suite.bench.process import Built

CASE = Case(cell="lstm", batch=4, time=5, features=3, units=2)


@pytest.fixture
def fakes(monkeypatch):
    fake = {"suite": "quick", "keras.layers": "slow", "torch.nn": "picky", "jax scan": "broken"}
    monkeypatch.setattr(process, "SUBJECTS", {name: f"tests.fake_subjects:{target}" for name, target in fake.items()})
    monkeypatch.setattr(process.Subject, "peak", lambda self, case: 1e9)
    monkeypatch.setattr(measure, "TURN_SECONDS", 0.03)


@pytest.mark.parametrize(("cell", "gates"), [("elman", 1), ("gru", 3), ("lstm", 4)])
def test_flops_are_those_of_every_product_of_a_step(cell, gates):
    """Forward x W and h U; backward dW, dU and dh, not dx; the head forward and backward twice: a multiply-add is 2."""
    rows, wide = 4 * 5, gates * 2
    products = [(rows, 3, wide), (rows, 2, wide), (3, rows, wide), (2, rows, wide), (rows, wide, 2)]
    products += [(rows, 2, cases.CLASSES), (2, rows, cases.CLASSES), (rows, cases.CLASSES, 2)]
    case = Case(cell=cell, batch=4, time=5, features=3, units=2)
    assert case.flops == sum(2 * math.prod(product) for product in products)
    assert case.tokens == rows


def test_a_second_layer_adds_its_own_input_gradient_and_two_directions_double():
    one, two, both = (Case(cell="lstm", batch=4, time=5, features=3, units=2, kind=kind) for kind in ("plain", "stacked", "bidirectional"))
    rows, wide, head = 20, 8, 6 * 20 * 2 * cases.CLASSES
    assert two.flops - one.flops == 6 * (2 * rows * 2 * wide)  # x W, h U, each with two gradients, all 2 wide
    assert both.flops == 2 * one.flops
    assert one.flops > head


@pytest.mark.parametrize(("wrong", "said"), [({"cell": "mgu"}, "cell must be one of"), ({"kind": "wide"}, "kind must be one of")])
def test_an_unknown_case_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        Case(**{"cell": "lstm", "batch": 1, "time": 1, "features": 1, "units": 1, **wrong})


def test_the_ratio_is_the_peers_time_over_ours_and_who_cannot_is_left_out_with_the_reason(fakes):
    said = []
    (row,) = measure.compare(
        [CASE], lambda _: [("suite", peer) for peer in ("keras.layers", "torch.nn", "jax scan")], turns=3, tell=said.append
    )
    assert (row.subject, row.peer, row.shape) == ("suite", "keras.layers", "4x5x3x2")
    assert row.spread[0] <= row.quartiles[0] <= row.ratio <= row.quartiles[1] <= row.spread[1]
    assert row.medians["suite"] >= 4
    assert row.medians["keras.layers"] >= 12
    assert row.tokens_per_second == pytest.approx(CASE.tokens / row.medians["suite"] * 1e3)
    assert row.gflops == pytest.approx(CASE.flops / row.medians["suite"] * 1e-6)
    assert row.share_of_peak == pytest.approx(row.gflops)
    assert any("torch.nn: takes nothing" in line for line in said)
    assert any("jax scan ended without an answer" in line for line in said)


def test_turns_are_interleaved_and_a_drift_of_the_machine_leaves_the_ratio():
    """The machine slows down by half from turn to turn; the ratio of the medians of all steps would not be 3."""
    order = []

    class Drifting:
        def __init__(self, name, seconds):
            self.name, self.seconds, self.turns = name, seconds, 0

        def turn(self, steps):
            order.append(self.name)
            self.turns += 1
            return [self.seconds * 1.5**self.turns] * steps

    found = measure._turns([Drifting("a", 0.1), Drifting("b", 0.3)], 4)
    assert order == ["a", "b"] * 5
    np.testing.assert_allclose(found["b"] / found["a"], 3.0)


def test_steps_of_a_small_model_are_counted_and_not_calls():
    small = cases.TINY[0]
    seconds = {"suite": np.array([0.05]), "keras.layers": np.array([0.5])}
    built = {name: Built(1.0, 2**20) for name in seconds}
    (row,) = measure._rows(small, [("suite", "keras.layers")], seconds, built, 1e9, 0.5)
    assert row.medians == {"suite": pytest.approx(0.5), "keras.layers": pytest.approx(5.0)}
    assert row.ratio == pytest.approx(10)


def rows_of(*shapes):
    built = {name: Built(1.0, 2**20) for name in ("suite", "keras.layers")}
    seconds = {"suite": np.array([0.02, 0.03]), "keras.layers": np.array([0.04, 0.05])}
    found = [row for case in shapes for row in measure._rows(case, [("suite", "keras.layers")], seconds, built, 1e11, 0.5)]
    return [row.to_json() for row in found]


def test_the_page_holds_every_row_and_fetches_nothing():
    html = page.html(rows_of(*cases.FULL))
    assert html == page.html(rows_of(*cases.FULL))
    assert html.count('<tr><th scope="row">') == len(cases.FULL)
    assert html.count("<svg") == 3  # against time, units and batch
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!#)", html)
    assert "http" not in html.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert "busy" not in html
    assert "The host was busy" in page.html([{**row, "load": 9.0, "cores": 2} for row in rows_of(cases.A)])


@pytest.mark.slow
def test_the_command_times_real_layers_in_a_small_form():
    command = [sys.executable, "-m", "suite", "bench", "--check", "--peer", "keras.layers", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)
    assert [(row["cell"], row["subject"]) for row in rows] == [
        (case.cell, subject) for case in cases.CHECK for subject in ("suite", "suite, step alone")
    ]
    assert {"subject", "peer", "cell", "shape", "ratio", "spread", "medians"} <= set(rows[0])
    assert all(row["ratio"] > 0 and row["gflops"] > 0 for row in rows)
