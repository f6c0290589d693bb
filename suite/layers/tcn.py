"""The temporal convolutional network: dilated causal convolutions whose sight doubles with every level."""

from typing import Any

import keras
from keras import ops

from suite.layers.convolution import convolve, visible


class TCN(keras.layers.Layer):
    """x <- relu(P x + relu(C_2 relu(C_1 x))) for the levels i = 0 ... n - 1;  C x_t = sum over j < k of x_(t - j 2^i) W_j + b

    W_j = g V_j / ||V||, the norm over taps and features of each of the `units` filters (weight normalisation). P is the
    identity, or an affine map where the features are not as many as the units.

    y_t sees the last 1 + 2 (k - 1) (2^n - 1) steps, which must cover the training length unless `covers` is off.
    `levels` "length" takes the fewest levels that do: then the layer is told the length. The steps before a row are zero.

    x: (batch, time, features) -> y: (batch, time, units).

    V begins uniform in +-1 / sqrt(k features) with g = ||V||, and b as V: what the authors' code does in effect, because
    weight normalisation overwrites the N(0, 0.01) that it then writes into W. Its dropout inside a level is left out.

    Source: Bai et al. (2018), arXiv:1803.01271; Salimans & Kingma (2016), arXiv:1602.07868.
    """

    def __init__(
        self,
        units: int,
        *,
        length: int | None = None,
        kernel_size: int = 3,
        levels: int | str = 8,
        covers: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.supports_masking = True
        for name, number, least in (("units", units, 1), ("kernel_size", kernel_size, 2)):
            if number < least:
                raise ValueError(f"{name} must be at least {least}, got {number}")
        self.units, self.length, self.kernel_size, self.levels, self.covers = units, length, kernel_size, levels, covers
        if levels == "length":
            if length is None:
                raise ValueError("levels 'length' needs a length")
            self.count = fewest_levels(length, kernel_size)
        elif isinstance(levels, int) and levels >= 1:
            self.count = levels
        else:
            raise ValueError(f"levels must be at least 1, or 'length', got {levels!r}")
        if covers and length is not None and self.receptive_field < length:
            raise ValueError(
                f"{self.count} levels of width {kernel_size} see {self.receptive_field} steps, the task has {length}: "
                "add levels, or say covers=False"
            )

    @property
    def receptive_field(self) -> int:
        """How many steps an output sees, its own among them."""
        return receptive_field(self.count, self.kernel_size)

    def build(self, x_shape: Any) -> None:
        features = x_shape[-1]
        self.project: Any = None
        if features != self.units:
            self.project = keras.layers.Dense(self.units, name="project", dtype=self.dtype_policy)
            self.project.build(x_shape)
        self.convolutions = []
        for level in range(self.count):
            pair = [NormedConvolution(self.units, self.kernel_size, 2**level, dtype=self.dtype_policy) for _ in range(2)]
            pair[0].build((*x_shape[:-1], features if level == 0 else self.units))
            pair[1].build((*x_shape[:-1], self.units))
            self.convolutions += pair
        self.built = True

    def call(self, x: Any, mask: Any = None, training: bool = False) -> Any:
        x = ops.convert_to_tensor(x, self.compute_dtype)
        for first, second in zip(self.convolutions[::2], self.convolutions[1::2], strict=True):
            y = ops.relu(first(visible(x, mask)))
            y = ops.relu(second(visible(y, mask)))
            x = ops.relu(y + (self.project(x) if first is self.convolutions[0] and self.project else x))
        return x

    def flops(self, time: int) -> float:
        """Forward FLOPs per time step: taps that reach beyond a row of this length are not computed."""
        taps = [min(one.kernel_size, 1 + (time - 1) // one.dilation) for one in self.convolutions]
        entries = sum(count * one.direction.shape[1] * self.units for count, one in zip(taps, self.convolutions, strict=True))
        return 2.0 * (entries + (self.project.kernel.shape[0] * self.units if self.project else 0))

    def get_config(self) -> dict[str, Any]:
        own = {"units": self.units, "length": self.length, "kernel_size": self.kernel_size}
        return {**super().get_config(), **own, "levels": self.levels, "covers": self.covers}


class NormedConvolution(keras.layers.Layer):
    """A dilated causal convolution whose filters have a length and a direction of their own; (batch, time, features) -> units."""

    def __init__(self, units: int, kernel_size: int, dilation: int, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True
        self.units, self.kernel_size, self.dilation = units, kernel_size, dilation

    def build(self, x_shape: Any) -> None:
        bound = (self.kernel_size * x_shape[-1]) ** -0.5
        uniform = keras.initializers.RandomUniform(-bound, bound)
        self.direction = self.add_weight(
            name="direction", shape=(self.kernel_size, x_shape[-1], self.units), initializer=uniform, autocast=False
        )
        self.gain = self.add_weight(name="gain", shape=(self.units,), initializer=lambda *_, **__: self.lengths(), autocast=False)
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer=keras.initializers.RandomUniform(-bound, bound))
        self.built = True

    def lengths(self) -> Any:
        """Return the norm of every filter's direction, (units,)."""
        return ops.sqrt(ops.sum(ops.square(ops.convert_to_tensor(self.direction)), axis=(0, 1)))

    def call(self, x: Any) -> Any:
        kernel = ops.convert_to_tensor(self.direction) * (self.gain / self.lengths())
        return convolve(x, ops.cast(kernel, x.dtype), before=self.kernel_size - 1, dilation=self.dilation) + self.bias


def receptive_field(levels: int, kernel_size: int) -> int:
    """Return how many steps a network of two convolutions a level sees."""
    return 1 + 2 * (kernel_size - 1) * (2**levels - 1)


def fewest_levels(length: int, kernel_size: int) -> int:
    """Return the fewest levels that see `length` steps."""
    levels = 1
    while receptive_field(levels, kernel_size) < length:
        levels += 1
    return levels
