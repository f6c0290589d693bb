"""The echo state network: its equations, that nothing in it is trained, its radius, and that it forgets where it began."""

import types

import numpy as np
import pytest

from suite import models
from suite.plugins import architecture
from suite.sizing import solve
from suite.task import Spec
from tests.replay import FEATURES, UNITS, assert_replays, layer, noise

D, H = FEATURES, UNITS


def step(x, states, *, kernel, recurrent_kernel, bias, leak=1.0):
    (h,) = states
    return ((1 - leak) * h + leak * np.tanh(x @ kernel + h @ recurrent_kernel + bias),)


@pytest.mark.parametrize("leak", [1.0, 0.3])
def test_it_matches_the_equations_of_its_docstring(leak):
    assert_replays(layer("echo_state", leak=leak), lambda *given, **w: step(*given, **w, leak=leak))


@pytest.mark.parametrize("radius", [0.5, 0.95, 1.2])
def test_its_largest_eigenvalue_has_the_size_that_it_is_given(radius):
    made = layer("echo_state", units=100, radius=radius)
    assert np.abs(np.linalg.eigvals(made.recurrent_kernel)).max() == pytest.approx(radius, rel=1e-5)


def test_only_what_reads_it_is_trained():
    spec = Spec(kind="once", loss="categorical", inputs=D, outputs=5, tokens=False, length=6, longest=6, lengths=(6,))
    model = models.build(architecture("echo_state"), spec, width=16, seed=0)
    assert model.counts()["parameters"] == model.counts()["head"] == 5 * (16 + 1)
    assert model.counts()["core"] == 0
    assert layer("echo_state").trainable_weights == []


def test_at_equal_size_it_is_as_wide_as_an_elman_network_that_is_trained():
    """If only the read-out counted, 1,220 parameters would be a reservoir of 1,219 units."""
    spec = Spec(kind="once", loss="squared", inputs=2, outputs=1, tokens=False, length=6, longest=6, lengths=(6,))
    setting = types.SimpleNamespace(task=types.SimpleNamespace(spec=spec), size=1220, depth=1, embedding=None, label="label")
    own, other = (solve(architecture(name), setting, "parameters") for name in ("echo_state", "elman"))
    assert (own.width, own.counted) == (other.width, other.counted)
    assert own.parameters == own.head == own.width + 1
    assert models.build(architecture("echo_state"), spec, width=5, depth=2, seed=0).counts()["counted"] == 5 * (2 + 5 + 1) + 5 * 11 + 6


def test_it_forgets_where_it_began():
    made, x = layer("echo_state", units=64, radius=0.5), noise(1, 200, D)
    one, other = (made(x, initial_state=[h])[0].numpy() for h in (np.ones((1, 64)), -np.ones((1, 64))))
    assert np.abs(one[0, 0] - other[0, 0]).max() > 0.1
    assert np.abs(one[0, -1] - other[0, -1]).max() < 1e-9


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="radius must be a positive number, got 0"):
        layer("echo_state", radius=0)
    with pytest.raises(ValueError, match=r"leak must be above 0 and at most 1, got 1\.5"):
        layer("echo_state", leak=1.5)
