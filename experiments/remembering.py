"""How far back can each architecture remember, at equal size and equal training? Hours on 2 cores: begin with one delay.

Tuned at the geometric mean of the delays or lengths, and the choice is frozen for the others.
"""

from optuna.distributions import CategoricalDistribution, FloatDistribution

from suite.experiment import Experiment, Setting
from tasks.adding import Adding
from tasks.copying import Copying

SPACE = {"learning_rate": FloatDistribution(3e-5, 3e-2, log=True), "clip": CategoricalDistribution((None, 0.1, 0.3, 1.0, 3.0, 10.0))}

EXPERIMENTS = {
    "copying-over-delays": Experiment(
        question="Which architectures repeat 10 symbols after a delay, and after how long a one?",
        settings=tuple(
            Setting(
                task=Copying(delay=delay),
                label=f"delay {delay}",
                size=10_000,
                steps=10_000,
                batch_size=64,
                tuned_as=None if delay == 100 else "delay 100",
            )
            for delay in (50, 100, 200)
        ),
        architectures=("elman", "irnn", "lstm", "lstm_chrono", "gru", "gru_chrono", "pooled_mlp"),
        space=SPACE,
        trials=20,
        finalists=3,
        tuning_seeds=(0, 1, 2),
        seeds=tuple(range(100, 110)),
    ),
    "adding-over-lengths": Experiment(
        question="Over how many steps can each architecture add two marked numbers?",
        settings=tuple(
            Setting(
                task=Adding(length=length, ordered=ordered),
                label=f"{'ordered, ' if ordered else ''}length {length}",
                size=5_000,
                steps=10_000,
                batch_size=64,
                tuned_as=None if length == 200 else f"{'ordered, ' if ordered else ''}length 200",
            )
            for ordered in (False, True)
            for length in (100, 200, 400)
        ),
        architectures=("elman", "irnn", "lstm", "lstm_chrono", "gru", "gru_chrono", "pooled_mlp"),
        space=SPACE,
        trials=20,
        finalists=3,
        tuning_seeds=(0, 1, 2),
        seeds=tuple(range(100, 110)),
    ),
}
