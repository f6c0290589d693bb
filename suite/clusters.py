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

TOGETHER_UP_TO = 64  # units: up to here one product for all gates is faster than one for each


class Rows(NamedTuple):
    """What a loop reads, for some rows of the batch; time first."""

    projected: Tensor | None  # (time, batch, blocks * units); none in reverse, where no step needs it again
    recurrent: Tensor  # (state width, products * units)
    states: tuple[Tensor, ...]  # before the first step, (batch, ...)
    vectors: Mapping[str, Tensor]
    constants: Mapping[str, Tensor]  # (batch, ...)
    signals: tuple[Tensor, ...]  # (time, batch or 1, ...)
    mask: Tensor | None  # (time, batch) bool
    probes: tuple[Tensor, ...]  # (time, batch, ...); none where they are known to be zero


class Stored(NamedTuple):
    """What the forward loop keeps for the reverse loop."""

    states: tuple[Tensor, ...]  # (1 + time, batch, ...), from before the first step on
    kept: tuple[Tensor, ...]  # every product with what was added to it, or what a pair by hand keeps, (time, batch, units)


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
    pair = cell.pair()
    kernels = {product.gates: joined([blocks[gate] for gate in product.gates]) for product in plan.products}

    def multiplied(value: Tensor, gates: tuple[str, ...]) -> tuple[Tensor, ...]:
        """Return the products with some blocks: one by one they save a copy, together they save calls."""
        if cell.units > TOGETHER_UP_TO:
            return tuple(tf.matmul(value, blocks[gate]) for gate in gates)
        return split(tf.matmul(value, kernels[gates]), len(gates))

    def body(t: Tensor, states: tuple[Tensor, ...], trails: Any, arrays: Any) -> Any:
        sums: list[Tensor] = []

        def recur(value: Tensor, *gates: str, add: Sequence[Tensor] = ()) -> tuple[Tensor, ...]:
            found = added(multiplied(value, named(cell, gates)), add)
            sums.extend(found)
            return found

        x = (*split(at(projected, t), len(cell.blocks)), *(at(signal, t) for signal in rows.signals))
        if pair is None:
            new, kept = type(cell).step(bound, x, states, recur), sums
        else:
            new, kept = pair.forward(bound, x, states, recur)
        new = checked(cell, new, states)
        if rows.mask is not None:
            valid = at(rows.mask, t)
            new = tuple(tf.where(beside(valid, after), after, before) for after, before in zip(new, states, strict=True))
        if rows.probes:
            new = tuple(after + at(probe, t) for after, probe in zip(new, rows.probes, strict=True))
        trails = tuple(put(trail, t + 1, after) for trail, after in zip(trails, new, strict=True))
        return t + 1, new, trails, tuple(put(array, t, value) for array, value in zip(arrays, kept, strict=True))

    trails = tuple(put(room(time + 1, state), 0, state) for state in rows.states)
    arrays = tuple(room(time, rows.states[0], cell.units) for _ in range(len(plan.blocks()) if pair is None else pair.keeps))
    _, _, trails, arrays = tf.while_loop(lambda t, *_: t < time, body, (tf.constant(0), rows.states, trails, arrays))
    return Stored(trails, arrays)


def reverse(
    cell: Any, plan: Plan, rows: Rows, stored: Stored, d_outputs: Tensor | None, d_final: tuple[Tensor, ...], *, probed: bool = False
) -> Slopes:
    """Take all steps backwards; d_outputs: (time, batch, units), of the first state behind every step."""
    time = stored.states[0].shape[0] - 1
    own = [index for index in range(len(cell.blocks)) if index not in plan.projections]
    apart = {name: vector for name, vector in rows.vectors.items() if name not in plan.vectors}
    odd = [index for index, product in enumerate(plan.products) if product.state is None]
    back = _ByHand(cell, plan, rows) if cell.pair() else _Derived(cell, plan, rows, own, apart)

    def body(t: Tensor, d_states: tuple[Tensor, ...], sums: Any, arrays: Any) -> Any:
        if d_outputs is not None:
            d_states = (d_states[0] + at(d_outputs, t), *d_states[1:])
        d_new, d_past = d_states, None
        if rows.mask is not None:
            valid = [beside(at(rows.mask, t), d) for d in d_states]
            d_new = tuple(tf.where(here, d, tf.zeros_like(d)) for here, d in zip(valid, d_states, strict=True))
            d_past = tuple(tf.where(here, tf.zeros_like(d), d) for here, d in zip(valid, d_states, strict=True))
        found = back.step(t, stored, d_new)
        d_before = found.states
        if d_past is not None:
            d_before = tuple(d + past for d, past in zip(d_before, d_past, strict=True))
        sums = tf.nest.map_structure(tf.add, sums, (found.vectors, found.constants))
        values = {k: found.values[k] for k in odd}
        now = found._replace(values=values, probes=d_states if probed else (), states=(), vectors={}, constants={})
        return t - 1, d_before, sums, tf.nest.map_structure(lambda array, value: put(array, t, value), arrays, now)

    first = tuple(trail[0] for trail in stored.states)
    arrays = Slopes(
        products={block: room(time, first[0], cell.units) for block in plan.blocks()},
        projections={index: room(time, first[0], cell.units) for index in own},
        values={index: room(time, first[0], rows.recurrent.shape[0]) for index in odd},
        probes=tuple(room(time, state) for state in first) if probed else (),
        states=(),
        vectors={},
        constants={},
    )
    sums = tf.nest.map_structure(tf.zeros_like, (apart, dict(rows.constants)))
    start = (tf.constant(time - 1), d_final, sums, arrays)
    _, d_first, (vectors, constants), arrays = tf.while_loop(lambda t, *_: t >= 0, body, start)
    return arrays._replace(states=d_first, vectors=vectors, constants=constants)


