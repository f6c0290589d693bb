"""Gradient flow of a model: the probe pass, and which step of which state each target reads."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from suite import losses, models
from suite.architecture import Architecture, Option
from suite.chunks import seen
from suite.flow import Flow, by_lag, summary
from suite.seeding import generator, seed
from suite.task import Array, Batch, Spec, Task

Tensor = Any
Norms = tuple[tuple[Array, ...], ...]  # of every state of every layer, (time, batch)

ROWS = 32
NAMES = ("decay", "horizon", "half_horizon", "flow", "vanishing", "exploding")


class Measured(NamedTuple):
    """The flow over all states together, and the curves of its parts: layers, states or directions where there are several.

    A `profile` is a curve without a rate: what reads many states at once, as a pooling head or a layer that
    `attends` does, has no lag of its own.
    """

    joint: Flow
    parts: Mapping[str, Flow]
    profile: bool

    def scalars(self) -> dict[str, float]:
        """Return decay, horizons and indices by name; none for a profile."""
        return {} if self.profile else {name: getattr(self.joint, name) for name in NAMES}


def state_norms(model: Any, spec: Spec, batch: Mapping[str, Tensor]) -> Any:
    """Return the norm of dL/d(state) of every state of every layer after every step, (time, batch) float64.

    L is a row's loss on its weighted targets, dropout off. The probes are added to the states inside the recurrence: the
    gradient of the layer's outputs alone would hold the direct path through the head and nothing else.
    """
    rows, steps = batch["x"].shape[:2]
    probes = model.probes(rows, steps)
    given = {name: batch[name] for name in ("mask", "target_in") if name in batch}
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(probes)
        outputs = model(batch["x"], **given, probes=probes, training=False)
        loss = losses.per_target(spec, outputs, batch["y"])
        # A sum and not a mean: rows do not touch one another, so that this is every row's own gradient.
        total = tf.reduce_sum(tf.math.multiply_no_nan(loss, tf.cast(batch["weight"] > 0, tf.float32)))
    return tf.nest.map_structure(_norm, tape.gradient(total, probes, unconnected_gradients="zero"))


def _norm(gradient: Tensor) -> Tensor:
    """Return the norm over all but (time, batch), in float64: squares of small and large float32 numbers leave its range."""
    sizes = tf.cast(tf.abs(gradient), tf.float64)
    return tf.sqrt(tf.reduce_sum(tf.square(sizes), axis=list(range(2, len(gradient.shape)))))


def has_states(model: Any) -> bool:
    """Say whether the model has states that can be probed: attention and convolution have none."""
    return any(model.probes(1, 1))


def diagnostic(task: Task) -> Batch:
    """Return the fixed batch that gradients are measured on: never trained on, the same for every architecture."""
    return next(task.batches("probe", seed=0, batch_size=ROWS))


def measure(model: Any, spec: Spec, batch: Batch, norms: Norms, *, parts: bool = True) -> Measured:
    """Return the flow of these norms, of a model that has states; `parts` adds the curves of layers or states.

    Lag 0 is the state that the target reads: at its own step, or at the last valid one for kind once. Masked steps and
    rows that weigh nothing are left out.
    """
    kept = batch.weight.reshape(len(batch.weight), -1).any(axis=1)
    ahead, behind = _read(spec, batch)
    curves = []
    for layer, backward in zip(norms, _backward(model, norms), strict=True):
        valid = [norm if batch.mask is None else np.where(batch.mask.T, norm, np.nan) for norm in layer]
        reads = zip(valid, backward, strict=True)
        curves.append([by_lag(norm[:, kept], (behind if back else ahead)[kept], backward=back) for norm, back in reads])
    start = _joint([curve for layer in curves for curve in layer])
    longest = spec.length - 1
    groups = _parts(model, curves) if parts else {}
    found = {name: summary(_joint(group), longest=longest, joint=start[:, 0]) for name, group in groups.items()}
    return Measured(summary(start, longest=longest), found, _is_profile(model, spec))


def flows_at_start(
    architecture: Architecture,
    *,
    width: int = 64,
    length: int = 200,
    inputs: int = 10,
    outputs: int = 10,
    rows: int = 16,
    seeds: int = 10,
    options: Mapping[str, Option] | None = None,
) -> list[Measured]:
    """Return the gradient flow at initialisation for each seed: inputs N(0, 1), cross-entropy of the last step.

    Empty for an architecture without states.
    """
    spec = Spec(
        kind="once", loss="categorical", inputs=inputs, outputs=outputs, tokens=False, length=length, longest=length, lengths=(length,)
    )
    build = lambda number: models.build(architecture, spec, width=width, options=options, seed=seed("init", "gradients", number))
    model = build(0)
    if not has_states(model):
        return []
    probe = tf.function(lambda batch: state_norms(model, spec, batch), autograph=False)
    found = []
    for number in range(seeds):
        for variable, fresh in zip(model.variables, build(number).variables, strict=True):
            variable.assign(fresh)
        batch = _noise(spec, rows, generator("gradients", length, inputs, number))
        norms = probe({name: tf.constant(array) for name, array in seen(batch).items()})
        found.append(measure(model, spec, batch, tf.nest.map_structure(lambda norm: norm.numpy(), norms)))
    return found


def _noise(spec: Spec, rows: int, rng: np.random.Generator) -> Batch:
    x = rng.normal(size=(rows, spec.length, spec.inputs)).astype(np.float32)
    return Batch(x=x, y=rng.integers(0, spec.outputs, rows, dtype=np.int32), weight=np.ones(rows, np.float32))


def _read(spec: Spec, batch: Batch) -> tuple[Array, Array]:
    """Return the step whose state each row's target reads, from the left and from the right, each (batch,)."""
    rows, time = batch.x.shape[:2]
    if spec.kind == "steps":
        step = np.argmax(batch.weight > 0, axis=1)
        return step, step
    valid = np.ones((rows, time), bool) if batch.mask is None else batch.mask
    return time - 1 - np.argmax(valid[:, ::-1], axis=1), np.argmax(valid, axis=1)


def _backward(model: Any, norms: Norms) -> list[tuple[bool, ...]]:
    """Say of every state of every layer whether it is carried from the end to the start."""
    layers = getattr(model.body, "stack", None) or [None] * len(norms)
    told = [getattr(layer, "backward_states", None) for layer in layers]
    return [flags() if flags else (False,) * len(layer) for flags, layer in zip(told, norms, strict=True)]


def _joint(curves: list[Array]) -> Array:
    """Return the norm over several states, (batch, lags), on the lags that all of them have."""
    lags = min(curve.shape[1] for curve in curves)
    return np.sqrt(sum(np.square(curve[:, :lags]) for curve in curves))


def _parts(model: Any, curves: list[list[Array]]) -> dict[str, list[Array]]:
    """Group the curves: by layer where there are several, else by state."""
    layers = [layer for layer in curves if layer]
    if len(layers) > 1:
        return {f"layer_{number}": layer for number, layer in enumerate(layers, 1)}
    if len(layers[0]) == 1:
        return {}
    layer = next((layer for layer in getattr(model.body, "stack", ()) if hasattr(layer, "states")), None)
    names = layer.states if layer is not None else [f"state_{number}" for number in range(1, len(layers[0]) + 1)]
    return {name: [curve] for name, curve in zip(names, layers[0], strict=True)}


def _is_profile(model: Any, spec: Spec) -> bool:
    pooled = spec.kind == "once" and model.pool.how != "last"
    return spec.kind == "sequence" or pooled or any(getattr(layer, "attends", False) for layer in model.body.stack)
