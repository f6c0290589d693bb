"""The contract of an architecture: a name, what it can do, and where its layer lives."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Option = bool | int | float | str

KINDS = frozenset({"once", "steps", "sequence"})


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One line of the table; `target` is resolved only where a model is built.

    The layer is called `target(width, length=..., inner=..., **options)` (`inner` only where the field `inner` is true)
    and maps x (batch, time, features) to y (batch, time, units), or to (batch, units) where it pools by itself. Where
    `carries` is true it is also given Keras's `return_sequences=True, return_state=True` and returns (y, *states).
    """

    target: str  # "suite.layers.lstm:LSTM"
    options: Mapping[str, Option] = field(default_factory=dict)  # the layer's
    wiring: Mapping[str, str] = field(default_factory=dict)  # of models.py: head (last, mean, max, attention), context, attention
    family: str
    source: str  # "Hochreiter & Schmidhuber 1997"
    kinds: frozenset[str]  # the kinds of Spec that it serves
    causal: bool
    carries: bool = False  # has a step form: carried state, decoding
    extends: bool = True  # defined beyond spec.length
    informed: bool = False  # is told the task's length: printed in every table
    multiple: int = 1  # widths come in multiples of it (heads)
    inner: bool = False  # a second width (feed-forward) for the solver
    role: Literal["model", "baseline"] = "model"
    space: Mapping[str, "BaseDistribution"] = field(default_factory=dict)  # at most two; each keeps its default with probability 1/2
    version: int = 1

    def __post_init__(self) -> None:
        module, colon, name = self.target.partition(":")
        if not (module and colon and name):
            raise ValueError(f'target must read "module:Class", got {self.target!r}')
        if not self.kinds or self.kinds - KINDS:
            raise ValueError(f"kinds must be out of {sorted(KINDS)}, got {sorted(self.kinds)}")
        if len(self.space) > 2:
            raise ValueError(f"at most two search dimensions of its own, got {sorted(self.space)}")
        if missing := set(self.space) - set(self.options):
            raise ValueError(f"a searched option needs its default in `options`, missing: {sorted(missing)}")
        if self.multiple < 1:
            raise ValueError(f"multiple must be at least 1, got {self.multiple}")
        if self.role not in ("model", "baseline"):
            raise ValueError(f"role must be model or baseline, got {self.role!r}")

    def resolve(self) -> Any:
        """Import the layer's class.

        Raises:
            ValueError: there is no such module or class.
        """
        module, _, name = self.target.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise ValueError(f"target {self.target!r} cannot be loaded: {error}") from error

    def serves(self, kind: str, *, causal: bool) -> str | None:
        """Return why this architecture cannot take a task of this kind, or None where it can."""
        if kind not in self.kinds:
            return f"serves tasks of kind {', '.join(sorted(self.kinds))}, not {kind!r}"
        if causal and not self.causal:
            return "reads the future, and the task allows only the past"
        return None
