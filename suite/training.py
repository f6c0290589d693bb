"""One trial: trains within its budget, chooses on validation, and returns a result; emits events and writes nothing."""

import math
import time

import numpy as np
import tensorflow as tf

from suite import circumstances, gradients, models, optimisation, sizing
from suite.chunks import training_feed
from suite.curves import Curves
from suite.decoding import DECODERS
from suite.evaluation import Scores, evaluate
from suite.experiment import SHARED_VALUES
from suite.optimisation import Values
from suite.program import Program, program
from suite.provenance import provenance
from suite.result import Curve, Emit, Event, Outcome, Result, Trial
from suite.task import Array, Metric, Task
from suite.throughput import Clock, Memory

LONGEST_CALL = 1.0  # seconds: how long a graph call may keep a trial from looking at its caps
SIZES = ("parameters", "core", "head", "embedding", "counted", "flops_per_token", "state_bytes")
SHORT_RUN = 10_000  # steps
AT_THE_END = frozenset({*DECODERS, "attention"})  # needs that are met for finalists and in the evaluation alone
NAN = float("nan")


def ignore(event: Event) -> None:
    """Listen to nothing."""


def train(trial: Trial, emit: Emit = ignore) -> Result:
    """Train a trial and return its result, also when it diverges, exceeds a cap or its model raises.

    Raises:
        ValueError: the trial cannot be trained as it is defined; nothing was computed.
    """
    values = checked(trial)
    begun, cpu = time.perf_counter(), time.process_time()
    made: Program | None = None
    run: _Run | None = None
    error = ""
    try:
        made = program(trial)
        run = _Run(trial, values, made, emit)
        outcome = run.train()
        scores = run.scores() if outcome == "done" else floors(trial)
    except (MemoryError, tf.errors.ResourceExhaustedError) as raised:
        outcome, scores, error = "memory", floors(trial), describe(raised)
    except Exception as raised:
        if made is None and isinstance(raised, ValueError):
            raise
        outcome, scores, error = "crashed", floors(trial), describe(raised)
    seconds = {"speed/wall_seconds": time.perf_counter() - begun, "speed/cpu_seconds": time.process_time() - cpu}
    if run is not None:
        run.curves.close()
    return Result(
        key=trial.key,
        outcome=outcome,
        scores=scores,
        curves={} if run is None else run.curves.result(),
        cost={**(run.cost() if run is not None else {}), **seconds},
        provenance={**provenance(), **(run.provenance() if run is not None else {}), **({"error": error} if error else {})},
    )


def checked(trial: Trial) -> Values:
    """Return the trial's shared values.

    Raises:
        ValueError: a value is unknown or out of its domain, or the architecture cannot take the task at this size.
    """
    setting = trial.setting
    if unknown := set(trial.values) - set(SHARED_VALUES) - set(trial.architecture.space):
        raise ValueError(f"values are out of {', '.join((*SHARED_VALUES, *trial.architecture.space))}, got {sorted(unknown)}")
    given = {name: trial.values.get(name) for name in SHARED_VALUES}
    rate, clip, dropout, decay = (_number(name, given[name]) for name in SHARED_VALUES)
    if rate is None or not rate > 0:
        raise ValueError(f"learning_rate must be above 0, got {given['learning_rate']!r}")
    if clip is not None and not clip > 0:
        raise ValueError(f"clip must be above 0, or None for off, got {given['clip']!r}")
    if not 0 <= (dropout or 0.0) < 1:
        raise ValueError(f"expected 0 <= dropout < 1, got {given['dropout']!r}")
    if not (decay or 0.0) >= 0:
        raise ValueError(f"weight_decay must be 0 or more, got {given['weight_decay']!r}")
    models.check(
        trial.architecture, setting.task.spec, width=trial.width, inner=trial.inner, depth=setting.depth, embedding=setting.embedding
    )
    trial.architecture.resolve()
    return Values(rate, math.inf if clip is None else clip, dropout or 0.0, decay or 0.0)


def _number(name: str, value: object) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise ValueError(f"{name} must be a number, got {value!r}")
    return None if value is None else float(value)


