"""The table of architectures: one line each; listing them loads no TensorFlow."""

import functools
from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution

from suite.architecture import Architecture, Option

_CHRONO = CategoricalDistribution(("chrono:10", "chrono:100", "chrono:1000"))  # searched, so that nobody is told the task's length


def _layer(target: str, family: str, source: str, /, space: Mapping[str, BaseDistribution] | None = None, **given: Any) -> Architecture:
    """Return an architecture of `suite.layers`; what is no field of Architecture is an option of its layer."""
    fields = {name: value for name, value in given.items() if name in Architecture.__dataclass_fields__}
    options: dict[str, Option] = {name: value for name, value in given.items() if name not in fields}
    return Architecture(target=f"suite.layers.{target}", family=family, source=source, options=options, space=space or {}, **fields)


_cell = functools.partial(_layer, kinds=frozenset({"once", "steps", "sequence"}), causal=True, carries=True)
_both = functools.partial(_layer, kinds=frozenset({"once", "steps"}), causal=False)
_wired = functools.partial(_cell, kinds=frozenset({"sequence"}))  # what its wiring adds, only an encoder-decoder has
_order_free = functools.partial(_layer, kinds=frozenset({"once", "steps"}), causal=True, role="baseline")

ARCHITECTURES: dict[str, Architecture] = {
    "bigru": _both("bidirectional:Bidirectional", "bidirectional", "Schuster & Paliwal 1997", cell="suite.layers.gru:GRU"),
    "bilstm": _both("bidirectional:Bidirectional", "bidirectional", "Schuster & Paliwal 1997", cell="suite.layers.lstm:LSTM"),
    "elman": _cell("elman:Elman", "Elman", "Elman 1990"),
    "elman_bahdanau": _wired("elman:Elman", "Elman", "Bahdanau et al. 2015", wiring={"attention": "bahdanau"}),
    "elman_every_step": _wired("elman:Elman", "Elman", "Cho et al. 2014", wiring={"context": "every_step"}),
    "elman_relu": _cell("elman:Elman", "Elman", "Elman 1990", activation="relu"),
    "elman_sigmoid": _cell("elman:Elman", "Elman", "Elman 1990", activation="sigmoid"),
    "gru": _cell("gru:GRU", "GRU", "Cho et al. 2014"),
    "gru_bahdanau": _wired("gru:GRU", "GRU", "Bahdanau et al. 2015", wiring={"attention": "bahdanau"}),
    "gru_chrono": _cell("gru:GRU", "GRU", "Tallec & Ollivier 2018", space={"update_bias": _CHRONO}, update_bias="chrono:100"),
    "gru_every_step": _wired("gru:GRU", "GRU", "Cho et al. 2014", wiring={"context": "every_step"}),
    "gru_keras": _cell("gru:GRU", "GRU", "Cho et al. 2014", initialization="joint"),
    "gru_luong": _wired("gru:GRU", "GRU", "Luong et al. 2015", wiring={"attention": "luong_general"}),
    "gru_seed003": _cell("gru:GRUChung", "GRU", "Chung et al. 2014", candidate_activation="sigmoid"),
    "gru_v1": _cell("gru:GRUv1", "GRU", "Cho et al. 2014"),
    "irnn": _cell("elman:Elman", "Elman", "Le et al. 2015", activation="relu", initialization="identity"),
    "jordan": _cell("elman:Jordan", "Elman", "Jordan 1986"),
    "lstm": _cell("lstm:LSTM", "LSTM", "Hochreiter & Schmidhuber 1997"),
    "lstm_bahdanau": _wired("lstm:LSTM", "LSTM", "Bahdanau et al. 2015", wiring={"attention": "bahdanau"}),
    "lstm_chrono": _cell("lstm:LSTM", "LSTM", "Tallec & Ollivier 2018", space={"forget_bias": _CHRONO}, forget_bias="chrono:100"),
    "lstm_context_both": _wired("lstm:LSTM", "LSTM", "Cho et al. 2014", wiring={"context": "both"}),
    "lstm_every_step": _wired("lstm:LSTM", "LSTM", "Cho et al. 2014", wiring={"context": "every_step"}),
    "lstm_keras": _cell("lstm:LSTM", "LSTM", "Hochreiter & Schmidhuber 1997", initialization="joint"),
    "lstm_luong": _wired("lstm:LSTM", "LSTM", "Luong et al. 2015", wiring={"attention": "luong_general"}),
    "lstm_luong_concat": _wired("lstm:LSTM", "LSTM", "Luong et al. 2015", wiring={"attention": "luong_concat"}),
    "lstm_luong_dot": _wired("lstm:LSTM", "LSTM", "Luong et al. 2015", wiring={"attention": "luong_dot"}),
    "lstm_luong_feeding": _wired("lstm:LSTM", "LSTM", "Luong et al. 2015", wiring={"attention": "luong_feeding"}),
    "lstm_pytorch": _cell(
        "lstm:LSTM", "LSTM", "Hochreiter & Schmidhuber 1997", initialization="uniform", double_bias=True, forget_bias=0.0
    ),
    "lstm_seed001": _cell("lstm:LSTM", "LSTM", "Hochreiter & Schmidhuber 1997", forget_bias=0.0),
    "lstm_seed002": _cell("lstm:LSTM", "LSTM", "Hochreiter & Schmidhuber 1997", output_activation="linear", forget_bias=0.0),
    "lstm_seed003": _cell(
        "lstm:LSTM",
        "LSTM",
        "Hochreiter & Schmidhuber 1997",
        candidate_activation="sigmoid",
        output_activation="sigmoid",
        forget_bias=0.0,
    ),
    "pooled_mlp": _order_free("pooled:PooledMLP", "pooled", "Zaheer et al. 2017"),
}
