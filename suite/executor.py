"""Where jobs run: in this process or in worker processes. The only importer of distributed.

A job is a function of `suite.worker`, named as text, and a JSON body; what comes back is JSON. Events stream to the driver
while the job runs.
"""

import importlib
import os
import queue
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from suite.jobs import Job, Message, Waiting
from suite.result import Emit, Event

__all__ = ["Executor", "Inline", "Job", "Message", "Processes", "open"]

MOST_DEATHS = 3  # of the worker below one job, then the job is given up
_BATCH_SECONDS = 0.5
_TOPIC = "suite"
# glibc gives large arrays back after every step, and the next step pays for their pages again: up to a fifth of its time.
_KEEPS_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "17179869184"}


Hear = Callable[[Message], None]


class Executor(Protocol):
    """Runs jobs; `work` returns when none is left. Whoever hears of one job may submit others."""

    workers: int

    def submit(self, job: Job) -> None: ...
    def work(self, hear: Hear) -> None: ...


@contextmanager
def open(workers: int, *, ahead: str | None = None) -> Iterator[Executor]:
    """Yield an executor of this many worker processes; one works in this process.

    `ahead` names a module that worker processes begin to load at once, before there is work.

    Raises:
        ValueError: fewer than one worker.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if workers == 1:
        yield Inline()
        return
    processes = Processes(workers, ahead)
    try:
        yield processes
    except BaseException:
        processes.close(now=True)
        raise
    else:
        processes.close(now=False)


class Inline:
    """Runs one job after the other in this process."""

    workers = 1

    def __init__(self) -> None:
        self._waiting = Waiting()

    def submit(self, job: Job) -> None:
        self._waiting.put(job)

    def work(self, hear: Hear) -> None:
        last: str | None = None
        try:
            while self._waiting:
                job = self._waiting.take(last, set())
                last = job.group
                hear(Message("started", job))
                events = _Batches(lambda batch, job=job: hear(Message("events", job, events=batch)))  # type: ignore[misc]
                answer, error = _called(job.function, job.body, events)
                events.flush()
                hear(Message("failed", job, text=error) if error else Message("done", job, answer))
        finally:
            self._waiting.clear()


class Processes:
    """Runs jobs in worker processes on this machine, one at a time in each, and streams their events."""

    def __init__(self, workers: int, ahead: str | None = None) -> None:
        import dask
        from distributed import Client, LocalCluster

        self.workers = workers
        self._environment = dict(os.environ)
        threads = str(max(1, _cores() // workers))
        limits = {name: threads for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        configuration = {
            "distributed.scheduler.allowed-failures": 0,  # the driver itself repeats a job whose worker died
            "distributed.nanny.pre-spawn-environ": {
                **limits,
                **_KEEPS_MEMORY,
                "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
            },
            "distributed.comm.timeouts.connect": "60s",
            "distributed.worker.daemon": True,
        }
        with dask.config.set(configuration):
            self._cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=0,
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # else every scheduler wants port 8787, dashboard or not
                host="127.0.0.1",
                silence_logs=60,
            )
            self._client = Client(self._cluster, set_as_default=False)
        self._logs = tempfile.TemporaryDirectory(prefix="suite-workers-")
        self._client.register_plugin(_manners(self._logs.name, ahead))
        self._heard: queue.Queue[tuple[str, Any, Any]] = queue.Queue()
        self._client.subscribe_topic(_TOPIC, lambda event: self._heard.put(("events", event[1]["name"], event[1]["events"])))
        self._waiting = Waiting()
        self._running: dict[str, tuple[Job, str, Any]] = {}  # name of the job -> job, address of its worker, future
        self._last: dict[str, str] = {}  # address -> group
        self._deaths: dict[str, int] = {}

    def submit(self, job: Job) -> None:
        self._waiting.put(job)

    def work(self, hear: Hear) -> None:
        self._last.clear()
        while self._waiting or self._running:
            self._start(hear)
            try:
                kind, name, value = self._heard.get(timeout=1.0)
            except queue.Empty:
                continue  # a worker that died may be back
            if name not in self._running:
                continue  # events that came later than their result
            job, address, future = self._running[name]
            if kind == "events":
                hear(Message("events", job, events=tuple(Event(*event) for event in value)))
                continue
            del self._running[name]
            self._over(job, address, future, hear)

    def close(self, *, now: bool) -> None:
        """Stop the workers: after their jobs, or at once."""
        if now:
            for nanny in self._cluster.workers.values():
                if nanny.pid is not None:
                    _killed(nanny.pid)
        self._client.close()
        self._cluster.close()
        self._logs.cleanup()
        for name in set(os.environ) - set(self._environment):  # dask sets the workers' variables here, too
            del os.environ[name]
        os.environ.update(self._environment)

    def _start(self, hear: Hear) -> None:
        busy = {address: job.group for job, address, _ in self._running.values()}
        if not self._waiting or len(busy) >= self.workers:
            return
        for address in self._client.nthreads():
            if address in busy or not self._waiting:
                continue
            job = self._waiting.take(self._last.get(address), set(busy.values()))
            hear(Message("started", job))
            future = self._client.submit(
                _serve, job.name, job.function, dict(job.body), pure=False, workers=[address], allow_other_workers=False
            )
            self._running[job.name] = (job, address, future)
            self._last[address] = busy[address] = job.group
            future.add_done_callback(lambda _, name=job.name: self._heard.put(("over", name, None)))

    def _over(self, job: Job, address: str, future: Any, hear: Hear) -> None:
        from distributed import KilledWorker

        if future.status == "finished":
            answer, error, rest = future.result()
            if rest:
                hear(Message("events", job, events=tuple(Event(*event) for event in rest)))
            hear(Message("failed", job, text=error) if error else Message("done", job, answer))
        elif isinstance(failure := future.exception(), KilledWorker):
            self._last.pop(address, None)
            self._deaths[job.name] = self._deaths.get(job.name, 0) + 1
            if self._deaths[job.name] >= MOST_DEATHS:
                text = f"its worker process died {MOST_DEATHS} times (out of memory, or killed)"
                hear(Message("died", job, text=f"{text}; {self._last_words(address)}".removesuffix("; ")))
            else:
                hear(Message("lost", job, text="its worker process died"))
                self._waiting.put(job, first=True)
        else:
            hear(Message("failed", job, text=f"{type(failure).__name__}: {failure}"))
        future.release()

    def _last_words(self, address: str) -> str:
        """The end of what the worker at this address has printed."""
        try:
            return Path(_log(self._logs.name, address)).read_text(encoding="utf-8", errors="replace").strip()[-500:]
        except OSError:
            return ""


class _Batches:
    """Collects events and passes them on twice a second."""

    def __init__(self, send: Callable[[tuple[Event, ...]], None]) -> None:
        self.send, self.events, self.sent = send, list[Event](), time.monotonic()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if time.monotonic() - self.sent >= _BATCH_SECONDS:
            self.flush()

    def flush(self) -> None:
        batch, self.events, self.sent = tuple(self.events), [], time.monotonic()
        if batch:
            self.send(batch)


def _called(function: str, body: Mapping[str, Any], emit: Emit) -> tuple[Any, str]:
    """Return the function's answer, or the words of what it raised."""
    module, _, name = function.partition(":")
    try:
        return getattr(importlib.import_module(module), name)(body, emit), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def _serve(name: str, function: str, body: Mapping[str, Any]) -> tuple[Any, str, list[list[Any]]]:
    """Runs in the worker process; the last events travel with the answer."""
    from distributed import get_worker

    worker = get_worker()
    worker.plugins["manners"].loading.join()
    events = _Batches(lambda batch: worker.log_event(_TOPIC, {"name": name, "events": [list(event) for event in batch]}))
    answer, error = _called(function, body, events)
    return answer, error, [list(event) for event in events.events]


def _manners(folder: str, ahead: str | None) -> Any:
    """How a worker process behaves: Ctrl-C is the driver's affair, and what TensorFlow prints goes to a file."""
    from distributed import WorkerPlugin

    class Manners(WorkerPlugin):
        name = "manners"

        def setup(self, worker: Any) -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            log = os.open(_log(folder, worker.address), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
            os.dup2(log, 2)
            os.close(log)
            self.loading = threading.Thread(target=lambda: ahead and importlib.import_module(ahead), daemon=True)
            self.loading.start()

    return Manners()


def _log(folder: str, address: str) -> str:
    return os.path.join(folder, f"{address.rpartition(':')[2]}.log")


def _killed(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
