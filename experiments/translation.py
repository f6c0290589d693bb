"""Strings into strings: dates of many languages, and captions of pictures from English into German, at a size for a CPU.

`multi30k` needs `suite data get multi30k`. How long either takes was not measured.
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
        question="Must one state hold the sentence? Fixed context against attention at equal size, 5,000 short captions from en to de",
        settings=(
            Setting(
                task=Translation(),
                label="multi30k en-de",
                size=400_000,
                embedding=128,
                space={"dropout": CategoricalDistribution((0.1, 0.3))},
                steps=4_000,
                batch_size=64,
                evaluations=20,
            ),
        ),
        architectures=("elman", "gru", "lstm", "lstm_bahdanau", "lstm_every_step", "lstm_luong", "transformer_seq2seq"),
        space={"learning_rate": FloatDistribution(5e-4, 1e-2, log=True), "clip": CategoricalDistribution((1.0,))},
        trials=6,
        seeds=(101, 102, 103, 104, 105),
    ),
}
