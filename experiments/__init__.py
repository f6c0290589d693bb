"""The experiments, one question a file: every module here that holds EXPERIMENTS is registered; and STARTERS, for `suite new`."""

import importlib
import pkgutil

from experiments.own import STARTERS
from suite.experiment import Experiment

__all__ = ["EXPERIMENTS", "STARTERS"]

EXPERIMENTS: dict[str, Experiment] = {
    name: experiment
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name)
    for name, experiment in getattr(importlib.import_module(f"{__name__}.{module.name}"), "EXPERIMENTS", {}).items()
}
