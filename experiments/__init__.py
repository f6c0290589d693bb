"""The experiments, one question a file; every module here that holds EXPERIMENTS is registered."""

import importlib
import pkgutil

from suite.experiment import Experiment

EXPERIMENTS: dict[str, Experiment] = {
    name: experiment
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name)
    for name, experiment in importlib.import_module(f"{__name__}.{module.name}").EXPERIMENTS.items()
}
