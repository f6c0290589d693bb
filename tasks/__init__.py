"""The tasks, one a file; the table names those that `suite list tasks` shows, at their default configuration."""

from suite.task import Task
from tasks.adding import Adding
from tasks.charlm import CharLM
from tasks.copying import Copying
from tasks.corpora import CORPORA
from tasks.hello import Hello
from tasks.temporal_order import TemporalOrder

__all__ = ["CORPORA", "TASKS"]

TASKS: dict[str, Task] = {
    "adding": Adding(),
    "charlm": CharLM(),
    "copying": Copying(),
    "hello": Hello(),
    "temporal-order": TemporalOrder(),
}
