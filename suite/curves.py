"""Curves of a running trial: kept for its result, and told to whoever listens as they grow."""

import math

import numpy as np

from suite.result import MOST_POINTS, Curve, Emit, Event, thinned
from suite.task import Array


class Curves:
    """Points by name. Training steps are summed up in at most 64 bins, each told at its last step; an infinity is NaN."""

    def __init__(self, key: str, steps: int, emit: Emit) -> None:
        self.key, self.emit = key, emit
        self.points: dict[str, list[tuple[float, float]]] = {}
        self.ends = [math.ceil(steps * (number + 1) / min(MOST_POINTS, steps)) for number in range(min(MOST_POINTS, steps))]
        self.losses = np.zeros(0)
        self.norms = np.zeros(0)
        self.begun = 0  # the step before the open bin

    def add(self, name: str, step: float, value: float) -> None:
        """Keep a point and tell it."""
        value = float(value) if np.isfinite(value) else float("nan")
        self.points.setdefault(name, []).append((float(step), value))
        self.emit(Event(self.key, name, float(step), value))

    def put(self, name: str, curve: Curve) -> None:
        """Keep a whole curve, thinned to 64 points, and tell it."""
        for x, y in thinned(list(curve)):
            self.add(name, x, y)

    def train(self, losses: Array, norms: Array) -> None:
        """Take the losses and the gradient norms, (steps,), of the steps that followed."""
        self.losses = np.concatenate([self.losses, losses])
        self.norms = np.concatenate([self.norms, norms])
        while self.ends and self.begun + len(self.losses) >= self.ends[0]:
            self._bin(self.ends.pop(0))

    def close(self) -> None:
        """Tell the bin that a trial left open."""
        if len(self.losses):
            self._bin(self.begun + len(self.losses))

    def result(self) -> dict[str, Curve]:
        """Return every curve, at most 64 points each."""
        return {name: thinned(points) for name, points in self.points.items()}

    def _bin(self, end: int) -> None:
        """The mean of the losses, and the median of the norms, whose tail is heavy."""
        count = end - self.begun
        self.add("train/loss", end, float(np.mean(self.losses[:count])))
        self.add("train/gradient_norm", end, float(np.median(self.norms[:count])))
        self.losses, self.norms, self.begun = self.losses[count:], self.norms[count:], end
