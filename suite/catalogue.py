"""`docs/architectures.md` and the sizes at width 128, out of the layers themselves: `python -m suite.catalogue` writes both."""

import importlib
import inspect
import itertools
import math
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from suite import attending, canonical, ladder, listing, plugins
from suite.architecture import Architecture
from suite.models import SequenceModel, build
from suite.sizes_at_128 import SIZES
from suite.task import Spec

ROOT = Path(__file__).parent.parent
PAGE, DATA = ROOT / "docs" / "architectures.md", ROOT / "suite" / "sizes_at_128.py"

WIDTH = 128  # of the layer, and of the vectors that it reads
LENGTH = 100  # of the rows, for what grows with it
FLOAT = 4  # bytes

HEAD = f"""# Every architecture, from the vanilla RNN to the state spaces

Written by `python -m suite.catalogue` out of the docstrings in `suite/layers/`; a test holds it to them. Read it from top to
bottom as a ladder, or look up a name with `suite list architectures`.

In the equations a row vector x is the input of a step, h is the state before it and h' the state after it (c, S and others are states
too). W, U and b stand for a matrix or a bias of their own in every line of a gate; `x W` is a product with a matrix, `r * h` one element
by element. Names in code font are options of the layer.

In the tables, *parameters* are the trainable weights of one layer {WIDTH} wide that reads vectors of {WIDTH} numbers, without embedding and
head (an encoder and a decoder where there are both; {LENGTH} steps where a weight belongs to a place). *State* is what has to be kept to
read one more step, in bytes of float32 a row; "the row" means that there is no such summary: what was read has to be kept, so that it
grows with the row. *Serves*: `once`, one answer a row; `steps`, one a step; `sequence`, a row of another length. *Causal* ones see
only the past; *step by step* ones can carry their state from window to window; *informed* ones are told the length of the task.
"""


def ours() -> dict[str, Architecture]:
    """Return the table of `suite.architectures`."""
    return {name: entry.value for name, entry in plugins.table("ARCHITECTURES").items() if entry.module == "suite.architectures"}


def sizes(architecture: Architecture) -> tuple[int, int | None]:
    """Return trainable weights of one layer at width 128, and the bytes of its state a row; None where that grows with the row.

    Raises:
        ValueError: no layer of that width can be built.
    """
    model = _built(architecture, LENGTH)
    if model.target is None:
        carried = sum(math.prod(shape) for states in model.body.state_shapes() for shape in states) if architecture.carries else None
    else:
        carried, longer = (_decoder_state(model, length) for length in (2, 3))
        carried = carried if carried == longer else None
    return model.counts()["core"], None if carried is None else FLOAT * carried


def _built(architecture: Architecture, length: int) -> SequenceModel:
    kind: Any = next(kind for kind in ("steps", "once", "sequence") if kind in architecture.kinds)
    lengths = (length,) if kind == "sequence" else ()
    spec = Spec(
        kind=kind,
        loss="categorical",
        inputs=2,
        outputs=2,
        tokens=True,
        length=length,
        longest=length,
        lengths=(length,),
        target_lengths=lengths,
    )
    width = architecture.multiple * round(WIDTH / architecture.multiple)
    return build(architecture, spec, width=width, embedding=WIDTH, seed=0)


def _decoder_state(model: SequenceModel, length: int) -> int:
    """Return the numbers that the decoder keeps of a row after a source of this length, with room for as long a target."""
    state = model.start(tf.zeros((1, length), tf.int32), longest=length)
    return sum(math.prod(one.shape[1:]) for one in tf.nest.flatten(state) if one.dtype.is_floating)


def page(table: Mapping[str, Architecture], known: Mapping[str, tuple[int, int | None]]) -> str:
    """Return the whole page.

    Raises:
        ValueError: a file of layers stands in no chapter of `suite/ladder.py`.
    """
    chapters: dict[str, dict[Any, list[str]]] = {chapter.title: {} for chapter in ladder.CHAPTERS}
    for name, architecture in sorted(table.items(), key=lambda item: _place(item[1])):
        chapters[_chapter(architecture).title].setdefault(_class(architecture), []).append(name)
    parts = [HEAD]
    for chapter in ladder.CHAPTERS:
        parts.append(f"## {chapter.title}\n\n{chapter.introduction}\n")
        for part in chapter.parts:
            parts.append(_told(_resolved(part)))
        for kind, names in chapters[chapter.title].items():
            parts.append(f"{_told(kind)}\n{_presets(names, table, known)}")
    return "\n".join(parts)


