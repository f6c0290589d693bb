"""The compiled functions of one model structure: many training steps, an evaluation pass and a gradient probe, one trace each."""

import time
from collections import Counter, OrderedDict
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from suite import canonical, gradients, losses, models, optimisation
from suite.chunks import Chunk, seen
from suite.decoding import decoded
from suite.graphs import Graphs, shapes
from suite.optimisation import Values
from suite.result import Trial, own_values
from suite.seeding import seed
from suite.task import Array, Batch

Tensor = Any

MOST_PROGRAMS = 10
MOST_SNAPSHOTS = 8
JIT_UP_TO = 100_000  # weights: below, one XLA program is faster than a graph of small operations; above, big products run better outside it
LOSS_SCALE = {"mixed_float16": 1024.0}  # keeps small gradients above float16's underflow


class Steps(NamedTuple):
    """What training steps yield: arrays (steps,), and the carried state."""

    losses: Array
    norms: Array  # of the gradients before clipping
    states: Any


class Scored(NamedTuple):
    """What an evaluation pass yields: arrays (steps, batch, ...), and the carried state."""

    loss: Array
    best: Array
    probabilities: Array | None
    states: Any


class Program:
    """A model, its optimiser and their compiled functions, for every trial of one structure.

    Learning rate, clip threshold, dropout, weight decay, initial weights and seeds are values: another trial resets the
    variables and compiles nothing.
    """

    def __init__(self, trial: Trial) -> None:
        setting, experiment = trial.setting, trial.experiment
        self.spec = setting.task.spec
        self.precision = experiment.precision
        self._build = lambda bits: models.build(
            trial.architecture,
            self.spec,
            width=trial.width,
            inner=trial.inner,
            depth=setting.depth,
            embedding=setting.embedding,
            options=own_values(trial),
            seed=bits,
            precision=experiment.precision,
        )
        first = initial_seed(trial)
        self.model = self._build(first)
        self.optimizer = optimisation.build(experiment.optimizer, self.model.trainable_variables)
        self.snapshots = OrderedDict([(first, _values(self.model.variables))])
        self.fresh = _values(self.optimizer.variables)
        self.carries = self.spec.carried and trial.architecture.carries
        self.jit = self.model.counts()["counted"] <= JIT_UP_TO
        self.why_not = "" if self.jit else f"more than {JIT_UP_TO} weights"
        self.traces: Counter[str] = Counter()
        self.seconds = 0.0  # spent on tracing and compiling
        self.graphs = Graphs()

    def reset(self, trial: Trial, values: Values) -> None:
        """Set every variable to what a fresh build for this trial would have."""
        bits = initial_seed(trial)
        if bits not in self.snapshots:
            self.snapshots[bits] = _values(self._build(bits).variables)
            if len(self.snapshots) > MOST_SNAPSHOTS:
                self.snapshots.popitem(last=False)
        self.assign(self.snapshots[bits])
        for variable, value in zip(self.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)
        self.model.dropout.assign(values.dropout)

    def weights(self) -> list[Array]:
        """Return the model's variables as arrays."""
        return _values(self.model.variables)

    def assign(self, arrays: list[Array]) -> None:
        """Set the model's variables."""
        for variable, value in zip(self.model.variables, arrays, strict=True):
            variable.assign(value)

    def zero_states(self, batch: int) -> Any:
        """Return the carried state before the first window; () where nothing is carried."""
        return self.model.zero_states(batch) if self.carries else ()

    def train(self, chunk: Chunk, states: Any, rates: Array, values: Values) -> Steps:
        """Take the chunk's steps, at `rates`, (steps,)."""
        found, norms, states = self._call("train", chunk, self._knobs(chunk, states, rates, values))
        return Steps(found.numpy()[: chunk.steps], norms.numpy()[: chunk.steps], states)

    def prepare(self, chunk: Chunk, states: Any, rates: Array, values: Values) -> None:
        """Compile what `train` is about to call, where that is new, so that it can be timed alone."""
        self._compiled("train", chunk, self._knobs(chunk, states, rates, values))

    def evaluate(self, chunk: Chunk, states: Any) -> Scored:
        """Return the loss and the best guess of every target of the chunk, and probabilities where the meter needs them."""
        loss, best, probable, states = self._call("evaluate", chunk, (states,))
        cut = lambda array: array.numpy()[: chunk.steps]
        return Scored(cut(loss), cut(best), None if probable is None else cut(probable), states)

    def probe(self, batch: Batch) -> gradients.Norms:
        """Return the norms of dL/d(state) on a batch; nothing is updated."""
        norms = self._single("probe", batch)
        return tuple(tuple(norm.numpy() for norm in layer) for layer in norms)

    def attention_map(self, batch: Batch) -> Array | None:
        """Return the weight of every source step for every target step, where the meter asks for it and the model attends."""
        if "attention" not in self.spec.needs:
            return None
        weights = self._single("attention_map", batch)
        return None if weights is None else weights.numpy()

    def decode(self, batch: Batch) -> dict[str, Array] | None:
        """Return what the model writes by itself, by way of decoding, where the meter asks for any."""
        return decoded(self.model, batch, self.graphs)

    def _single(self, name: str, batch: Batch) -> Any:
        """Call a function of one batch."""
        tensors = {field: tf.constant(array) for field, array in seen(batch).items()}
        key = (name, shapes(tensors))
        fresh = key not in self.graphs
        begun = time.perf_counter()
        found = self.graphs(key, self._probe if name == "probe" else self._attention_map, tensors)
        if fresh:  # a call is short beside its trace
            self.seconds += time.perf_counter() - begun
        return found

    def _knobs(self, chunk: Chunk, states: Any, rates: Array, values: Values) -> tuple[Any, ...]:
        padded = np.zeros(len(chunk.arrays["x"]), np.float32)
        padded[: len(rates)] = rates
        return states, tf.constant(padded), tf.constant(values.clip, tf.float32), tf.constant(values.weight_decay, tf.float32)

    def _call(self, name: str, chunk: Chunk, inputs: tuple[Any, ...]) -> Any:
        self._compiled(name, chunk, inputs)
        return self._run(name, chunk, chunk.steps, inputs)

    def _run(self, name: str, chunk: Chunk, steps: int, inputs: tuple[Any, ...]) -> Any:
        plan = self._train if name == "train" else self._evaluate
        return self.graphs((name, chunk.shape), plan, tensors(chunk), tf.constant(steps), *inputs, jit=self.jit)

    def _compiled(self, name: str, chunk: Chunk, inputs: tuple[Any, ...]) -> None:
        """Trace and compile with no step taken; without XLA where it cannot compile a layer, which provenance tells."""
        if (name, chunk.shape) in self.graphs:
            return
        begun = time.perf_counter()
        try:
            self._run(name, chunk, 0, inputs)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
            if not self.jit:
                raise
            self.jit, self.why_not = False, f"XLA cannot compile it: {str(error).splitlines()[0]}"
            self.graphs = Graphs()
            self._run(name, chunk, 0, inputs)
        self.seconds += time.perf_counter() - begun

    def _outputs(self, batch: dict[str, Tensor], states: Any, **more: Any) -> tuple[Tensor, Any]:
        given = {name: batch[name] for name in ("mask", "target_in") if name in batch}
        if not self.carries:
            return self.model(batch["x"], **given, **more), ()
        if "reset" in batch:
            states = tf.nest.map_structure(lambda state: _dropped(state, batch["reset"]), states)
        return self.model(batch["x"], **given, states=states, **more)

    def _train(
        self, arrays: dict[str, Tensor], count: Tensor, states: Any, rates: Tensor, clip: Tensor, decay: Tensor
    ) -> tuple[Tensor, Tensor, Any]:
        self.traces["train"] += 1
        weights = self.model.trainable_variables
        scale = LOSS_SCALE.get(self.precision, 1.0)

        def step(index: Tensor, states: Any, found: Any, norms: Any) -> Any:
            batch = {name: array[index] for name, array in arrays.items()}
            with tf.GradientTape() as tape:
                outputs, states = self._outputs(batch, states, training=True)
                loss = losses.weighted_mean(losses.per_target(self.spec, outputs, batch["y"]), batch["weight"])
                scaled = loss * scale
            slopes = tape.gradient(scaled, [weight.value for weight in weights])
            slopes = [None if slope is None else tf.convert_to_tensor(slope) / scale for slope in slopes]
            norm = optimisation.apply(self.optimizer, weights, slopes, rate=rates[index], clip=clip, decay=decay)
            return index + 1, states, found.write(index, loss), norms.write(index, norm)

        room = arrays["x"].shape[0]
        empty = tf.TensorArray(tf.float32, size=room, element_shape=())
        loop = (tf.constant(0), states, empty, tf.TensorArray(tf.float32, size=room, element_shape=()))
        _, states, found, norms = tf.while_loop(lambda index, *_: index < count, step, loop, maximum_iterations=room)
        return found.stack(), norms.stack(), states

    def _evaluate(self, arrays: dict[str, Tensor], count: Tensor, states: Any) -> tuple[Tensor, Tensor, Tensor | None, Any]:
        self.traces["evaluate"] += 1
        probable = "probabilities" in self.spec.needs and self.spec.loss != "squared"

        def step(index: Tensor, states: Any, kept: Any) -> Any:
            batch = {name: array[index] for name, array in arrays.items()}
            outputs, states = self._outputs(batch, states, training=False)
            found = [losses.per_target(self.spec, outputs, batch["y"]), losses.best(self.spec, outputs, batch["y"])]
            found += [losses.probabilities(self.spec, outputs)] if probable else []
            return index + 1, states, tuple(array.write(index, value) for array, value in zip(kept, found, strict=True))

        room, *targets = arrays["weight"].shape
        kinds = [(tf.float32, targets), (tf.float32 if self.spec.loss == "squared" else tf.int32, arrays["y"].shape[1:])]
        kinds += [(tf.float32, [*targets, self.spec.outputs])] if probable else []
        empty = tuple(tf.TensorArray(dtype, size=room, element_shape=shape) for dtype, shape in kinds)
        loop = (tf.constant(0), states, empty)
        _, states, kept = tf.while_loop(lambda index, *_: index < count, step, loop, maximum_iterations=room)
        loss, best, *rest = (array.stack() for array in kept)
        return loss, best, (rest[0] if rest else None), states

    def _probe(self, batch: dict[str, Tensor]) -> Any:
        self.traces["probe"] += 1
        return gradients.state_norms(self.model, self.spec, batch)

    def _attention_map(self, batch: dict[str, Tensor]) -> Tensor | None:
        self.traces["attention_map"] += 1
        return self.model.attention_map(batch["x"], batch.get("target_in"), batch.get("mask"))


