"""What both time loops share: the inputs of a loop, and what `step` sees of its cell inside one."""

from collections.abc import Callable, Mapping, Sequence
from types import MethodType
from typing import Any, NamedTuple

import keras
import tensorflow as tf

Tensor = Any
Recur = Callable[..., tuple[Tensor, ...]]


class Inputs(NamedTuple):
    """All that a loop reads, in the order of processing; what a cell does not declare is empty."""

    x: Tensor  # (batch, time, features)
    kernel: Tensor  # (features, blocks * units)
    bias: Tensor  # (blocks * units,)
    recurrent: Tensor  # (state width, products * units), of no columns for a cell without products
    states: tuple[Tensor, ...]  # before the first step, (batch, ...)
    vectors: Mapping[str, Tensor]  # of any shape
    constants: Mapping[str, Tensor]  # (batch, ...)
    signals: tuple[Tensor, ...]  # (time, batch or 1, ...), not differentiated
    mask: Tensor | None  # (batch, time) bool
    probes: tuple[Tensor, ...]  # (time, batch, ...), one a state or none


class Backward(NamedTuple):
    """The gradients of what one step read, as a pair by hand returns them."""

    states: tuple[Tensor | None, ...]  # without the paths through products with recurrent weights; None where there is no other
    products: tuple[Tensor, ...]  # of value U + add, one a block
    projections: Mapping[int, Tensor]  # of the projections that are not simply added to a product


class Pair(NamedTuple):
    """One step and its gradient, written by hand for a cell that is worth it: it keeps activations where `step` would repeat them.

    forward(self, x, states, recur) -> (states, kept); backward(kept, states before, states after, their gradients) -> Backward.
    """

    forward: Callable[..., tuple[tuple[Tensor, ...], tuple[Tensor, ...]]]
    backward: Callable[..., Backward]
    keeps: int  # arrays (batch, units)


def project(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Return x W + b of every step, time first, (time, batch, blocks * units), by one product; x: (batch, time, features)."""
    turned = tf.transpose(x, (1, 0, 2))
    time, batch = (known if known is not None else tf.shape(turned)[axis] for axis, known in enumerate(turned.shape[:2]))
    flat = tf.nn.bias_add(tf.matmul(tf.reshape(turned, (-1, x.shape[2])), kernel), bias)
    return tf.ensure_shape(tf.reshape(flat, (time, batch, kernel.shape[1])), (*turned.shape[:2], kernel.shape[1]))


class Bound:
    """A cell inside a loop: its declared vectors and constants are the loop's own tensors, all else is the cell's.

    With `strict`, a weight that was not declared is refused: the reverse loop could not give it a gradient.
    """

    def __init__(self, cell: Any, own: Mapping[str, Tensor], *, strict: bool = False) -> None:
        self._cell, self._own, self._strict = cell, own, strict

    def __getattr__(self, name: str) -> Any:
        if name in self._own:
            return self._own[name]
        found = getattr(self._cell, name)
        if isinstance(found, MethodType) and found.__self__ is self._cell:
            return MethodType(found.__func__, self)
        if self._strict and isinstance(found, (keras.Variable, keras.layers.Layer)):
            raise TypeError(
                f"step of {type(self._cell).__name__} reads {name!r} itself: a weight must come out of `vectors()`, "
                "or the cell says why it needs the plain loop (`needs_plain`)"
            )
        return found


def split(joined: Tensor, count: int) -> tuple[Tensor, ...]:
    """Return the blocks of the last axis."""
    return (joined,)[:count] if count < 2 else tuple(tf.split(joined, count, axis=-1))


def named(cell: Any, gates: Sequence[str]) -> tuple[str, ...]:
    """Return the recurrent blocks that a call of `recur` means: those named, or one for every gate.

    Raises:
        ValueError: the cell has no such block.
    """
    if unknown := [gate for gate in gates if gate not in cell.products]:
        raise ValueError(f"{type(cell).__name__} has the recurrent blocks {', '.join(cell.products)}, got {', '.join(unknown)}")
    return tuple(gates) or cell.gates


def added(products: Sequence[Tensor], add: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return products with what is to be added; products behind the end of `add` stay bare.

    Raises:
        ValueError: there is more to add than there are products.
    """
    if len(add) > len(products):
        raise ValueError(f"recur got {len(add)} terms to add to {len(products)} products")
    return (*(product + term for product, term in zip(products, add, strict=False)), *products[len(add) :])


def checked(cell: Any, new: Any, old: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return what `step` returned, in the shapes of the states before it.

    Raises:
        ValueError: it is not one tensor for each state, or a shape changed.
    """
    if not isinstance(new, (tuple, list)) or len(new) != len(old):
        raise ValueError(f"step of {type(cell).__name__} must return a tuple with one tensor for each of {', '.join(cell.states)}")
    for name, after, before in zip(cell.states, new, old, strict=True):
        if not after.shape.is_compatible_with(before.shape):
            raise ValueError(f"step of {type(cell).__name__} must keep the shape {before.shape} of state {name!r}, got {after.shape}")
    return tuple(tf.ensure_shape(after, before.shape) for after, before in zip(new, old, strict=True))


def beside(valid: Tensor, state: Tensor) -> Tensor:
    """Return a mask (batch,) with the axes of a state."""
    return tf.reshape(valid, (-1, *[1] * (len(state.shape) - 1)))


def outlined(layer: Any, x: Tensor) -> Any:
    """Return zeros in the shapes of a layer's outputs: where Keras asks for shapes alone, as while a model is built, no loop is made."""

    def zeros(spec: Any) -> Tensor:
        size = [tf.shape(x)[axis] if known is None else known for axis, known in enumerate(spec.shape)]
        return tf.ensure_shape(tf.zeros(size, spec.dtype), spec.shape)

    return tf.nest.map_structure(zeros, layer.compute_output_spec(x))
