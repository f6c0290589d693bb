"""Shows how a run goes: a live display on a terminal, plain lines when piped. Everything goes to stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from suite.sweep import Update


class Listener(Protocol):
    """Whoever hears how a sweep goes."""

    def __call__(self, update: "Update") -> None: ...


@contextmanager
def listener(*, live: bool | None = None) -> Iterator[Listener]:
    """Yield a listener for a sweep; `live` defaults to whether stderr is a terminal."""
    if live if live is not None else sys.stderr.isatty():
        with _Live() as shown:
            yield shown
    else:
        yield Plain()


def sentence(update: "Update") -> str | None:
    """Return the line that tells of an update, or None where it is too small to tell."""
    who = f"{update.label} · {update.architecture}" if update.architecture else update.label
    if update.kind == "done":
        value = "" if update.value is None else f" {update.value:.4g}"
        return f"{who} · {update.phase} {update.number}:{value} {update.text}".rstrip()
    if update.kind == "chosen":
        return f"{who} · chosen: {update.text}"
    if update.kind == "baseline":
        value = "" if update.value is None else f" {update.value:.4g}"
        return f"{who} ·{value} {update.text}".rstrip()
    if update.kind in ("plan", "resumed", "note"):
        return update.text
    return None


class Plain:
    """One line an event, with the count and the time since the start."""

    def __init__(self) -> None:
        self.begun = time.monotonic()

    def __call__(self, update: "Update") -> None:
        if (line := sentence(update)) is None:
            return
        count = f"{update.done}/{update.total} " if update.total else ""
        print(f"[{time.monotonic() - self.begun:6.1f} s] {count}{line}", file=sys.stderr, flush=True)


class _Live:
    """A progress bar, what runs now, and the best of each architecture so far."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self.console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"))
        self.bar = Progress(*columns, TimeRemainingColumn(), console=self.console, transient=False)
        self.task = self.bar.add_task("trials", total=None)
        self.running: dict[tuple[str, str, str, int | None], str] = {}

    def __enter__(self) -> "_Live":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def __call__(self, update: "Update") -> None:
        name = (update.label, update.architecture, update.phase, update.number)
        if update.kind == "start":
            self.running[name] = f"{update.label} · {update.architecture}"
        if update.kind in ("done", "baseline"):
            self.running.pop(name, None)
        now = ", ".join(sorted(set(self.running.values()))) or "trials"
        self.bar.update(self.task, description=now, completed=update.done, total=update.total or None)
        if update.kind != "baseline" and (line := sentence(update)) is not None:
            self.bar.print(line, highlight=False)
