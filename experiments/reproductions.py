"""Checks against print: small trainings whose results were written down before; docs/reproductions.md compares."""

from optuna.distributions import CategoricalDistribution

from suite.experiment import Experiment, Setting
from tasks.adding import Adding
from tasks.parity import Parity

EXPERIMENTS = {
    "reproduce-adding": Experiment(
        question="Which gated units, and which sigmoid forms of them, leave the baseline of adding within 1,500 steps at 12 units?",
        settings=(Setting(task=Adding(length=50), label="adding", size=12, steps=1_500, batch_size=32, evaluations=5),),
        architectures=("lstm_keras", "gru_keras", "gru_seed003", "lstm_seed003_forget1", "elman"),
        space={"learning_rate": CategoricalDistribution((5e-3,)), "clip": CategoricalDistribution((1.0,))},
        regime="width",
        trials=1,
        seeds=(101, 102, 103),
        keep="last",
        schedule="constant",
        warmup=0.0,
    ),
    "reproduce-parity": Experiment(
        question="Who learns parity from words of 1 to 20 steps, and carries it to 100?",
        settings=(Setting(task=Parity(length=20), label="parity", size=64, steps=4_000, batch_size=64, evaluations=8),),
        architectures=("elman", "lstm", "gru", "pooled_mlp"),
        space={"learning_rate": CategoricalDistribution((1e-3,)), "clip": CategoricalDistribution((1.0,))},
        regime="width",
        trials=1,
        seeds=(101, 102, 103),
        keep="last",
        schedule="constant",
        warmup=0.0,
    ),
}
