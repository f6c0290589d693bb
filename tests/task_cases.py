"""Every registered task and every fake, at its default configuration and at its tiny one, and how tests look at their batches."""

import itertools
from pathlib import Path

import numpy as np

from suite import plugins
from suite.corpus import Missing
from tasks.charlm import CharLM
from tasks.generated import each, sha256
from tasks.labelling import Labelling
from tasks.sentiment import Sentiment
from tests.fakes import FAKES

HERE = Path(__file__).parent
OWN = {  # tasks that read a file of the user's
    "labelling": Labelling(path=HERE / "entities.conll"),
    "labelling-bio": Labelling(path=HERE / "entities.conll", scheme="bio"),
}
REGISTERED = {**{name: entry.value for name, entry in plugins.table("TASKS").items()}, **FAKES, **OWN}
CASES = {f"{name}{kind}": task for name, full in REGISTERED.items() for kind, task in (("", full), ("-tiny", full.tiny()))}
CASES |= {
    "charlm-carried-tiny": CharLM(carried=True).tiny(),
    "sentiment-rt-polarity": Sentiment(corpus="rt-polarity", fold=3),
    "sentiment-sst2": Sentiment(corpus="sst2"),
}
BATCH = 7


def first(task, split, *, batches=3, seed=0, batch_size=BATCH, start=0):
    return list(itertools.islice(task.batches(split, seed=seed, batch_size=batch_size, start=start), batches))


def same(one, other):
    return sha256(one) == sha256(other)


def fixed(task):
    return [split for split in task.splits if split != "train"]


def fingerprint(task):
    try:
        return [task.digest(), *(sha256(first(task, split, batches=1, seed=3)[0]) for split in task.splits)]
    except Missing:
        return []


def rows(batch):
    """Return the rows that weigh anything, cut to their valid steps: padding differs with the batch."""
    cut = []
    for index in np.flatnonzero(batch.weight.reshape(len(batch.x), -1).max(axis=1) > 0):
        row = each(lambda array, index=index: array[index], batch._replace(extra=None))
        valid = slice(None) if row.mask is None else row.mask
        shown = row._replace(x=row.x[valid])
        if row.mask is not None and len(row.y.shape) and batch.target_in is None and batch.weight.ndim == 2:
            shown = shown._replace(y=row.y[valid])
        if row.target_in is not None:
            shown = shown._replace(y=row.y[: 1 + np.flatnonzero(row.weight).max()])
        cut.append(shown)
    return cut
