"""How the weights of recurrent cells begin: each gate by itself, all gates jointly as in Keras, or all uniform as in PyTorch."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

Initializer = Callable[..., Any]

SCHEMES = ("per_gate", "joint", "uniform")
GATED = ("per_gate", "joint")  # of cells whose biases say how they begin


def kernel(scheme: str, kind: Callable[[], Initializer], gates: int, units: int) -> Initializer:
    """Return how a kernel over all gates, (rows, gates * units), begins.

    A joint draw makes each block smaller: the blocks of an orthogonal (units, gates * units) have singular values of root
    mean square 1 / sqrt(gates), which changes how fast gradients decay at the start.
    """
    if scheme == "uniform":
        return uniform(units)
    return kind() if scheme == "joint" else per_gate(kind, gates)


def per_gate(kind: Callable[[], Initializer], gates: int) -> Initializer:
    """Return an initialiser that draws every gate's columns by themselves."""
    each = [kind() for _ in range(gates)]

    def draw(shape: Sequence[int], dtype: Any = None) -> Any:
        block = (*shape[:-1], shape[-1] // gates)
        return ops.concatenate([one(block, dtype=dtype) for one in each], axis=-1)

    return draw


def uniform(units: int) -> Initializer:
    """Return U(-1 / sqrt(units), 1 / sqrt(units)), as PyTorch draws every weight and bias of a recurrent layer."""
    bound = 1 / math.sqrt(units)
    return keras.initializers.RandomUniform(-bound, bound)


def biases(gates: Sequence[str], units: int, **given: float | str) -> Initializer:
    """Return biases that are zero but for the gates given: by a number, or by "chrono:T" or "-chrono:T".

    chrono:T is log U(1, T - 1), which spreads the time constants of a gate over T steps; within one call every gate has the
    same draw, so that "-chrono:T" is the mirror image. The second row of a bias (2, gates * units) is zero.

    Source: Tallec & Ollivier (2018), arXiv:1804.11188.

    Raises:
        ValueError: neither a number nor chrono with a T above 2 steps.
    """
    longest = {gate: chrono(bias) for gate, bias in given.items()}
    shares = keras.initializers.RandomUniform(0.0, 1.0)

    def draw(shape: Sequence[int], dtype: Any = None) -> Any:
        drawn = shares((units,), dtype=dtype)

        def block(gate: str) -> Any:
            most = longest.get(gate)
            if most is None:
                return ops.full((units,), float(given.get(gate, 0.0)), dtype=dtype)
            spread = ops.log(1 + drawn * (most - 2))
            return -spread if str(given[gate]).startswith("-") else spread

        row = ops.concatenate([block(gate) for gate in gates])
        return row if len(shape) == 1 else ops.stack([row, *(ops.zeros_like(row) for _ in range(shape[0] - 1))])

    return draw


def chrono(bias: float | str) -> float | None:
    """Return the T of "chrono:T", or None for a number.

    Raises:
        ValueError: it is neither, or T is not above 2 steps.
    """
    if not isinstance(bias, str):
        return None
    word, _, longest = bias.removeprefix("-").partition(":")
    try:
        steps = float(longest)
    except ValueError:
        steps = 0.0
    if word != "chrono" or not 2 < steps < math.inf:
        raise ValueError(f'a bias must be a number or "chrono:T" with T above 2 steps, got {bias!r}')
    return steps


def forgetting(bias: float | str) -> dict[str, float | str]:
    """Return what the biases f and i of an LSTM begin at: a number for f alone, or "chrono:T" for f and its mirror image for i."""
    return {"f": bias, "i": mirrored(bias)} if isinstance(bias, str) else {"f": bias}


def mirrored(bias: float | str) -> float | str:
    """Return the negative of a bias."""
    if not isinstance(bias, str):
        return -bias
    return bias.removeprefix("-") if bias.startswith("-") else f"-{bias}"
