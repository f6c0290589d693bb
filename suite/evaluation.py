"""One pass over a fixed split: predictions from the program, scores from the task's meter."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from suite.chunks import Chunk, Feed
from suite.program import Program
from suite.result import Curve
from suite.task import Prediction, Score, Task

MOST_ROWS = 256  # of a batch
MOST_TOKENS = 2**14  # of a batch
MOST_CALLED = 8  # batches in one graph call
MOST_BYTES = 2**26  # of the outputs of one graph call
MOST_HELD = 2**27  # bytes of a split that stay in memory between two passes

NAN = float("nan")


class Scores(NamedTuple):
    """What the meter says of a split: numbers, and curves over length or the like."""

    numbers: dict[str, float]
    curves: dict[str, Curve]


def evaluate(program: Program, task: Task, split: str, *, batch_size: int, decode: bool = False) -> Scores:
    """Return the scores of a split; `decode` adds free-running decoding and attention maps where the meter asks for them.

    Attention is that of the teacher-forced pass, (batch, target time, time), one batch at a time.
    Carried states start from zero here and are this pass's own: training cannot notice it.
    """
    rows = batch_size if program.spec.carried else max(batch_size, min(MOST_ROWS, MOST_TOKENS // program.spec.longest))
    meter = task.meter(split)
    states = program.zero_states(rows)
    for chunk in _chunks(program, task, split, rows):
        found = program.evaluate(chunk, states)
        states = found.states
        for index, batch in enumerate(chunk.batches):
            probable = None if found.probabilities is None else found.probabilities[index]
            ids = program.decode(batch) if decode else None
            weights = program.attention_map(batch) if decode else None
            meter.update(batch, Prediction(found.loss[index], found.best[index], probable, ids, weights))
    return sorted_out(meter.result())


def sorted_out(result: Mapping[str, Score]) -> Scores:
    """Split a meter's result into numbers and curves; what is not finite is NaN."""
    numbers, curves = {}, {}
    for name, value in result.items():
        if isinstance(value, tuple):
            curves[name] = tuple((float(x), finite(y)) for x, y in value)
        else:
            numbers[name] = finite(value)
    return Scores(numbers, curves)


def finite(value: float) -> float:
    """Return the number as a float, NaN for an infinity."""
    return float(value) if np.isfinite(value) else NAN


_HELD: OrderedDict[tuple[Task, str, int], list[Chunk]] = OrderedDict()


def _chunks(program: Program, task: Task, split: str, rows: int) -> Iterator[Chunk]:
    """Yield the split in chunks. A split that fits is made once and held for the next pass and the next trial."""
    key = (task, split, rows)
    if key in _HELD:
        _HELD.move_to_end(key)
        yield from _HELD[key]
        return
    feed = Feed(task.batches(split, seed=0, batch_size=rows), most_steps=_called(program, rows))
    held: list[Chunk] = []
    size = 0
    while (chunk := feed.take(MOST_CALLED)) is not None:
        size += sum(array.nbytes for array in chunk.arrays.values())
        held.append(chunk)
        if size > MOST_HELD:
            held.clear()
        yield chunk
    if size <= MOST_HELD:
        _HELD[key] = held
        while len(_HELD) > 2:
            _HELD.popitem(last=False)


def _called(program: Program, rows: int) -> int:
    """Return how many batches a graph call takes, so that its outputs stay within bounds."""
    spec = program.spec
    targets = {"once": 1, "steps": max(spec.lengths), "sequence": max(spec.target_lengths, default=1)}[spec.kind]
    size = 4 * rows * targets * (spec.outputs + 2 if "probabilities" in spec.needs else 2)
    return max(1, min(MOST_CALLED, MOST_BYTES // size))
