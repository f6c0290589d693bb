"""Steps with their gradients written by hand, for the cells that most time goes into; each equals what is derived from `step`.

A forward step keeps activations, so that the reverse loop computes no sigmoid again.
"""

from collections.abc import Sequence
from typing import Any

from keras.ops import sigmoid, tanh

from suite.stepping import Backward, Pair, Recur

Tensor = Any
Tensors = tuple[Tensor, ...]


def _elman(self: Any, x: Sequence[Tensor], states: Tensors, recur: Recur) -> tuple[Tensors, Tensors]:
    (h,) = recur(states[0], add=x)
    return (tanh(h),), ()


def _elman_back(kept: Tensors, before: Tensors, after: Tensors, d: Tensors) -> Backward:
    (h,) = after
    return Backward((None,), (d[0] * (1 - h * h),), {})


def _lstm(self: Any, x: Sequence[Tensor], states: Tensors, recur: Recur) -> tuple[Tensors, Tensors]:
    h, c = states
    i, f, o, g = recur(h, add=x)
    i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), tanh(g)
    c = f * c + i * g
    return (o * tanh(c), c), (i, f, o, g)


def _lstm_back(kept: Tensors, before: Tensors, after: Tensors, d: Tensors) -> Backward:
    i, f, o, g = kept
    dh, dc = d
    squashed = tanh(after[1])
    dc = dc + dh * o * (1 - squashed * squashed)
    products = (dc * g * i * (1 - i), dc * before[1] * f * (1 - f), dh * squashed * o * (1 - o), dc * i * (1 - g * g))
    return Backward((None, dc * f), products, {})


def _gru(self: Any, x: Sequence[Tensor], states: Tensors, recur: Recur) -> tuple[Tensors, Tensors]:
    (h,) = states
    x_z, x_r, x_n = x
    z, r, m = recur(h, add=(x_z, x_r, self.d))
    z, r = sigmoid(z), sigmoid(r)
    n = tanh(x_n + r * m)
    return (z * h + (1 - z) * n,), (z, r, n, m)


def _gru_back(kept: Tensors, before: Tensors, after: Tensors, d: Tensors) -> Backward:
    z, r, n, m = kept
    (dh,) = d
    dn = dh * (1 - z) * (1 - n * n)
    return Backward((dh * z,), (dh * (before[0] - n) * z * (1 - z), dn * m * r * (1 - r), dn * r), {2: dn})


ELMAN = Pair(_elman, _elman_back, keeps=0)
LSTM = Pair(_lstm, _lstm_back, keeps=4)
GRU = Pair(_gru, _gru_back, keeps=4)
