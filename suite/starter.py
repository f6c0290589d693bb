"""The contract of a starter: how files of a user become a first question."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from suite.experiment import Experiment


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a user gives: the files in the order of the starter's `files`, and which columns of a table to read, by name."""

    files: tuple[Path, ...]
    columns: tuple[str, ...] = ()
    target: str = ""


@dataclass(frozen=True, kw_only=True)
class Starter:
    """`question` reads the files and returns an experiment on them, or raises a ValueError that names file and line."""

    what: str  # one line
    files: tuple[str, ...]  # what each file is, as one word
    takes: frozenset[str] = frozenset()  # "columns", "target"
    question: Callable[[Given], Experiment]
