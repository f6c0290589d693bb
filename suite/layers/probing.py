"""Which arguments a layer takes, and which of its states take probes."""

import inspect
from collections.abc import Callable
from typing import Any


def takes(function: Callable[..., Any], name: str) -> bool:
    """Say whether a function names such an argument."""
    return name in inspect.signature(function).parameters


def takes_probes(layer: Any) -> bool:
    """Say whether a layer adds probes to its states: its `call` has such an argument."""
    return hasattr(layer, "state_shapes") and takes(layer.call, "probes")


def probe_shapes(layer: Any) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of the states that take probes: the layer may carry more, such as what a convolution reads."""
    if not takes_probes(layer):
        return ()
    return tuple(layer.probe_shapes() if hasattr(layer, "probe_shapes") else layer.state_shapes())
