"""The guide for a cell of one's own, run exactly as it is written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parent.parent / "docs" / "your_own.md"


def first_block(language):
    return re.search(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[1]


@pytest.mark.slow
def test_its_file_runs_from_an_equation_to_a_report_that_names_the_cell(tmp_path):
    (tmp_path / "leaky.py").write_text(first_block("python"))
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    command, *arguments = first_block("sh").split()
    assert (command, arguments) == ("suite", ["run", "./leaky.py"])

    command = [sys.executable, "-m", "suite", *arguments, "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "leaky" in done.stdout
    page = (tmp_path / "reports" / "leaky.html").read_text(encoding="utf-8")
    assert "Does a leaky unit add better than an Elman network of the same size?" in page
    assert page.count("leaky") > 5  # in its tables too
