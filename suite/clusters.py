"""The forward and the reverse time loop of any cell, to be compiled: each is one XLA program.

The reverse loop is the vector-Jacobian product of `step`, where every product with recurrent weights is replaced by what the
forward loop stored of it. Neither loop computes x W or the gradients of W and U: these are products over all steps, outside.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla  # slices at a moving place, written where they stand

from suite.step_plan import Plan
from suite.stepping import Bound, added, beside, checked, named, split

Tensor = Any


class Rows(NamedTuple):
    """What a loop reads, for some rows of the batch; time first."""

    projected: Tensor | None  # (time, batch, blocks * units); none in reverse, where no step needs it again
    recurrent: Tensor  # (state width, products * units)
    states: tuple[Tensor, ...]  # before the first step, (batch, ...)
    vectors: Mapping[str, Tensor]
    constants: Mapping[str, Tensor]  # (batch, ...)
    signals: tuple[Tensor, ...]  # (time, batch or 1, ...)
    mask: Tensor | None  # (time, batch) bool
    probes: tuple[Tensor, ...]  # (time, batch, ...)


class Stored(NamedTuple):
    """What the forward loop keeps for the reverse loop."""

    states: tuple[Tensor, ...]  # (1 + time, batch, ...), from before the first step on
    products: Mapping[str, Tensor]  # by block: value U, with what was added to it, (time, batch, units)


class Slopes(NamedTuple):
    """What the reverse loop returns: gradients by step, and sums over all steps."""

    products: Mapping[str, Tensor]  # by block, (time, batch, units)
    projections: Mapping[int, Tensor]  # of the projections that no product stands for
    values: Mapping[int, Tensor]  # what product k was multiplied with, where that is no state, (time, batch, state width)
    probes: tuple[Tensor, ...]  # dL/d(state) behind every step, (time, batch, ...)
    states: tuple[Tensor, ...]  # before the first step, (batch, ...)
    vectors: Mapping[str, Tensor]  # of the vectors that no product stands for
    constants: Mapping[str, Tensor]


def forward(cell: Any, plan: Plan, rows: Rows) -> Stored:
    """Take all steps."""
    projected: Any = rows.projected
    time = projected.shape[0]
    blocks = dict(zip(cell.products, split(rows.recurrent, len(cell.products)), strict=True))
    bound = Bound(cell, {**rows.vectors, **rows.constants})

    def body(t: Tensor, states: tuple[Tensor, ...], trails: Any, products: Any) -> Any:
        found: dict[str, Tensor] = {}

        def recur(value: Tensor, *gates: str, add: Sequence[Tensor] = ()) -> tuple[Tensor, ...]:
            chosen = named(cell, gates)
            sums = added([tf.matmul(value, blocks[gate]) for gate in chosen], add)
            found.update(zip(chosen, sums, strict=True))
            return sums

        x = (*split(at(projected, t), len(cell.blocks)), *(at(signal, t) for signal in rows.signals))
        new = checked(cell, type(cell).step(bound, x, states, recur), states)
        if rows.mask is not None:
            valid = at(rows.mask, t)
            new = tuple(tf.where(beside(valid, after), after, before) for after, before in zip(new, states, strict=True))
        if rows.probes:
            new = tuple(after + at(probe, t) for after, probe in zip(new, rows.probes, strict=True))
        trails = tuple(put(trail, t + 1, after) for trail, after in zip(trails, new, strict=True))
        return t + 1, new, trails, {name: put(array, t, found[name]) for name, array in products.items()}

    trails = tuple(put(room(time + 1, state), 0, state) for state in rows.states)
    products = {gate: room(time, rows.states[0], cell.units) for product in plan.products for gate in product.gates}
    _, _, trails, products = tf.while_loop(lambda t, *_: t < time, body, (tf.constant(0), rows.states, trails, products))
    return Stored(trails, products)


def reverse(cell: Any, plan: Plan, rows: Rows, stored: Stored, d_outputs: Tensor | None, d_final: tuple[Tensor, ...]) -> Slopes:
    """Take all steps backwards; d_outputs: (time, batch, units), of the first state behind every step."""
    time = stored.states[0].shape[0] - 1
    own = [index for index in range(len(cell.blocks)) if index not in plan.projections]
    apart = {name: vector for name, vector in rows.vectors.items() if name not in plan.vectors}
    odd = [index for index, product in enumerate(plan.products) if product.state is None]
    transposed = _transposed(cell, plan, rows.recurrent)
    bound = Bound(cell, {**rows.vectors, **rows.constants})

    def body(t: Tensor, d_states: tuple[Tensor, ...], sums: Any, arrays: Any) -> Any:
        if d_outputs is not None:
            d_states = (d_states[0] + at(d_outputs, t), *d_states[1:])
        d_new, d_kept = d_states, None
        if rows.mask is not None:
            valid = [beside(at(rows.mask, t), d) for d in d_states]
            d_new = tuple(tf.where(here, d, tf.zeros_like(d)) for here, d in zip(valid, d_states, strict=True))
            d_kept = tuple(tf.where(here, tf.zeros_like(d), d) for here, d in zip(valid, d_states, strict=True))
        states = tuple(at(trail, t) for trail in stored.states)
        projected = split(at(rows.projected, t), len(cell.blocks)) if own else ()
        # The other projections are in the stored sums: what stands for them in the equations is never read.
        x = tuple(projected[index] if index in own else tf.zeros_like(stored_sum[0]) for index in range(len(cell.blocks)))
        back = _Back(cell, plan, {name: at(array, t) for name, array in stored.products.items()}, transposed)
        leaves = (states, {index: x[index] for index in own}, apart, dict(rows.constants))
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tf.nest.flatten(leaves))
            new = type(cell).step(bound, (*x, *(at(signal, t) for signal in rows.signals)), states, back.recur)
        found = tape.gradient(tuple(new), leaves, output_gradients=d_new, unconnected_gradients="zero")
        d_before, d_projections, d_vectors, d_constants = found
        if d_kept is not None:
            d_before = tuple(d + kept for d, kept in zip(d_before, d_kept, strict=True))
        rest = Slopes(back.slopes(), d_projections, {k: back.values[k] for k in odd}, d_states if rows.probes else (), (), {}, {})
        arrays = tf.nest.map_structure(lambda array, value: put(array, t, value), arrays, rest)
        return t - 1, tuple(d_before), tf.nest.map_structure(tf.add, sums, (d_vectors, d_constants)), arrays

    stored_sum = next(iter(stored.products.values()))
    first = tuple(trail[0] for trail in stored.states)
    blank = lambda width: room(time, first[0], width)
    arrays = Slopes(
        products={name: blank(cell.units) for name in stored.products},
        projections={index: blank(cell.units) for index in own},
        values={index: blank(rows.recurrent.shape[0]) for index in odd},
        probes=tuple(room(time, state) for state in first) if rows.probes else (),
        states=(),
        vectors={},
        constants={},
    )
    sums = tf.nest.map_structure(tf.zeros_like, (apart, dict(rows.constants)))
    start = (tf.constant(time - 1), d_final, sums, arrays)
    _, d_first, (vectors, constants), arrays = tf.while_loop(lambda t, *_: t >= 0, body, start)
    return arrays._replace(states=d_first, vectors=vectors, constants=constants)


class _Back:
    """`recur` in the reverse loop: it returns what was stored, and passes gradients on as the product would."""

    def __init__(self, cell: Any, plan: Plan, stored: Mapping[str, Tensor], transposed: Sequence[Tensor]) -> None:
        self.cell, self.plan, self.stored, self.transposed = cell, plan, stored, transposed
        self.values: list[Tensor] = []
        self.found: dict[str, Tensor] = {}

    def recur(self, value: Tensor, *gates: str, add: Sequence[Tensor] = ()) -> tuple[Tensor, ...]:
        chosen = named(self.cell, gates)
        transposed = self.transposed[len(self.values)]
        self.values.append(value)

        @tf.custom_gradient
        def product(value: Tensor, *terms: Tensor) -> Any:
            def slopes(*d: Tensor) -> tuple[Tensor, ...]:
                self.found.update(zip(chosen, d, strict=True))
                joint = tf.concat(d, axis=1) if len(d) > 1 else d[0]
                return tf.matmul(joint, transposed), *(_like(one, term) for one, term in zip(d, terms, strict=False))

            return tuple(tf.identity(self.stored[gate]) for gate in chosen), slopes

        return tuple(product(value, *add))

    def slopes(self) -> dict[str, Tensor]:
        """Return the gradient of every product, zero where nothing depends on one."""
        return {name: self.found.get(name, tf.zeros_like(value)) for name, value in self.stored.items()}


def at(array: Tensor, t: Tensor) -> Tensor:
    """Return array[t]."""
    rest = array.shape[1:]
    sizes = [1, *(size if size is not None else tf.shape(array)[axis] for axis, size in enumerate(rest, 1))]
    found = xla.dynamic_slice(array, _start(t, array), sizes)
    return tf.ensure_shape(tf.reshape(found, sizes[1:]), rest)


def put(array: Tensor, t: Any, value: Tensor) -> Tensor:
    """Return the array with array[t] = value; XLA writes in place."""
    found = xla.dynamic_update_slice(array, value[None], _start(t, array))
    return tf.ensure_shape(found, array.shape)


def room(time: int, like: Tensor, width: int | None = None) -> Tensor:
    """Return zeros (time, *the shape of `like`), or (time, batch, width)."""
    sizes = [size if size is not None else tf.shape(like)[axis] for axis, size in enumerate(like.shape)]
    found = tf.zeros([time, *(sizes if width is None else [sizes[0], width])], like.dtype)
    return tf.ensure_shape(found, [time, *(like.shape if width is None else [like.shape[0], width])])


def _start(t: Any, array: Tensor) -> Tensor:
    return tf.stack([t, *[0] * (len(array.shape) - 1)])


def _transposed(cell: Any, plan: Plan, recurrent: Tensor) -> list[Tensor]:
    """Return the transposed kernel of every product, (gates * units, state width)."""
    blocks = dict(zip(cell.products, split(recurrent, len(cell.products)), strict=True))
    return [tf.transpose(tf.concat([blocks[gate] for gate in product.gates], axis=1)) for product in plan.products]


def _like(slope: Tensor, term: Tensor) -> Tensor:
    """Return the gradient of a term that was added by broadcasting over the batch."""
    return slope if term.shape == slope.shape else tf.reshape(tf.reduce_sum(slope, axis=0), term.shape)
