"""The table of architectures: one line each; listing them loads no TensorFlow."""

import functools
from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from suite.architecture import Architecture, Option

_CHRONO = CategoricalDistribution(("chrono:10", "chrono:100", "chrono:1000"))  # searched, so that nobody is told the task's length
_EULER = {"epsilon": CategoricalDistribution((0.01, 0.1, 1.0)), "gamma": CategoricalDistribution((0.001, 0.01, 0.1))}
_OSCILLATION = {"dt": FloatDistribution(1e-2, 1e-1, log=True), "epsilon": FloatDistribution(1.0, 10.0, log=True)}
_RESERVOIR = {"radius": CategoricalDistribution((0.9, 0.95, 0.99, 1.1)), "leak": CategoricalDistribution((0.1, 0.3, 1.0))}
_ROTATIONS = {"initialization": CategoricalDistribution(("henaff", "cayley"))}


def _layer(target: str, family: str, source: str, /, space: Mapping[str, BaseDistribution] | None = None, **given: Any) -> Architecture:
    """Return an architecture of `suite.layers`; what is no field of Architecture is an option of its layer."""
    fields = {name: value for name, value in given.items() if name in Architecture.__dataclass_fields__}
    options: dict[str, Option] = {name: value for name, value in given.items() if name not in fields}
    return Architecture(target=f"suite.layers.{target}", family=family, source=source, options=options, space=space or {}, **fields)


_cell = functools.partial(_layer, kinds=frozenset({"once", "steps", "sequence"}), causal=True, carries=True)
_memory = functools.partial(_cell, wiring={"context": "both"})  # its output is no state: read by a decoder all the same
_both = functools.partial(_layer, kinds=frozenset({"once", "steps"}), causal=False)
_once = functools.partial(_cell, kinds=frozenset({"once"}))
_past = functools.partial(_layer, kinds=frozenset({"once", "steps"}), causal=True)
_hybrid = functools.partial(_past, "hybrid:Hybrid", "hybrid", "Merity 2019", multiple=8, inner=True)
_attention = functools.partial(_layer, "transformer:Transformer", "Transformer", kinds=frozenset({"once", "steps"}), multiple=8, inner=True)
_encoder = functools.partial(_attention, causal=False, wiring={"head": "mean"})
_decoder = functools.partial(_attention, causal=True, future=False)
_translator = functools.partial(
    _layer,
    "encoder_decoder_transformer:EncoderDecoderTransformer",
    "Transformer",
    kinds=frozenset({"sequence"}),
    causal=False,
    multiple=8,
    inner=True,
)
_baseline = functools.partial(_past, role="baseline")
_wired = functools.partial(_cell, kinds=frozenset({"sequence"}))  # what its wiring adds, only an encoder-decoder has

