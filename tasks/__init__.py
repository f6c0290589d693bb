"""The tasks, one a file; the table names those that `suite list tasks` shows, at their default configuration."""

from suite.task import Task
from tasks.adding import Adding
from tasks.agreement import Agreement
from tasks.associative_recall import AssociativeRecall
from tasks.charlm import CharLM
from tasks.copying import Copying
from tasks.corpora import CORPORA
from tasks.cycle_navigation import CycleNavigation
from tasks.dates import Dates
from tasks.dyck import Dyck
from tasks.equal_runs import EqualRuns
from tasks.even_pairs import EvenPairs
from tasks.first_token import FirstToken
from tasks.hello import Hello
from tasks.induction import InductionHeads
from tasks.look_ahead import LookAhead
from tasks.mackey_glass import MackeyGlass
from tasks.modular_arithmetic import ModularArithmetic
from tasks.parity import Parity
from tasks.pixels import Pixels
from tasks.reversing import Reversing
from tasks.seasonal import Seasonal
from tasks.selective_copying import SelectiveCopying
from tasks.sentiment import Sentiment
from tasks.state_tracking import StateTracking
from tasks.tagging import Tagging
from tasks.temporal_order import TemporalOrder
from tasks.translation import Translation
from tasks.variable_copying import VariableCopying

__all__ = ["CORPORA", "TASKS"]

TASKS: dict[str, Task] = {
    "a-n-b-n": EqualRuns(),
    "a-n-b-n-c-n": EqualRuns(letters=3),
    "adding": Adding(),
    "agreement": Agreement(),
    "associative-recall": AssociativeRecall(),
    "charlm": CharLM(),
    "copying": Copying(),
    "cycle-navigation": CycleNavigation(),
    "dates": Dates(),
    "dyck-1": Dyck(kinds=1),
    "dyck-2": Dyck(),
    "even-pairs": EvenPairs(),
    "first-token": FirstToken(),
    "hello": Hello(),
    "induction-heads": InductionHeads(),
    "look-ahead": LookAhead(),
    "mackey-glass": MackeyGlass(),
    "modular-arithmetic": ModularArithmetic(),
    "parity": Parity(),
    "pixels": Pixels(),
    "reversing": Reversing(),
    "seasonal": Seasonal(),
    "selective-copying": SelectiveCopying(),
    "sentiment": Sentiment(),
    "state-tracking-s3": StateTracking(objects=3),
    "state-tracking-s5": StateTracking(),
    "tagging": Tagging(),
    "temporal-order": TemporalOrder(),
    "translation": Translation(),
    "variable-copying": VariableCopying(),
}
