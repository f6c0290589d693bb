"""Finds architectures, tasks, experiments, corpora and starters: ours and third parties' by the same entry-point group."""

import difflib
import functools
import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from suite import canonical
from suite.architecture import Architecture
from suite.experiment import Experiment
from suite.result import Trial

GROUP = "suite.plugins"
TABLES = ("ARCHITECTURES", "TASKS", "EXPERIMENTS", "CORPORA", "STARTERS")


_OF_FILES: dict[str, "Entry"] = {}


class UnknownName(ValueError):
    """A name that is not registered; the message holds the nearest one."""


class BrokenPlugin(ValueError):
    """A plug-in or a definition file that cannot be loaded."""


@dataclass(frozen=True)
class Entry:
    """One registered object and the module that brought it."""

    name: str
    value: Any
    module: str


@dataclass(frozen=True)
class Question:
    """An experiment with the name it runs under and the reference by which a worker finds it again."""

    name: str
    reference: str
    experiment: Experiment


@functools.cache
def table(kind: str) -> Mapping[str, Entry]:
    """Return every registered entry of one of TABLES, sorted by name.

    Raises:
        BrokenPlugin: a plug-in cannot be imported, or two of them bring one name.
    """
    found: dict[str, Entry] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        for name, value in getattr(_module(point.value), kind, {}).items():
            if name in found and found[name].module != point.value:
                raise BrokenPlugin(f"{name!r} is brought by two plug-ins: {found[name].module} and {point.value}")
            found[name] = Entry(name, value, point.value)
    return dict(sorted(found.items()))


def architecture(name: str) -> Architecture:
    """Return the architecture of this name, of a plug-in or of a file that a question was read from."""
    return _from("architecture", name, {**table("ARCHITECTURES"), **_OF_FILES})


def task(name: str) -> Any:
    """Return the task of this name, as its table registers it."""
    return _chosen("TASKS", "task", name)


def corpus(name: str) -> Any:
    """Return the corpus of this name."""
    return _chosen("CORPORA", "corpus", name)


def starter(name: str) -> Any:
    """Return the starter of this name."""
    return _chosen("STARTERS", "kind of data", name)


def question(reference: str) -> Question:
    """Return the experiment of this name, or the one in a file: `my_question.py`, `my_question.py:name`.

    Raises:
        UnknownName: no such experiment; the message names the nearest.
        BrokenPlugin: the file cannot be loaded, holds no EXPERIMENTS, or gives an architecture a name that is taken.
    """
    path, colon, chosen = reference.partition(".py")
    if not colon:
        return Question(reference, reference, _chosen("EXPERIMENTS", "experiment", reference))
    file = Path(path + ".py").resolve()
    if not file.is_file():
        raise UnknownName(f"no such file: {file}")
    module = _file(file)
    _join(file, module)
    experiments: Mapping[str, Experiment] = getattr(module, "EXPERIMENTS", {})
    if not experiments:
        raise BrokenPlugin(f"{file} holds no EXPERIMENTS = {{name: Experiment(...)}}")
    name = chosen.removeprefix(":")
    if not name:
        if len(experiments) > 1:
            raise UnknownName(f"{file.name} holds several experiments: name one, as {file.name}:{next(iter(experiments))}")
        name = next(iter(experiments))
    if name not in experiments:
        raise UnknownName(_missing("experiment", name, list(experiments)))
    return Question(name, f"{file}:{name}", experiments[name])


def trial(body: Mapping[str, Any]) -> Trial:
    """Load a trial from its JSON, through the plug-ins, and check that the definition is still the same.

    Raises:
        BrokenPlugin: the definition found here gives the trial another key.
    """
    loaded = Trial(
        reference=body["reference"],
        experiment=question(body["reference"]).experiment,
        label=body["label"],
        name=body["name"],
        architecture=architecture(body["name"]),
        values=body["values"],
        width=body["width"],
        inner=body["inner"],
        phase=body["phase"],
        seed=body["seed"],
    )
    if loaded.key != body["key"]:
        raise BrokenPlugin(f"the definition of {body['reference']!r} changed while it ran: expected key {body['key']}, got {loaded.key}")
    return loaded


def definition_hash(experiment: Experiment) -> str:
    """Return the sha256 of everything that an experiment states."""
    return canonical.digest(experiment)


def _chosen(kind: str, word: str, name: str) -> Any:
    return _from(word, name, table(kind))


def _from(word: str, name: str, entries: Mapping[str, Entry]) -> Any:
    if name not in entries:
        raise UnknownName(_missing(word, name, list(entries)))
    return entries[name].value


def _missing(word: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    return f"no {word} {name!r}; {hint}"


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise BrokenPlugin(f"plug-in module {name!r} cannot be imported: {type(error).__name__}: {error}") from error


def _join(file: Path, module: ModuleType) -> None:
    """Let the architectures of a file be found by their names; of two files with one name, the one that was asked for last."""
    known = table("ARCHITECTURES")
    for name, value in getattr(module, "ARCHITECTURES", {}).items():
        if name in known:
            raise BrokenPlugin(f"{file.name} brings an architecture {name!r}, and so does {known[name].module}: give yours another name")
        _OF_FILES[name] = Entry(name, value, module.__name__)


@functools.cache
def _file(path: Path) -> ModuleType:
    """Import a definition file under a name of its own."""
    name = f"suite_question_{canonical.digest(str(path))[:12]}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise BrokenPlugin(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise BrokenPlugin(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    return module
