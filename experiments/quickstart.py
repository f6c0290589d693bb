"""Three architectures on three tasks in minutes: the experiment of the README (at most 6 minutes on 2 cores)."""

from optuna.distributions import CategoricalDistribution, FloatDistribution

from suite.experiment import Experiment, Setting
from tasks.adding import Adding
from tasks.charlm import CharLM
from tasks.copying import Copying

EXPERIMENTS = {
    "quickstart": Experiment(
        question="Do gates help? Vanilla RNN, LSTM and GRU at equal size and equal tuning: adding, copying and characters",
        settings=(
            Setting(task=Adding(length=50), label="adding", size=1_220, steps=1_000, batch_size=32, evaluations=5),
            Setting(task=Copying(length=5, delay=20), label="copying", size=2_465, steps=2_000, batch_size=32, evaluations=5),
            Setting(task=CharLM(window=50), label="characters", size=10_000, embedding=16, steps=600, batch_size=32, evaluations=5),
        ),
        architectures=("elman", "lstm", "gru", "pooled_mlp"),
        space={"learning_rate": FloatDistribution(1e-3, 1e-1, log=True), "clip": CategoricalDistribution((1.0,))},
        trials=8,
        seeds=(101, 102, 103, 104, 105),
        schedule="constant",
        warmup=0.0,
    )
}
