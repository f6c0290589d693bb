"""The custom Keras layers, one family a file, equations in the docstring; a name loads its file on first use."""

import importlib
from typing import Any

LAYERS = {
    "BagOfWords": "bag",
    "Bidirectional": "bidirectional",
    "Convolution": "convolution",
    "DeepAveraging": "bag",
    "Elman": "elman",
    "EncoderDecoderTransformer": "encoder_decoder_transformer",
    "GRU": "gru",
    "GRUChung": "gru",
    "GRUv1": "gru",
    "Hybrid": "hybrid",
    "Jordan": "elman",
    "LSTM": "lstm",
    "PooledMLP": "pooled",
    "PositionalMLP": "positional",
    "TCN": "tcn",
    "Transformer": "transformer",
}

__all__ = list(LAYERS)


def __getattr__(name: str) -> Any:
    if name not in LAYERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{LAYERS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *LAYERS})
