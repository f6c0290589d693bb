"""Forward FLOPs of one layer per time step: a multiply-add is 2, and element-wise work on vectors is left out.

Work on a state that is a matrix, larger than the vectors around it, is none of these: such a layer says it in `flops`.
"""

import math
from typing import Any


def per_step(one: Any, time: int) -> float:
    """Return the FLOPs per step of a layer in a row of this length: what its method `flops(time)` says, else by `kernels`."""
    return float(one.flops(time)) if hasattr(one, "flops") else kernels(one)


def kernels(one: Any) -> float:
    """Return two FLOPs per entry of every weight with two axes or more that is not a bias: each is used once a step."""
    return 2.0 * sum(math.prod(weight.shape) for weight in one.weights if len(weight.shape) > 1 and "bias" not in weight.name)
