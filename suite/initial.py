"""Building under a seed and a precision: every layer's initial weights follow from one integer, and nothing global changes."""

import contextlib
import random
from collections.abc import Iterator

import keras
import numpy as np
from keras.src.backend.common import global_state  # Keras has no public way to set its global seed generator aside
from keras.src.random import seed_generator  # nor the source of the seeds that its initialisers take

from suite import seeding

_GENERATOR = "global_seed_generator"


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let everything that draws without a seed of its own draw from this one; afterwards every global state is as before.

    An initialiser of Keras that was given no seed takes one from Python's `random` when it is made: it is handed a source of
    its own, since threads of a worker draw from the global one at any moment. Layers of third parties may draw from
    Python's, from numpy's or from Keras's global generator.
    """
    python, legacy, source = random.getstate(), np.random.get_state(), seed_generator.python_random  # noqa: NPY002
    generator = global_state.get_global_attribute(_GENERATOR)
    random.seed(seeding.seed("initial weights", seed))
    seed_generator.python_random = random.Random(seeding.seed("initial weights", seed))
    np.random.seed(seeding.seed("initial weights", "numpy", seed) % 2**32)  # noqa: NPY002
    global_state.set_global_attribute(_GENERATOR, keras.random.SeedGenerator(seed_generator.python_random.randint(1, 10**9)))
    try:
        yield
    finally:
        random.setstate(python)
        seed_generator.python_random = source
        np.random.set_state(legacy)  # noqa: NPY002
        global_state.set_global_attribute(_GENERATOR, generator)


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Give every layer that is made inside this dtype policy: `float32`, `mixed_bfloat16` or `mixed_float16`."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
