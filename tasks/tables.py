"""Numbers from a user's CSV file: what is no number, or is missing, is refused by file and line."""

import csv
import math
from collections.abc import Sequence

import numpy as np

from suite.task import Array
from tasks.user_files import Source, text_of


def numbers(path: Source, columns: Sequence[str], separator: str) -> tuple[tuple[str, ...], Array]:
    """Return the names of the columns that are read, and their values, float64 (rows, columns).

    The first line names the columns. `columns`: which to read, all of them if empty. Nothing is filled in.

    Raises:
        ValueError: names the file, the line and the column.
    """
    reader = csv.reader(text_of(path).splitlines(keepends=True), delimiter=separator, strict=True)
    lines = []
    try:
        for row in reader:
            lines.append((reader.line_num, row))
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from error
    while lines and not any(cell.strip() for cell in lines[-1][1]):
        lines.pop()  # blank lines at the end
    if not lines:
        raise ValueError(f"{path}: expected a line of names and lines of numbers, got an empty file")
    (_, header), *rows = lines
    names = [name.strip() for name in header]
    _checked(path, names, columns, separator)
    places = [names.index(name) for name in columns or names]
    values = np.empty((len(rows), len(places)))
    for index, (line, row) in enumerate(rows):
        if len(row) != len(names):
            raise ValueError(f"{path}, line {line}: expected {len(names)} values as in the first line, got {len(row)}")
        for column, place in enumerate(places):
            values[index, column] = _number(row[place].strip(), f"{path}, line {line}, column {names[place]!r}")
    return tuple(names[place] for place in places), values


def _number(text: str, where: str) -> float:
    if text.lower() in ("", "na", "n/a", "nan", "null", "none", "?"):
        raise ValueError(f"{where}: a value is missing ({text!r}); fill in or cut out such lines first, nothing is guessed here")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise ValueError(f"{where}: expected a number, got {text!r} (name the columns of numbers in `columns` to read those alone)")
    return value


def _checked(path: Source, names: Sequence[str], columns: Sequence[str], separator: str) -> None:
    """Refuse a first line that does not name each column once, and columns that it does not name."""
    if unnamed := [place for place, name in enumerate(names, 1) if not name]:
        raise ValueError(f"{path}, line 1: expected a name for every column, got none for column {unnamed[0]}")
    if len(set(names)) < len(names):
        raise ValueError(f"{path}, line 1: expected distinct names of columns, got {', '.join(names)}")
    if all(name.replace(".", "", 1).lstrip("+-").isdigit() for name in names):
        raise ValueError(f"{path}, line 1: expected the names of the columns, got numbers: {', '.join(names)}")
    if absent := [name for name in columns if name not in names]:
        raise ValueError(f"{path}: no column {absent[0]!r} between {separator!r}; its first line names {', '.join(names)}")
