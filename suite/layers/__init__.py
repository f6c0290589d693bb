"""The custom Keras layers, one family a file, equations in the docstring; a name loads its file on first use."""

import importlib
from typing import Any

LAYERS = {
    "AddingGRU": "gru_relatives",
    "Antisymmetric": "antisymmetric",
    "Bidirectional": "bidirectional",
    "Clockwork": "clockwork",
    "CoRNN": "oscillators",
    "CoupledLSTM": "lstm_relatives",
    "CoupledPeephole": "peephole",
    "EchoState": "reservoir",
    "Elman": "elman",
    "ExpRNN": "orthogonal",
    "FullGateRecurrence": "peephole",
    "GRU": "gru",
    "GRUChung": "gru",
    "GRUv1": "gru",
    "GatedAntisymmetric": "antisymmetric",
    "JANET": "lstm_relatives",
    "Jordan": "elman",
    "LSTM": "lstm",
    "LiGRU": "gru_relatives",
    "MGU": "gru_relatives",
    "MUT1": "found",
    "MUT3": "found",
    "MultiplicativeLSTM": "lstm_relatives",
    "NASCell": "found",
    "NoForgetGate": "peephole",
    "NoInputGate": "peephole",
    "NoOutputGate": "peephole",
    "NormalizedLSTM": "lstm_relatives",
    "Peephole": "peephole",
    "PooledMLP": "pooled",
    "SLSTM": "slstm",
    "SRU": "sru",
    "ScoRNN": "orthogonal",
    "UGRNN": "gru_relatives",
}

__all__ = list(LAYERS)


def __getattr__(name: str) -> Any:
    if name not in LAYERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{LAYERS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *LAYERS})
