"""`suite new`: a user's files become a definition file, frozen by the hash of the data and explained line by line."""

import dataclasses
import json
import os
import re
import runpy
import textwrap
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from suite import plugins
from suite.experiment import Experiment, Setting
from suite.starter import Given, Starter
from suite.task import Card

WIDTH = 130  # of a line
INDENT = 4
BATCH = 32  # rows of the training batch that is drawn to see that one can be
ABOUT = {
    "question": "the heading of the report",
    "task": "the data; a file whose content has changed since is refused",
    "size": "trainable weights, tables of symbols left out: every architecture gets the width that comes nearest",
    "embedding": "features of a symbol",
    "steps": "of training, the same for all; batches of `batch_size` rows",
    "evaluations": "validations on the way; the weights of the best are kept",
    "architectures": "`suite list architectures` shows more",
    "space": "trial n draws the same values for every architecture",
    "trials": "of tuning, for each architecture; chosen on validation",
    "seeds": "of the trainings that are reported: the tuning never saw them",
}


def write(kind: str, given: Given, output: Path | None) -> Path:
    """Write the definition file of a first question on a user's files, and return where it is.

    The data are read whole before: what a run would refuse is refused here, and then nothing is written.

    Raises:
        ValueError: no such kind, the wrong number of files, data that are not what they should be, or a file in the way.
    """
    starter = checked(kind, given)
    name = re.sub(r"\W+", "-", f"{given.files[0].stem}-{kind}").strip("-").lower()
    path = output or Path(f"{name.replace('-', '_')}.py")
    if path.suffix != ".py":
        raise ValueError(f"expected a name that ends in .py, got {path}")
    if path.exists():
        raise ValueError(f"{path} is there already; name another file with --output")
    if not path.parent.is_dir():
        raise ValueError(f"no such folder: {path.parent}")
    experiment = starter.question(given)
    card = examined(experiment.settings[0])
    content = text(name, kind, given, experiment, card, folder=path.parent.resolve(), file=path)
    _placed(path, content, experiment)
    return path


def checked(kind: str, given: Given) -> Starter:
    """Return the starter of a kind.

    Raises:
        ValueError: there is none, or it takes other files or options.
    """
    starter = plugins.starter(kind)
    if len(given.files) != len(starter.files):
        raise ValueError(f"suite new {kind} takes {' '.join(starter.files).upper()}, got {len(given.files)} files")
    for option in ("columns", "target"):
        if getattr(given, option) and option not in starter.takes:
            raise ValueError(f"suite new {kind} has no --{option}")
    for file in given.files:
        if not file.is_file():
            raise ValueError(f"no such file: {file}")
    return starter


def examined(setting: Setting) -> Card:
    """Read all of the data, as a run would, and return their card."""
    task = setting.task
    next(task.batches("train", seed=0, batch_size=BATCH))
    for split in ("validation", "test"):
        task.metrics(split)
    return task.describe()


def text(name: str, kind: str, given: Given, experiment: Experiment, card: Card, *, folder: Path, file: Path) -> str:
    """Return the content of the definition file; data in `folder` are named relative to it, so that both can move together."""
    source = _Source(folder)
    body = source.of(experiment, INDENT)
    files = " and ".join(file.name for file in given.files)
    run = f"suite run {file if file.is_absolute() else f'./{file.as_posix()}'}"
    facts = [
        f"rows: {', '.join(f'{split} {size:,}' if size else f'{split} without end' for split, size in card.sizes.items())}",
        *([f"balance: {', '.join(f'{label} {share:.1%}' for label, share in card.balance.items())}"] if card.balance else []),
        f"sha256 of what is read: {card.digest}",
        card.notes,
    ]
    comment = [line for fact in facts for line in textwrap.wrap(fact, WIDTH - 2, break_long_words=False)]
    story = (
        f"Written by `suite new {kind}` for {files}; from here on it is yours to edit. `{run}` runs it, and the same again goes on where "
        "it stopped. Everything below holds for every architecture alike."
    )
    here = ["HERE = Path(__file__).parent", ""] if source.here else []
    return "\n".join(
        [
            f'"""{experiment.question}',
            "",
            *textwrap.wrap(story, WIDTH, break_long_words=False),
            '"""',
            "",
            *source.imports(),
            *here,
            *(f"# {line}" for line in comment),
            "",
            "EXPERIMENTS = {",
            f'{" " * INDENT}"{name}": {body},',
            "}",
            "",
        ]
    )


