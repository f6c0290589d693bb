"""Small models, where a step costs less than calling it: the suite takes many steps in one graph call, Keras fits."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution

from suite import optimisation, plugins, training
from suite.bench.cases import Case
from suite.bench.subjects import THEIRS
from suite.chunks import Feed
from suite.experiment import Experiment, Setting
from suite.program import program
from suite.result import Trial
from suite.task import Task

RATE, CLIP = 1e-3, 1.0


def trial(case: Case) -> Trial:
    """Return a trial of this cell, at these units, on the adding problem, which the plug-ins must bring."""
    return of_task(_task(case), case.cell, units=case.units, batch_size=case.batch)


def of_task(task: Task, cell: str, *, units: int, batch_size: int, embedding: int | None = None) -> Trial:
    """Return a trial of one layer of a cell on a task; nobody asks for its score."""
    setting = Setting(task=task, label="bench", size=units, embedding=embedding, steps=1_000, batch_size=batch_size, evaluations=5)
    experiment = Experiment(
        question="How fast is a step?",
        settings=(setting,),
        architectures=(cell,),
        space={"learning_rate": FloatDistribution(1e-4, 1e-1, log=True), "clip": CategoricalDistribution((CLIP,))},
        regime="width",
        trials=1,
        seeds=(1,),
        schedule="constant",
        warmup=0.0,
    )
    return Trial(
        reference="bench",
        experiment=experiment,
        label="bench",
        name=cell,
        architecture=plugins.architecture(cell),
        values={"learning_rate": RATE, "clip": CLIP},
        width=units,
        phase="tuning",
        seed=0,
    )


def many_steps(case: Case) -> Callable[[], float]:
    """Return a call that takes a chunk of training steps as a trial does; making the batches is outside of it."""
    one = trial(case)
    made, values = program(one), training.checked(one)
    made.reset(one, values)
    feed = Feed(_task(case).batches("train", seed=0, batch_size=case.batch), most_steps=case.calls)
    chunks = itertools.cycle([chunk for chunk in (feed.take(case.calls) for _ in range(3)) if chunk is not None])
    rates = optimisation.learning_rates("constant", RATE, case.calls, 0.0)
    return lambda: float(made.train(next(chunks), (), rates, values).losses[-1])


def keras_fit(case: Case) -> Callable[[], float]:
    """Return a call of `fit` over as many batches, on the layer and optimiser of Keras with their defaults."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((case.time, case.features)), THEIRS[case.cell](case.units), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(RATE, global_clipnorm=CLIP), loss="mse")
    x, y = _rows(itertools.islice(_task(case).batches("train", seed=0, batch_size=case.batch), case.calls))
    return lambda: float(model.fit(x, y, batch_size=case.batch, shuffle=False, verbose=0).history["loss"][-1])


def _task(case: Case) -> Task:
    return dataclasses.replace(plugins.task("adding"), length=case.time)


def _rows(batches: Any) -> Sequence[Any]:
    listed = list(batches)
    return np.concatenate([batch.x for batch in listed]), np.concatenate([batch.y for batch in listed])
