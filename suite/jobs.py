"""Jobs for an executor, what it says of them, and the order in which workers take them."""

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from suite.result import Event


class Job(NamedTuple):
    """One call of a worker's function. Jobs of one group share a compiled model, so a worker prefers to stay with its group."""

    name: str
    function: str  # "suite.worker:train"
    body: Mapping[str, Any]
    group: str


class Message(NamedTuple):
    """What the driver hears of a job: started, events, done (answer), failed (it raised: text), lost (its worker died; it
    starts again), died (its workers died too often: text)."""

    kind: str
    job: Job
    answer: Any = None
    events: tuple[Event, ...] = ()
    text: str = ""


class Waiting:
    """Jobs not yet started, by group; a worker stays with its group, and helps another before it idles."""

    def __init__(self) -> None:
        self.groups: dict[str, deque[Job]] = {}

    def __bool__(self) -> bool:
        return bool(self.groups)

    def put(self, job: Job, *, first: bool = False) -> None:
        """Add a job behind those of its group, or before them."""
        line = self.groups.setdefault(job.group, deque())
        (line.appendleft if first else line.append)(job)

    def take(self, last: str | None, busy: set[str]) -> Job:
        """Return the next job for a worker whose last group was `last`, while others are busy with `busy`."""
        free = [group for group in self.groups if group not in busy]
        group = last if last in self.groups else free[0] if free else max(self.groups, key=lambda name: len(self.groups[name]))
        job = self.groups[group].popleft()
        if not self.groups[group]:
            del self.groups[group]
        return job

    def clear(self) -> None:
        """Forget every job."""
        self.groups.clear()
