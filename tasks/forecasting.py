"""Forecasting a user's own series, from a CSV file."""

from dataclasses import dataclass, field
from typing import ClassVar

from tasks.series import Series, SeriesTask
from tasks.tables import numbers
from tasks.user_files import Source


@dataclass(frozen=True, kw_only=True)
class Forecasting(SeriesTask):
    """Foretell a column of a CSV file of yours, `horizon` lines ahead, from the columns that are read.

    hour,load,temperature        columns ("load", "temperature"), target "load", horizon 1:
    0,31.5,8.1                   x: (31.5, 8.1) (30.9, 8.0) ..     (batch, window, 2)
    1,30.9,8.0                   y:  30.9        30.2       ..     (batch, window)
    2,30.2,7.7                   `period` 24: the season of a day, for the seasonal baseline

    One line a step, in the order of time and at equal distances; the first line names the columns.

    Source: Hyndman & Athanasopoulos (2021), Forecasting: Principles and Practice, otexts.com/fpp3 (baselines, chapter 5).
    """

    name: ClassVar[str] = "forecasting"

    path: Source = field(metadata={"key": False})
    columns: tuple[str, ...] = ()  # all of them
    target: str = ""  # needed where more than one column is read
    separator: str = ","

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.separator) != 1:
            raise ValueError(f"separator must be one character, got {self.separator!r}")
        if len(set(self.columns)) < len(self.columns):
            raise ValueError(f"columns must be distinct, got {self.columns}")
        if self.target and self.columns and self.target not in self.columns:
            raise ValueError(f"target must be one of columns {self.columns}, got {self.target!r}")

    def series(self) -> Series:
        names, values = numbers(self.path, self.columns, self.separator)
        if not self.target and len(names) > 1:
            raise ValueError(f"{self.path}: target must say which column to forecast, one of {', '.join(names)}")
        if self.target and self.target not in names:
            raise ValueError(f"{self.path}: no column {self.target!r} to forecast; there are {', '.join(names)}")
        return Series(values, names.index(self.target) if self.target else 0)

    def origin(self) -> tuple[str, str]:
        return str(self.path), "the user's"
