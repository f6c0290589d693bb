"""A benchmark suite for sequence architectures: fair sweeps, gradient flow, throughput, reports.

`suite.layers` and `suite.convert` load on first use: they bring TensorFlow.
"""

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "convert", "layers"]


def __getattr__(name: str) -> Any:
    if name == "layers":
        return importlib.import_module("suite.layers")
    if name == "convert":
        return importlib.import_module("suite.conversion").convert
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
