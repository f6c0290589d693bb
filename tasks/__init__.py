"""The tasks, one a file; the table names those that `suite list tasks` shows, at their default configuration."""

from suite.task import Task
from tasks.adding import Adding

TASKS: dict[str, Task] = {
    "adding": Adding(),
}
