"""The page of architectures and their sizes at width 128: they are those of the layers, and quick to list."""

import json
import subprocess
import sys

import pytest

from suite import architectures, catalogue, ladder, listing
from suite.architecture import Architecture
from suite.sizes_at_128 import SIZES

H = 128
NAMES = sorted(architectures.ARCHITECTURES)
AGAIN = "docs/architectures.md is not what the layers say: run `python -m suite.catalogue`"


def test_the_page_is_what_the_layers_say_of_themselves():
    assert catalogue.PAGE.read_text(encoding="utf-8") == catalogue.page(catalogue.ours(), SIZES), AGAIN


def test_the_sizes_are_those_of_every_architecture_and_written_by_its_own_command():
    assert list(SIZES) == NAMES, AGAIN
    assert catalogue.DATA.read_text(encoding="utf-8") == catalogue.data(SIZES)


@pytest.mark.slow
def test_every_size_is_that_of_a_built_layer():
    assert {name: catalogue.sizes(one) for name, one in architectures.ARCHITECTURES.items()} == SIZES, AGAIN


@pytest.mark.parametrize(
    ("name", "parameters", "state"),
    [
        ("elman", H * (2 * H + 1), 4 * H),
        ("lstm", 4 * H * (2 * H + 1), 4 * 2 * H),
        ("gru", 3 * H * (2 * H + 2), 4 * H),
        ("rwkv4", 13 * H**2 + 11 * H, 4 * (7 * H + 1)),
        ("linear_attention", 4 * H**2, 4 * (H * H // 4 + H)),  # a matrix a head and a vector
        ("tcn", (3 + 3) * H**2 + 4 * H + 7 * (6 * H**2 + 4 * H), None),  # 8 levels of two convolutions of width 3
        ("transformer_causal", H**2 + H + 4 * H**2 + 4 * H + 8 * H**2 + 5 * H + 4 * H + 2 * H, None),
        ("lstm_every_step", 4 * H * (2 * H + 1) + 4 * H * (3 * H + 1), 4 * (2 * H + H)),  # the decoder reads the context too, and keeps it
        ("lstm_luong_dot", 2 * 4 * H * (2 * H + 1) + 2 * H**2, None),  # the encoder's outputs are kept
    ],
)
def test_known_sizes_are_those_of_the_formulas_and_of_built_layers(name, parameters, state):
    assert SIZES[name] == (parameters, state), AGAIN
    assert catalogue.sizes(architectures.ARCHITECTURES[name]) == (parameters, state)


def test_an_architecture_of_another_package_is_built_and_one_that_cannot_be_is_said_to_be_missing(monkeypatch):
    mine = {"family": "test", "source": "tests", "kinds": frozenset({"steps"}), "causal": True, "carries": True}
    table = {
        "mine": Architecture(target="suite.layers.elman:Elman", **mine),
        "broken": Architecture(target="suite.layers.elman:Elman", options={"activation": "none such"}, **mine),
    }
    entries = {name: listing.plugins.Entry(name, value, "elsewhere") for name, value in table.items()}
    monkeypatch.setattr(listing.plugins, "table", lambda kind: entries)
    found = {row["name"]: row for row in listing.rows("architectures")}
    assert (found["mine"]["parameters"], found["mine"]["state_bytes"], found["mine"]["state"]) == (H * (2 * H + 1), 4 * H, 4 * H)
    assert found["broken"]["parameters"] is None
    assert "none such" in found["broken"]["missing"]


def test_listing_architectures_loads_no_tensorflow():
    code = (
        "import sys; sys.argv = ['suite', 'list', 'architectures', '--json']\n"
        "from suite.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert set(NAMES) <= set(rows)
    assert (rows["lstm"]["parameters"], rows["lstm"]["state_bytes"]) == SIZES["lstm"]
    assert rows["transformer_causal"]["state"] == "the row"
    assert rows["gru"]["can"] == ["causal", "step by step"]


def test_a_file_of_layers_without_a_chapter_is_named():
    stray = Architecture(target="tests.fake_architectures:StockGRU", family="test", source="tests", kinds=frozenset({"steps"}), causal=True)
    with pytest.raises(ValueError, match=r"no chapter for the layers of suite/layers/fake_architectures\.py"):
        catalogue.page({"stray": stray}, {"stray": (1, 1)})


def test_every_file_of_a_chapter_has_an_architecture():
    files = {one.target.partition(":")[0].rpartition(".")[2] for one in architectures.ARCHITECTURES.values()}
    named = {file for chapter in ladder.CHAPTERS for file in chapter.files}
    assert named == files
