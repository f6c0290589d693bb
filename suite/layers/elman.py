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

# What U may be, and how it may begin: the first one is the default.
RECURRENT = {"full": ("orthogonal", "glorot", "identity"), "scalar": ("orthogonal", "identity"), "diagonal": ("spread", "identity")}


@keras.saving.register_keras_serializable("suite")
class Elman(Cell):
    """h' = phi(x W + h U + b)

    x: (batch, features); h: (batch, units). `recurrent` makes U = u I, one number for all units ("scalar", begins at 1), or
    U = diag(u), units that do not see one another ("diagonal": Li et al. 2018, arXiv:1803.04831, whose bound on |u| by the
    length of the task is left out). `initialization` is that of U: "spread" has u ~ U(0, 1); "identity" with relu is the
    IRNN, with W ~ N(0, 0.001) (Le et al. 2015, arXiv:1504.00941).

    Source: Elman (1990), doi:10.1207/s15516709cog1402_1.
    """

    gates = ("h",)
    states = ("h",)
    options = ("activation", "recurrent")
    initializations = ("orthogonal", "glorot", "identity", "spread")

    def __init__(
        self, units: int, *, activation: str = "tanh", recurrent: str = "full", initialization: str | None = None, **options: Any
    ) -> None:
        if recurrent not in RECURRENT:
            raise ValueError(f"recurrent must be one of {', '.join(RECURRENT)}, got {recurrent!r}")
        super().__init__(units, initialization=RECURRENT[recurrent][0] if initialization is None else initialization, **options)
        if self.initialization not in RECURRENT[recurrent]:
            begins = ", ".join(RECURRENT[recurrent])
            raise ValueError(f"initialization of a {recurrent} recurrence must be one of {begins}, got {self.initialization!r}")
        self.activation, self.recurrent = activation, recurrent
        self.phi = activations.named(activation)

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        (h,) = states
        (h,) = recur(h, add=x) if self.recurrent == "full" else (x[0] + h * self.u,)
        return (self.phi(h),)

    def pair(self) -> Pair | None:
        return by_hand.ELMAN if self.activation == "tanh" and self.recurrent == "full" else None

    @property
    def products(self) -> tuple[str, ...]:
        return super().products if self.recurrent == "full" else ()

    def initial_kernel(self) -> Initializer:
        kinds = {"identity": keras.initializers.RandomNormal(stddev=0.001)}
        return kinds.get(self.initialization, keras.initializers.GlorotUniform())

    def initial_recurrent_kernel(self) -> Initializer:
        kinds = {"orthogonal": keras.initializers.Orthogonal, "identity": keras.initializers.Identity}
        return kinds.get(self.initialization, keras.initializers.GlorotUniform)()

    def weights_of_its_own(self, features: int) -> None:
        if self.recurrent == "full":
            return
        shape = () if self.recurrent == "scalar" else (self.units,)
        begins = keras.initializers.RandomUniform(0.0, 1.0) if self.initialization == "spread" else keras.initializers.Ones()
        self.recurrent_kernel = self.add_weight(name="recurrent_kernel", shape=shape, initializer=begins)

    def vectors(self) -> Mapping[str, Tensor]:
        return {} if self.recurrent == "full" else {"u": self.recurrent_kernel}


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
