"""Strings into strings: dates of many languages, and captions of pictures from English into German, at a size for a CPU.

`multi30k` needs `suite data get multi30k`. On one core: about four minutes for the dates, half an hour for Multi30k.
"""

from optuna.distributions import CategoricalDistribution, FloatDistribution

from suite.experiment import Experiment, Setting
from tasks.dates import Dates
from tasks.translation import Translation

EXPERIMENTS = {
    "dates": Experiment(
        question="Which recurrent encoder-decoders learn to read dates as people write them? Elman, LSTM and GRU at equal size",
        settings=(
            Setting(
                task=Dates(locales=("de", "en_US", "es", "fr"), validation_rows=500, test_rows=1_000),
                label="dates",
                size=30_000,
                embedding=24,
                steps=1_200,
                batch_size=32,
                evaluations=6,
            ),
        ),
        architectures=("elman", "gru", "lstm"),
        space={"learning_rate": FloatDistribution(1e-3, 3e-2, log=True), "clip": CategoricalDistribution((1.0,))},
        trials=3,
        seeds=(101, 102, 103),
    ),
    "multi30k": Experiment(
        question="Must one state hold the sentence? Fixed context against attention at equal size: captions of at most 12 words, en to de",
        settings=(
            Setting(
                task=Translation(pairs=None, most_words=12, vocabulary=1_000),
                label="multi30k en-de",
                size=300_000,
                embedding=96,
                space={"dropout": CategoricalDistribution((0.1,))},
                steps=1_000,
                batch_size=64,
                evaluations=5,
            ),
        ),
        architectures=("lstm", "lstm_luong", "lstm_every_step"),
        space={"learning_rate": FloatDistribution(2e-3, 8e-3, log=True), "clip": CategoricalDistribution((1.0,))},
        trials=2,
        seeds=(101, 102, 103),
    ),
}
