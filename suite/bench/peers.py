"""The peers: `torch.nn` in its better layout, and a JAX scan; each is imported only where it is installed and timed."""

import importlib.util
from collections.abc import Callable
from typing import Any

from suite.bench.cases import CLASSES, GATES, Case
from suite.bench.process import timed

Step = Callable[[], float]

NEEDS = {"torch.nn": "torch", "jax scan": "jax"}


def installed(peer: str) -> bool:
    """Say whether the package of a peer is here."""
    return peer not in NEEDS or importlib.util.find_spec(NEEDS[peer]) is not None


def torch_nn(case: Case) -> Step:
    """Return a training step of `torch.nn.LSTM`, `GRU` or `RNN`, in the layout that is faster here."""
    steps = [_torch(case, batch_first=batch_first) for batch_first in (False, True)]
    for step in steps:
        step()
    return min(steps, key=lambda step: min(timed(step) for _ in range(3)))


def _torch(case: Case, *, batch_first: bool) -> Step:
    import torch

    from suite.bench.subjects import data

    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    arrays = data(case)
    x, y = (torch.from_numpy(array).to(device) for array in arrays[:2])
    y = y.long()
    options = {"batch_first": batch_first, "bidirectional": case.kind == "bidirectional", "num_layers": 2 if case.kind == "stacked" else 1}
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "elman": torch.nn.RNN}[case.cell]
    layer = kind(case.features, case.units, **options).to(device)
    head = torch.nn.Linear(case.units * (2 if options["bidirectional"] else 1), CLASSES).to(device)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], lr=1e-3)
    if not batch_first:
        x, y = x.transpose(0, 1).contiguous(), y.transpose(0, 1).contiguous()
    given: Any = x
    if arrays[2] is not None:
        lengths = torch.from_numpy(arrays[2].sum(axis=1))
        pack = lambda rows: torch.nn.utils.rnn.pack_padded_sequence(rows, lengths, batch_first=batch_first, enforce_sorted=False)
        given, y = pack(x), pack(y).data

    def train() -> float:
        optimizer.zero_grad(set_to_none=True)
        h, _ = layer(given)
        h = h.data if arrays[2] is not None else h
        loss = torch.nn.functional.cross_entropy(head(h).reshape(-1, CLASSES), y.reshape(-1))
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return train


def jax_scan(case: Case) -> Step:
    """Return a training step of `jax.lax.scan` over the same equations, as one compiled program.

    Raises:
        ValueError: the case is none of a plain layer.
    """
    if case.kind != "plain":
        raise ValueError(f"the JAX scan runs plain layers, got {case.kind!r}")
    import jax
    import jax.numpy as jnp

    from suite.bench.subjects import data

    x, y, _ = data(case)
    time_major = jnp.asarray(x.transpose(1, 0, 2)), jnp.asarray(y.T)
    units, gates = case.units, GATES[case.cell]
    keys = jax.random.split(jax.random.PRNGKey(0), 3)
    draw = lambda key, rows, columns: jax.random.normal(key, (rows, columns)) / rows**0.5
    weights = {
        "W": draw(keys[0], case.features, gates * units),
        "U": draw(keys[1], units, gates * units),
        "b": jnp.zeros(gates * units),
        "d": jnp.zeros(units),
        "V": draw(keys[2], units, CLASSES),
        "c": jnp.zeros(CLASSES),
    }

    def step(weights: Any, states: Any, projected: Any) -> Any:
        h, c = states
        blocks = jnp.split(h @ weights["U"], gates, axis=-1)
        terms = jnp.split(projected, gates, axis=-1)
        if case.cell == "elman":
            h = jnp.tanh(blocks[0] + terms[0])
        elif case.cell == "gru":
            z, r = (jax.nn.sigmoid(blocks[k] + terms[k]) for k in (0, 1))
            h = z * h + (1 - z) * jnp.tanh(terms[2] + r * (blocks[2] + weights["d"]))
        else:
            i, f, o = (jax.nn.sigmoid(blocks[k] + terms[k]) for k in (0, 1, 2))
            c = f * c + i * jnp.tanh(blocks[3] + terms[3])
            h = o * jnp.tanh(c)
        return (h, c), h

    def loss(weights: Any, x: Any, y: Any) -> Any:
        zeros = jnp.zeros((case.batch, units))
        _, h = jax.lax.scan(lambda states, xs: step(weights, states, xs), (zeros, zeros), x @ weights["W"] + weights["b"])
        logits = jax.nn.log_softmax(h @ weights["V"] + weights["c"])
        return -jnp.mean(jnp.take_along_axis(logits, y[:, :, None], axis=-1))

    @jax.jit
    def train(weights: Any, moments: Any, number: Any, x: Any, y: Any) -> Any:
        value, slopes = jax.value_and_grad(loss)(weights, x, y)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], slopes)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], slopes)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**number) / (1 - 0.9**number)
        weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, first, second)
        return value, weights, (first, second)

    held: dict[str, Any] = {"weights": weights, "moments": (jax.tree.map(jnp.zeros_like, weights),) * 2, "number": 0}

    def run() -> float:
        held["number"] += 1
        value, held["weights"], held["moments"] = train(held["weights"], held["moments"], float(held["number"]), *time_major)
        return float(value)

    return run
