"""The tasks, one a file; the table names those that `suite list tasks` shows, at their default configuration."""

from suite.task import Task
from tasks.adding import Adding
from tasks.associative_recall import AssociativeRecall
from tasks.charlm import CharLM
from tasks.copying import Copying
from tasks.corpora import CORPORA
from tasks.dates import Dates
from tasks.hello import Hello
from tasks.induction import InductionHeads
from tasks.reversing import Reversing
from tasks.selective_copying import SelectiveCopying
from tasks.temporal_order import TemporalOrder
from tasks.translation import Translation
from tasks.variable_copying import VariableCopying

__all__ = ["CORPORA", "TASKS"]

TASKS: dict[str, Task] = {
    "adding": Adding(),
    "associative-recall": AssociativeRecall(),
    "charlm": CharLM(),
    "copying": Copying(),
    "dates": Dates(),
    "hello": Hello(),
    "induction-heads": InductionHeads(),
    "reversing": Reversing(),
    "selective-copying": SelectiveCopying(),
    "temporal-order": TemporalOrder(),
    "translation": Translation(),
    "variable-copying": VariableCopying(),
}
