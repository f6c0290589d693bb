"""Tells a listener how a sweep goes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from suite.arm import Arm
from suite.choice import Known
from suite.experiment import Experiment
from suite.wanted import Owner, Wanted


class Update(NamedTuple):
    """What a listener hears: plan, resumed, start, point, done, chosen, baseline, note."""

    kind: str
    label: str = ""
    architecture: str = ""
    phase: str = ""
    number: int | None = None  # of the trial in the plan; in the evaluation its seed
    done: int = 0
    total: int = 0
    value: float | None = None
    text: str = ""


class Teller:
    """Adds to each update how far the sweep has come."""

    def __init__(self, listener: Callable[[Update], None], owners: Sequence[Owner]) -> None:
        self.listener, self.owners = listener, owners

    def plan(self, experiment: Experiment, *, known: int, copied: int) -> None:
        """Tell what is to be done, and what is done already."""
        done, total = self._count()
        text = f"{total} runs: {len(experiment.architectures)} architectures, {len(experiment.settings)} settings, "
        text += f"{experiment.trials} trials each, {len(experiment.seeds)} evaluation seeds"
        self.listener(Update("plan", done=done, total=total, text=text))
        if known:
            others = f", {copied} of them from other experiments" if copied else ""
            self.listener(Update("resumed", done=done, total=total, text=f"{known} of {total} runs are in the store already{others}"))

    def note(self, text: str) -> None:
        """Tell something that concerns no single run."""
        self.listener(Update("note", text=text))

    def of(self, kind: str, wanted: Wanted, *, value: float | None = None, text: str = "") -> None:
        """Tell something of a run."""
        done, total = self._count()
        number = wanted.seed if wanted.phase == "evaluation" else wanted.number
        self.listener(Update(kind, wanted.label, wanted.architecture, wanted.phase, number, done, total, value, text))

    def done(self, wanted: Wanted, known: Known) -> None:
        """Tell that a run has finished, and with what score."""
        kind = "baseline" if wanted.phase == "baseline" else "done"
        self.of(kind, wanted, value=wanted.owner.value(wanted.phase, known), text="" if known.outcome == "done" else known.outcome)

    def chosen(self, arm: Arm) -> None:
        """Tell which configuration goes on to the evaluation."""
        if arm.chosen is None:
            return
        values = [f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in arm.chosen["values"].items()]
        text = ", ".join(values) + (" (at the edge of its range)" if arm.chosen["edge"] else "")
        done, total = self._count()
        self.listener(
            Update("chosen", arm.setting.label, arm.name, "tuning", arm.chosen["trial"], done, total, arm.chosen["validation"], text)
        )

    def _count(self) -> tuple[int, int]:
        return sum(len(owner.known) for owner in self.owners), sum(owner.total for owner in self.owners)
