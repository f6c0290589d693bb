"""Drives a question from its checks to its last evaluation: what is finished is never run again."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from suite import checks, document
from suite.architecture import Architecture
from suite.arm import Arm
from suite.choice import Known, floors
from suite.code_hash import code_hash
from suite.executor import Executor, Job, Message
from suite.fitted import Fitted
from suite.ledger import CodeChanged, Ledger, colour, driver
from suite.plugins import Question, definition_hash
from suite.provenance import provenance
from suite.result import Event, Result
from suite.rows import NewRun
from suite.telling import Teller, Update
from suite.tracking import Store
from suite.wanted import Owner, Wanted

__all__ = ["CodeChanged", "Outcome", "Update", "run"]

_FLUSH_SECONDS = 3.0

Place = tuple[str, str]  # label of the setting, name of the architecture


class Outcome(NamedTuple):
    """How a sweep ended: runs in all, those scored as the floor, and those that the store knew already."""

    total: int
    failed: int
    known: int


def run(
    question: Question,
    *,
    store: Store,
    executor: Executor,
    listener: Callable[[Update], None] = lambda update: None,
    accept_code: bool = False,
    rerun: bool = False,
    worker: str = "suite.worker",
) -> Outcome:
    """Tune every architecture on every setting, evaluate what was chosen on fresh seeds, and keep all in the store.

    `worker` names the module whose functions train, size and baseline run in the executor.

    Raises:
        ValueError: something that cannot work, found before any trial starts, or a trial that cannot be trained as defined.
        CodeChanged: finished trials were made by other code.
        KeyboardInterrupt: passed on, after the running trials were marked; the next call continues.
    """
    architectures = checks.check(question)
    sent = store.prepare()
    sweep = _Sweep(question, store, executor, listener, worker)
    if sent:
        sweep.tell.note(f"{sent} results that the store could not take before are in it now")
    sweep.open(accept_code=accept_code, rerun=rerun)
    sweep.plan(architectures)
    return sweep.work()


@dataclass
class _Running:
    run: str | None
    new: NewRun
    events: list[Event] = field(default_factory=list)
    flushed: float = field(default_factory=time.monotonic)


class _Sweep:
    def __init__(self, question: Question, store: Store, executor: Executor, listener: Callable[[Update], None], worker: str) -> None:
        self.question, self.store, self.executor, self.worker = question, store, executor, worker
        self.owners: list[Owner] = []
        self.tell = Teller(listener, self.owners)
        self.definition = definition_hash(question.experiment)
        self.experiments: dict[str, str] = {}  # label -> id in MLflow
        self.asked: set[tuple[int, str]] = set()  # owner and key of every run that was looked up
        self.waiting: list[Wanted] = []
        self.jobs: dict[str, Wanted] = {}
        self.followers: dict[str, list[Wanted]] = {}  # other groups' runs of a key that is being run
        self.running: dict[str, _Running] = {}
        self.finished: dict[str, tuple[Result, str]] = {}  # of this command, with the run that holds it
        self.found = 0

    def open(self, *, accept_code: bool, rerun: bool) -> None:
        """Open the MLflow experiments, and read what they hold."""
        for setting in self.question.experiment.settings:
            primary, note = f"final/test/{setting.task.main}", document.note(self.question, setting)
            self.experiments[setting.label] = self.store.experiment(self.question.name, setting.label, note=note, primary=primary)
        self.ledger = Ledger(self.store, list(self.experiments.values()), accept_code=accept_code, rerun=rerun)
        if interrupted := self.ledger.mend():
            self.tell.note(f"{interrupted} trials were interrupted the last time; they are repeated")

    def plan(self, architectures: Mapping[str, Architecture]) -> None:
        """Fix sizes and trials, and follow every group as far as the store knows it.

        Raises:
            ValueError: no width meets a size.
            CodeChanged: some of what the store knows was made by other code.
        """
        settings = self.question.experiment.settings
        codes = {(setting.label, name): code_hash(architectures[name], setting.task) for setting in settings for name in architectures}
        sizes = self._sizes(codes)
        arms: dict[Place, Arm] = {}
        for setting in settings:
            shared = document.of_setting(self.question, setting)
            for name, architecture in architectures.items():
                place = (setting.label, name)
                body = document.of_architecture(name, architecture, self.question.experiment, setting, sizes[place])
                arms[place] = Arm(
                    question=self.question,
                    setting=setting,
                    name=name,
                    architecture=architecture,
                    size=sizes[place],
                    document={**shared, **body, "code": codes[place]},
                    code=codes[place],
                )
            self.owners += [
                Fitted(question=self.question, setting=setting, name=name, document=shared.copy()) for name in setting.task.baselines()
            ]
        for arm in arms.values():
            if arm.setting.tuned_as is not None:
                arm.tuned_as = arms[arm.setting.tuned_as, arm.name]
        ordered: list[Arm] = sorted(arms.values(), key=lambda arm: arm.tuned_as is not None)
        self.owners += ordered
        for order, owner in enumerate(self.owners):
            owner.experiment = self.experiments[owner.setting.label]
            owner.document["order"] = order
            self.waiting += self._missing(owner)
            while owner.advance():
                self.waiting += self._missing(owner)
        self.found = sum(len(owner.known) for owner in self.owners)
        self.ledger.check()

    def work(self) -> Outcome:
        """Run what is left, and end the parents."""
        self._open_parents()
        done = False
        try:
            self.tell.plan(self.question.experiment, known=self.found, copied=self.ledger.settle())
            for wanted in self.waiting:
                self._submit(wanted)
            self.executor.work(self._hear)
            done = True
        finally:
            for running in self.running.values():
                self.store.stop(running.run)
            for owner in self.owners:
                self.store.close(owner.parent, owner.document, done=done, metrics=owner.figures() if done else {})
        outcomes = [known.outcome for owner in self.owners for known in owner.known.values()]
        return Outcome(len(outcomes), sum(outcome != "done" for outcome in outcomes), self.found)

    def _sizes(self, codes: Mapping[Place, str]) -> dict[Place, Mapping[str, Any]]:
        """Solve what the store does not hold for the same definition and code."""
        found: dict[Place, Mapping[str, Any]] = {}
        for place, code in codes.items():
            if (known := self.ledger.size(*place, self.definition, code)) is not None:
                found[place] = known
                continue
            body = {"reference": self.question.reference, "label": place[0], "name": place[1]}
            self.executor.submit(Job(f"size {place}", f"{self.worker}:size", body, f"{place[0]} {place[1]}"))
        if missing := len(codes) - len(found):
            self.tell.note(f"solving the widths of {missing} models")
        refused: list[str] = []

        def hear(message: Message) -> None:
            label, name = message.job.body["label"], message.job.body["name"]
            if message.kind == "done":
                found[label, name] = message.answer
            elif message.kind in ("failed", "died"):
                refused.append(f"{name} on {label!r}: {message.text.removeprefix('ValueError: ')}")

        self.executor.work(hear)
        if refused:
            raise ValueError("; ".join(refused))
        return found

    def _missing(self, owner: Owner) -> list[Wanted]:
        """Return the runs of a group that nobody has asked for yet and that the store does not know."""
        missing = []
        for wanted in owner.wants():
            if (id(owner), wanted.key) in self.asked:
                continue
            self.asked.add((id(owner), wanted.key))
            if (known := self.ledger.lookup(wanted)) is None:
                missing.append(wanted)
            else:
                owner.known[wanted.key] = known
        return missing

    def _open_parents(self) -> None:
        begun = f"{time.time():.3f}"
        for owner in self.owners:
            facts, setting = owner.document["architecture"], owner.setting
            tags = {
                "architecture": facts["name"],
                "role": facts["role"],
                "task": setting.task.name,
                "label": setting.label,
                "definition": self.definition,
                "code": owner.code,
                "begun": begun,
                "driver": driver(),
                "mlflow.runColor": colour(facts["name"]),
                "mlflow.note.content": document.note(self.question, setting),
            }
            owner.parent = self.store.parent(owner.experiment, facts["name"], tags, owner.document)

    def _submit(self, wanted: Wanted) -> None:
        if wanted.key in self.finished:
            self._follow(wanted, *self.finished[wanted.key])
            return
        if wanted.key in self.jobs:
            self.followers.setdefault(wanted.key, []).append(wanted)
            return
        self.jobs[wanted.key] = wanted
        group = wanted.architecture if wanted.phase != "baseline" else "baselines"
        self.executor.submit(Job(wanted.key, f"{self.worker}:{wanted.function}", wanted.body, f"{wanted.label} {group}"))

    def _hear(self, message: Message) -> None:
        wanted = self.jobs[message.job.name]
        if message.kind == "started":
            new = self.ledger.new(wanted)
            self.running[wanted.key] = _Running(self.store.start(new), new)
            self.tell.of("start", wanted)
        elif message.kind == "events":
            self._events(wanted, message.events)
        elif message.kind == "lost":
            self.store.stop(self.running.pop(wanted.key).run)
            self.tell.note(f"{wanted.label}, {wanted.name}: {message.text}; it is repeated")
        elif message.kind == "failed":
            raise ValueError(f"{wanted.label}, {wanted.name}: {message.text.removeprefix('ValueError: ')}")
        elif message.kind == "died":
            scores = floors(wanted.owner.setting.task, phase=wanted.phase)
            self._finish(wanted, Result(key=wanted.key, outcome="crashed", scores=scores, provenance={"error": message.text}))
        else:
            self._finish(wanted, Result.from_json(message.answer))

    def _events(self, wanted: Wanted, events: tuple[Event, ...]) -> None:
        running = self.running[wanted.key]
        running.events += events
        if time.monotonic() - running.flushed >= _FLUSH_SECONDS:
            self.store.log(running.run, running.events)
            running.events, running.flushed = [], time.monotonic()
        self.tell.of("point", wanted, value=events[-1].value, text=events[-1].name)

    def _finish(self, wanted: Wanted, result: Result) -> None:
        """Write a result, tell of it, and let the groups go on."""
        if result.key != wanted.key:
            raise ValueError(f"{wanted.label}, {wanted.name} came back as another trial: expected key {wanted.key}, got {result.key}")
        told = {**provenance(), **result.provenance, "code": wanted.owner.code}
        result = Result.from_json({**result.to_json(), "provenance": told})
        running = self.running[wanted.key]
        spooled = self.store.finish(running.run, running.new, result)
        del self.running[wanted.key]
        if spooled is not None:
            self.tell.note(f"the store cannot be reached: {wanted.name} is kept in {spooled}, and the next command sends it")
        self._known(wanted, result)
        self.finished[wanted.key] = (result, running.run or "spool")
        for follower in self.followers.pop(wanted.key, []):
            self._follow(follower, *self.finished[wanted.key])
        for owner in self.owners:  # a choice may set off other settings that are tuned as this one
            while owner.advance():
                self.store.describe(owner.parent, owner.document)
                if isinstance(owner, Arm):
                    self.tell.chosen(owner)
                for missing in self._missing(owner):
                    self._submit(missing)

    def _follow(self, wanted: Wanted, result: Result, origin: str) -> None:
        """Give a group the result that another group has computed."""
        self.ledger.copy(wanted, result, origin, code=wanted.owner.code)
        self._known(wanted, result)

    def _known(self, wanted: Wanted, result: Result) -> None:
        known = Known(result.outcome, result.scores, result.cost)
        wanted.owner.known[wanted.key] = known
        self.tell.done(wanted, known)
