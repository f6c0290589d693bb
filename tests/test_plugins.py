"""Names are found or the nearest is told; a trial is loaded again only from the definition that it came from."""

from pathlib import Path

import pytest

from suite import plugins
from suite.arm import Arm
from suite.plugins import BrokenPlugin, UnknownName
from tests import questions


@pytest.fixture
def question(tmp_path):
    return plugins.question(questions.write(tmp_path / "small.py"))


def trials(question, name="lstm"):
    setting = question.experiment.settings[0]
    size = {"width": 3, "inner": None}
    arm = Arm(question=question, setting=setting, name=name, architecture=plugins.architecture(name), size=size, document={}, code="")
    return [one.trial for one in arm.tuning]


def test_a_misspelt_name_gets_the_nearest():
    with pytest.raises(UnknownName, match="no architecture 'lstn'; did you mean 'lstm'"):
        plugins.architecture("lstn")
    with pytest.raises(UnknownName, match="there are: "):
        plugins.architecture("zzzzzz")


def test_a_file_with_one_experiment_needs_no_name_and_with_two_it_does(question, tmp_path):
    assert question.name == "small"
    assert question.reference == f"{tmp_path}/small.py:small"
    assert plugins.question(question.reference).experiment is question.experiment
    text = (tmp_path / "small.py").read_text() + "\nEXPERIMENTS['second'] = EXPERIMENTS['small']\n"
    (tmp_path / "two.py").write_text(text)
    with pytest.raises(UnknownName, match=r"several experiments: name one, as two\.py:small"):
        plugins.question(str(tmp_path / "two.py"))
    assert plugins.question(f"{tmp_path}/two.py:second").name == "second"
    with pytest.raises(UnknownName, match="did you mean 'second'"):
        plugins.question(f"{tmp_path}/two.py:secnd")


@pytest.mark.parametrize(("text", "words"), [("x = undefined", "NameError"), ("x = (", "SyntaxError"), ("x = 1", "holds no EXPERIMENTS")])
def test_a_file_that_cannot_be_used_is_named(tmp_path, text, words):
    (tmp_path / "broken.py").write_text(text)
    with pytest.raises(BrokenPlugin, match=words) as told:
        plugins.question(str(tmp_path / "broken.py"))
    assert "broken.py" in str(told.value)


CELL = """
from suite.architecture import Architecture
from suite.recurrence import Cell
class Kept(Cell):
    gates = ("h",)
    def step(self, x, states, recur):
        return recur(states[0], add=x)
KIND = dict(family="mine", source="me", kinds=frozenset({"steps"}), causal=True, carries=True)
ARCHITECTURES = {"NAME": Architecture(target=f"{__name__}:Kept", **KIND)}
"""


def test_a_cell_of_the_questions_own_file_is_found_by_its_name(tmp_path):
    file = questions.write(tmp_path / "mine.py", architectures=("kept_by_me", "lstm"))
    Path(file).write_text(Path(file).read_text() + CELL.replace("NAME", "kept_by_me"))
    question = plugins.question(file)
    cell = plugins.architecture("kept_by_me").resolve()
    assert cell.__name__ == "Kept"
    assert cell.__module__ == plugins.architecture("kept_by_me").target.partition(":")[0]
    for trial in trials(question, "kept_by_me"):
        assert plugins.trial(trial.to_json()).architecture == trial.architecture
    assert "kept_by_me" not in plugins.table("ARCHITECTURES")


def test_a_file_may_not_give_its_cell_a_name_that_is_taken(tmp_path):
    file = questions.write(tmp_path / "mine.py")
    Path(file).write_text(Path(file).read_text() + CELL.replace("NAME", "lstm"))
    with pytest.raises(BrokenPlugin, match=r"mine\.py brings an architecture 'lstm', and so does suite\.architectures"):
        plugins.question(file)


def test_a_trial_is_loaded_again_from_its_json(question):
    for trial in trials(question):
        loaded = plugins.trial(trial.to_json())
        assert loaded == trial
        assert loaded.key == trial.key


def test_a_definition_that_changed_while_it_ran_is_refused(question, tmp_path):
    body = trials(question)[0].to_json()
    text = (tmp_path / "small.py").read_text()
    (tmp_path / "small.py").write_text(text.replace("steps=10", "steps=11"))
    plugins._file.cache_clear()
    with pytest.raises(BrokenPlugin, match="changed while it ran"):
        plugins.trial(body)


def test_the_hash_of_a_definition_changes_with_everything_it_states(tmp_path):
    changes = [{}, {"question": "Another?"}, {"trials": 5}, {"seeds": (5, 6)}, {"high": 0.2}, {"architectures": ("lstm",)}]
    made = [plugins.question(questions.write(tmp_path / f"q{n}.py", **change)).experiment for n, change in enumerate(changes)]
    assert len({plugins.definition_hash(experiment) for experiment in made}) == len(changes)
