"""Knows which trials the store holds already, under which code, and how often each was tried; opens and fills the runs of a sweep."""

import colorsys
import os
import socket
from collections.abc import Mapping

import psutil

from suite import reading, rows, seeding
from suite.choice import Known
from suite.reading import Child
from suite.result import Result
from suite.rows import NewRun
from suite.tracking import Store
from suite.wanted import Wanted


class CodeChanged(ValueError):
    """Finished trials were made by other code; the message says how to go on."""


class Ledger:
    """The finished and the unfinished runs of some MLflow experiments, read once when a sweep starts."""

    def __init__(self, store: Store, experiments: list[str], *, accept_code: bool, rerun: bool) -> None:
        self.store, self.accept_code, self.rerun = store, accept_code, rerun
        self.children = store.children(experiments)
        self.attempts: dict[tuple[str, str], int] = {}
        self.conflicts: list[Child] = []
        self._late: list[tuple[Wanted, Child]] = []  # to be adopted or reused once nothing stands against it
        self._settled = False
        self._elsewhere: dict[tuple[str, str, str], dict[str, Child]] = {}
        self._here: dict[str, dict[str, Child]] = {}
        for experiment in experiments:
            self._here[experiment] = reading.latest(child for child in self.children if child.experiment == experiment)
        for child in self.children:
            if key := child.tags.get("key"):
                place = (child.experiment, key)
                self.attempts[place] = max(self.attempts.get(place, 0), int(child.tags["attempt"]))

    def mend(self) -> int:
        """End the runs that a killed command left running, and return how many trials that interrupted.

        Raises:
            ValueError: another command is at work on the same experiment.
        """
        running = [child for child in self.children if child.status == "RUNNING"]
        for child in running:
            if at_work(child.tags.get("driver", "")):
                raise ValueError(f"process {child.tags['driver'].split()[1]} is at work on this experiment: wait for it, or end it")
        for child in running:
            self.store.mend(child)
        return sum(not child.finished and "key" in child.tags for child in running)

    def size(self, label: str, architecture: str, definition: str, code: str) -> Mapping[str, object] | None:
        """Return the size that the same definition and code were solved for before."""
        for child in self.children:
            tags = child.tags
            if tags.get("phase") == reading.GROUP and (tags["label"], tags["architecture"]) == (label, architecture):
                found = rows.joined_document(tags)
                if (found["definition"], found["code"]) == (definition, code):
                    return dict(found["size"])
        return None

    def lookup(self, wanted: Wanted) -> Known | None:
        """Return what the store knows of a wanted run, here or in another experiment; None where it must be run."""
        child = self._here[wanted.owner.experiment].get(wanted.key)
        if child is not None and child.tags["code"] != wanted.owner.code and not self.accept_code:
            if self.rerun:
                return None
            self.conflicts.append(child)
        if child is None:
            place = (wanted.task, wanted.architecture, wanted.owner.experiment)
            if place not in self._elsewhere:
                self._elsewhere[place] = self.store.find(wanted.task, wanted.architecture, outside=place[-1:])
            child = self._elsewhere[place].get(wanted.key)
            if child is None or (child.tags["code"] != wanted.owner.code and not self.accept_code):
                return None
        self._late.append((wanted, child))
        if self._settled:
            self.settle()
        found = reading.without_curves(child)
        return Known(found.outcome, found.scores, found.cost)

    def check(self) -> None:
        """Refuse to mix code.

        Raises:
            CodeChanged: some of the known runs were made by other code, and nobody said what to do with them.
        """
        if self.conflicts:
            raise CodeChanged(
                f"{len(self.conflicts)} finished trials were made by other code than the present one (first: {self.conflicts[0].run}). "
                "Keep them beside new ones: --accept-code. Run them again: --rerun"
            )

    def settle(self) -> int:
        """Show known runs below their present parents, copy those of other experiments, and return how many were copied."""
        self.check()
        self._settled, late, self._late = True, self._late, []
        copied = 0
        for wanted, child in late:
            if child.experiment != wanted.owner.experiment:
                self.copy(wanted, rows.result_of(self.store.records([child])[0]), child.run, code=child.tags["code"])
                copied += 1
            elif child.tags.get("mlflow.parentRunId") != wanted.owner.parent:
                self.store.adopt(child.run, wanted.owner.parent)
        return copied

    def copy(self, wanted: Wanted, result: Result, origin: str, *, code: str) -> None:
        """Write a result that was computed elsewhere as a run of this group."""
        new = self.new(wanted)
        new = new._replace(tags={**new.tags, "reused_from": origin, "code": code})
        self.store.finish(self.store.start(new), new, result)

    def new(self, wanted: Wanted) -> NewRun:
        """Return the next attempt at a wanted run."""
        place = (wanted.owner.experiment, wanted.key)
        self.attempts[place] = self.attempts.get(place, 0) + 1
        tags = {
            "phase": wanted.phase,
            "key": wanted.key,
            "attempt": str(self.attempts[place]),
            "architecture": wanted.architecture,
            "task": wanted.task,
            "label": wanted.label,
            "seed": str(wanted.seed),
            "number": str(wanted.number),
            "code": wanted.owner.code,
            "driver": driver(),
            "mlflow.runColor": colour(wanted.architecture),
        }
        params = {name: rows.text_of(value) for name, value in wanted.values.items()}
        params |= {f"setting/{name}": rows.text_of(value) for name, value in wanted.constants.items()}
        return NewRun(wanted.owner.experiment, wanted.owner.parent, wanted.name, tags, params)


def driver() -> str:
    """Return the name of this process: host, number and time of its start."""
    return f"{socket.gethostname()} {os.getpid()} {psutil.Process().create_time():.2f}"


def at_work(name: str) -> bool:
    """Return whether a driver of this name is another living process of this host."""
    if not name or name == driver():
        return False
    host, process, begun = name.rsplit(" ", 2)
    if host != socket.gethostname():
        return False
    try:
        return abs(psutil.Process(int(process)).create_time() - float(begun)) < 0.1
    except psutil.Error:
        return False


def colour(name: str) -> str:
    """Return a colour that depends on the name alone."""
    hue = seeding.seed("colour", name) % 360 / 360
    red, green, blue = colorsys.hls_to_rgb(hue, 0.45, 0.65)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
