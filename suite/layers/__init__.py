"""The custom Keras layers, one family a file, equations in the docstring; a name loads its file on first use."""

import importlib
from typing import Any

LAYERS = {
    "AddingGRU": "gru_relatives",
    "Antisymmetric": "antisymmetric",
    "BagOfWords": "bag",
    "Bidirectional": "bidirectional",
    "Clockwork": "clockwork",
    "CoRNN": "oscillators",
    "Convolution": "convolution",
    "CoupledLSTM": "lstm_relatives",
    "CoupledPeephole": "peephole",
    "DeepAveraging": "bag",
    "DeltaNet": "delta_net",
    "EchoState": "reservoir",
    "Elman": "elman",
    "EncoderDecoderTransformer": "encoder_decoder_transformer",
    "ExpRNN": "orthogonal",
    "FullGateRecurrence": "peephole",
    "GRU": "gru",
    "GRUChung": "gru",
    "GRUv1": "gru",
    "GatedAntisymmetric": "antisymmetric",
    "Hybrid": "hybrid",
    "JANET": "lstm_relatives",
    "Jordan": "elman",
    "LRU": "lru",
    "LSTM": "lstm",
    "LiGRU": "gru_relatives",
    "LinearAttention": "linear_attention",
    "MGU": "gru_relatives",
    "MLSTM": "mlstm",
    "MUT1": "found",
    "MUT3": "found",
    "MinGRU": "minimal",
    "MinLSTM": "minimal",
    "MultiplicativeLSTM": "lstm_relatives",
    "NASCell": "found",
    "NoForgetGate": "peephole",
    "NoInputGate": "peephole",
    "NoOutputGate": "peephole",
    "NormalizedLSTM": "lstm_relatives",
    "Peephole": "peephole",
    "PooledMLP": "pooled",
    "PositionalMLP": "positional",
    "QRNN": "qrnn",
    "RWKV": "rwkv",
    "Retention": "retention",
    "S4D": "s4d",
    "S5": "s5",
    "S6": "mamba",
    "SLSTM": "slstm",
    "SRU": "sru",
    "ScoRNN": "orthogonal",
    "TCN": "tcn",
    "Transformer": "transformer",
    "UGRNN": "gru_relatives",
}

__all__ = list(LAYERS)


def __getattr__(name: str) -> Any:
    if name not in LAYERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{LAYERS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *LAYERS})
