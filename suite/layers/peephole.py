"""The LSTM with peepholes, and its ablations: each takes one part away, or adds one, and leaves the rest."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops
from keras.ops import sigmoid, tanh

from suite import initializers
from suite.initializers import Initializer
from suite.layers import activations
from suite.recurrence import Cell
from suite.stepping import Recur

Tensor = Any

FORGET_BIAS = 1.0  # of the ablations, as of the LSTM that they are held against


def begin(cell: Any, count: int) -> None:
    """Give the cell peepholes for this many gates, from N(0, 0.1)."""
    begins = keras.initializers.RandomNormal(stddev=0.1)
    cell.peephole = cell.add_weight(name="peephole", shape=(count * cell.units,), initializer=begins)


def named(cell: Any, *gates: str) -> Mapping[str, Tensor]:
    """Return the peepholes by the names that a step reads."""
    return dict(zip((f"p_{gate}" for gate in gates), ops.split(cell.peephole, len(gates)), strict=True))


@keras.saving.register_keras_serializable("suite")
class Peephole(Cell):
    """i, f = sigmoid(x W + h U + p * c + b);  g = phi(x W + h U + b);  c' = f * c + i * g
    o = sigmoid(x W + h U + p * c' + b);  h' = o * psi(c')

    A gate sees the memory cell of its own unit, and o the new one. x: (batch, features); h, c: (batch, units). phi and psi are the
    `candidate_activation` and the `output_activation`; `forget_bias` is what b_f begins at.

    Source: Gers et al. (2002), doi:10.1162/153244303768966139.
    """

    gates = ("i", "f", "o", "g")
    states = ("h", "c")
    options = ("candidate_activation", "output_activation", "forget_bias")
    initializations = initializers.GATED

    def __init__(
        self,
        units: int,
        *,
        candidate_activation: str = "tanh",
        output_activation: str = "tanh",
        forget_bias: float | str = FORGET_BIAS,
        **options: Any,
    ) -> None:
        super().__init__(units, **options)
        initializers.chrono(forget_bias)
        self.candidate_activation, self.output_activation, self.forget_bias = candidate_activation, output_activation, forget_bias
        self.phi, self.psi = activations.named(candidate_activation), activations.named(output_activation)

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        h, c = states
        i, f, o, g = recur(h, add=x)
        c = sigmoid(f + self.p_f * c) * c + sigmoid(i + self.p_i * c) * self.phi(g)
        return sigmoid(o + self.p_o * c) * self.psi(c), c

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, **initializers.forgetting(self.forget_bias))

    def weights_of_its_own(self, features: int) -> None:
        begin(self, 3)

    def vectors(self) -> Mapping[str, Tensor]:
        return named(self, "i", "f", "o")


@keras.saving.register_keras_serializable("suite")
class NoInputGate(Cell):
    """f = sigmoid(x W + h U + p * c + b);  g = tanh(x W + h U + b);  c' = f * c + g
    o = sigmoid(x W + h U + p * c' + b);  h' = o * tanh(c')

    Everything is written. x: (batch, features); h, c: (batch, units).

    Source: Greff et al. (2015), arXiv:1503.04069.
    """

    gates = ("f", "o", "g")
    states = ("h", "c")
    initializations = initializers.GATED

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        h, c = states
        f, o, g = recur(h, add=x)
        c = sigmoid(f + self.p_f * c) * c + tanh(g)
        return sigmoid(o + self.p_o * c) * tanh(c), c

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, f=FORGET_BIAS)

    def weights_of_its_own(self, features: int) -> None:
        begin(self, 2)

    def vectors(self) -> Mapping[str, Tensor]:
        return named(self, "f", "o")


@keras.saving.register_keras_serializable("suite")
class NoForgetGate(Cell):
    """i = sigmoid(x W + h U + p * c + b);  g = tanh(x W + h U + b);  c' = c + i * g
    o = sigmoid(x W + h U + p * c' + b);  h' = o * tanh(c')

    Nothing is forgotten, as in the LSTM of 1997. x: (batch, features); h, c: (batch, units).

    Source: Greff et al. (2015), arXiv:1503.04069; Hochreiter & Schmidhuber (1997), doi:10.1162/neco.1997.9.8.1735.
    """

    gates = ("i", "o", "g")
    states = ("h", "c")
    initializations = initializers.GATED

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        h, c = states
        i, o, g = recur(h, add=x)
        c = c + sigmoid(i + self.p_i * c) * tanh(g)
        return sigmoid(o + self.p_o * c) * tanh(c), c

    def weights_of_its_own(self, features: int) -> None:
        begin(self, 2)

    def vectors(self) -> Mapping[str, Tensor]:
        return named(self, "i", "o")


@keras.saving.register_keras_serializable("suite")
class NoOutputGate(Cell):
    """i, f = sigmoid(x W + h U + p * c + b);  g = tanh(x W + h U + b);  c' = f * c + i * g;  h' = tanh(c')

    The whole memory is shown. x: (batch, features); h, c: (batch, units).

    Source: Greff et al. (2015), arXiv:1503.04069.
    """

    gates = ("i", "f", "g")
    states = ("h", "c")
    initializations = initializers.GATED

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        h, c = states
        i, f, g = recur(h, add=x)
        c = sigmoid(f + self.p_f * c) * c + sigmoid(i + self.p_i * c) * tanh(g)
        return tanh(c), c

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, f=FORGET_BIAS)

    def weights_of_its_own(self, features: int) -> None:
        begin(self, 2)

    def vectors(self) -> Mapping[str, Tensor]:
        return named(self, "i", "f")


@keras.saving.register_keras_serializable("suite")
class CoupledPeephole(Cell):
    """f = sigmoid(x W + h U + p * c + b);  g = tanh(x W + h U + b);  c' = f * c + (1 - f) * g
    o = sigmoid(x W + h U + p * c' + b);  h' = o * tanh(c')

    It writes where it forgets. The source learns i and has f = 1 - i, which is this with W, U, p and b of the gate negated.
    x: (batch, features); h, c: (batch, units).

    Source: Greff et al. (2015), arXiv:1503.04069.
    """

    gates = ("f", "o", "g")
    states = ("h", "c")
    initializations = initializers.GATED

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        h, c = states
        f, o, g = recur(h, add=x)
        f = sigmoid(f + self.p_f * c)
        c = f * c + (1 - f) * tanh(g)
        return sigmoid(o + self.p_o * c) * tanh(c), c

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, f=FORGET_BIAS)

    def weights_of_its_own(self, features: int) -> None:
        begin(self, 2)

    def vectors(self) -> Mapping[str, Tensor]:
        return named(self, "f", "o")


@keras.saving.register_keras_serializable("suite")
class FullGateRecurrence(Cell):
    """i', f' = sigmoid(x W + h U + s V + p * c + b);  g = tanh(x W + h U + b);  c' = f' * c + i' * g
    o' = sigmoid(x W + h U + s V + p * c' + b);  h' = o' * tanh(c');  s = [i; f; o]

    s are the gates of the step before and V nine matrices. The gates are states, zero before the first step. x: (batch, features);
    all states (batch, units).

    Source: Greff et al. (2015), arXiv:1503.04069.
    """

    gates = ("i", "f", "o", "g")
    states = ("h", "c", "i", "f", "o")
    only_products = ("i_i", "i_f", "i_o", "f_i", "f_f", "f_o", "o_i", "o_f", "o_o")
    initializations = initializers.GATED

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        h, c, i, f, o = states
        from_i = recur(i, "i_i", "i_f", "i_o")
        from_f = recur(f, "f_i", "f_f", "f_o")
        from_o = recur(o, "o_i", "o_f", "o_o")
        *from_h, g = recur(h, add=x)
        i, f, o = (sum(parts) for parts in zip(from_h, from_i, from_f, from_o, strict=True))
        i, f = sigmoid(i + self.p_i * c), sigmoid(f + self.p_f * c)
        c = f * c + i * tanh(g)
        o = sigmoid(o + self.p_o * c)
        return o * tanh(c), c, i, f, o

    def initial_bias(self) -> Initializer:
        return initializers.biases(self.gates, self.units, f=FORGET_BIAS)

    def weights_of_its_own(self, features: int) -> None:
        begin(self, 3)

    def vectors(self) -> Mapping[str, Tensor]:
        return named(self, "i", "f", "o")
