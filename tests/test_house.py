"""The house is in order: style, types, import arrows, and no private address."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CHECKS = {
    "ruff check": ("ruff", "check", "--no-cache"),
    "ruff format": ("ruff", "format", "--check", "--no-cache"),
    "mypy": ("mypy",),
    "import arrows": ("lint-imports", "--no-cache"),
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_checks_of_contributing_pass(name):
    program, *arguments = CHECKS[name]
    found = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
    assert found, f"{program} is not installed"
    done = subprocess.run([found, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_constraints_pin_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text().split("\n")
    bad = [line for line in lines if line and not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+", line)]
    assert not bad


def test_no_module_has_a_name_that_says_nothing():
    names = {path.name for folder in ("suite", "tasks", "experiments", "tests") for path in (ROOT / folder).rglob("*.py")}
    assert not names & {"utils.py", "util.py", "common.py", "helpers.py", "helper.py", "misc.py"}


def test_every_module_says_what_it_is_for():
    for folder in ("suite", "tasks", "experiments", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            assert path.read_text().lstrip().startswith('"""'), path
