"""A package of somebody else, installed in a folder of its own, is found, tested by the contract tests, and runs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def installed(tmp_path):
    """A folder as `pip install --target` leaves it: a module, and a dist-info with its entry point."""
    site = tmp_path / "site"
    shutil.copytree(HERE / "third_party", site)
    facts = site / "acme_sequences-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-sequences\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[suite.plugins]\nacme = acme_sequences\n")
    nowhere = str(tmp_path / "data")  # the corpora of our own tasks are not asked for
    return {**os.environ, "PYTHONPATH": str(site), "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db", "SUITE_DATA": nowhere}


def run(*arguments, environment, **options):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment, **options)


LIST = """
import json
from suite import listing
print(json.dumps({kind: [row["name"] for row in listing.rows(kind)] for kind in ("architectures", "tasks", "experiments")}))
"""


def test_it_is_listed(installed):
    done = run("-c", LIST, environment=installed)
    assert done.returncode == 0, done.stderr
    names = json.loads(done.stdout)
    assert "acme_leaky" in names["architectures"]
    assert "acme_first" in names["tasks"]
    assert "acme-question" in names["experiments"]


@pytest.mark.slow
def test_the_contract_tests_run_over_it(installed):
    files = [str(HERE / f"test_{what}_contract.py") for what in ("architecture", "task", "experiment")]
    options = ("-q", "-p", "no:cacheprovider", "--numprocesses=0", "-k", "acme")
    done = run("-m", "pytest", *options, *files, environment=installed, cwd=HERE.parent)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


@pytest.mark.slow
def test_it_runs_to_a_report(installed, tmp_path):
    done = run("-m", "suite", "run", "acme-question", "--workers", "1", environment=installed, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "acme_leaky" in done.stdout
    assert "Does the leaky unit remember the first number?" in (tmp_path / "reports" / "acme-question.html").read_text()


def test_one_name_brought_by_two_packages_is_refused_by_both_names(installed, tmp_path):
    other = tmp_path / "site" / "other-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text("[suite.plugins]\nother = other_sequences\n")
    (tmp_path / "site" / "other_sequences.py").write_text("import acme_sequences\nTASKS = dict(acme_sequences.TASKS)\n")
    done = run("-m", "suite", "list", "tasks", environment=installed)
    assert done.returncode == 2
    assert "acme_sequences" in done.stderr
    assert "other_sequences" in done.stderr
