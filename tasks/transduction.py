"""Strings of symbols that become other strings: their batches, and how much of a string a free-running model gets right."""

from collections.abc import Mapping, Sequence

import numpy as np

from suite.task import Array, Batch, Prediction

PADDING, START, STOP = 0, 1, 2
SYMBOLS = 3  # id of the first symbol of a vocabulary


def paired(
    sources: Sequence[Sequence[int] | Array],
    targets: Sequence[Sequence[int] | Array],
    *,
    time: int,
    target_time: int,
    extra: Mapping[str, Array] | None = None,
) -> Batch:
    """Return the batch of these strings, x (batch, time) padded on the right, y (batch, target time) with stop behind each target."""
    x, mask = _filled(sources, time, PADDING)
    y, inside = _filled(targets, target_time, STOP)
    weight = np.zeros(y.shape, np.float32)
    weight[:, 0] = 1
    weight[:, 1:] = inside[:, :-1]  # the first stop counts, those that fill the row do not
    target_in = np.concatenate([np.full((len(y), 1), START, np.int32), y[:, :-1]], axis=1)
    return Batch(x=x, y=y, weight=weight, mask=mask, target_in=target_in, extra=extra)


def decoded(strings: Sequence[Sequence[int] | Array], batch: Batch) -> Prediction:
    """Return the prediction that writes these strings, by whatever way of decoding; it has no loss."""
    ids, _ = _filled(strings, 1 + max(map(len, strings), default=0), STOP)
    best = fitted(ids, batch.y.shape[1])
    return Prediction(loss=np.full(batch.y.shape, np.nan), best=best, decoded={"greedy": ids, "beam4": ids})


def fitted(ids: Array, time: int) -> Array:
    """Return the first `time` of the ids (batch, any), filled with stop where they are fewer."""
    lacking = max(0, time - ids.shape[1])
    return np.pad(ids, ((0, 0), (0, lacking)), constant_values=STOP)[:, :time]


def symbols(batch: Batch, prediction: Prediction) -> tuple[Array, Array] | None:
    """Return, for each row, the share of its symbols that greedy decoding puts where they belong; stop is none of them."""
    if prediction.decoded is None or "greedy" not in prediction.decoded:
        return None
    hits = fitted(prediction.decoded["greedy"], batch.y.shape[1]) == batch.y
    inside = batch.y != STOP
    return (hits & inside).sum(axis=1) / inside.sum(axis=1), batch.weight.max(axis=1)


def _filled(strings: Sequence[Sequence[int] | Array], time: int, filler: int) -> tuple[Array, Array]:
    sizes = np.array([len(string) for string in strings])
    mask = np.arange(time) < sizes[:, None]
    ids = np.full(mask.shape, filler, np.int32)
    ids[mask] = np.concatenate([np.asarray(string, np.int32) for string in strings]) if len(strings) else []
    return ids, mask
