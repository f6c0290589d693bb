"""`suite new`: files of a user become a definition that says all it holds, is refused when they change, and runs."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments.own import STARTERS
from suite import new, plugins
from suite.experiment import Experiment
from suite.starter import Given

ROOT = Path(__file__).parent.parent


def texts(labels=("neg", "pos"), count=60):
    return "".join(f'"film {n}, {labels[n % len(labels)]} indeed",{labels[n % len(labels)]}\n' for n in range(count))


def sentences(count=60):
    lines = "".join(f"{n}\tw{n % 7}\t_\t{'NOUN' if n % 2 else 'VERB'}\t_\t_\t_\t_\t_\t_\n" for n in range(1, 4))
    return f"# a comment\n{lines}\n" * count


def parallel(word, count=200):
    return "".join(f"{word} number {n} runs fast\n" for n in range(count))


def numbers(count=2_000):
    return "hour,load,heat\n" + "".join(f"{n},{np.sin(n / 5):.6f},{n % 24}\n" for n in range(count))


KINDS = {
    "charlm": ({"mine.txt": "to be or not to be, that is the question. " * 150}, {}),
    "forecasting": ({"mine.csv": numbers()}, {"columns": ("load", "heat"), "target": "load"}),
    "labelling": ({"mine.conllu": sentences()}, {}),
    "sentiment": ({"mine.csv": "text,label\n" + texts()}, {}),
    "translation": ({"mine.en": parallel("dog"), "mine.de": parallel("Hund")}, {}),
}


def given(folder, files, options=None):
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return Given(files=tuple(folder / name for name in files), **(options or {}))


@pytest.fixture(params=sorted(KINDS))
def written(request, tmp_path):
    files, options = KINDS[request.param]
    path = new.write(request.param, given(tmp_path, files, options), tmp_path / "mine.py")
    return request.param, path, files


def test_every_kind_of_data_has_a_case_here():
    assert set(KINDS) == set(STARTERS) == {name for name, entry in plugins.table("STARTERS").items() if entry.module == "experiments"}


def test_what_is_written_is_a_question_on_the_data_with_their_hash_their_card_and_their_splits(written):
    kind, path, files = written
    question = plugins.question(str(path))
    assert (question.name, type(question.experiment)) == (f"mine-{kind}", Experiment)
    task = question.experiment.settings[0].task
    assert task.name == kind
    card, content = task.describe(), path.read_text()
    for text in files.values():
        assert f'sha256="{hashlib.sha256(text.encode()).hexdigest()}"' in content
    assert f"# sha256 of what is read: {card.digest}" in content
    notes = " ".join(line.removeprefix("#").strip() for line in content.split("\n") if line.startswith("#"))
    assert card.notes in notes
    for split, size in card.sizes.items():
        assert f"{split} {size:,}" in notes if size else f"{split} without end" in notes
    assert next(task.batches("train", seed=0, batch_size=4)).x.shape[0] == 4
    assert set(path.parent.iterdir()) == {path, *(path.parent / name for name in files)}


def test_what_is_written_is_as_tidy_as_the_house(written):
    _, path, _ = written
    ruff = Path(sys.executable).parent / "ruff"
    for arguments in (["check", "--select", "E,F,W,I,D1", "--line-length", "140"], ["format", "--check", "--line-length", "140"]):
        done = subprocess.run([ruff, *arguments, "--no-cache", "--isolated", path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_data_and_question_can_move_together_and_data_elsewhere_are_named_in_full(tmp_path):
    (tmp_path / "one").mkdir()
    files, options = KINDS["charlm"]
    path = new.write("charlm", given(tmp_path / "one", files, options), tmp_path / "one" / "mine.py")
    far = new.write("charlm", given(tmp_path / "one", files, options), tmp_path / "far.py")
    assert 'HERE / "mine.txt"' in path.read_text()
    assert 'HERE / "one/mine.txt"' in far.read_text()
    (tmp_path / "one").rename(tmp_path / "two")
    assert plugins.question(str(tmp_path / "two" / "mine.py")).experiment.settings[0].task.spec.inputs > 2
    (tmp_path / "three").mkdir()
    away = new.write("charlm", given(tmp_path / "two", files, options), tmp_path / "three" / "away.py")
    assert f'Path("{tmp_path}/two/mine.txt")' in away.read_text()


def test_data_that_changed_since_are_refused_with_both_hashes(written, tmp_path):
    """In another folder: what one process has read, it does not read again."""
    _, path, files = written
    name, content = next(iter(files.items()))
    changed = content.replace("1", "2").replace("be", "do")
    there = tmp_path / "there"
    there.mkdir()
    given(there, {**files, name: changed, path.name: path.read_text()})
    one, other = (hashlib.sha256(text.encode()).hexdigest() for text in (content, changed))
    with pytest.raises(ValueError, match=rf"{name} has changed: .* sha256 {one}, this is {other}"):
        plugins.question(str(there / path.name)).experiment.settings[0].task.digest()


@pytest.mark.parametrize(
    ("kind", "files", "options", "words"),
    [
        ("charlm", {"a.txt": b"abc\nd\xe9f\n"}, {}, r"a\.txt, line 2: expected UTF-8, got byte 0xe9 at byte 2"),
        ("charlm", {"a.txt": "short"}, {}, "more than one window of 100 characters"),
        ("charlm", {"a.txt": "abc" * 999}, {"target": "load"}, "has no --target"),
        ("forecasting", {"a.csv": numbers()}, {}, "target must say which column to forecast, one of hour, load, heat"),
        ("forecasting", {"a.csv": "s\n1\n\nna\n2\n"}, {}, r"a\.csv, line 3"),
        ("forecasting", {"a.csv": numbers()}, {"columns": ("load", "none")}, "no column 'none'"),
        ("labelling", {"a.conllu": "1\tdog\t_\tNOUN\n"}, {}, r"a\.conllu, line 1: expected 10 columns between tabs, got 4"),
        ("sentiment", {"a.csv": "words,stars\n" + texts()}, {}, r"line 1: expected columns text and label, or --columns .* words, stars"),
        ("sentiment", {"a.csv": "text,label\nfine,pos\nbad\n"}, {}, r"a\.csv, line 3: expected 2 values as in the first line, got 1"),
        ("sentiment", {"a.csv": "text,label\n ,pos\n"}, {}, r"line 2: expected a text, got none"),
        ("sentiment", {"a.csv": "text,label\nfine,\n"}, {}, r"line 2: expected a label, got none"),
        ("sentiment", {"a.csv": "text,label\nfine,pos\ngood,pos\n"}, {}, "expected 2 to 20 different labels, got 1: pos"),
        ("sentiment", {"a.csv": "text,label\n" + texts(count=8)}, {}, "rows of both classes"),
        ("sentiment", {"a.csv": 'text,label\n"fine,pos\n'}, {}, r"a\.csv, line 2: "),
        ("sentiment", {"a.jsonl": '{"text": "a", "label": 1}\n{"text": "b"}\n'}, {}, r"a\.jsonl, line 2: expected a value under 'label'"),
        ("sentiment", {"a.jsonl": '{"text": "a", "label": 1}\n["b"]\n'}, {}, r"a\.jsonl, line 2: expected a JSON object"),
        (
            "sentiment",
            {"a.csv": "text,label\n" + texts()},
            {"columns": ("text",)},
            "--columns names that of the text and that of the label",
        ),
        ("translation", {"a.en": "a b\nc d\n", "a.de": "e f\n"}, {}, r"a\.en, line 2: has no partner, .*a\.de ends with line 1"),
        ("translation", {"a.en": "a b\n\n", "a.de": "e f\nd\n"}, {}, r"a\.en, line 2: expected a text, got an empty line"),
        ("translation", {"a.en": "a b\n"}, {}, "takes SOURCE TARGET, got 1 files"),
        ("sentimnt", {"a.csv": ""}, {}, "did you mean 'sentiment'"),
    ],
)
def test_wrong_data_are_refused_by_file_and_line_and_nothing_is_written(tmp_path, kind, files, options, words):
    wanted = given(tmp_path, files, options)
    with pytest.raises(ValueError, match=words):
        new.write(kind, wanted, tmp_path / "mine.py")
    assert {path.name for path in tmp_path.iterdir()} == set(files)


def test_no_file_is_overwritten_and_none_without_a_folder(tmp_path):
    files, options = KINDS["charlm"]
    wanted = given(tmp_path, files, options)
    path = new.write("charlm", wanted, tmp_path / "mine.py")
    before = path.read_text()
    with pytest.raises(ValueError, match=r"mine\.py is there already"):
        new.write("charlm", wanted, path)
    assert path.read_text() == before
    with pytest.raises(ValueError, match="no such folder"):
        new.write("charlm", wanted, tmp_path / "none" / "mine.py")
    with pytest.raises(ValueError, match=r"ends in \.py"):
        new.write("charlm", wanted, tmp_path / "mine.txt.old")
    with pytest.raises(ValueError, match="no such file"):
        new.write("charlm", Given(files=(tmp_path / "none",)), None)


def run(*arguments, folder):
    """Run the command in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    command = [sys.executable, "-m", "suite", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)