def evaluated(steps: int, evaluations: int) -> tuple[int, ...]:
    """Return the steps behind which validation runs: evenly spaced, the last one included."""
    return tuple(round(steps * (number + 1) / evaluations) for number in range(evaluations))


def diagnosed(steps: int) -> tuple[int, ...]:
    """Return the steps behind which gradient flow is measured: 0, 1, 10, 100, log-spaced ones, and the last."""
    spaced = np.geomspace(1, steps, 7 if steps < SHORT_RUN else 20)
    return tuple(sorted({0, *(step for step in (1, 10, 100) if step < steps), *(round(step) for step in spaced), steps}))


def floors(trial: Trial) -> dict[str, dict[str, float]]:
    """Return what a trial that came to nothing scores: the floor of every metric that it would have been given."""
    task = trial.setting.task
    splits = ("validation", *(tests(task) if trial.phase == "evaluation" else ()))
    wanted = {split: task.metrics(split) for split in splits}
    return {
        split: {name: metric.floor for name, metric in metrics.items() if not (metric.final and trial.phase == "tuning")}
        for split, metrics in wanted.items()
    }


def tests(task: Task) -> tuple[str, ...]:
    """Return the splits that only the evaluation reads."""
    return tuple(split for split in task.splits if split.partition("/")[0] == "test")


def better(metric: Metric, value: float, than: float) -> bool:
    """Say whether a score beats another one; NaN beats nothing and is beaten by any number."""
    if math.isnan(value) or math.isnan(than):
        return not math.isnan(value)
    return value > than if metric.better == "max" else value < than


def solved_at(points: Curve, threshold: float, metric: Metric) -> float:
    """Return the step of the first of two consecutive validations at or past the threshold, else NaN."""
    past = [value >= threshold if metric.better == "max" else value <= threshold for _, value in points]
    return next((points[index][0] for index in range(len(points) - 1) if past[index] and past[index + 1]), NAN)


def describe(error: BaseException) -> str:
    """Return type and message of an error, at most a thousand characters."""
    return f"{type(error).__name__}: {error}"[:1000]