ARCHITECTURES: dict[str, Architecture] = {
    "antisymmetric": _cell("antisymmetric:Antisymmetric", "antisymmetric", "Chang et al. 2019", space=_EULER, epsilon=0.1, gamma=0.01),
    "antisymmetric_gated": _cell(
        "antisymmetric:GatedAntisymmetric", "antisymmetric", "Chang et al. 2019", space=_EULER, epsilon=0.1, gamma=0.01
    ),
    "bag_of_words": _baseline("bag:BagOfWords", "bag of words", "Joulin et al. 2017"),
    "bigru": _both("bidirectional:Bidirectional", "bidirectional", "Schuster & Paliwal 1997", cell="suite.layers.gru:GRU"),
    "bilstm": _both("bidirectional:Bidirectional", "bidirectional", "Schuster & Paliwal 1997", cell="suite.layers.lstm:LSTM"),
    "clockwork": _cell("clockwork:Clockwork", "clockwork", "Koutnik et al. 2014", multiple=8, groups=8),
    "cornn": _cell("oscillators:CoRNN", "oscillators", "Rusch & Mishra 2021", space=_OSCILLATION, dt=0.042, epsilon=4.7),
    "deep_averaging": _baseline("bag:DeepAveraging", "bag of words", "Iyyer et al. 2015"),
    "delta_net": _memory("delta_net:DeltaNet", "DeltaNet", "Yang et al. 2024", multiple=4),
    "delta_net_negative": _memory("delta_net:DeltaNet", "DeltaNet", "Grazzi et al. 2024", multiple=4, negative=True),
    "echo_state": _cell("reservoir:EchoState", "reservoir", "Jaeger 2001", role="baseline", space=_RESERVOIR, radius=0.95, leak=1.0),
    "elman": _cell("elman:Elman", "Elman", "Elman 1990"),
    "elman_bahdanau": _wired("elman:Elman", "Elman", "Bahdanau et al. 2015", wiring={"attention": "bahdanau"}),
    "elman_diagonal": _cell("elman:Elman", "Elman", "Li et al. 2018", recurrent="diagonal"),
    "elman_every_step": _wired("elman:Elman", "Elman", "Cho et al. 2014", wiring={"context": "every_step"}),
    "elman_glorot": _cell("elman:Elman", "Elman", "Elman 1990", initialization="glorot"),
    "elman_linear": _cell("elman:Elman", "Elman", "Elman 1990", activation="linear"),
    "elman_relu": _cell("elman:Elman", "Elman", "Elman 1990", activation="relu"),
    "elman_scalar": _cell("elman:Elman", "Elman", "Elman 1990", recurrent="scalar"),
    "elman_sigmoid": _cell("elman:Elman", "Elman", "Elman 1990", activation="sigmoid"),
    "exprnn": _cell("orthogonal:ExpRNN", "orthogonal", "Lezcano-Casado & Martinez-Rubio 2019", space=_ROTATIONS, initialization="henaff"),
    "greff_cifg": _cell("peephole:CoupledPeephole", "LSTM", "Greff et al. 2015"),
    "greff_fgr": _cell("peephole:FullGateRecurrence", "LSTM", "Greff et al. 2015"),
    "greff_nfg": _cell("peephole:NoForgetGate", "LSTM", "Greff et al. 2015"),
    "greff_niaf": _cell("peephole:Peephole", "LSTM", "Greff et al. 2015", candidate_activation="linear"),
    "greff_nig": _cell("peephole:NoInputGate", "LSTM", "Greff et al. 2015"),
    "greff_noaf": _cell("peephole:Peephole", "LSTM", "Greff et al. 2015", output_activation="linear"),
    "greff_nog": _cell("peephole:NoOutputGate", "LSTM", "Greff et al. 2015"),
    "greff_np": _cell("lstm:LSTM", "LSTM", "Greff et al. 2015"),
    "greff_v": _cell("peephole:Peephole", "LSTM", "Greff et al. 2015"),
    "gru": _cell("gru:GRU", "GRU", "Cho et al. 2014"),
    "gru_bahdanau": _wired("gru:GRU", "GRU", "Bahdanau et al. 2015", wiring={"attention": "bahdanau"}),
    "gru_bias1": _cell("gru:GRU", "GRU", "Cho et al. 2014", update_bias=1.0),
    "gru_chrono": _cell("gru:GRU", "GRU", "Tallec & Ollivier 2018", space={"update_bias": _CHRONO}, update_bias="chrono:100"),
    "gru_every_step": _wired("gru:GRU", "GRU", "Cho et al. 2014", wiring={"context": "every_step"}),
    "gru_keras": _cell("gru:GRU", "GRU", "Cho et al. 2014", initialization="joint"),
    "gru_luong": _wired("gru:GRU", "GRU", "Luong et al. 2015", wiring={"attention": "luong_general"}),
    "gru_nfg": _cell("gru_relatives:AddingGRU", "GRU", "Chung et al. 2014"),
    "gru_pytorch": _cell("gru:GRU", "GRU", "Cho et al. 2014", initialization="uniform"),
    "gru_seed003": _cell("gru:GRUChung", "GRU", "Chung et al. 2014", candidate_activation="sigmoid"),
    "gru_v1": _cell("gru:GRUv1", "GRU", "Cho et al. 2014"),
    "hybrid": _hybrid(),
    "hybrid_gru": _hybrid(cell="suite.layers.gru:GRU"),
    "indrnn": _cell("elman:Elman", "Elman", "Li et al. 2018", activation="relu", recurrent="diagonal"),
    "irnn": _cell("elman:Elman", "Elman", "Le et al. 2015", activation="relu", initialization="identity"),
    "janet": _cell("lstm_relatives:JANET", "LSTM", "van der Westhuizen & Lasenby 2018"),
    "janet_chrono": _cell(
        "lstm_relatives:JANET", "LSTM", "van der Westhuizen & Lasenby 2018", space={"forget_bias": _CHRONO}, forget_bias="chrono:100"
    ),
    "jordan": _cell("elman:Jordan", "Elman", "Jordan 1986"),
    "kim_cnn": _layer(
        "convolution:Convolution", "convolution", "Kim 2014", kinds=frozenset({"once"}), causal=False, wiring={"head": "max"}
    ),
    "ligru": _cell("gru_relatives:LiGRU", "GRU", "Ravanelli et al. 2018"),
    "linear_attention": _memory("linear_attention:LinearAttention", "linear attention", "Katharopoulos et al. 2020", multiple=4),
    "lru": _memory("lru:LRU", "LRU", "Orvieto et al. 2023"),
    "lru_gated": _memory("lru:LRU", "LRU", "Orvieto et al. 2023", gated=True),
    "lstm": _cell("lstm:LSTM", "LSTM", "Hochreiter & Schmidhuber 1997"),
    "lstm_attention": _once("lstm:LSTM", "LSTM", "Zhou et al. 2016", wiring={"head": "attention"}),
    "lstm_bahdanau": _wired("lstm:LSTM", "LSTM", "Bahdanau et al. 2015", wiring={"attention": "bahdanau"}),
    "lstm_chrono": _cell("lstm:LSTM", "LSTM", "Tallec & Ollivier 2018", space={"forget_bias": _CHRONO}, forget_bias="chrono:100"),
    "lstm_context_both": _wired("lstm:LSTM", "LSTM", "Cho et al. 2014", wiring={"context": "both"}),
    "lstm_coupled": _cell("lstm_relatives:CoupledLSTM", "LSTM", "Greff et al. 2015"),
    "lstm_cudnn": _cell("lstm:LSTM", "LSTM", "Hochreiter & Schmidhuber 1997", double_bias=True),
    "lstm_every_step": _wired("lstm:LSTM", "LSTM", "Cho et al. 2014", wiring={"context": "every_step"}),
    "lstm_keras": _cell("lstm:LSTM", "LSTM", "Hochreiter & Schmidhuber 1997", initialization="joint"),
    "lstm_luong": _wired("lstm:LSTM", "LSTM", "Luong et al. 2015", wiring={"attention": "luong_general"}),
    "lstm_luong_concat": _wired("lstm:LSTM", "LSTM", "Luong et al. 2015", wiring={"attention": "luong_concat"}),
    "lstm_luong_dot": _wired("lstm:LSTM", "LSTM", "Luong et al. 2015", wiring={"attention": "luong_dot"}),
    "lstm_luong_feeding": _wired("lstm:LSTM", "LSTM", "Luong et al. 2015", wiring={"attention": "luong_feeding"}),
    "lstm_max": _once("lstm:LSTM", "LSTM", "Hochreiter & Schmidhuber 1997", wiring={"head": "max"}),
    "lstm_mean": _once("lstm:LSTM", "LSTM", "Hochreiter & Schmidhuber 1997", wiring={"head": "mean"}),
    "lstm_multiplicative": _cell("lstm_relatives:MultiplicativeLSTM", "LSTM", "Krause et al. 2017"),
    "lstm_norm": _cell("lstm_relatives:NormalizedLSTM", "LSTM", "Ba et al. 2016"),
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
    "lstm_seed003_forget1": _cell(
        "lstm:LSTM", "LSTM", "Hochreiter & Schmidhuber 1997", candidate_activation="sigmoid", output_activation="sigmoid"
    ),
    "mgu": _cell("gru_relatives:MGU", "GRU", "Zhou et al. 2016"),
    "mgu_bias1": _cell("gru_relatives:MGU", "GRU", "Zhou et al. 2016", update_bias=1.0),
    "min_gru": _cell("minimal:MinGRU", "minimal", "Feng et al. 2024"),
    "min_lstm": _cell("minimal:MinLSTM", "minimal", "Feng et al. 2024"),
    "mlstm": _memory("mlstm:MLSTM", "xLSTM", "Beck et al. 2024", multiple=4),
    "mut1": _cell("found:MUT1", "found", "Jozefowicz et al. 2015"),
    "mut2": _cell("gru:GRUChung", "found", "Jozefowicz et al. 2015"),
    "mut3": _cell("found:MUT3", "found", "Jozefowicz et al. 2015"),
    "nascell": _cell("found:NASCell", "found", "Zoph & Le 2017"),
    "pooled_mlp": _baseline("pooled:PooledMLP", "pooled", "Zaheer et al. 2017"),
    "positional_mlp": _baseline("positional:PositionalMLP", "positional", "Rumelhart et al. 1986", extends=False, informed=True),
    "qrnn": _memory("qrnn:QRNN", "QRNN", "Bradbury et al. 2017"),
    "retnet": _memory("retention:Retention", "RetNet", "Sun et al. 2023", multiple=8),
    "rwkv4": _memory("rwkv:RWKV", "RWKV", "Peng et al. 2023"),
    "s4d": _memory("s4d:S4D", "S4D", "Gu et al. 2022"),
    "s4d_gated": _memory("s4d:S4D", "S4D", "Gu et al. 2022", gated=True),
    "s5": _memory("s5:S5", "S5", "Smith et al. 2023"),
    "s5_gated": _memory("s5:S5", "S5", "Smith et al. 2023", gated=True),
    "s6": _memory("mamba:S6", "Mamba", "Gu & Dao 2023"),
    "scornn": _cell(
        "orthogonal:ScoRNN",
        "orthogonal",
        "Helfrich et al. 2018",
        space={"negative": CategoricalDistribution((0.1, 0.5, 0.9))},
        negative=0.5,
    ),
    "slstm": _cell("slstm:SLSTM", "xLSTM", "Beck et al. 2024", multiple=4, heads=4),
    "sru": _cell("sru:SRU", "SRU", "Lei et al. 2018"),
    "step_mlp": _baseline("convolution:Convolution", "window", "Rumelhart et al. 1986", widths="1", future=False),
    "tcn": _past("tcn:TCN", "convolution", "Bai et al. 2018"),
    "tcn_fitted": _past("tcn:TCN", "convolution", "Bai et al. 2018", informed=True, levels="length"),
    "tcn_short": _past("tcn:TCN", "convolution", "Bai et al. 2018", kernel_size=8, levels=1, covers=False),
    "transformer": _encoder("Vaswani et al. 2017"),
    "transformer_causal": _decoder("Vaswani et al. 2017"),
    "transformer_causal_nopos": _decoder("Haviv et al. 2022", position="none"),
    "transformer_causal_rope": _decoder("Su et al. 2021", position="rotary"),
    "transformer_causal_window16": _decoder("Beltagy et al. 2020", window=16),
    "transformer_learned": _encoder("Devlin et al. 2019", extends=False, informed=True, position="learned"),
    "transformer_nopos": _encoder("Vaswani et al. 2017", position="none"),
    "transformer_rope": _encoder("Su et al. 2021", position="rotary"),
    "transformer_seq2seq": _translator("Vaswani et al. 2017"),
    "transformer_seq2seq_rope": _translator("Su et al. 2021", position="rotary"),
    "ugrnn": _cell("gru_relatives:UGRNN", "GRU", "Collins et al. 2017"),
    "window_mlp": _baseline("convolution:Convolution", "window", "Waibel et al. 1989", widths="8", future=False),
}