_PROGRAMS: OrderedDict[str, Program] = OrderedDict()


def program(trial: Trial) -> Program:
    """Return the program of the trial's structure, compiled by an earlier trial where there was one; the last few are held."""
    key = structure(trial)
    if key not in _PROGRAMS:
        while len(_PROGRAMS) >= MOST_PROGRAMS:
            _PROGRAMS.popitem(last=False)
        _PROGRAMS[key] = Program(trial)
    _PROGRAMS.move_to_end(key)
    return _PROGRAMS[key]


def structure(trial: Trial) -> str:
    """Return the name of all that a graph depends on; what may change between two calls of it is left out."""
    setting, experiment, architecture = trial.setting, trial.experiment, trial.architecture
    return canonical.text(
        {
            "layer": [architecture.target, own_values(trial), architecture.wiring, architecture.carries, architecture.inner],
            "size": [trial.width, trial.inner, setting.depth, setting.embedding, setting.batch_size],
            "spec": setting.task.spec,
            "training": [experiment.precision, experiment.optimizer],
        }
    )


def initial_seed(trial: Trial) -> int:
    """Return the bits of a trial's initial weights: they change with the architecture's name and the seed alone."""
    return seed("init", trial.name, trial.seed)


def tensors(chunk: Chunk) -> dict[str, Tensor]:
    """Return the arrays of a chunk as TensorFlow holds them."""
    return {field: tf.constant(array) for field, array in chunk.arrays.items()}


def _values(variables: list[Any]) -> list[Array]:
    return [variable.numpy() for variable in variables]


def _dropped(state: Tensor, reset: Tensor) -> Tensor:
    """Return the state with the rows zeroed that start afresh."""
    return tf.where(tf.reshape(reset, (-1, *[1] * (len(state.shape) - 1))), tf.zeros_like(state), state)
