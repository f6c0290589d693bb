"""The time loop in its fast form: compiled loops for a share of the batch on every core, large products outside them.

x W and the gradients of W, U and x are single products over all steps. dL/d(state) of every step comes out of the reverse
loop. There are no second-order gradients: the plain loop has them.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from suite import clusters
from suite.clusters import Rows, Slopes, Stored
from suite.step_plan import Plan, plan
from suite.stepping import Inputs, project

Tensor = Any

FEWEST_ROWS = 8  # of a share: below, a second loop costs more than it saves
PADDED_TO = 16  # rows of a share, where the batch is unknown when the graph is made: bounds the number of compilations

_COMPILED: dict[Any, Any] = {}


class Given(NamedTuple):
    """What gets a gradient."""

    x: Tensor
    kernel: Tensor
    bias: Tensor
    recurrent: Tensor
    states: tuple[Tensor, ...]
    vectors: Mapping[str, Tensor]
    constants: Mapping[str, Tensor]
    probes: tuple[Tensor, ...]


class Share(NamedTuple):
    """Some rows of the batch, and what the products over all of their steps read."""

    x: Tensor  # (time * rows, features)
    kernel: Tensor
    rows: Rows


def run(cell: Any, inputs: Inputs, *, sequences: bool, jit: bool = True) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the first state after every step, (batch, time, units), or None without `sequences`, and all states after the last.

    Without `jit` the loops become part of the XLA program around them.
    """
    count = shares(inputs.x.shape[0]) if jit else 1
    rows = inputs.x.shape[0] if inputs.x.shape[0] is not None else tf.shape(inputs.x)[0]
    silent = all(_is_zero(probe) for probe in inputs.probes)
    inputs = _padded(inputs, rows, count)
    facts = plan(cell, inputs)
    backwards = clusters.reverse_probed if inputs.probes else clusters.reverse
    given = Given(*(getattr(inputs, name) for name in Given._fields))

    @tf.custom_gradient
    def loop(*tensors: Tensor) -> Any:
        parts = _split(tf.nest.pack_sequence_as(given, tensors), inputs, count, silent=silent)
        done = [compiled(clusters.forward, cell, facts, part.rows, jit=jit) for part in parts]
        final = [tf.concat([stored.states[k][-1] for stored in done], axis=0) for k in range(len(given.states))]
        outputs = [tf.concat([_turned(stored.states[0][1:]) for stored in done], axis=0)] if sequences else []

        def slopes(*upstream: Tensor) -> Any:
            d_outputs = [_turned(d) for d in tf.split(upstream[0], count)] if sequences else [None] * count
            d_final = zip(*(tf.split(d, count) for d in upstream[len(outputs) :]), strict=True)
            found = []
            for part, stored, d_out, d_end in zip(parts, done, d_outputs, d_final, strict=True):
                rows = part.rows if len(facts.projections) < len(cell.blocks) else part.rows._replace(projected=None)
                back = compiled(backwards, cell, facts, rows, stored, d_out, d_end, jit=jit)
                found.append(_products(cell, facts, part, stored, back))
            return tf.nest.flatten(_joined(found))

        return (*outputs, *final), slopes

    found = loop(*tf.nest.flatten(given))
    if inputs.x.shape[0] is None or inputs.x.shape[0] != rows:
        found = [one[:rows] for one in found]
    return (found[0], tuple(found[1:])) if sequences else (None, tuple(found))


def compiled(function: Callable[..., Any], cell: Any, facts: Plan, *given: Any, jit: bool) -> Any:
    """Call one of the loops; with `jit`, as an XLA program that all layers of this class, options, dtype and shapes share."""
    if not jit:
        return function(cell, facts, *given)
    shapes = tuple(None if tensor is None else (tensor.dtype, tuple(tensor.shape)) for tensor in tf.nest.flatten(given))
    key = (function, cell.frozen(), shapes)
    if key not in _COMPILED:
        twin = cell.twin()  # a layer without weights: the program must not hold this one's, nor see what is no option
        _COMPILED[key] = tf.function(lambda *given: function(twin, facts, *given), jit_compile=True, autograph=False)
    return _COMPILED[key](*given)