class _Run:
    """The trial while it runs."""

    def __init__(self, trial: Trial, values: Values, made: Program, emit: Emit) -> None:
        self.trial, self.values = trial, values
        self.setting, self.experiment, self.task = trial.setting, trial.experiment, trial.setting.task
        self.begun = time.perf_counter()
        self.curves = Curves(trial.key, self.setting.steps, emit)
        self.clock, self.memory = Clock(), Memory()
        self.program, self.compiled_before = made, made.seconds
        made.reset(trial, values)
        self.size = sizing.measured(made.model, self.setting.size, 0.0).to_json()
        self.feed = training_feed(self.task, seed=trial.seed, batch_size=self.setting.batch_size)
        self.states = self.program.zero_states(self.setting.batch_size)
        self.rates = optimisation.learning_rates(self.experiment.schedule, values.learning_rate, self.setting.steps, self.experiment.warmup)
        self.diagnostic = gradients.diagnostic(self.task) if gradients.has_states(self.program.model) else None
        self.step = 0
        self.kept: tuple[Scores, list[Array]] | None = None

    def train(self) -> Outcome:
        """Take every step of the budget, with validation and diagnosis on the way."""
        validations = evaluated(self.setting.steps, self.setting.evaluations)
        diagnoses = diagnosed(self.setting.steps)
        self._diagnose()
        for stop in sorted({*validations, *diagnoses} - {0}):
            while self.step < stop:
                if (outcome := self._advance(stop)) is not None:
                    return outcome
            if stop in validations:
                self._validate()
            if stop in diagnoses:
                self._diagnose()
        return "done" if self.kept is not None else "diverged"

    def scores(self) -> dict[str, dict[str, float]]:
        """Return the scores of the kept weights: validation, and in the evaluation phase, once, test."""
        if self.kept is None:
            raise RuntimeError("there are no kept weights to score")
        found, weights = self.kept
        scores = {"validation": found.numbers}
        self.program.assign(weights)
        decodes = self.trial.phase != "tuning"
        again = ("validation",) if decodes and self.task.spec.needs & AT_THE_END else ()
        for split in (*again, *(tests(self.task) if self.trial.phase == "evaluation" else ())):
            found = self._evaluate(split, decode=decodes)
            scores[split] = found.numbers
            for name, curve in found.curves.items():
                self.curves.put(f"final/{split}/{name}", curve)
        return scores

    def cost(self) -> dict[str, float]:
        """Return speed, size and steps to the solution."""
        speed = {**self.clock.figures(), "trace_compile_seconds": self._compiling(), "peak_bytes": float(self.memory.peak)}
        return {
            **{f"speed/{name}": value for name, value in speed.items()},
            **{f"size/{name}": float(self.size[name]) for name in SIZES},
            "steps_to_solve": self._solved(),
        }

    def provenance(self) -> dict[str, str]:
        """Return what is needed to repeat the trial."""
        return circumstances.of(self.trial, self.program)

    def _advance(self, stop: int) -> Outcome | None:
        """Take one graph call of steps; return why the trial ends, if it does."""
        chunk = self.feed.take(min(stop - self.step, self._most()))
        if chunk is None:
            raise ValueError(f"split train of {self.task.name!r} must never end, it did after {self.step} steps")
        rates = self.rates[self.step : self.step + chunk.steps]
        self.program.prepare(chunk, self.states, rates, self.values)
        with self.clock.lap(chunk.steps, chunk.tokens):
            found = self.program.train(chunk, self.states, rates, self.values)
        self.states = found.states
        finite = np.isfinite(found.losses)
        taken = chunk.steps if finite.all() else int(np.argmin(finite)) + 1
        self.curves.train(found.losses[:taken], found.norms[:taken])
        self.step += taken
        self.memory.sample()
        return self._ended(diverged=not finite.all())

    def _ended(self, *, diverged: bool) -> Outcome | None:
        if diverged:
            return "diverged"
        seconds, most = self.experiment.max_seconds, self.experiment.max_bytes
        if seconds is not None and time.perf_counter() - self.begun - self._compiling() > seconds:
            return "timeout"
        return "memory" if most is not None and self.memory.peak > most else None

    def _most(self) -> int:
        """Return how many steps fit into the longest call, as far as the last one tells."""
        if not self.clock.laps:
            return 1_000_000
        last = self.clock.laps[-1]
        return max(1, int(LONGEST_CALL * last.steps / max(last.seconds, 1e-9)))

    def _validate(self) -> None:
        found = self._evaluate("validation", decode=False)
        for name, value in found.numbers.items():
            self.curves.add(f"val/{name}", self.step, value)
        value = found.numbers.get(self.task.selects, NAN)
        metric = self.task.metrics("validation")[self.task.selects]
        best = NAN if self.kept is None else self.kept[0].numbers[self.task.selects]
        if better(metric, value, best) or (self.experiment.keep == "last" and not math.isnan(value)):
            self.kept = (found, self.program.weights())
        elif self.experiment.keep == "last":
            self.kept = None

    def _evaluate(self, split: str, *, decode: bool) -> Scores:
        return evaluate(self.program, self.task, split, batch_size=self.setting.batch_size, decode=decode)

    def _diagnose(self) -> None:
        """Measure gradient flow at this step; the curve by lag at the first and at the last one."""
        if (batch := self.diagnostic) is None:
            return
        end = {0: "by_lag_init", self.setting.steps: "by_lag"}.get(self.step)
        norms = self.program.probe(batch)
        found = gradients.measure(self.program.model, self.task.spec, batch, norms, parts=end == "by_lag")
        for name, value in found.scalars().items():
            self.curves.add(f"grad/{name}", self.step, value)
        if end is None:
            return
        self.curves.put(f"grad/{end}", tuple(enumerate(found.joint.median.tolist())))
        for part, flow in found.parts.items():
            self.curves.put(f"grad/{end}/{part}", tuple(enumerate(flow.median.tolist())))

    def _compiling(self) -> float:
        return self.program.seconds - self.compiled_before

    def _solved(self) -> float:
        if self.task.solved is None:
            return NAN
        name, threshold = self.task.solved
        return solved_at(tuple(self.curves.points.get(f"val/{name}", [])), threshold, self.task.metrics("validation")[name])
