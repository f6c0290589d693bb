"""Small, real Keras layers of every kind of architecture: the contract of an architecture by example."""

import keras
from keras import ops

from suite.architecture import Architecture


@keras.saving.register_keras_serializable("fakes")
class StockLSTM(keras.layers.LSTM):
    """Keras's own LSTM behind the contract: what a third party might bring; it carries a state and has no probes."""

    def __init__(self, units, *, length=None, **options):
        super().__init__(units, **options)

    def state_shapes(self):
        return (self.units,), (self.units,)


@keras.saving.register_keras_serializable("fakes")
class StockGRU(keras.layers.GRU):
    """Keras's own GRU: one state."""

    def __init__(self, units, *, length=None, **options):
        super().__init__(units, **options)

    def state_shapes(self):
        return ((self.units,),)


@keras.saving.register_keras_serializable("fakes")
class CausalConvolution(keras.layers.Layer):
    """y_t = relu(W [x_(t-2), x_(t-1), x_t] + b): reads the whole sequence at once, never the future, carries nothing."""

    def __init__(self, units, *, length=None, **options):
        super().__init__(**options)
        if units < 1:
            raise ValueError(f"units must be at least 1, got {units}")
        self.units = units
        self.convolution = keras.layers.Conv1D(units, 3, padding="causal", activation="relu")

    def build(self, x_shape):
        self.convolution.build(x_shape)
        self.built = True

    def call(self, x, mask=None, training=False):
        return self.convolution(x if mask is None else ops.where(mask[:, :, None], x, 0))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class GatedBlock(keras.layers.Layer):
    """y_t = x_t + W_2 (relu(x_t W_1)): two heads, a second width, no position beyond the training length."""

    def __init__(self, units, *, length, inner=None, heads=2, **options):
        super().__init__(**options)
        if units < 1 or units % heads:
            raise ValueError(f"units must be a positive multiple of {heads}, got {units}")
        self.units, self.length = units, length
        self.enter = keras.layers.Dense(units)
        self.wide = keras.layers.Dense(4 * units if inner is None else inner, activation="relu")
        self.narrow = keras.layers.Dense(units)

    def build(self, x_shape):
        self.position = self.add_weight(name="position", shape=(self.length, self.units))
        self.enter.build(x_shape)
        self.wide.build((*x_shape[:-1], self.units))
        self.narrow.build((*x_shape[:-1], self.wide.units))
        self.built = True

    def call(self, x, mask=None, training=False):
        x = self.enter(x) + self.position[: x.shape[1]]
        return x + self.narrow(self.wide(x))

    def flops(self, time):
        widths = self.enter.kernel, self.wide.kernel, self.narrow.kernel
        return float(sum(2 * kernel.shape[0] * kernel.shape[1] for kernel in widths))


class Glance(keras.layers.Layer):
    """An encoder-decoder by itself: the mean of the source, then a GRU over [y_(t-1); mean]."""

    def __init__(self, units, *, length=None, depth=1, **options):
        super().__init__(**options)
        if units < 1:
            raise ValueError(f"units must be at least 1, got {units}")
        self.enter = keras.layers.Dense(units, activation="tanh")
        self.cell = keras.layers.GRU(units, return_sequences=True, return_state=True)
        self.built = True

    def call(self, x, target, mask=None, training=False):
        state, mean = self.start(x, mask)
        y, _ = self.cell(self._beside(target, mean), initial_state=[state])
        return y

    def start(self, x, mask=None):
        weight = ops.ones(ops.shape(x)[:2], x.dtype) if mask is None else ops.cast(mask, x.dtype)
        mean = ops.sum(self.enter(x) * weight[:, :, None], axis=1) / ops.sum(weight, axis=1)[:, None]
        return ops.zeros_like(mean), mean

    def next(self, y, state):
        before, mean = state
        y, after = self.cell(self._beside(y[:, None], mean), initial_state=[before])
        return y[:, 0], (after, mean)

    def _beside(self, y, mean):
        return ops.concatenate([y, ops.repeat(mean[:, None], ops.shape(y)[1], axis=1)], axis=-1)


_ALL = frozenset({"once", "steps", "sequence"})

ARCHITECTURES = {
    "fake-both-ways": Architecture(
        target="suite.layers.bidirectional:Bidirectional",
        options={"cell": "tests.fake_architectures:StockGRU"},
        family="test",
        source="tests",
        kinds=frozenset({"once", "steps"}),
        causal=False,
    ),
    "fake-convolution": Architecture(
        target="tests.fake_architectures:CausalConvolution", family="test", source="tests", kinds=frozenset({"once", "steps"}), causal=True
    ),
    "fake-gated": Architecture(
        target="tests.fake_architectures:GatedBlock",
        family="test",
        source="tests",
        kinds=frozenset({"once", "steps"}),
        causal=True,
        extends=False,
        multiple=2,
        inner=True,
    ),
    "fake-glance": Architecture(
        target="tests.fake_architectures:Glance", family="test", source="tests", kinds=frozenset({"sequence"}), causal=False
    ),
    "fake-gru": Architecture(
        target="tests.fake_architectures:StockGRU", family="test", source="tests", kinds=_ALL, causal=True, carries=True
    ),
    "fake-lstm": Architecture(
        target="tests.fake_architectures:StockLSTM", family="test", source="tests", kinds=_ALL, causal=True, carries=True
    ),
}
