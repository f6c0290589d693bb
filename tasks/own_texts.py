"""Texts with labels from a user's file: CSV, JSON lines, or a label in front of each line; refused by file and line."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from tasks.lines import lines

SEPARATORS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
LONGEST_FIELD = 1 << 24  # characters of a text in a CSV file; Python's own limit is 2^17
MOST_SHOWN = 20  # characters of a line in a message, and labels


def rows(text: str, source: object, columns: tuple[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield where each row stands, its text and its label; what a file is, its ending says.

    .csv and .tsv: the first line names the columns. .jsonl: an object a line. `columns` names those of text and label. Any
    other ending: a label, a blank or a tab, and the text.

    Raises:
        ValueError: names the file and the line.
    """
    ending = PurePath(str(source)).suffix.lower()
    if ending in SEPARATORS:
        found = _table(text, source, columns, SEPARATORS[ending])
    elif ending in JSON_LINES:
        found = _objects(text, source, columns)
    else:
        found = _plain(text, source)
    for where, content, label in found:
        if not content.strip():
            raise ValueError(f"{where}: expected a text, got none")
        if not label.strip():
            raise ValueError(f"{where}: expected a label, got none")
        yield where, content.strip(), label.strip()


def header(text: str, source: object) -> tuple[str, ...]:
    """Return the names of the columns of a file, of its first line in a .csv, of its first object in a .jsonl; () elsewhere."""
    ending = PurePath(str(source)).suffix.lower()
    if ending in SEPARATORS:
        return tuple(name.strip() for name in next(csv.reader(text.splitlines()[:1], delimiter=SEPARATORS[ending]), []))
    if ending in JSON_LINES and text.strip():
        return tuple(_object(text.split("\n", 1)[0], f"{source}, line 1"))
    return ()


def checked(label: str, labels: Sequence[str], where: str) -> int:
    """Return the number of a label.

    Raises:
        ValueError: it is out of the set.
    """
    if label not in labels:
        shown = ", ".join(labels[:MOST_SHOWN]) + (" and others" if len(labels) > MOST_SHOWN else "")
        raise ValueError(f"{where}: expected a label out of {shown}, got {label[:MOST_SHOWN]!r}")
    return labels.index(label)


def _table(text: str, source: object, columns: tuple[str, str], separator: str) -> Iterator[tuple[str, str, str]]:
    before = csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator, strict=True)  # only a line feed ends a line
    try:
        names = [name.strip() for name in next(reader, [])]
        places = [_place(names, column, f"{source}, line 1") for column in columns]
        first = reader.line_num + 1
        for row in reader:
            where, first = f"{source}, line {first}", reader.line_num + 1
            if not row:
                continue  # a blank line, as at the end of many files
            if len(row) != len(names):
                raise ValueError(f"{where}: expected {len(names)} values as in the first line, got {len(row)}")
            yield where, row[places[0]], row[places[1]]
    except csv.Error as error:
        raise ValueError(f"{source}, line {reader.line_num}: {error}") from error
    finally:
        csv.field_size_limit(before)


def _objects(text: str, source: object, columns: tuple[str, str]) -> Iterator[tuple[str, str, str]]:
    for number, line in enumerate(lines(text, source), 1):
        where = f"{source}, line {number}"
        found = _object(line, where)
        content, label = (found[_key(found, column, where)] for column in columns)
        if not isinstance(content, str):
            raise ValueError(f"{where}: expected a text under {columns[0]!r}, got {content!r}")
        if isinstance(label, (dict, list, float)) or label is None:
            raise ValueError(f"{where}: expected a label under {columns[1]!r}, got {label!r}")
        yield where, content, str(label)


def _object(line: str, where: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise ValueError(f"{where}: expected a JSON object, got {line[:MOST_SHOWN]!r}: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{where}: expected a JSON object, got {line[:MOST_SHOWN]!r}")
    return found


def _plain(text: str, source: object) -> Iterator[tuple[str, str, str]]:
    for number, line in enumerate(lines(text, source), 1):
        label, *rest = line.split(maxsplit=1)
        if not line.startswith(label):
            raise ValueError(f"{source}, line {number}: expected a label, a blank or a tab, and a text, got {line[:MOST_SHOWN]!r}")
        yield f"{source}, line {number}", rest[0] if rest else "", label


def _place(names: Sequence[str], column: str, where: str) -> int:
    if names.count(column) != 1:
        raise ValueError(f"{where}: expected one column {column!r}, there are {', '.join(names) or 'none'}")
    return names.index(column)


def _key(found: dict[str, object], column: str, where: str) -> str:
    if column not in found:
        raise ValueError(f"{where}: expected a value under {column!r}, there are {', '.join(found) or 'none'}")
    return column
