"""What one step does with recurrent weights, found by tracing it once on symbols: the static facts of the fast loop."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from suite.stepping import Bound, Inputs, Recur, checked, named

Tensor = Any


class Product(NamedTuple):
    """One call of `recur`: the blocks it multiplies by, and which state it multiplies, or None for anything else."""

    gates: tuple[str, ...]
    state: int | None


class Plan(NamedTuple):
    """The products of a step, and whose gradient is a product's own.

    What is added to a product and used nowhere else, a projection or a vector, has the gradient of that product, which is
    stored anyway.
    """

    products: tuple[Product, ...]
    projections: Mapping[int, str]  # index in x -> block of the product it is added to
    vectors: Mapping[str, str]  # name -> block

    def blocks(self) -> tuple[str, ...]:
        """The blocks of all products, in the order of their calls."""
        return tuple(gate for product in self.products for gate in product.gates)


def plan(cell: Any, inputs: Inputs) -> Plan:
    """Trace `step` once, on symbols of the shapes of the inputs; nothing is computed.

    Raises:
        ValueError: a step breaks the contract, or multiplies by one block twice.
        TypeError: it reads a weight that it did not declare.
    """
    with tf.Graph().as_default():
        symbol = lambda tensor, *shape: tf.compat.v1.placeholder(tensor.dtype, shape)
        rows = inputs.x.shape[0]
        x = tuple(symbol(inputs.x, rows, cell.units) for _ in cell.blocks)
        signals = tuple(symbol(signal, *signal.shape[1:]) for signal in inputs.signals)
        states = tuple(symbol(state, *state.shape) for state in inputs.states)
        vectors = {name: symbol(vector, *vector.shape) for name, vector in inputs.vectors.items()}
        constants = {name: symbol(constant, *constant.shape) for name, constant in inputs.constants.items()}
        products: list[Product] = []
        terms: list[tuple[Tensor, str]] = []

        def recur(value: Tensor, *gates: str, add: Sequence[Tensor] = ()) -> tuple[Tensor, ...]:
            blocks = named(cell, gates)
            found = next((index for index, state in enumerate(states) if state is value), None)
            products.append(Product(blocks, found))
            terms.extend(zip(add, blocks, strict=False))
            return tuple(symbol(value, rows, cell.units) for _ in blocks)

        step: Recur = type(cell).step
        checked(cell, step(Bound(cell, {**vectors, **constants}, strict=True), (*x, *signals), states, recur), states)
        used = [block for product in products for block in product.gates]
        if len(set(used)) < len(used):
            raise ValueError(f"step of {type(cell).__name__} multiplies by one recurrent block twice ({', '.join(used)}): set needs_plain")
        return Plan(
            tuple(products),
            {index: block for index, one in enumerate(x) if (block := _only_added(one, terms))},
            {name: block for name, one in vectors.items() if one.shape == (cell.units,) and (block := _only_added(one, terms))},
        )


def _only_added(symbol: Tensor, terms: Sequence[tuple[Tensor, str]]) -> str | None:
    """Return the block of the product that this is added to, where that is all that the step does with it."""
    blocks = [block for term, block in terms if term is symbol]
    return blocks[0] if len(blocks) == 1 and not symbol.consumers() else None
