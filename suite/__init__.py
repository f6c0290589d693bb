"""A benchmark suite for sequence architectures: fair sweeps, gradient flow, throughput, reports."""

__version__ = "0.1.0"