class _Source:
    """Values as Python source, and what must be imported for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: dict[str, set[str]] = {}
        self.here = False

    def imports(self) -> list[str]:
        """Return the lines of imports: the standard library, other packages, ours."""
        groups: dict[int, list[str]] = {}
        for module, names in sorted(self.modules.items()):
            place = {"pathlib": 0, "optuna": 1}.get(module.partition(".")[0], 2)
            groups.setdefault(place, []).append(f"from {module} import {', '.join(sorted(names))}")
        return [line for _, lines in sorted(groups.items()) for line in (*lines, "")]

    def of(self, value: Any, indent: int) -> str:
        """Return a value as source; what does not fit into a line is broken at its commas, `indent` blanks deep."""
        if isinstance(value, Path):
            return self._path(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if not _is_default(field, value)}
            return self._call(type(value), fields, indent, explained=isinstance(value, (Experiment, Setting)))
        if hasattr(value, "_asdict"):  # a distribution
            return self._call(
                type(value), {name: item for name, item in value._asdict().items() if item is not None and item is not False}, indent
            )
        if isinstance(value, tuple):
            parts = [self.of(item, indent + INDENT) for item in value]
            line = f"({', '.join(parts)}{',' * (len(parts) == 1)})"
            return line if _fits(line, indent) else _broken("(", [f"{part}," for part in parts], ")", indent)
        if isinstance(value, Mapping):
            parts = [f"{self.of(key, 0)}: {self.of(item, indent + INDENT)}" for key, item in value.items()]
            line = f"{{{', '.join(parts)}}}"
            return line if _fits(line, indent) else _broken("{", [f"{part}," for part in parts], "}", indent)
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)  # a text of JSON is one of Python
        return f"{value:_}" if type(value) is int and value >= 10_000 else repr(value)

    def _call(self, kind: type, fields: Mapping[str, Any], indent: int, *, explained: bool = False) -> str:
        module = _public(kind)
        self.modules.setdefault(module, set()).add(kind.__name__)
        parts = {name: f"{name}={self.of(value, indent + INDENT)}" for name, value in fields.items()}
        line = f"{kind.__name__}({', '.join(parts.values())})"
        if not explained:
            return line if _fits(line, indent) else _broken(f"{kind.__name__}(", [f"{part}," for part in parts.values()], ")", indent)
        lines = []
        for name, part in parts.items():
            lines += [*([f"# {ABOUT[name]}"] if name in ABOUT else []), f"{part},"]
        return _broken(f"{kind.__name__}(", lines, ")", indent)

    def _path(self, path: Path) -> str:
        self.modules.setdefault("pathlib", set()).add("Path")
        path = path.resolve()
        if path.is_relative_to(self.folder):
            self.here = True
            return f"HERE / {self.of(path.relative_to(self.folder).as_posix(), 0)}"
        return f"Path({self.of(str(path), 0)})"


def _placed(path: Path, content: str, experiment: Experiment) -> None:
    """Put the file in place once it has been seen to say what was meant."""
    partial = path.resolve().with_name(f".{path.stem}.{os.getpid()}.py")
    try:
        partial.write_text(content, encoding="utf-8")
        if list(runpy.run_path(str(partial))["EXPERIMENTS"].values()) != [experiment]:
            raise RuntimeError(f"what was written for {path} reads as another question")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _is_default(field: "dataclasses.Field[Any]", value: Any) -> bool:
    if field.default is not dataclasses.MISSING:
        return bool(getattr(value, field.name) == field.default)
    return field.default_factory is not dataclasses.MISSING and bool(getattr(value, field.name) == field.default_factory())


def _public(kind: type) -> str:
    """Return the module to import a class from: the shortest one above its own that has it."""
    parts = kind.__module__.split(".")
    names = (".".join(parts[:size]) for size in range(2, len(parts) + 1)) if len(parts) > 1 else iter(parts)
    return next((name for name in names if getattr(import_module(name), kind.__name__, None) is kind), kind.__module__)


def _fits(line: str, indent: int) -> bool:
    return "\n" not in line and indent + len(line) <= WIDTH - 30  # room for a name in front


def _broken(begin: str, parts: list[str], end: str, indent: int) -> str:
    inner = " " * (indent + INDENT)
    return "\n".join([begin, *(inner + part for part in parts), " " * indent + end])
