"""The equations of attention in numpy float64, read from a layer's weights."""

import numpy as np


def dense(x, layer):
    return x @ layer.kernel.numpy().astype(np.float64) + layer.bias.numpy()


def normed(x, layer):
    deviation = np.sqrt(((x - x.mean(-1, keepdims=True)) ** 2).mean(-1, keepdims=True) + 1e-5)
    return (x - x.mean(-1, keepdims=True)) / deviation * layer.gamma.numpy() + layer.beta.numpy()


def turned(x, place):
    """Pairs as complex numbers, times exp(i p w_j); x: (time, heads, width)."""
    half = x.shape[-1] // 2
    angle = np.asarray(place)[:, None, None] * 10_000.0 ** (-2 * np.arange(half) / x.shape[-1])
    pairs = (x[..., :half] + 1j * x[..., half:]) * np.exp(1j * angle)
    return np.concatenate([pairs.real, pairs.imag], axis=-1)


def attended(x, other, layer, seen, place):
    """One row: x (time, units), other (other time, units), seen (time, other time)."""
    apart = lambda y: y.reshape(len(y), layer.heads, -1)
    q, k, v = apart(dense(x, layer.query)), apart(dense(other, layer.key)), apart(dense(other, layer.value))
    if layer.rotary:
        q, k = turned(q, place), turned(k, place)
    mixed = np.zeros(q.shape)
    for head in range(layer.heads):
        for t in range(len(x)):
            score = k[seen[t], head] @ q[t, head] / np.sqrt(q.shape[-1])
            weight = np.exp(score - score.max())
            mixed[t, head] = weight / weight.sum() @ v[seen[t], head]
    return dense(mixed.reshape(x.shape), layer.out)


def through(x, block, seen, place, other=None):
    """One row through a block; `other` is what a cross attention reads."""
    y = normed(x, block.norms[0])
    x = x + attended(y, y, block.attention, seen, place)
    if other is not None:
        x = x + attended(normed(x, block.norms[1]), other, block.cross, np.ones((len(x), len(other)), bool), None)
    return x + dense(np.maximum(dense(normed(x, block.norms[-1]), block.feed.wide), 0), block.feed.narrow)


def entered(x, entry):
    units, place = entry.units, np.arange(len(x))
    x = np.sqrt(units) * dense(x.astype(np.float64), entry.enter)
    if entry.position == "sinusoidal":
        angle = place[:, None] / 10_000.0 ** (2 * np.arange(units // 2) / units)
        return x + np.concatenate([np.sin(angle), np.cos(angle)], axis=-1)
    if entry.position == "learned":
        return x + np.sqrt(units) * entry.table.numpy()[place]
    return x


def causal(time, window=None):
    lag = np.arange(time)[:, None] - np.arange(time)
    return (lag >= 0) & (lag < (window or time))


def whole(x, layer, seen):
    """One row through a Transformer layer that is the first and the last."""
    return normed(through(entered(x, layer.entry), layer.block, seen, np.arange(len(x))), layer.norm)