def shares(batch: int | None) -> int:
    """Return into how many shares a batch is split: one a core, unless they would be too small; one on a GPU."""
    if tf.config.list_physical_devices("GPU"):
        return 1
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = tf.config.threading.get_inter_op_parallelism_threads() or available
    return cores if batch is None else max(1, min(cores, batch // FEWEST_ROWS))


def _padded(inputs: Inputs, rows: Any, count: int) -> Inputs:
    """Return the inputs with rows of zeros behind, so that every share has the same number of rows."""
    multiple = PADDED_TO * count if inputs.x.shape[0] is None else count
    if inputs.x.shape[0] is not None and rows % multiple == 0:
        return inputs
    more = -rows % multiple  # of 32 rows on two cores: a batch of 32 and its last part are one compilation

    def pad(tensor: Tensor, axis: int) -> Tensor:
        return tf.pad(tensor, [[0, more if number == axis else 0] for number in range(len(tensor.shape))])

    return inputs._replace(
        x=pad(inputs.x, 0),
        states=tuple(pad(state, 0) for state in inputs.states),
        constants={name: pad(constant, 0) for name, constant in inputs.constants.items()},
        signals=tuple(signal if signal.shape[1] == 1 else pad(signal, 1) for signal in inputs.signals),
        mask=None if inputs.mask is None else pad(inputs.mask, 0),
        probes=tuple(pad(probe, 1) for probe in inputs.probes),
    )


def _split(given: Given, inputs: Inputs, count: int, *, silent: bool) -> list[Share]:
    """Return the shares of a batch; a split of the first axis copies nothing. `silent` probes are not read."""

    def parts(tensors: Sequence[Tensor], axis: int) -> list[tuple[Tensor, ...]]:
        return list(zip(*(tf.split(tensor, count, axis) for tensor in tensors), strict=True)) or [()] * count

    signals = [[signal] * count if signal.shape[1] == 1 else tf.split(signal, count, 1) for signal in inputs.signals]
    masks = [None] * count if inputs.mask is None else [tf.transpose(mask) for mask in tf.split(inputs.mask, count)]
    constants = parts(tuple(given.constants.values()), 0)
    states, probes = parts(given.states, 0), parts(() if silent else given.probes, 1)
    found = []
    for number, x in enumerate(tf.split(given.x, count)):
        rows = Rows(
            projected=project(x, given.kernel, given.bias),
            recurrent=given.recurrent,
            states=states[number],
            vectors=given.vectors,
            constants=dict(zip(given.constants, constants[number], strict=True)),
            signals=tuple(signal[number] for signal in signals),
            mask=masks[number],
            probes=probes[number],
        )
        found.append(Share(_flat(_turned(x)), given.kernel, rows))
    return found


def _is_zero(probe: Tensor) -> bool:
    """Say whether a graph knows that this is zero: such a probe is there for its gradient alone, and need not be added."""
    if tf.executing_eagerly() or probe.op.type not in ("Fill", "Const"):
        return False
    value = tf.get_static_value(probe.op.inputs[1] if probe.op.type == "Fill" else probe)
    return value is not None and not value.any()


def _products(cell: Any, facts: Plan, share: Share, stored: Stored, back: Slopes) -> Given:
    """Return the gradients of a share: the products over all of its steps."""
    width = len(cell.blocks)
    blocks: list[Tensor] = []
    for index in range(width):
        stands = facts.projections.get(index)
        blocks.append(_flat(back.projections[index] if stands is None else back.products[stands]))
    recurrent: dict[str, Tensor] = {}
    for number, product in enumerate(facts.products):
        value = _flat(back.values[number] if product.state is None else stored.states[product.state][:-1])
        recurrent |= {gate: tf.matmul(value, _flat(back.products[gate]), transpose_a=True) for gate in product.gates}
    unused = tf.zeros((share.rows.recurrent.shape[0], cell.units), share.kernel.dtype)
    d_x = tf.add_n([tf.matmul(d, kernel, transpose_b=True) for d, kernel in zip(blocks, tf.split(share.kernel, width, 1), strict=True)])
    time = stored.states[0].shape[0] - 1
    return Given(
        x=_turned(tf.reshape(d_x, (time, -1, share.kernel.shape[0]))),
        kernel=tf.concat([tf.matmul(share.x, d, transpose_a=True) for d in blocks], axis=1),
        bias=tf.concat([tf.reduce_sum(d, axis=0) for d in blocks], axis=0),
        recurrent=tf.concat([recurrent.get(gate, unused) for gate in cell.products], axis=1)
        if cell.products
        else tf.zeros_like(share.rows.recurrent),
        states=back.states,
        vectors={name: tf.reduce_sum(back.products[gate], axis=(0, 1)) for name, gate in facts.vectors.items()} | dict(back.vectors),
        constants=back.constants,
        probes=back.probes,
    )


def _joined(found: Sequence[Given]) -> Given:
    """Return the gradients of the batch: weights add up over the shares, rows stand behind one another."""
    added = lambda *shares: shares[0] if len(shares) == 1 else tf.add_n(shares)
    behind = lambda axis: lambda *shares: shares[0] if len(shares) == 1 else tf.concat(shares, axis)
    each = {name: [getattr(one, name) for one in found] for name in Given._fields}
    how = {"x": behind(0), "states": behind(0), "constants": behind(0), "probes": behind(1)}
    return Given(**{name: tf.nest.map_structure(how.get(name, added), *values) for name, values in each.items()})


def _turned(array: Tensor) -> Tensor:
    """Exchange the axes of batch and time."""
    return tf.transpose(array, (1, 0, *range(2, len(array.shape))))


def _flat(array: Tensor) -> Tensor:
    """Return the rows of all steps, (time * batch, width)."""
    return tf.reshape(array, (-1, array.shape[-1]))
