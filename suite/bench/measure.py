"""Interleaved turns, and what they say: medians with spread, the ratio turn by turn, and the share of what the machine can do."""

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from suite.bench.cases import CHECK, FULL, HEADLINE, QUICK, TINY, Case
from suite.bench.process import Built, Subject

TURNS = 9
TURN_SECONDS = 0.25
LEAST_CALLS, MOST_CALLS = 3, 40  # of a turn
OURS = ("suite", "suite, step alone")

Array = np.ndarray[Any, np.dtype[np.float64]]
Pair = tuple[str, str]  # subject, peer


@dataclass(frozen=True, kw_only=True)
class Row:
    """A subject against a peer; `ratio` is the peer's time over the subject's, above 1 where the subject is faster.

    `spread` is the lowest and the highest ratio of the turns, `quartiles` the middle half of them.
    """

    subject: str
    peer: str
    cell: str
    shape: str
    batch: int
    time: int
    features: int
    units: int
    kind: str
    ratio: float
    spread: tuple[float, float]
    quartiles: tuple[float, float]
    medians: dict[str, float]  # milliseconds a step
    tokens_per_second: float
    gflops: float  # of the subject, matrix products only
    peer_gflops: float
    share_of_peak: float
    peak_gflops: float
    peak_mib: dict[str, float]
    first_step_seconds: dict[str, float]
    load: float  # of the host, over the last minute, when the turns began
    cores: int

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON data."""
        return asdict(self)


def everything(size: str, peers: Sequence[str], *, tell: Callable[[str], None]) -> Iterator[Row]:
    """Yield the rows of `suite bench`: the shapes with what probes cost, and small models on one thread."""
    cases = {"quick": QUICK, "full": FULL, "check": CHECK}[size]
    turns = {"quick": 4, "full": TURNS, "check": 2}[size]
    yield from compare(cases, functools.partial(_pairs, peers), turns=turns, tell=tell)
    if size != "check" and "keras.layers" in peers:
        yield from compare(TINY, lambda _: [("suite", "keras.layers")], turns=turns, threads=1, tell=tell)


def _pairs(peers: Sequence[str], case: Case) -> list[Pair]:
    """What is compared with what: ours with every peer, and at the headline shapes what probes cost."""
    return [(one, peer) for one in OURS for peer in peers] + ([("suite, probes", "suite")] if case in HEADLINE else [])


def compare(
    cases: Sequence[Case],
    pairs: Callable[[Case], Sequence[Pair]],
    *,
    turns: int = TURNS,
    threads: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Row]:
    """Yield, case by case, each pair of subject and peer that can take the case.

    Every subject lives in a process of its own and has a turn after the other, A B C A B C, so that a drift of the machine
    meets all of them; the first step of a turn is not counted. `threads` bounds what TensorFlow uses.
    """
    wanted = {case: _names(pairs(case)) for case in cases}
    subjects = {name: Subject(name, threads) for name in dict.fromkeys(name for names in wanted.values() for name in names)}
    try:
        for case in cases:
            tell(f"{case.cell} {case.shape}")
            built, able = _built([subjects[name] for name in wanted[case]], case, tell)
            peak = next(iter(subjects.values())).peak(case)
            load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
            seconds = _turns(able, turns, least=1 if case.calls > 1 else LEAST_CALLS)
            yield from _rows(case, [pair for pair in pairs(case) if set(pair) <= set(seconds)], seconds, built, peak, load)
    finally:
        for subject in subjects.values():
            subject.close()


def _names(pairs: Sequence[Pair]) -> list[str]:
    return list(dict.fromkeys(name for pair in pairs for name in pair))


def _built(subjects: Sequence[Subject], case: Case, tell: Callable[[str], None]) -> tuple[dict[str, Built], list[Subject]]:
    built: dict[str, Built] = {}
    for subject in subjects:
        try:
            built[subject.name] = subject.build(case)
        except ValueError as error:
            tell(f"  left out: {error}")
    return built, [subject for subject in subjects if subject.name in built]


def _turns(subjects: Sequence[Subject], turns: int, *, least: int = LEAST_CALLS) -> dict[str, Array]:
    """Return the median seconds a call of each turn, by subject."""
    calls = {one.name: int(np.clip(TURN_SECONDS / np.median(one.turn(least)), least, MOST_CALLS)) for one in subjects}
    found: dict[str, list[float]] = {one.name: [] for one in subjects}
    for _ in range(turns):
        for one in subjects:
            found[one.name].append(float(np.median(one.turn(calls[one.name]))))
    return {name: np.array(values) for name, values in found.items()}


def _rows(
    case: Case, pairs: Sequence[tuple[str, str]], seconds: dict[str, Array], built: dict[str, Built], peak: float, load: float
) -> Iterator[Row]:
    medians = {name: float(np.median(values)) / case.calls for name, values in seconds.items()}
    for subject, peer in pairs:
        pair = (subject, peer)
        ratios = seconds[peer] / seconds[subject]
        low, high = np.quantile(ratios, (0.25, 0.75))
        yield Row(
            subject=subject,
            peer=peer,
            shape=case.shape,
            **asdict(case),
            ratio=float(np.median(ratios)),
            spread=(float(ratios.min()), float(ratios.max())),
            quartiles=(float(low), float(high)),
            medians={name: 1e3 * medians[name] for name in pair},
            tokens_per_second=case.tokens / medians[subject],
            gflops=case.flops / medians[subject] / 1e9,
            peer_gflops=case.flops / medians[peer] / 1e9,
            share_of_peak=case.flops / medians[subject] / peak,
            peak_gflops=peak / 1e9,
            peak_mib={name: built[name].peak_bytes / 2**20 for name in pair},
            first_step_seconds={name: built[name].first_seconds for name in pair},
            load=load,
            cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        )
