"""The custom Keras layers, one family a file, equations in the docstring; a name loads its file on first use."""

import importlib
from typing import Any

LAYERS = {
    "AddingGRU": "gru_relatives",
    "Bidirectional": "bidirectional",
    "CoupledLSTM": "lstm_relatives",
    "CoupledPeephole": "peephole",
    "Elman": "elman",
    "FullGateRecurrence": "peephole",
    "GRU": "gru",
    "GRUChung": "gru",
    "GRUv1": "gru",
    "JANET": "lstm_relatives",
    "Jordan": "elman",
    "LSTM": "lstm",
    "LiGRU": "gru_relatives",
    "MGU": "gru_relatives",
    "MultiplicativeLSTM": "lstm_relatives",
    "NoForgetGate": "peephole",
    "NoInputGate": "peephole",
    "NoOutputGate": "peephole",
    "NormalizedLSTM": "lstm_relatives",
    "Peephole": "peephole",
    "PooledMLP": "pooled",
    "UGRNN": "gru_relatives",
}

__all__ = list(LAYERS)


def __getattr__(name: str) -> Any:
    if name not in LAYERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{LAYERS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *LAYERS})
