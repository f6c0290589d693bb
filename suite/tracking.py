"""The one store: MLflow, written by the driver alone. The only importer of mlflow."""

import logging
import os
import shlex
import sqlite3
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from suite import reading, rows, spool
from suite.reading import Child
from suite.result import MOST_POINTS, Event, Group, Record, Result
from suite.rows import NewRun
from suite.store_location import location, on_network_disk, sqlite_file

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")  # results for a server that is gone are spooled

from mlflow import MlflowClient  # loading it decides on telemetry
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SADeprecationWarning, SQLAlchemyError

__all__ = ["Child", "OldSchema", "Store", "StoreError", "location"]

_EXPERIMENT, _PARENT = "suite.experiment", "mlflow.parentRunId"
_RETRY_SECONDS = 30.0
_UNREACHABLE = (MlflowException, SQLAlchemyError, OSError)


class StoreError(ValueError):
    """The store cannot be used; the message says what to do."""


class OldSchema(StoreError):
    """The store was made by another MLflow; the message holds the command that upgrades it."""


class Store:
    """Experiments, runs and results in MLflow at one absolute address."""

    def __init__(self, uri: str | None = None) -> None:
        self.uri, self.root = location(uri)
        self._opened: Any = None
        self._live: dict[str, dict[str, dict[int, float]]] = {}  # run -> name -> step -> value, as logged
        self._down_until = 0.0

    def inspect(self) -> str:
        """Say in words what the store holds, without creating it."""
        if not self._exists():
            return "not created yet: the first run does it"
        with _told(self.uri):
            return f"{len(self._experiments())} settings of experiments"

    def prepare(self) -> int:
        """Create the store where there is none, send what was spooled, and return how many results that were.

        Raises:
            StoreError: it cannot be reached or used.
        """
        if not self._exists():
            self._create()
        with _told(self.uri):
            self._client.search_experiments(max_results=1)
            return sum(self._send(path, body) for path, body in list(spool.waiting(self.root / "spool", self.uri)))

    def experiment(self, name: str, label: str, *, note: str, primary: str) -> str:
        """Return the id of the MLflow experiment `<name>/<label>`, created where missing, its description up to date."""
        full = f"{name}/{label}"
        tags = {
            _EXPERIMENT: name,
            "mlflow.experimentKind": "custom_model_development",
            "mlflow.note.content": note,
            "mlflow.experiment.primaryMetric.name": primary,
        }
        with _told(self.uri):
            found = self._client.get_experiment_by_name(full)
            if found is None:
                artifacts = (self.root / "mlruns" / quote(full, safe="")).as_uri() if sqlite_file(self.uri) else None
                return str(self._client.create_experiment(full, artifact_location=artifacts, tags=tags))
            if found.lifecycle_stage != "active":
                command = f"MLFLOW_TRACKING_URI={shlex.quote(self.uri)} mlflow experiments restore --experiment-id {found.experiment_id}"
                raise StoreError(f"the MLflow experiment {full!r} was deleted; to bring it back: {command}")
            for tag, value in tags.items():
                if found.tags.get(tag) != value:
                    self._client.set_experiment_tag(found.experiment_id, tag, value)
            return str(found.experiment_id)

    def parent(self, experiment: str, name: str, tags: Mapping[str, str], document: Mapping[str, Any]) -> str:
        """Return the parent run of this architecture and definition, created where missing, with its document up to date."""
        tags = {**tags, "phase": reading.GROUP}
        with _told(self.uri):
            for child in self.children([experiment], f"tags.phase = '{reading.GROUP}'"):
                if all(child.tags[which] == tags[which] for which in ("architecture", "definition")):
                    self._client.update_run(child.run, status="RUNNING")
                    self._log(child.run, rows.Rows([], {}, {**tags, **rows.split_document(document)}))
                    return child.run
            run = self._client.create_run(experiment, run_name=name, tags={**tags, **rows.split_document(document)})
            return str(run.info.run_id)

    def describe(self, run: str, document: Mapping[str, Any], tags: Mapping[str, str] | None = None) -> None:
        """Write a parent's document and tags again; `close` does it once more, should the store be away now."""
        self._try(lambda: self._log(run, rows.Rows([], {}, {**(tags or {}), **rows.split_document(document)})))

    def adopt(self, run: str, parent: str) -> None:
        """Show a run below another parent, that of a newer definition."""
        self._try(lambda: self._client.set_tag(run, _PARENT, parent))

    def start(self, new: NewRun) -> str | None:
        """Create a run and return its id, or None while the store cannot be reached."""
        run: str | None = self._try(lambda: self._create_run(new))
        if run is not None:
            self._live[run] = {}
        return run

    def log(self, run: str | None, events: Iterable[Event]) -> None:
        """Log points of a running trial, at most 64 a curve; while the store is away they wait for the end."""
        if run not in self._live or time.monotonic() < self._down_until:
            return
        points = []
        for event in events:
            logged = self._live[run].setdefault(event.name, {})
            step = int(event.step)
            if step == event.step and step not in logged and len(logged) < MOST_POINTS:
                logged[step] = rows.finite(event.value)
                points.append(rows.Point(event.name, logged[step], step))
        self._try(lambda: self._log(run, rows.Rows(points, {}, {})))

    def finish(self, run: str | None, new: NewRun, result: Result) -> Path | None:
        """Write a result into its run; where the store cannot take it, return the file that the next command sends."""
        written = rows.of_result(result, self._live.pop(run, {}) if run else {})
        if self._try(lambda: self._write(run or self._create_run(new), written, result.arrays)):
            return None
        body = {"uri": self.uri, "run": run, "new": new._asdict(), "rows": written._asdict()}
        return spool.put(self.root / "spool", body)

    def stop(self, run: str | None) -> None:
        """Mark a run as killed: its trial is repeated as a new attempt."""
        if run is not None:
            self._live.pop(run, None)
            self._try(lambda: self._client.set_terminated(run, "KILLED"))

    def mend(self, child: Child) -> None:
        """End a run that a killed command left running: whole ones as what they are, others as killed."""
        if child.finished:
            self._try(lambda: self._conclude(child.run, child.tags["outcome"]))
        else:
            self.stop(child.run)

    def close(self, run: str, document: Mapping[str, Any], *, done: bool, metrics: Mapping[str, float]) -> None:
        """End a parent run with its document and the figures of its group."""
        points = [rows.Point(name, rows.finite(value), 0) for name, value in metrics.items()]
        self._try(lambda: self._log(run, rows.Rows(points, {}, rows.split_document(document))))
        self._try(lambda: self._client.set_terminated(run, "FINISHED" if done else "KILLED"))

    def children(self, experiments: Sequence[str], filter_string: str = "") -> list[Child]:
        """Return the runs of these MLflow experiments, in order of creation, without the histories of their curves."""
        with _told(self.uri):
            return reading.children(self._client, experiments, filter_string)

    def records(self, finished: Sequence[Child]) -> list[Record]:
        """Return finished runs with their curves."""
        with _told(self.uri):
            return reading.records(self._client, finished)

    def groups(self, name: str, definition: str | None = None) -> list[Group]:
        """Return the groups of an experiment from database rows alone: of the definition run last, or of that hash."""
        if not self._exists():
            return []
        with _told(self.uri):
            return reading.groups(self._client, self._experiments(name), definition)

    def find(self, task: str, architecture: str, *, outside: Sequence[str] = ()) -> dict[str, Child]:
        """Return by key the finished runs of an architecture on a task, anywhere in the store but in the MLflow experiments `outside`."""
        with _told(self.uri):
            others = [each for each in self._experiments() if each not in outside]
            found = reading.children(self._client, others, f"tags.task = '{task}' AND tags.architecture = '{architecture}'")
        return reading.latest(found)

    @property
    def _client(self) -> Any:
        if self._opened is None:
            with _told(self.uri), _silent():
                self._opened = MlflowClient(self.uri)
        return self._opened

    def _exists(self) -> bool:
        file = sqlite_file(self.uri)
        return file is None or file.exists()

    def _create(self) -> None:
        """Migrate beside the address, then link into place: neither two commands at once nor a kill leave a half-made store."""
        file = Path(self.uri.removeprefix("sqlite:///"))
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f"{file.name}.{uuid4().hex[:8]}.partial")
        with _told(self.uri), _silent():
            MlflowClient(f"sqlite:///{fresh}")._tracking_client.store._dispose_engine()
        if not on_network_disk(file.parent):
            connection = sqlite3.connect(fresh)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.close()
        try:
            os.link(fresh, file)
        except FileExistsError:
            pass  # another command was faster, and its store is as good
        except OSError:
            fresh.replace(file)  # a disk without links
        finally:
            fresh.unlink(missing_ok=True)

    def _experiments(self, name: str | None = None) -> list[str]:
        found = self._client.search_experiments(max_results=50_000)
        return [each.experiment_id for each in found if _EXPERIMENT in each.tags and name in (None, each.tags[_EXPERIMENT])]

    def _create_run(self, new: NewRun) -> str:
        run = self._client.create_run(new.experiment, run_name=new.name, tags={**new.tags, _PARENT: new.parent})
        self._log(run.info.run_id, rows.Rows([], dict(new.params), {}))
        return str(run.info.run_id)

    def _write(self, run: str, written: rows.Rows, arrays: Path | None) -> bool:
        """The tag `outcome` comes last: what is killed half-way has none, and is run again."""
        last = {"outcome": written.tags["outcome"]}
        self._log(run, written._replace(tags={name: text for name, text in written.tags.items() if name not in last}))
        if arrays is not None and arrays.exists():
            self._client.log_artifact(run, str(arrays))
        self._log(run, rows.Rows([], {}, last))
        self._conclude(run, last["outcome"])
        return True

    def _conclude(self, run: str, outcome: str) -> None:
        self._client.set_terminated(run, "FINISHED" if outcome == "done" else "FAILED")

    def _send(self, path: Path, body: Mapping[str, Any]) -> bool:
        points, params, tags = (body["rows"][name] for name in rows.Rows._fields)
        try:
            run = body["run"] or self._create_run(NewRun(**body["new"]))
            self._write(run, rows.Rows([rows.Point(*point) for point in points], params, tags), None)
        except MlflowException as error:
            if error.error_code not in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"):
                raise
            path.rename(path.with_suffix(".refused"))  # its run was deleted, or MLflow will never take it: kept, and out of the way
            return False
        path.unlink()
        return True

    def _log(self, run: str | None, written: rows.Rows) -> None:
        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for name, value, step in written.metrics]
        params = [Param(name, text) for name, text in written.params.items()]
        tags = [RunTag(name, text) for name, text in written.tags.items()]
        texts, points = rows.MOST_TEXTS, rows.MOST_METRICS - 2 * rows.MOST_TEXTS
        while metrics or params or tags:
            self._client.log_batch(run, metrics[:points], params[:texts], tags[:texts])
            metrics, params, tags = metrics[points:], params[texts:], tags[texts:]

    def _try(self, write: Any) -> Any:
        """Write unless the store was away a moment ago; return None where it is away."""
        if time.monotonic() < self._down_until:
            return None
        try:
            return write()
        except _UNREACHABLE:
            self._down_until = time.monotonic() + _RETRY_SECONDS
            return None


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Turn what MLflow raises into one line that says what to do."""
    try:
        yield
    except _UNREACHABLE as error:
        text = str(error)
        if "out-of-date database schema" in text or "Can't locate revision" in text:
            raise OldSchema(
                f"the store was made by another version of MLflow; copy it, then upgrade it: mlflow db upgrade {shlex.quote(uri)}"
            ) from error
        raise StoreError(f"the store {uri} cannot be used: {text.splitlines()[0] if text else type(error).__name__}") from error


@contextmanager
def _silent() -> Iterator[None]:
    """Fifty migrations of an empty store are no news, nor is what MLflow uses of SQLAlchemy."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SADeprecationWarning)
            yield
    finally:
        logging.disable(before)
