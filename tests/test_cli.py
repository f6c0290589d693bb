"""The command line: fast, kind to mistakes, and readable by scripts."""

import json
import signal
import subprocess
import sys
from typing import NamedTuple

import pytest

from suite import cli


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def suite(monkeypatch, capsys):
    """The command line, run in this process: a new one takes seconds to load what this one has."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["suite", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return Done(end.value.code, *capsys.readouterr())

    return run


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['suite', '--help']\n"
        "from suite.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "heavy = {'tensorflow', 'keras', 'mlflow', 'optuna', 'distributed', 'numpy', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "quickstart" in done.stdout


@pytest.mark.parametrize("kind", ["architectures", "tasks", "experiments"])
def test_list_as_json_is_a_list_of_objects_with_name_and_source(suite, kind):
    done = suite("list", kind, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert rows
    assert all(row["name"] and "source" in row for row in rows)
    if kind == "tasks":
        assert all("floors" in row for row in rows)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "quikstart"), "did you mean 'quickstart'?"),
        (("report", "quikstart"), "did you mean 'quickstart'?"),
        (("status", "quikstart"), "did you mean 'quickstart'?"),
        (("run", "no_such_file.py"), "no such file"),
        (("data", "get", "tinyshakespear"), "did you mean 'tinyshakespeare'?"),
        (("list", "architecture"), "architectures"),
        (("run", "quickstart", "--workers", "0"), "0 is not in the range"),
        (("run", "quickstart", "--rerun", "--accept-code"), "exclude each other"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(suite, arguments, words, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    done = suite(*arguments)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_definition_file_with_an_error_is_named(suite, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("EXPERIMENTS = {'mine': undefined}\n")
    done = suite("run", str(file))
    assert done.returncode == 2
    assert "mine.py cannot be loaded: NameError" in done.stderr
    assert "Traceback" not in done.stderr


def test_version_is_printed():
    done = subprocess.run([sys.executable, "-m", "suite", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("suite, version ")