def reverse_probed(*given: Any) -> Slopes:
    """Take all steps backwards, and keep dL/d(state) of every one."""
    return reverse(*given, probed=True)


class _Derived:
    """One step backwards as TensorFlow derives it from `step`."""

    def __init__(self, cell: Any, plan: Plan, rows: Rows, own: Sequence[int], apart: Mapping[str, Tensor]) -> None:
        self.cell, self.plan, self.rows, self.own, self.apart = cell, plan, rows, own, apart
        self.transposed = _transposed(cell, plan, rows.recurrent)

    def step(self, t: Tensor, stored: Stored, d_new: tuple[Tensor, ...]) -> Slopes:
        """Return the gradients of what the step read."""
        cell, rows = self.cell, self.rows
        states = tuple(at(trail, t) for trail in stored.states)
        kept = tuple(at(array, t) for array in stored.kept)
        projected = split(at(rows.projected, t), len(cell.blocks)) if self.own else ()
        # The other projections are in the stored sums; what stands for them here is added to products that are not computed.
        x = tuple(projected[index] if index in self.own else tf.zeros_like(kept[0]) for index in range(len(cell.blocks)))
        recur = _Recur(cell, dict(zip(self.plan.blocks(), kept, strict=True)), self.transposed)
        leaves = (states, {index: x[index] for index in self.own}, dict(self.apart), dict(rows.constants))
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tf.nest.flatten(leaves))
            bound = Bound(cell, {**rows.vectors, **rows.constants})
            new = type(cell).step(bound, (*x, *(at(signal, t) for signal in rows.signals)), states, recur)
        found = tape.gradient(tuple(new), leaves, output_gradients=d_new, unconnected_gradients="zero")
        d_states, d_projections, d_vectors, d_constants = found
        return Slopes(recur.slopes(), d_projections, dict(enumerate(recur.values)), (), tuple(d_states), d_vectors, d_constants)


class _ByHand:
    """One step backwards by the cell's own pair."""

    def __init__(self, cell: Any, plan: Plan, rows: Rows) -> None:
        self.cell, self.plan, self.rows = cell, plan, rows
        self.transposed = _transposed(cell, plan, rows.recurrent)

    def step(self, t: Tensor, stored: Stored, d_new: tuple[Tensor, ...]) -> Slopes:
        """Return the gradients of what the step read."""
        before, after = (tuple(at(trail, place) for trail in stored.states) for place in (t, t + 1))
        if self.rows.probes:
            after = tuple(state - at(probe, t) for state, probe in zip(after, self.rows.probes, strict=True))
        found = self.cell.pair().backward(tuple(at(array, t) for array in stored.kept), before, after, d_new)
        products = dict(zip(self.plan.blocks(), found.products, strict=True))
        states = list(found.states)
        for product, transposed in zip(self.plan.products, self.transposed, strict=True):
            through = tf.matmul(joined([products[gate] for gate in product.gates]), transposed)
            place = product.state or 0  # a pair multiplies states only
            states[place] = through if states[place] is None else through + states[place]
        return Slopes(products, dict(found.projections), {}, (), tuple(states), {}, {})


class _Recur:
    """`recur` in the reverse loop: it returns what was stored, and passes gradients on as the product would."""

    def __init__(self, cell: Any, stored: Mapping[str, Tensor], transposed: Sequence[Tensor]) -> None:
        self.cell, self.stored, self.transposed = cell, stored, transposed
        self.values: list[Tensor] = []
        self.found: dict[str, Tensor] = {}

    def __call__(self, value: Tensor, *gates: str, add: Sequence[Tensor] = ()) -> tuple[Tensor, ...]:
        chosen = named(self.cell, gates)
        transposed = self.transposed[len(self.values)]
        self.values.append(value)

        @tf.custom_gradient
        def product(value: Tensor, *terms: Tensor) -> Any:
            def slopes(*d: Tensor) -> tuple[Tensor, ...]:
                self.found.update(zip(chosen, d, strict=True))
                return tf.matmul(joined(d), transposed), *(_like(one, term) for one, term in zip(d, terms, strict=False))

            return tuple(tf.identity(self.stored[gate]) for gate in chosen), slopes

        return tuple(product(value, *add))

    def slopes(self) -> dict[str, Tensor]:
        """Return the gradient of every product, zero where nothing depends on one."""
        return {gate: self.found.get(gate, tf.zeros_like(value)) for gate, value in self.stored.items()}


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


def joined(blocks: Sequence[Tensor]) -> Tensor:
    """Return blocks beside one another."""
    return blocks[0] if len(blocks) == 1 else tf.concat(blocks, axis=1)


def _start(t: Any, array: Tensor) -> Tensor:
    return tf.stack([t, *[0] * (len(array.shape) - 1)])


def _transposed(cell: Any, plan: Plan, recurrent: Tensor) -> list[Tensor]:
    """Return the transposed kernel of every product, (gates * units, state width)."""
    blocks = dict(zip(cell.products, split(recurrent, len(cell.products)), strict=True))
    return [tf.transpose(tf.concat([blocks[gate] for gate in product.gates], axis=1)) for product in plan.products]


def _like(slope: Tensor, term: Tensor) -> Tensor:
    """Return the gradient of a term that was added by broadcasting over the batch."""
    return slope if term.shape == slope.shape else tf.reshape(tf.reduce_sum(slope, axis=0), term.shape)
