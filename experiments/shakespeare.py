"""Characters of tiny Shakespeare: vanilla RNN, LSTM and GRU at one size, beside n-grams; `suite data get tinyshakespeare` first."""

from optuna.distributions import CategoricalDistribution, FloatDistribution

from suite.experiment import Experiment, Setting
from tasks.charlm import CharLM

EXPERIMENTS = {
    "shakespeare": Experiment(
        question="Which architecture predicts Shakespeare's next character best at 100,000 parameters, and better than a 5-gram?",
        settings=(
            Setting(
                task=CharLM(corpus="tinyshakespeare", window=128),
                label="tiny Shakespeare",
                size=100_000,
                embedding=32,
                space={"dropout": FloatDistribution(0.0, 0.4)},
                steps=10_000,
                batch_size=64,
            ),
        ),
        architectures=("elman", "lstm", "gru", "pooled_mlp"),
        space={"learning_rate": FloatDistribution(3e-5, 3e-2, log=True), "clip": CategoricalDistribution((None, 0.1, 0.3, 1.0, 3.0, 10.0))},
        trials=20,
        finalists=3,
        tuning_seeds=(0, 1, 2),
        seeds=tuple(range(100, 110)),
    )
}
