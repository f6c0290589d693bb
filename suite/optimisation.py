"""The update: schedule, clipping and weight decay as values, so that one compiled step serves every trial of a structure."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from suite.task import Array

Tensor = Any

OPTIMIZERS = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop, "sgd": keras.optimizers.SGD}


class Values(NamedTuple):
    """What a trial chooses and a compiled step takes as inputs."""

    learning_rate: float
    clip: float = math.inf  # of the global norm
    dropout: float = 0.0
    weight_decay: float = 0.0  # decoupled: a share of the weight, times the learning rate


def learning_rates(schedule: str, peak: float, steps: int, warmup: float) -> Array:
    """Return the learning rate of every step, float32 (steps,).

    "constant" stays at the peak; "cosine" rises linearly over the share `warmup` of the steps, then falls to 0 as half a
    cosine (Loshchilov & Hutter 2017, arXiv:1608.03983), which the step after the last one would reach.

    Raises:
        ValueError: another schedule.
    """
    if schedule == "constant":
        return np.full(steps, peak, np.float32)
    if schedule != "cosine":
        raise ValueError(f"schedule must be constant or cosine, got {schedule!r}")
    rising = math.ceil(warmup * steps)
    step = np.arange(steps, dtype=np.float64)
    up = (step + 1) / max(rising, 1)
    down = (1 + np.cos(math.pi * (step - rising) / max(steps - rising, 1))) / 2
    return (peak * np.where(step < rising, up, down)).astype(np.float32)


def build(name: str, weights: Sequence[Any]) -> Any:
    """Return Keras's optimiser of this name with its slots made; its learning rate is assigned at every step.

    Raises:
        ValueError: an unknown name.
    """
    if name not in OPTIMIZERS:
        raise ValueError(f"optimizer must be {', '.join(sorted(OPTIMIZERS))}, got {name!r}")
    optimizer = OPTIMIZERS[name](learning_rate=0.0)
    optimizer.build(weights)
    return optimizer


def apply(optimizer: Any, weights: Sequence[Any], gradients: Sequence[Tensor], *, rate: Tensor, clip: Tensor, decay: Tensor) -> Tensor:
    """Update the weights once and return the raw global norm of the gradients, as it was before clipping.

    Decay shrinks matrices only: biases and gains keep their scale (Loshchilov & Hutter 2019, arXiv:1711.05101).
    """
    dense = [tf.zeros_like(w.value) if g is None else tf.convert_to_tensor(g) for w, g in zip(weights, gradients, strict=True)]
    norm = tf.linalg.global_norm(dense)
    scale = tf.where(norm > clip, clip / norm, 1.0)
    optimizer.learning_rate.assign(rate)
    for weight in weights:
        if len(weight.shape) > 1:
            weight.assign(weight * tf.cast(1.0 - rate * decay, weight.dtype))
    optimizer.apply([gradient * tf.cast(scale, gradient.dtype) for gradient in dense], weights)
    return norm