def test_the_command_ends_with_2_and_one_line_where_the_data_are_wrong(tmp_path):
    given(tmp_path, {"mine.csv": "text,label\nfine,pos\nbad\n"})
    done = run("new", "sentiment", "mine.csv", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("suite: mine.csv, line 3: expected 2 values")
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_a_question_that_was_written_runs_to_its_report_and_stops_when_the_data_change(tmp_path):
    given(tmp_path, {"mine.csv": "text,label\n" + texts(("bad", "fair", "good"))})
    done = run("new", "sentiment", "mine.csv", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "wrote mine_sentiment.py; next: suite run ./mine_sentiment.py\n"
    path = tmp_path / "mine_sentiment.py"
    small = {"steps": "4", "evaluations": "2", "trials": "1", "seeds": "(101,)", "size": "200", "architectures": '("bag_of_words",)'}
    text = path.read_text()
    for name, value in small.items():
        text = re.sub(rf"\b{name}=(\(.*\)|[0-9_]+),\n", f"{name}={value},\n", text)
    path.write_text(text)
    done = run("run", "./mine_sentiment.py", "--workers", "1", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "reports" / "mine-sentiment.html").read_text()
    assert "does it beat counting words?" in page
    assert "naive Bayes" in page
    (tmp_path / "mine.csv").write_text("text,label\n" + texts(("bad", "good")))
    done = run("run", "./mine_sentiment.py", "--workers", "1", folder=tmp_path)
    assert done.returncode == 2
    assert "mine.csv has changed" in done.stderr
