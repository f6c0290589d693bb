"""A subject in a process of its own: built on demand, timed on demand, asleep while another one has its turn."""

import importlib
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from suite.bench.cases import Case
from suite.bench.peak import gemm_peak

SUBJECTS = {
    "suite": "suite.bench.subjects:suite",
    "suite, step alone": "suite.bench.subjects:step_alone",
    "suite, probes": "suite.bench.subjects:with_probes",
    "keras.layers": "suite.bench.subjects:keras_layers",
    "torch.nn": "suite.bench.peers:torch_nn",
    "jax scan": "suite.bench.peers:jax_scan",
}
HIGH_WATER = Path("/proc/self/status")
WARM_UP = 5  # steps behind the first, which traces and compiles; calls of many steps need one


class Built(NamedTuple):
    """What building and warming up a subject took."""

    first_seconds: float  # to the end of the first step: trace and compilation
    peak_bytes: int  # resident, of the whole process


class Subject:
    """The driver's end of such a process."""

    def __init__(self, name: str, threads: int | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = name
        self.here, there = context.Pipe()
        self.process = context.Process(target=serve, args=(SUBJECTS[name], there, threads), daemon=True)
        self.process.start()
        there.close()

    def build(self, case: Case) -> Built:
        """Make the subject for a case, and warm it up.

        Raises:
            ValueError: it cannot take the case; the message is its own.
        """
        found: Built = self._ask(case)
        return found

    def turn(self, steps: int) -> list[float]:
        """Return the seconds of each of so many calls; where a call is one step, one before them is taken and not counted."""
        found: list[float] = self._ask(steps)
        return found

    def peak(self, case: Case) -> float:
        """Return the FLOPs a second that single matrix products reach in this process."""
        return float(self._ask(("peak", case)))

    def close(self) -> None:
        """End the process."""
        self.here.close()
        self.process.join(timeout=5)
        if self.process.is_alive():
            self.process.kill()

    def _ask(self, request: Any) -> Any:
        self.here.send(request)
        try:
            answer = self.here.recv()
        except EOFError as error:
            raise ValueError(f"the process of {self.name} ended without an answer") from error
        if isinstance(answer, Exception):
            raise ValueError(f"{self.name}: {answer}")
        return answer


def serve(target: str, there: Any, threads: int | None) -> None:
    """Answer until the driver hangs up."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what libraries say while they load; errors go to the driver
    if threads is not None:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    module, _, name = target.partition(":")
    importlib.import_module(module)  # while the other subjects do the same
    step: Any = None
    single = True
    while True:
        try:
            request = there.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            if isinstance(request, Case):
                begun = time.perf_counter()
                single = request.calls == 1
                step = getattr(importlib.import_module(module), name)(request)
                step()
                first = time.perf_counter() - begun
                for _ in range(WARM_UP if single else 1):
                    step()
                there.send(Built(first, most_bytes()))
            elif isinstance(request, tuple):
                there.send(gemm_peak(request[1]))
            else:
                if single:
                    step()
                there.send([timed(step) for _ in range(request)])
        except Exception as error:
            there.send(error if isinstance(error, ValueError) else ValueError(f"{type(error).__name__}: {error}"))


def most_bytes() -> int:
    """Return the most bytes that this process ever held in memory.

    On Linux from its own high-water mark: `ru_maxrss` begins at that of the process which started this one.
    """
    if HIGH_WATER.is_file():
        (line,) = (line for line in HIGH_WATER.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return 1024 * int(line.split()[1])
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)


def timed(step: Callable[[], Any]) -> float:
    """Return the seconds that one call takes."""
    begun = time.perf_counter()
    step()
    return time.perf_counter() - begun
