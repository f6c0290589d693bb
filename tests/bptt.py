"""Backpropagation through time written out by hand, in numpy float64: what the layers of the suite are held to.

A cell here is two functions of one step: `forward(x, states, U, extra) -> (new states, saved)` and
`backward(saved, d new states, U) -> (d x, d states, d U, d extra)`, where x is the projected input (batch, gates * units).
"""

from typing import NamedTuple

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def blocks(array, count):
    return np.split(array, count, axis=-1)


class Elman:
    gates, states, extra = 1, 1, 0

    @staticmethod
    def forward(x, states, u, extra):
        (h,) = states
        new = np.tanh(x + h @ u)
        return (new,), (h, new)

    @staticmethod
    def backward(saved, d, u):
        h, new = saved
        da = d[0] * (1 - new**2)
        return da, (da @ u.T,), h.T @ da, None


class LSTM:
    gates, states, extra = 4, 2, 0

    @staticmethod
    def forward(x, states, u, extra):
        h, c = states
        a_i, a_f, a_o, a_g = blocks(x + h @ u, 4)
        i, f, o, g = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o), np.tanh(a_g)
        new = f * c + i * g
        return (o * np.tanh(new), new), (h, c, i, f, o, g, new)

    @staticmethod
    def backward(saved, d, u):
        h, c, i, f, o, g, new = saved
        dh, dc = d
        squashed = np.tanh(new)
        dc = dc + dh * o * (1 - squashed**2)
        da = np.concatenate([dc * g * i * (1 - i), dc * c * f * (1 - f), dh * squashed * o * (1 - o), dc * i * (1 - g**2)], axis=-1)
        return da, (da @ u.T, dc * f), h.T @ da, None


class GRU:
    """Reset behind the product; `extra` is the second bias d of all gates, (3 * units,)."""

    gates, states, extra = 3, 1, 1

    @staticmethod
    def forward(x, states, u, extra):
        (h,) = states
        (x_z, x_r, x_n), (m_z, m_r, m_n) = blocks(x, 3), blocks(h @ u + extra, 3)
        z, r = sigmoid(x_z + m_z), sigmoid(x_r + m_r)
        n = np.tanh(x_n + r * m_n)
        return (z * h + (1 - z) * n,), (h, z, r, n, m_n)

    @staticmethod
    def backward(saved, d, u):
        h, z, r, n, m_n = saved
        (dh,) = d
        dn = dh * (1 - z) * (1 - n**2)
        dz = dh * (h - n) * z * (1 - z)
        dr = dn * m_n * r * (1 - r)
        dm = np.concatenate([dz, dr, dn * r], axis=-1)
        return np.concatenate([dz, dr, dn], axis=-1), (dh * z + dm @ u.T,), h.T @ dm, dm.sum(axis=0)


class GRUv1:
    """Reset before the product."""

    gates, states, extra = 3, 1, 0

    @staticmethod
    def forward(x, states, u, extra):
        (h,) = states
        (x_z, x_r, x_n), (u_z, u_r, u_n) = blocks(x, 3), blocks(u, 3)
        z, r = sigmoid(x_z + h @ u_z), sigmoid(x_r + h @ u_r)
        n = np.tanh(x_n + (r * h) @ u_n)
        return (z * h + (1 - z) * n,), (h, z, r, n)

    @staticmethod
    def backward(saved, d, u):
        h, z, r, n = saved
        (dh,) = d
        u_z, u_r, u_n = blocks(u, 3)
        dn = dh * (1 - z) * (1 - n**2)
        reset = dn @ u_n.T
        dz, dr = dh * (h - n) * z * (1 - z), reset * h * r * (1 - r)
        dprevious = dh * z + reset * r + dz @ u_z.T + dr @ u_r.T
        return np.concatenate([dz, dr, dn], axis=-1), (dprevious,), np.concatenate([h.T @ dz, h.T @ dr, (r * h).T @ dn], axis=-1), None


CELLS = {"Elman": Elman, "LSTM": LSTM, "GRU": GRU, "GRUv1": GRUv1}


class Gradients(NamedTuple):
    """Of the loss, for everything that a layer reads; `states` is dL/d(state after step t), over every path."""

    x: np.ndarray
    kernel: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray
    initial: tuple[np.ndarray, ...]
    states: tuple[np.ndarray, ...]  # (time, batch, units) each


def run(cell, x, weights, initial, mask=None):
    """Return the outputs (batch, time, units), the final states, and what was saved of every step; x: (batch, time, features)."""
    kernel, u, bias = weights
    projected = x @ kernel + (bias[0] if cell.extra else bias)
    states, outputs, saved = initial, [], []
    for t in range(x.shape[1]):
        new, kept = cell.forward(projected[:, t], states, u, bias[1] if cell.extra else None)
        valid = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        states = tuple(np.where(valid, after, before) for after, before in zip(new, states, strict=True))
        outputs.append(states[0])
        saved.append((kept, valid))
    return np.stack(outputs, axis=1), states, saved


def gradients(cell, x, weights, initial, d_outputs, d_final, mask=None):
    """Return the gradients of sum(outputs * d_outputs) + sum(final states * d_final)."""
    kernel, u, _ = weights
    _, _, saved = run(cell, x, weights, initial, mask)
    time = x.shape[1]
    d_states = [np.array(d) for d in d_final]
    d_projected = np.zeros((*x.shape[:2], kernel.shape[1]))
    d_u, d_extra = np.zeros_like(u), np.zeros(kernel.shape[1])
    totals = [np.zeros((time, *d.shape)) for d in d_states]
    for t in reversed(range(time)):
        d_states[0] = d_states[0] + d_outputs[:, t]
        for total, d in zip(totals, d_states, strict=True):
            total[t] = d
        kept, valid = saved[t]
        d_x, d_before, d_product, d_second = cell.backward(kept, [np.where(valid, d, 0) for d in d_states], u)
        d_projected[:, t] = d_x
        d_u += d_product
        if d_second is not None:
            d_extra += d_second
        d_states = [before + np.where(valid, 0, d) for before, d in zip(d_before, d_states, strict=True)]
    d_bias = d_projected.sum(axis=(0, 1))
    return Gradients(
        x=d_projected @ kernel.T,
        kernel=np.einsum("btf,btg->fg", x, d_projected),
        recurrent=d_u,
        bias=np.stack([d_bias, d_extra]) if cell.extra else d_bias,
        initial=tuple(d_states),
        states=tuple(totals),
    )
