"""Canonical JSON: one text for one configuration."""

import dataclasses
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from suite import canonical
from tasks.adding import Adding
from tasks.charlm import CharLM
from tasks.copying import Copying


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Outer:
    width: int = 3
    rate: float = 1.0
    cap: float | None = None
    either: int | float = 1
    inner: Inner = Inner()
    names: frozenset[str] = frozenset()
    options: dict[str, int] = field(default_factory=dict)
    path: Path | None = field(default=None, metadata={"key": False})


class Point(NamedTuple):
    x: float
    y: float


def test_the_order_of_keys_and_of_sets_does_not_matter():
    assert canonical.text({"b": 1, "a": {"d": 1, "c": 2}}) == '{"a":{"c":2,"d":1},"b":1}'
    assert canonical.text({"set": {"b", "a", "c"}}) == '{"set":["a","b","c"]}'


def test_a_whole_number_in_a_float_field_is_that_float():
    assert canonical.text(Outer(rate=2)) == canonical.text(Outer(rate=2.0))
    assert canonical.text(Outer(cap=2)) == canonical.text(Outer(cap=2.0))
    assert canonical.digest(Outer(rate=2)) != canonical.digest(Outer(rate=2.5))


def test_an_integer_stays_an_integer_where_the_field_allows_it():
    assert canonical.fields(Outer(width=2))["width"] == 2
    assert isinstance(canonical.fields(Outer(either=2))["either"], int)


def test_negative_zero_is_zero():
    assert canonical.text(-0.0) == canonical.text(0.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: "a"}, [object()], b"bytes", 1j])
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(ValueError, match=r"got|no canonical form"):
        canonical.text({"value": value})


def test_fields_that_are_no_part_of_the_identity_never_appear():
    assert canonical.digest(Outer(path=Path("here"))) == canonical.digest(Outer(path=Path("there")))
    assert "path" not in canonical.fields(Outer(path=Path("here")))


def test_fields_that_equal_their_default_can_be_left_out():
    assert canonical.fields(Outer(), changed_only=True) == {}
    changed = Outer(width=4, inner=Inner(rate=1), options={"a": 1})
    assert canonical.fields(changed, changed_only=True) == {"width": 4, "inner": {"rate": 1.0}, "options": {"a": 1}}


def test_a_nested_dataclass_is_its_fields_and_a_tuple_is_a_list():
    assert canonical.canonical(Outer())["inner"] == {"rate": 0.5}
    assert canonical.canonical((1, (2, 3))) == [1, [2, 3]]
    assert canonical.canonical(Point(1.0, 2.0)) == {"type": "Point", "x": 1.0, "y": 2.0}


def test_distributions_are_told_apart_by_class_and_arguments():
    one = FloatDistribution(1e-4, 1e-1, log=True)
    assert canonical.text(one) == canonical.text(FloatDistribution(1e-4, 1e-1, log=True))
    others = [FloatDistribution(1e-4, 1e-1), FloatDistribution(1e-4, 2e-1, log=True), CategoricalDistribution([1e-4, 1e-1])]
    assert len({canonical.digest(each) for each in (one, *others)}) == 4


def test_true_and_one_and_the_word_are_three_things():
    assert len({canonical.text(value) for value in (True, 1, "1", "true", 1.5, None, "null")}) == 7


def test_tasks_that_differ_in_a_flag_differ_in_identity():
    """A path made of `bool("False")` once gave two data sets one name; see also numbers that print alike."""
    pairs = [
        (Adding(), Adding(ordered=True)),
        (Adding(), Adding(convention="bai")),
        (Copying(), Copying(delay=101)),
        (CharLM(), CharLM(carried=True)),
        (CharLM(), CharLM(limit=5_000)),
    ]
    for one, other in pairs:
        assert canonical.digest(one) != canonical.digest(other)


def test_every_field_of_a_task_but_its_paths_is_part_of_its_identity():
    changed = {"corpus": "tinyshakespeare", "window": 50, "carried": True, "limit": 10_000}
    names = {each.name for each in dataclasses.fields(CharLM) if each.metadata.get("key", True)}
    assert names == {*changed, "in_bytes"}
    each = [CharLM(), CharLM(path=Path(__file__), in_bytes=True), *(CharLM(**{name: value}) for name, value in changed.items())]
    assert len({canonical.digest(task) for task in each}) == 6


def test_the_text_is_the_same_under_another_hash_seed():
    code = 'from suite import canonical; print(canonical.text({"set": {"a", "b", "c", "d"}, "é": 0.1}))'
    printed = {
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": str(n)}, capture_output=True, text=True, check=True).stdout
        for n in (1, 2)
    }
    assert printed == {canonical.text({"set": {"d", "c", "b", "a"}, "é": 0.1}) + "\n"}
    assert json.loads(printed.pop()) == {"set": ["a", "b", "c", "d"], "é": 0.1}
