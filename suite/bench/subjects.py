"""The subjects on TensorFlow: the suite's layers, the same without a gradient by hand, and `keras.layers`, all in one training step."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from suite.bench.cases import CLASSES, Case
from suite.layers.elman import Elman
from suite.layers.gru import GRU
from suite.layers.lstm import LSTM

Step = Callable[[], float]

OURS: dict[str, type[Any]] = {"elman": Elman, "gru": GRU, "lstm": LSTM}
THEIRS: dict[str, type[Any]] = {"elman": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}


def suite(case: Case) -> Step:
    """Return a training step of the suite's layer."""
    if case.kind == "small":
        from suite.bench import small

        return small.many_steps(case)
    return _step(case, OURS[case.cell])


def step_alone(case: Case) -> Step:
    """Return a training step of the same cell with its gradient derived from `step`, as that of any cell is."""
    cell = OURS[case.cell]
    return _step(case, type(f"{cell.__name__}StepAlone", (cell,), {"pair": lambda self: None}))


def with_probes(case: Case) -> Step:
    """Return a training step of the suite's layer that also gives dL/d(state) of every step."""
    return _step(case, OURS[case.cell], probed=True)


def keras_layers(case: Case) -> Step:
    """Return a training step of Keras's own layer on TensorFlow, compiled as Keras does by default on this device."""
    if case.kind == "small":
        from suite.bench import small

        return small.keras_fit(case)
    return _step(case, THEIRS[case.cell])


def data(case: Case) -> tuple[Any, Any, Any]:
    """Return x (batch, time, features), y (batch, time) and mask (batch, time) or None: the same for every subject."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(case.batch, case.time, case.features)).astype(np.float32)
    y = rng.integers(0, CLASSES, (case.batch, case.time), dtype=np.int32)
    if case.kind != "ragged":
        return x, y, None
    lengths = rng.integers(case.time // 2, case.time + 1, case.batch)
    lengths[0] = case.time
    return x, y, np.arange(case.time) < lengths[:, None]


def _step(case: Case, cell: type[Any], *, probed: bool = False) -> Step:
    if case.kind == "small":
        raise ValueError("small models are timed as the suite trains them and as Keras fits them")
    keras.utils.set_random_seed(0)
    make = lambda: cell(case.units, return_sequences=True)
    layers = [keras.layers.Bidirectional(make())] if case.kind == "bidirectional" else [make()]
    layers += [make()] if case.kind == "stacked" else []
    head = keras.layers.Dense(CLASSES)
    arrays = data(case)
    x, y = tf.constant(arrays[0]), tf.constant(arrays[1])
    mask = None if arrays[2] is None else tf.constant(arrays[2])
    weight = None if mask is None else tf.cast(mask, tf.float32)
    layers[0].build(x.shape)

    def forward(probes: Any) -> Any:
        h = x
        for layer in layers:
            h = layer(h, mask=mask, **({"probes": probes} if probes else {}))
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=head(h))
        return tf.reduce_mean(loss) if weight is None else tf.reduce_sum(loss * weight) / tf.reduce_sum(weight)

    optimizer = keras.optimizers.Adam(1e-3)
    forward([])
    weights = [weight for layer in (*layers, head) for weight in layer.trainable_variables]
    optimizer.build(weights)

    @tf.function(autograph=False)
    def train() -> Any:
        probes = [tf.zeros((case.time, case.batch, case.units)) for _ in layers[0].state_shapes()] if probed else []
        with tf.GradientTape() as tape:
            tape.watch(probes)
            loss = forward(probes)
        slopes, flow = tape.gradient(loss, ([weight.value for weight in weights], probes))
        optimizer.apply(slopes, weights)
        return loss, [tf.norm(d, axis=(1, 2)) for d in flow]

    return lambda: float(train()[0])