def _chapter(architecture: Architecture) -> ladder.Chapter:
    title = None
    if architecture.role == "baseline":
        title = ladder.BASELINES
    elif architecture.kinds == {"sequence"}:
        title = ladder.WIRED
    file = _file(architecture)
    for chapter in ladder.CHAPTERS:
        if title == chapter.title or (title is None and file in chapter.files):
            return chapter
    raise ValueError(f"suite/ladder.py names no chapter for the layers of suite/layers/{file}.py")


def _place(architecture: Architecture) -> tuple[int, int, int]:
    """Where an architecture stands on the page: chapters, files and classes in their order, wirings in that of `attending`."""
    chapter, file = _chapter(architecture), _file(architecture)
    if _joined(architecture):
        return ladder.CHAPTERS.index(chapter), -1, list(attending.ATTENTIONS).index(architecture.wiring.get("attention", "none"))
    return ladder.CHAPTERS.index(chapter), chapter.files.index(file), inspect.getsourcelines(architecture.resolve())[1]


def _joined(architecture: Architecture) -> bool:
    """Say whether it is a cell that stands here for what joins its encoder to its decoder."""
    return architecture.carries and architecture.kinds == {"sequence"}


def _file(architecture: Architecture) -> str:
    return architecture.target.partition(":")[0].rpartition(".")[2]


def _class(architecture: Architecture) -> Any:
    """Return the class whose docstring tells what it is: of the layer, or of what joins two of them."""
    if _joined(architecture):
        return attending.ATTENTIONS[architecture.wiring.get("attention", "none")][0]
    return architecture.resolve()


def _told(kind: Any) -> str:
    """Return a class's name and docstring: its equations, one a line, then what it says of them."""
    equations, _, prose = inspect.cleandoc(kind.__doc__).partition("\n\n")
    lines = [equation for line in equations.split("\n") for equation in line.split(";  ")]
    where = inspect.getsourcefile(kind)
    assert where is not None
    file = Path(where).relative_to(ROOT)
    listed = "\n".join(f"    {line}" for line in lines)
    said = f"{_escaped(prose)}\n\n" if prose else ""
    return f"### {kind.__name__}\n\n{listed}\n\n{said}[{file}](../{file})\n"


def _resolved(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def _escaped(prose: str) -> str:
    """Return prose whose stars, angles and underscores are no markdown; an underscore inside a word is none anyway."""
    parts = prose.split("`")
    outside = (re.sub(r"[*<]|(?<!\w)_|_(?!\w)", r"\\\g<0>", part) for part in parts[::2])
    return "`".join(part for pair in itertools.zip_longest(outside, parts[1::2]) for part in pair if part is not None)


def _presets(names: Iterable[str], table: Mapping[str, Architecture], known: Mapping[str, tuple[int, int | None]]) -> str:
    rows = ["| name | source | options | serves | can | parameters | state |", "|---|---|---|---|---|---:|---:|"]
    for name in names:
        one = table[name]
        parameters, state = known[name]
        cells = (
            f"`{name}`",
            one.source,
            _options(one),
            ", ".join(sorted(one.kinds)),
            ", ".join(listing.abilities(one)),
            f"{parameters:,}",
            "the row" if state is None else f"{state:,}",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _options(architecture: Architecture) -> str:
    """Return what a preset gives its layer and its model, with what is searched; nothing where all is as the layer has it."""
    given = {**canonical.canonical(architecture.options), **architecture.wiring}
    if _joined(architecture):
        given = {"cell": architecture.resolve().__name__, **given}
    said = [f"`{name}={value}`{' (searched)' if name in architecture.space else ''}" for name, value in given.items()]
    return ", ".join(said) or "none"


def data(known: Mapping[str, tuple[int, int | None]]) -> str:
    """Return the text of `suite/sizes_at_128.py`."""
    lines = [
        f'    "{name}": ({parameters:_}, {state if state is None else format(state, "_")}),' for name, (parameters, state) in known.items()
    ]
    return "\n".join([_DATA_HEAD, "SIZES: dict[str, tuple[int, int | None]] = {", *lines, "}", ""])


_DATA_HEAD = '''"""How large each architecture is at width 128; written by `python -m suite.catalogue`, and held to built layers by a test.

Trainable weights of one layer, and bytes of its state a row in float32; None where that grows with the row. It is kept because
building every layer takes longer than anyone waits for a list.
"""
'''


def main() -> None:
    """Write the page and the sizes; an architecture whose size is known is built again too."""
    table = ours()
    known = {}
    for name, architecture in table.items():
        known[name] = sizes(architecture)
        if known[name] != SIZES.get(name):
            print(f"{name}: {SIZES.get(name)} -> {known[name]}", file=sys.stderr)
    DATA.write_text(data(known), encoding="utf-8")
    PAGE.write_text(page(table, known), encoding="utf-8")


if __name__ == "__main__":
    main()
