"""Spans in BIO tags, and the score of those that are found exactly."""

from collections.abc import Sequence

import numpy as np

from suite.task import Array, Batch, Meter, Prediction, Score

Span = tuple[int, int, int]  # first step, step behind the last, type


def checked_bio(tags: Sequence[str]) -> None:
    """Refuse tags other than O, B-type and I-type.

    Raises:
        ValueError: names the first of the others.
    """
    for tag in tags:
        if tag != "O" and not (tag[:2] in ("B-", "I-") and tag[2:]):
            raise ValueError(f"expected O, B-type or I-type, got {tag!r}")


def spans(tags: Sequence[str]) -> set[tuple[int, int, str]]:
    """Return the spans (first step, step behind the last, type) of one sentence.

    A span begins at B, and also at an I that continues no span of its type (the reading of CoNLL-2000's conlleval).
    """
    begins = [tag[0] == "B" for tag in tags]
    inside = [tag != "O" for tag in tags]
    names = {name: number for number, name in enumerate(sorted({tag[2:] for tag in tags}))}
    kinds = [names[tag[2:]] for tag in tags]
    first, last, kind = _spans(np.array([begins]), np.array([inside]), np.array([kinds]))[1:]
    found = dict(zip(names.values(), names, strict=True))
    return {(int(a), int(b), found[int(c)]) for a, b, c in zip(first, last, kind, strict=True)}


class SpanF1:
    """A meter that adds `span_f1` to those of another: 2 * found / (said + there), counted over the whole split.

    A span is found where first step, last step and type agree. Left out where the split holds no span.
    """

    def __init__(self, meter: Meter, tags: Sequence[str]) -> None:
        checked_bio(tags)
        names = sorted({tag[2:] for tag in tags})
        self.meter = meter
        self.begins = np.array([tag[0] == "B" for tag in tags])
        self.inside = np.array([tag != "O" for tag in tags])
        self.kind = np.array([names.index(tag[2:]) for tag in tags])
        self.found = self.said = self.there = 0

    def update(self, batch: Batch, prediction: Prediction) -> None:
        self.meter.update(batch, prediction)
        there, said = self._of(batch.y, batch.weight), self._of(prediction.best, batch.weight)
        self.there += len(there)
        self.said += len(said)
        self.found += len(there & said)

    def result(self) -> dict[str, Score]:
        if not self.there:
            return dict(self.meter.result())
        return {**self.meter.result(), "span_f1": 2 * self.found / (self.said + self.there)}

    def _of(self, ids: Array, weight: Array) -> set[tuple[int, ...]]:
        """Spans of all rows as (row, first, behind the last, type); what weighs nothing is outside."""
        inside = self.inside[ids] & (weight > 0)
        return set(zip(*(part.tolist() for part in _spans(self.begins[ids], inside, self.kind[ids])), strict=True))


def _spans(begins: Array, inside: Array, kind: Array) -> tuple[Array, Array, Array, Array]:
    """Return row, first step, step behind the last, and type of every span of tags (rows, time)."""
    before = np.zeros_like(inside)
    before[:, 1:] = inside[:, :-1] & (kind[:, 1:] == kind[:, :-1])
    starts = inside & (begins | ~before)
    goes_on = np.zeros_like(inside)
    goes_on[:, :-1] = inside[:, 1:] & ~starts[:, 1:]
    row, first = np.nonzero(starts)
    _, last = np.nonzero(inside & ~goes_on)  # the n-th end belongs to the n-th start: spans do not overlap
    return row, first, last + 1, kind[row, first]
