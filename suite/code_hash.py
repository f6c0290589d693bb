"""Hashes the code that makes a result: the syntax trees of a layer, a task, and the training modules, followed through their imports."""

import ast
import functools
import hashlib
import importlib.machinery
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from suite.architecture import Architecture
from suite.plugins import TABLES
from suite.task import Task

ROOTS = ("suite.training", "suite.models", "suite.recurrence")
# Contracts and bookkeeping: what they state is in the key of a trial already, or cannot change a result.
_APART = "architecture architectures canonical circumstances code_hash experiment plugins provenance result task"
APART = frozenset(("suite", *(f"suite.{name}" for name in _APART.split())))
LIBRARIES = ("keras", "tensorflow")  # of these the version counts


def code_hash(architecture: Architecture | None, task: Task) -> str:
    """Return the sha256 of the code behind this architecture (None: a fitted baseline) on this task.

    Comments, docstrings, layout and the tables of definitions do not count.
    """
    roots = [type(task).__module__]
    if architecture is not None:
        named = (architecture.target, *(option for option in architecture.options.values() if isinstance(option, str) and ":" in option))
        roots += [*(target.partition(":")[0] for target in named), *ROOTS]
    packages = {root.partition(".")[0] for root in roots}
    digest = hashlib.sha256()
    for library in sorted(packages.intersection(LIBRARIES)):
        digest.update(f"{library} {importlib.metadata.version(library)}\n".encode())
    for name in sorted(_closure(roots, packages.difference(LIBRARIES))):
        digest.update(f"{name}\n{_tree(name)}\n".encode())
    return digest.hexdigest()


def _closure(roots: list[str], packages: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in found or name in APART or name.partition(".")[0] not in packages or (source := _source(name)) is None:
            continue
        found.add(name)
        waiting += _imports(name, source)
    return found


@functools.cache
def _source(name: str) -> Path | None:
    """The file of a module, found without importing it or its parents."""
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__file__", None):
        return Path(str(loaded.__file__))
    top, *rest = name.split(".")
    try:
        specification = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    for depth in range(len(rest)):
        if specification is None or specification.submodule_search_locations is None:
            return None
        folders = list(specification.submodule_search_locations)
        specification = importlib.machinery.PathFinder.find_spec(".".join([top, *rest[: depth + 1]]), folders)
    origin = specification.origin if specification else None
    return Path(origin) if origin and origin.endswith(".py") else None


@functools.cache
def _imports(name: str, source: Path) -> tuple[str, ...]:
    """The modules that this one may import: `from a import b` names a and perhaps a.b."""
    package = name.split(".") if source.name == "__init__.py" else name.split(".")[:-1]
    found = []
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*(package[: len(package) - node.level + 1] if node.level else []), *([node.module] if node.module else [])])
            inner = [f"{base}.{alias.name}" for alias in node.names]
            # a package's own list of modules is not behind one of them
            found += inner if all(_source(each) for each in inner) else [base, *inner]
    return tuple(found)


@functools.cache
def _tree(name: str) -> str:
    source = _source(name)
    return "" if source is None else "".join(_written(ast.parse(source.read_text(encoding="utf-8"))))


def _written(node: Any) -> Iterator[str]:
    """The tree as text that is the same in every Python: empty fields, which come and go between versions, are left out."""
    if isinstance(node, list):
        yield "["
        for item in node:
            yield from _written(item)
        yield "]"
    elif isinstance(node, ast.AST):
        yield f"{type(node).__name__}("
        for field, value in ast.iter_fields(node):
            if field == "body" and isinstance(value, list):
                value = [statement for statement in value if not _idle(statement, isinstance(node, ast.Module))]
            if value is not None and value != []:
                yield f"{field}="
                yield from _written(value)
        yield ")"
    else:
        yield f"{node!r},"


def _idle(statement: ast.stmt, top: bool) -> bool:
    """A docstring, or one of the tables that a definition file holds: more trials are no other code."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target] if isinstance(statement, ast.AnnAssign) else []
    return top and any(isinstance(target, ast.Name) and target.id in TABLES for target in targets)
