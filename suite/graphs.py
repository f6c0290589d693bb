"""Functions of tensors as graphs: one for each shape that they are called with, each traced once."""

from collections.abc import Callable, Hashable
from typing import Any

import tensorflow as tf

Tensor = Any


class Graphs:
    """Graphs by a key that names the function and all that its trace depends on.

    A graph of its own for each shape, asked for by name: padded lengths are few and known, so that every trace is meant, and
    TensorFlow, which takes the traces of one function for an accident, has nothing to complain of.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[Any, Any]] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._known

    def __call__(self, key: Hashable, function: Callable[..., Any], *given: Any, jit: bool = False) -> Any:
        """Return what `function` makes of `given`: tensors, in tuples and dictionaries of the same structure for the same key."""
        if key not in self._known:
            traced = tf.function(function, autograph=False, jit_compile=jit)  # kept: a graph alone does not keep what it reads
            self._known[key] = (traced, traced.get_concrete_function(*given))
        return self._known[key][1](*given)


def shapes(tensors: dict[str, Tensor]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return names and shapes, as part of a key."""
    return tuple((name, tuple(tensor.shape)) for name, tensor in tensors.items())
