"""What a table of the page is: columns, blocks, rows, marks."""

from collections.abc import Sequence
from dataclasses import dataclass

from suite.report.colours import Look


@dataclass(frozen=True)
class Row:
    """A row of a table: a name with its colour, marks beside it, and cells."""

    name: str
    cells: Sequence[str]
    look: Look | None = None
    marks: Sequence[str] = ()
    leads: bool = False


@dataclass(frozen=True)
class Table:
    """A table: columns as (name, unit or what it means), and blocks of rows."""

    caption: str
    columns: Sequence[tuple[str, str]]
    blocks: Sequence[tuple[str, Sequence[Row]]]
    note: str = ""

    @property
    def empty(self) -> bool:
        return not any(rows for _, rows in self.blocks)
