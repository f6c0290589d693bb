"""Trades computing for memory: a long row in pieces, of which only the states between them are kept."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from suite.stepping import Inputs

Tensor = Any
Loop = Callable[[Inputs], tuple[Tensor, tuple[Tensor, ...]]]

DIFFERENTIATED = ("x", "kernel", "bias", "recurrent", "states", "vectors", "constants", "probes")


def run(loop: Loop, inputs: Inputs, every: int) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return what `loop` returns for the whole row, taking `every` steps at a time.

    Backwards, each piece is run forwards again before it is run backwards: one forward pass more, for a memory that grows
    with `every` and not with time. The last piece is shorter where `every` does not divide the row.

    Source: Chen et al. (2016), arXiv:1604.06174.
    """
    time = inputs.x.shape[1]
    outputs: list[Tensor] = []
    states = inputs.states
    for start in range(0, time, every):
        piece = _piece(inputs, start, min(start + every, time))._replace(states=states)
        output, states = _forgotten(loop, piece)
        outputs.append(output)
    return (None if outputs[0] is None else tf.concat(outputs, axis=1)), states


def _piece(inputs: Inputs, start: int, stop: int) -> Inputs:
    return inputs._replace(
        x=inputs.x[:, start:stop],
        mask=None if inputs.mask is None else inputs.mask[:, start:stop],
        signals=tuple(signal[start:stop] for signal in inputs.signals),
        probes=tuple(probe[start:stop] for probe in inputs.probes),
    )


def _forgotten(loop: Loop, piece: Inputs) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run a piece; of what it computes on the way nothing is kept for the gradient."""
    given = {name: getattr(piece, name) for name in DIFFERENTIATED}
    sequences: list[bool] = []

    def compute(given: Mapping[str, Any]) -> list[Tensor]:
        output, states = loop(piece._replace(**given))
        sequences[:] = [output is not None]
        return [*([] if output is None else [output]), *states]

    @tf.custom_gradient
    def kept(*tensors: Tensor) -> Any:
        found = compute(tf.nest.pack_sequence_as(given, tensors))

        def slopes(*upstream: Tensor) -> Any:
            with tf.control_dependencies(upstream):  # or a graph would run the piece again before it needs it
                again = [tf.identity(tensor) for tensor in tensors]
            with tf.GradientTape() as tape:
                tape.watch(again)
                repeated = compute(tf.nest.pack_sequence_as(given, again))
            return tape.gradient(repeated, again, output_gradients=list(upstream), unconnected_gradients="zero")

        return found, slopes

    found = kept(*tf.nest.flatten(given))
    return (found[0], tuple(found[1:])) if sequences[0] else (None, tuple(found))
