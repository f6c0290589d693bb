"""What somebody else's package looks like: one cell, one task, one experiment, and three tables."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from keras.ops import sigmoid, tanh
from optuna.distributions import FloatDistribution

from suite.architecture import Architecture
from suite.experiment import Experiment, Setting
from suite.recurrence import Cell
from suite.task import Batch, Metric, Spec
from tasks.generated import Generated
from tasks.guesses import Guess, of_values
from tasks.meters import Means, loss


class LeakyUnit(Cell):
    """A unit that keeps a learned share of its state.

    f  = sigmoid(x W_f + h U_f + b_f)
    h' = f * h + (1 - f) * tanh(x W_n + h U_n + b_n)
    """

    gates = ("f", "n")
    states = ("h",)

    def step(self, x, states, recur):
        """Return the next state."""
        (h,) = states
        f, n = recur(h, add=x)
        f = sigmoid(f)
        return (f * h + (1 - f) * tanh(n),)


@dataclass(frozen=True, kw_only=True)
class AcmeFirst(Generated):
    """Say the first number again.

    x: .3 .8 .1 .9    y: .3

    Source: made up for a test.
    """

    name: ClassVar[str] = "acme_first"
    length: int = 8

    @property
    def spec(self):
        """Float features, one target a row."""
        one = self.length
        return Spec(kind="once", loss="squared", inputs=1, outputs=1, tokens=False, length=one, longest=one, lengths=(one,))

    def rows(self, rng, count):
        """Return `count` rows."""
        x = rng.random((count, self.length, 1), dtype=np.float32)
        return Batch(x=x, y=x[:, 0], weight=np.ones(count, np.float32))

    def metrics(self, split):
        """The variance of a uniform number is 1/12."""
        return {"loss": Metric("squared error", "min", {"memoryless": 1 / 12}, 0.0, "variance of U(0,1); the number itself")}

    def meter(self, split):
        """Mean squared error."""
        return Means({"loss": loss})

    def baselines(self):
        """The mean of a uniform number."""
        return {"constant": Guess(lambda batch: of_values(batch.y, np.float32(0.5)))}


ARCHITECTURES = {
    "acme_leaky": Architecture(
        target="acme_sequences:LeakyUnit",
        family="Acme",
        source="made up for a test",
        kinds=frozenset({"once", "steps", "sequence"}),
        causal=True,
        carries=True,
    )
}
TASKS = {"acme_first": AcmeFirst()}
EXPERIMENTS = {
    "acme-question": Experiment(
        question="Does the leaky unit remember the first number?",
        settings=(Setting(task=AcmeFirst(), label="first", size=300, steps=20, batch_size=8, evaluations=2),),
        architectures=("acme_leaky", "elman"),
        space={"learning_rate": FloatDistribution(1e-3, 1e-1, log=True)},
        trials=2,
        seeds=(101, 102),
        schedule="constant",
        warmup=0.0,
    )
}
