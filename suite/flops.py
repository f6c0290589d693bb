"""Forward FLOPs per token, from the built layers: a multiply-add is 2, and element-wise work on vectors is left out."""

from typing import Any

from suite.encoder_decoder import EncoderDecoder
from suite.layers.cost import kernels, per_step
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
    elif hasattr(model.body, "flops"):  # an encoder-decoder by itself says what a row costs
        whole = model.body.flops(time, target)
    else:
        whole = (time + target) * kernels(model.body)
    return (whole + target * head) / (time + target)


def stack(layers: Any, time: int) -> float:
    """Return the FLOPs per step of layers in a row."""
    return sum(per_step(one, time) for one in layers)
