"""The simple recurrent networks: Elman's, fed by its state, and Jordan's, fed by its output."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from suite.initializers import Initializer
from suite.layers import activations, by_hand
from suite.recurrence import Cell
from suite.stepping import Pair, Recur

Tensor = Any

RECURRENT = ("full", "scalar")


@keras.saving.register_keras_serializable("suite")
class Elman(Cell):
    """h' = phi(x W + h U + b)

    x: (batch, features); h: (batch, units). `initialization` is that of U; "identity" with relu is the IRNN, with
    W ~ N(0, 0.001) (Le et al. 2015, arXiv:1504.00941). `recurrent="scalar"` has U = u I, one number for all units.

    Source: Elman (1990), doi:10.1207/s15516709cog1402_1.
    """

    gates = ("h",)
    states = ("h",)
    options = ("activation", "recurrent")
    initializations = ("orthogonal", "glorot", "identity")

    def __init__(self, units: int, *, activation: str = "tanh", recurrent: str = "full", **options: Any) -> None:
        super().__init__(units, **options)
        if recurrent not in RECURRENT:
            raise ValueError(f"recurrent must be one of {', '.join(RECURRENT)}, got {recurrent!r}")
        if recurrent == "scalar" and self.initialization == "glorot":
            raise ValueError(
                "a scalar recurrence begins at 1, which is orthogonal and the identity: initialization 'glorot' has no meaning"
            )
        self.activation, self.recurrent = activation, recurrent
        self.phi = activations.named(activation)

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        (h,) = recur(h, add=x)
        return (self.phi(h),)

    def pair(self) -> Pair | None:
        return by_hand.ELMAN if self.activation == "tanh" else None

    def initial_kernel(self) -> Initializer:
        kinds = {"identity": keras.initializers.RandomNormal(stddev=0.001)}
        return kinds.get(self.initialization, keras.initializers.GlorotUniform())

    def initial_recurrent_kernel(self) -> Initializer:
        if self.recurrent == "scalar":
            return keras.initializers.Ones()
        kinds = {"orthogonal": keras.initializers.Orthogonal, "identity": keras.initializers.Identity}
        return kinds.get(self.initialization, keras.initializers.GlorotUniform)()

    def recurrent_shape(self, width: int) -> tuple[int, ...]:
        return () if self.recurrent == "scalar" else super().recurrent_shape(width)

    def kernels(self) -> Tensor:
        if self.recurrent == "full":
            return self.recurrent_kernel
        return self.recurrent_kernel * ops.eye(self.units, dtype=self.compute_dtype)


@keras.saving.register_keras_serializable("suite")
class Jordan(Cell):
    """h = tanh(x W + y U + b);  y' = tanh(h V + c)

    The previous output is fed back, not the hidden layer, so that y is the only thing carried. x: (batch, features);
    h, y: (batch, units).

    Source: Jordan (1986), doi:10.1016/S0166-4115(97)80111-2 (reprint).
    """

    gates = ("h",)
    states = ("y",)
    only_products = ("y",)

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (y,) = states
        (h,) = recur(y, "h", add=x)
        (y,) = recur(ops.tanh(h), "y", add=(self.c,))
        return (ops.tanh(y),)

    def weights_of_its_own(self, features: int) -> None:
        self.output_bias = self.add_weight(name="output_bias", shape=(self.units,), initializer="zeros")

    def vectors(self) -> Mapping[str, Tensor]:
        return {"c": self.output_bias}
