"""Weights to and from `keras.layers.SimpleRNN`, `LSTM` and `GRU`: the same numbers, each library's own order of gates."""

from typing import Any

import keras
import numpy as np

from suite.layers.elman import Elman
from suite.layers.gru import GRU, GRUChung, GRUv1
from suite.layers.lstm import LSTM

Array = np.ndarray[Any, Any]

# Keras's type, its blocks in its order and the blocks that change sign.
_TWINS: dict[type, tuple[Any, tuple[str, ...], tuple[str, ...]]] = {
    Elman: (keras.layers.SimpleRNN, ("h",), ()),
    LSTM: (keras.layers.LSTM, ("i", "f", "g", "o"), ()),
    GRU: (keras.layers.GRU, ("z", "r", "n"), ()),
    GRUv1: (keras.layers.GRU, ("z", "r", "n"), ()),
    GRUChung: (keras.layers.GRU, ("z", "r", "n"), ("z",)),
}


def from_keras(cell: Any, layer: Any) -> None:
    """Give our built cell the weights of a built Keras layer.

    Raises:
        ValueError: the two are not twins.
    """
    _, order, negated = _twin(cell, layer)
    kernel, recurrent, *bias = layer.get_weights()
    given = (kernel, recurrent, bias[0] if bias else np.zeros(cell.bias_shape(), kernel.dtype))
    cell.set_weights([_ordered(array, order, cell.gates, negated) for array in given])


def to_keras(cell: Any, layer: Any) -> None:
    """Give a built Keras layer the weights of our built cell.

    Raises:
        ValueError: the two are not twins, or the cell has biases where the layer has none.
    """
    _, order, negated = _twin(cell, layer)
    arrays = [_ordered(array, cell.gates, order, negated) for array in cell.get_weights()]
    if len(layer.weights) == 2 and np.any(arrays.pop()):
        raise ValueError("a Keras layer with use_bias=False cannot take biases that are not zero")
    layer.set_weights(arrays)


def _twin(cell: Any, layer: Any) -> tuple[Any, tuple[str, ...], tuple[str, ...]]:
    found = _TWINS.get(type(cell))
    if found is None or type(layer) is not found[0]:
        raise ValueError(f"no weights go between {type(cell).__name__} and {type(layer).__name__}")
    if isinstance(layer, keras.layers.GRU) and layer.reset_after != isinstance(cell, GRU):
        raise ValueError(f"keras.layers.GRU(reset_after={layer.reset_after}) is the twin of {'GRU' if layer.reset_after else 'GRUv1'}")
    if (isinstance(cell, LSTM) and cell.double_bias) or (isinstance(cell, Elman) and cell.recurrent != "full"):
        raise ValueError(f"Keras has no {type(cell).__name__} with weights of these shapes")
    return found


def _ordered(array: Array, given: tuple[str, ...], wanted: tuple[str, ...], negated: tuple[str, ...]) -> Array:
    """Return the blocks of the last axis in another order."""
    blocks = dict(zip(given, np.split(array, len(given), axis=-1), strict=True))
    return np.concatenate([-blocks[gate] if gate in negated else blocks[gate] for gate in wanted], axis=-1)
