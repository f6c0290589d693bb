"""What making batches costs beside a training step of the smallest model, task by task."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from suite import optimisation, plugins, training
from suite.bench import small
from suite.chunks import Chunk, training_feed
from suite.program import program, tensors
from suite.result import Trial

CELL, UNITS, EMBEDDING, BATCH = "elman", 16, 16, 32  # nothing that anybody compares is smaller
STEPS = 100  # of a call, at most
SECONDS = 1.0  # of processor time that steps take, at least
MOST_CALLS = 200
LIMIT = 0.10  # of a step
WARM_UP = 3  # calls: corpora are read, caches filled


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """Microseconds of processor time for a batch of a task: to make it and hand it over, and to train on it."""

    task: str
    length: int  # the longest of training
    batch: float
    step: float

    @property
    def share(self) -> float:
        """Making a batch, as a share of the step that it is for."""
        return self.batch / self.step

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON data."""
        return {**asdict(self), "share": self.share, "limit": LIMIT}


def everything(names: Sequence[str], *, tell: Callable[[str], None], seconds: float = SECONDS) -> Iterator[Pipeline]:
    """Yield the rows of these tasks, of all that are registered without names; one whose corpus is not here is left out.

    In this process, on one thread, in processor time: other work on the machine does not count.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for name in names or plugins.table("TASKS"):
        try:
            row = measured(name, seconds)
            tell(f"{name}: {row.share:.1%} of a step")
            yield row
        except ValueError as error:
            tell(f"{name} is left out: {error}")


def measured(name: str, seconds: float) -> Pipeline:
    """Return the row of a task: batches from its own generator, in chunks as in a training, under one Elman layer."""
    trial = smallest(name)
    setting, values = trial.setting, training.checked(trial)
    made = program(trial)
    made.reset(trial, values)
    states = made.zero_states(BATCH)
    rates = optimisation.learning_rates("constant", small.RATE, STEPS, 0.0)
    feed = training_feed(setting.task, seed=0, batch_size=BATCH)
    making = training_time = 0.0
    steps = 0
    for call in range(MOST_CALLS + WARM_UP):
        begun = time.process_time()
        chunk = feed.take(STEPS)
        if chunk is None:
            raise ValueError("its training split ended")
        taken = time.process_time() - begun
        handing = _handing(chunk)
        made.prepare(chunk, states, rates[: chunk.steps], values)
        begun = time.process_time()
        states = made.train(chunk, states, rates[: chunk.steps], values).states
        trained = time.process_time() - begun
        if call < WARM_UP:
            continue
        making += taken + handing
        training_time += trained - handing
        steps += chunk.steps
        if training_time > seconds:
            break
    return Pipeline(task=name, length=setting.task.spec.length, batch=1e6 * making / steps, step=1e6 * training_time / steps)


def smallest(name: str) -> Trial:
    """Return a trial of one small Elman layer on a task."""
    task = plugins.task(name)
    return small.of_task(task, CELL, units=UNITS, batch_size=BATCH, embedding=EMBEDDING if task.spec.tokens else None)


def _handing(chunk: Chunk) -> float:
    """Return the seconds that it takes to hand a chunk to TensorFlow, which a call of the training does by itself."""
    begun = time.process_time()
    tensors(chunk)
    return time.process_time() - begun
