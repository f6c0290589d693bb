"""The table of architectures: one line each; listing them loads no TensorFlow."""

from suite.architecture import Architecture

_STEPWISE = frozenset({"once", "steps", "sequence"})

ARCHITECTURES = {
    "elman": Architecture(
        target="suite.layers.elman:Elman", family="Elman", source="Elman 1990", kinds=_STEPWISE, causal=True, carries=True
    ),
    "gru": Architecture(target="suite.layers.gru:GRU", family="GRU", source="Cho et al. 2014", kinds=_STEPWISE, causal=True, carries=True),
    "lstm": Architecture(
        target="suite.layers.lstm:LSTM", family="LSTM", source="Hochreiter & Schmidhuber 1997", kinds=_STEPWISE, causal=True, carries=True
    ),
}
