"""Every architecture learns: a short training takes its loss well below what knowing the frequencies alone gives."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.test_architecture_contract import ARCHITECTURES, OUTPUTS, STEPS, SYMBOLS, TIME, made, more

ROWS, UPDATES = 32, 200
HELD = {"cornn": 10}  # steps that a symbol lasts: its oscillators hardly move in six steps of .05
ONE = STEPS + [pytest.param(name, min(one.kinds), id=name) for name, one in ARCHITECTURES.items() if "steps" not in one.kinds]


def batch(kind, rng):
    """Rows of symbols. Steps: has the first symbol of the alphabet been there yet? Else: was it there at all, said once or three times."""
    x = rng.integers(0, SYMBOLS, (ROWS, TIME), dtype=np.int32)
    x[: ROWS // 3] = rng.integers(1, SYMBOLS, (ROWS // 3, TIME))  # or nearly every row would hold it
    seen = np.maximum.accumulate(x == 0, axis=1).astype(np.int32)
    y = {"steps": seen, "once": seen[:, -1], "sequence": np.repeat(seen[:, -1:], 3, axis=1)}[kind]
    return tf.constant(x), tf.constant(y)


def entropy(y):
    """The loss of a guess that knows how often each answer is right, in nats."""
    shares = np.bincount(np.ravel(y), minlength=OUTPUTS) / np.size(y)
    return -sum(share * np.log(share) for share in shares if share > 0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), ONE)
def test_it_learns_what_has_been_there(name, kind):
    rng = np.random.default_rng(5)
    model, optimizer = made(name, kind, times=2), keras.optimizers.Adam(1e-2)
    weights = model.trainable_weights
    optimizer.build(weights)
    start = tf.zeros((ROWS, 3), tf.int32)
    given = {"target_in": start} if more(kind) else {}  # what was said before helps nobody

    @tf.function(autograph=False)
    def update(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=model(x, training=True, **given)))
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, [weight.value for weight in weights]), 1.0)
        optimizer.apply(gradients, weights)
        return loss

    losses, answers = [], []
    for _ in range(UPDATES):
        x, y = (tf.repeat(one, HELD.get(name, 1), axis=1) if kind == "steps" else one for one in batch(kind, rng))
        losses.append(float(update(x, y)))
        answers.append(y)
    assert np.mean(losses[-20:]) < 0.8 * entropy(np.stack(answers))
