"""Every result says where it comes from, and the hash of its code changes with code that counts and with nothing else."""

import subprocess
import sys

import pytest

from suite import code_hash, plugins
from suite.provenance import git, provenance
from tests.fakes import FirstSign


def test_provenance_is_text_and_names_what_matters():
    found = provenance()
    assert {"python", "tensorflow", "keras", "numpy", "sequence-suite", "cpu", "cores", "threads", "system"} <= set(found)
    assert all(isinstance(value, str) and value for value in found.values())


def test_commit_and_dirty_flag_are_those_of_the_checkout(tmp_path):
    def run(*command):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, capture_output=True)

    run("init", "-q")
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "a.py").write_text("1")
    run("add", ".")
    run("-c", "user.name=n", "-c", "user.email=e@e", "commit", "-qm", "m")
    found = git.__wrapped__(tmp_path / "suite")
    assert len(found["git_commit"]) == 40
    assert found["git_dirty"] == "false"
    (tmp_path / "suite" / "a.py").write_text("2")
    assert git.__wrapped__(tmp_path / "suite")["git_dirty"] == "true"


def test_an_installed_package_does_not_take_its_surroundings_for_its_own(tmp_path):
    assert git.__wrapped__(tmp_path) == {}


def test_neither_provenance_nor_the_hash_loads_tensorflow():
    code = (
        "import sys; from suite import code_hash, plugins; from suite.provenance import provenance; from tests.fakes import FirstSign\n"
        "provenance(); code_hash.code_hash(plugins.architecture('lstm'), FirstSign())\n"
        "assert not {'tensorflow', 'keras', 'mlflow'} & set(sys.modules)"
    )
    root = code_hash.__file__.rsplit("/suite/", 1)[0]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env={"PYTHONPATH": root}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def hashed(tmp_path, monkeypatch):
    """A function that writes modules of a package and returns the hash of its layer."""
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "acme_hashed"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    layer = plugins.architecture("lstm").__class__(
        target="acme_hashed.layer:Layer", family="f", source="s", kinds=frozenset({"once"}), causal=True
    )

    def of(layer_text, **others):
        for name, text in {"layer": layer_text, **others}.items():
            (folder / f"{name}.py").write_text(text)
        for cache in (code_hash._source, code_hash._imports, code_hash._tree):
            cache.cache_clear()
        return code_hash.code_hash(layer, FirstSign())

    return of


PLAIN = 'class Layer:\n    """A layer."""\n    def call(self, x):\n        return x + 1\n'


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("A layer.", "Another word."),
        PLAIN.replace("    def", "    # why\n\n    def"),
        '"""What it is for."""\n' + PLAIN,
        PLAIN.replace("x + 1", "(x\n        + 1)"),
        PLAIN + "EXPERIMENTS = {'a': 1}\n",
    ],
)
def test_words_layout_and_tables_do_not_count(hashed, text):
    assert hashed(text) == hashed(PLAIN)


@pytest.mark.parametrize(
    "text", [PLAIN.replace("+ 1", "+ 2"), PLAIN.replace("+ 1", "+ 1.0"), PLAIN.replace("x + 1", "1 + x"), PLAIN + "SCALE = 2\n"]
)
def test_code_counts(hashed, text):
    assert hashed(text) != hashed(PLAIN)


@pytest.mark.parametrize(
    "line",
    [
        "from acme_hashed.inner import f",
        "from acme_hashed import inner",
        "from . import inner",
        "from .inner import f",
        "import acme_hashed.inner",
    ],
)
def test_code_that_a_layer_imports_counts(hashed, line):
    text = f"{line}\n{PLAIN}"
    assert hashed(text, inner="def f(): return 1\n") != hashed(text, inner="def f(): return 2\n")


def test_code_that_it_does_not_import_does_not_count(hashed):
    assert hashed(PLAIN, other="A = 1\n") == hashed(PLAIN, other="A = 2\n")


def test_layers_of_one_package_have_hashes_of_their_own():
    assert code_hash.code_hash(plugins.architecture("lstm"), FirstSign()) != code_hash.code_hash(plugins.architecture("gru"), FirstSign())


def test_training_is_part_of_it_and_the_contracts_are_not():
    found = code_hash._closure(["suite.layers.lstm", *code_hash.ROOTS], {"suite"})
    assert {"suite.layers.lstm", "suite.training", "suite.models"} <= found
    assert not {"suite.result", "suite.experiment", "suite.plugins", "suite.layers.gru", "suite.tracking", "suite.sweep"} & found
