"""The table of architectures: one line each; listing them loads no TensorFlow."""

import functools

from optuna.distributions import CategoricalDistribution

from suite.architecture import Architecture

_recurrent = functools.partial(Architecture, kinds=frozenset({"once", "steps", "sequence"}), causal=True, carries=True)
_WHOLE = frozenset({"once", "steps"})
_CHRONO = CategoricalDistribution(("chrono:10", "chrono:100", "chrono:1000"))  # searched, so that nobody is told the task's length

ARCHITECTURES = {
    "bigru": Architecture(
        target="suite.layers.bidirectional:Bidirectional",
        options={"cell": "suite.layers.gru:GRU"},
        family="bidirectional",
        source="Schuster & Paliwal 1997",
        kinds=_WHOLE,
        causal=False,
    ),
    "bilstm": Architecture(
        target="suite.layers.bidirectional:Bidirectional",
        options={"cell": "suite.layers.lstm:LSTM"},
        family="bidirectional",
        source="Schuster & Paliwal 1997",
        kinds=_WHOLE,
        causal=False,
    ),
    "elman": _recurrent(target="suite.layers.elman:Elman", family="Elman", source="Elman 1990"),
    "elman_relu": _recurrent(target="suite.layers.elman:Elman", options={"activation": "relu"}, family="Elman", source="Elman 1990"),
    "elman_sigmoid": _recurrent(target="suite.layers.elman:Elman", options={"activation": "sigmoid"}, family="Elman", source="Elman 1990"),
    "gru": _recurrent(target="suite.layers.gru:GRU", family="GRU", source="Cho et al. 2014"),
    "gru_chrono": _recurrent(
        target="suite.layers.gru:GRU",
        options={"update_bias": "chrono:100"},
        family="GRU",
        source="Tallec & Ollivier 2018",
        space={"update_bias": _CHRONO},
    ),
    "gru_keras": _recurrent(target="suite.layers.gru:GRU", options={"initialization": "joint"}, family="GRU", source="Cho et al. 2014"),
    "gru_seed003": _recurrent(
        target="suite.layers.gru:GRUChung", options={"candidate_activation": "sigmoid"}, family="GRU", source="Chung et al. 2014"
    ),
    "gru_v1": _recurrent(target="suite.layers.gru:GRUv1", family="GRU", source="Cho et al. 2014"),
    "irnn": _recurrent(
        target="suite.layers.elman:Elman",
        options={"activation": "relu", "initialization": "identity"},
        family="Elman",
        source="Le et al. 2015",
    ),
    "jordan": _recurrent(target="suite.layers.elman:Jordan", family="Elman", source="Jordan 1986"),
    "lstm": _recurrent(target="suite.layers.lstm:LSTM", family="LSTM", source="Hochreiter & Schmidhuber 1997"),
    "lstm_chrono": _recurrent(
        target="suite.layers.lstm:LSTM",
        options={"forget_bias": "chrono:100"},
        family="LSTM",
        source="Tallec & Ollivier 2018",
        space={"forget_bias": _CHRONO},
    ),
    "lstm_keras": _recurrent(
        target="suite.layers.lstm:LSTM", options={"initialization": "joint"}, family="LSTM", source="Hochreiter & Schmidhuber 1997"
    ),
    "lstm_pytorch": _recurrent(
        target="suite.layers.lstm:LSTM",
        options={"initialization": "uniform", "double_bias": True, "forget_bias": 0.0},
        family="LSTM",
        source="Hochreiter & Schmidhuber 1997",
    ),
    "lstm_seed001": _recurrent(
        target="suite.layers.lstm:LSTM", options={"forget_bias": 0.0}, family="LSTM", source="Hochreiter & Schmidhuber 1997"
    ),
    "lstm_seed002": _recurrent(
        target="suite.layers.lstm:LSTM",
        options={"output_activation": "linear", "forget_bias": 0.0},
        family="LSTM",
        source="Hochreiter & Schmidhuber 1997",
    ),
    "lstm_seed003": _recurrent(
        target="suite.layers.lstm:LSTM",
        options={"candidate_activation": "sigmoid", "output_activation": "sigmoid", "forget_bias": 0.0},
        family="LSTM",
        source="Hochreiter & Schmidhuber 1997",
    ),
    "pooled_mlp": Architecture(
        target="suite.layers.pooled:PooledMLP", family="pooled", source="Zaheer et al. 2017", kinds=_WHOLE, causal=True, role="baseline"
    ),
}
