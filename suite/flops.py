"""Forward FLOPs per token, from the built layers: a multiply-add is 2, and element-wise work is left out."""

import math
from typing import Any

from suite.encoder_decoder import EncoderDecoder
from suite.models import SequenceModel


def per_token(model: SequenceModel) -> float:
    """Return forward FLOPs per token at the task's training length.

    Tokens are the input steps and, for kind sequence, the target steps. A look-up in a table is free; one-hot input is
    counted as the product that it is written as. A head that speaks once is spread over the row.
    """
    spec = model.spec
    time = spec.length
    head = kernels(model.head)  # with the tied table, where there is one
    if spec.kind == "steps":
        return stack(model.body.stack, time) + head
    if spec.kind == "once":
        return stack(model.body.stack, time) + model.pool.flops(time) + head / time
    target = max(spec.target_lengths)
    if isinstance(model.body, EncoderDecoder):
        whole = time * stack(model.body.encoder.stack, time) + target * stack(model.body.decoder.stack, target)
        whole += model.body.flops(time, target)
    else:
        whole = (time + target) * layer(model.body, time)
    return (whole + target * head) / (time + target)


def stack(layers: Any, time: int) -> float:
    """Return the FLOPs per step of layers in a row."""
    return sum(layer(one, time) for one in layers)


def layer(one: Any, time: int) -> float:
    """Return the FLOPs per step of a layer: what its method `flops(time)` says, else two per entry of its kernels."""
    return float(one.flops(time)) if hasattr(one, "flops") else kernels(one)


def kernels(one: Any) -> float:
    """Return two FLOPs per entry of every weight with two axes or more that is not a bias: each is used once a step."""
    return 2.0 * sum(math.prod(weight.shape) for weight in one.weights if len(weight.shape) > 1 and "bias" not in weight.name)
