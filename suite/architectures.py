"""The table of architectures: one line each; listing them loads no TensorFlow."""

from suite.architecture import Architecture

_STEPWISE = frozenset({"once", "steps", "sequence"})
_WHOLE = frozenset({"once", "steps"})

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
    "elman": Architecture(
        target="suite.layers.elman:Elman", family="Elman", source="Elman 1990", kinds=_STEPWISE, causal=True, carries=True
    ),
    "gru": Architecture(target="suite.layers.gru:GRU", family="GRU", source="Cho et al. 2014", kinds=_STEPWISE, causal=True, carries=True),
    "lstm": Architecture(
        target="suite.layers.lstm:LSTM", family="LSTM", source="Hochreiter & Schmidhuber 1997", kinds=_STEPWISE, causal=True, carries=True
    ),
    "pooled_mlp": Architecture(
        target="suite.layers.pooled:PooledMLP", family="pooled", source="Zaheer et al. 2017", kinds=_WHOLE, causal=True, role="baseline"
    ),
}
