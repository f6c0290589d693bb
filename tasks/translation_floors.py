"""What can be had of a translation for nothing: n-grams of the target, and writers that do not understand; and the ceiling."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from suite.task import Batch, Metric, Prediction
from tasks.bleu import BEAMS, SCORES, signature
from tasks.ngram import NGram
from tasks.retrieval import Nearest, constant
from tasks.transduction import START, STOP

if TYPE_CHECKING:
    from tasks.translation import Translation

ORDERS = {"unigram": 1, "bigram": 2}  # of the target alone
WRITERS = ("copy source", "constant sentence", "nearest neighbour")
COUNTED = ("loss", "perplexity")
DECODED = (*(f"{score}{ending}" for ending in BEAMS.values() for score in SCORES), "BLEU by length")


class Metrics(Mapping[str, Metric]):
    """The metrics of a split. Floors of what is decoded are measured when first asked for: a training asks for the loss alone."""

    def __init__(self, task: "Translation", split: str) -> None:
        self.task, self.split = task, split

    def __getitem__(self, name: str) -> Metric:
        if name in COUNTED:
            return _counted(self.task, self.split)[name]
        if name in DECODED:
            return _decoded(self.task, self.split)[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter((*COUNTED, *DECODED))

    def __len__(self) -> int:
        return len(COUNTED) + len(DECODED)


@functools.lru_cache(maxsize=8)
def counts(task: "Translation") -> dict[int, NGram]:
    """Return n-grams of the training targets by order; those of order 1 never count a start symbol, which nobody has to write."""
    text = task.text
    targets = [text.y[row] for row in text.splits["train"]]
    vocabulary = len(text.vocabularies[1].symbols)
    alone = np.concatenate([[*target, STOP] for target in targets])
    behind = np.concatenate([[START, *target, STOP] for target in targets])
    return {1: NGram(alone, vocabulary=vocabulary, order=1), 2: NGram(behind, vocabulary=vocabulary, order=2)}


@functools.lru_cache(maxsize=24)
def writer(task: "Translation", name: str) -> Callable[[Sequence[str]], Sequence[str]]:
    """Return one of WRITERS: a function of source sentences."""
    text = task.text
    train = text.splits["train"]
    if name == "copy source":
        return lambda sentences: sentences
    if name == "constant sentence":
        best = constant([text.targets[row] for row in train])
        return lambda sentences: [best] * len(sentences)
    nearest = Nearest([text.sources[row] for row in train])
    return lambda sentences: [text.targets[train[number]] for number in nearest(sentences)]


@functools.lru_cache(maxsize=16)
def _counted(task: "Translation", split: str) -> dict[str, Metric]:
    floors = {name: _scores(task, split, task.baselines()[name].predict) for name in ORDERS}
    why = "n-grams of the target alone, which read no source"
    loss, perplexity = ({name: floors[name][score] for name in ORDERS} for score in COUNTED)
    return {
        "loss": Metric("nats per symbol", "min", loss, 0.0, why),
        "perplexity": Metric("choices per symbol", "min", perplexity, 1.0, why),
    }


@functools.lru_cache(maxsize=16)
def _decoded(task: "Translation", split: str) -> dict[str, Metric]:
    """Measure how well the vocabulary can write the targets, too: the ceiling."""
    floors = {name: _scores(task, split, task.baselines()[name].predict) for name in WRITERS}
    best = _scores(task, split, lambda batch: Prediction(np.zeros(batch.y.shape), batch.y, decoded=dict.fromkeys(BEAMS, batch.y)))
    why = (
        "the source as it is; a sentence of training that fits all best; the translation of the most alike source of training; "
        f"ceiling: the targets as the vocabulary writes them; BLEU is sacrebleu {signature()}"
    )
    found = {}
    for name in DECODED:
        unit = "share of sentences" if name.startswith("exact") else "0 to 100"
        found[name] = Metric(unit, "max", {writer: floors[writer][name] for writer in WRITERS}, best[name], why, final=True)
    return found


def _scores(task: "Translation", split: str, predict: Callable[[Batch], Prediction]) -> dict[str, float]:
    """Return the scores of a predictor on a split, a curve as the mean of its points."""
    meter = task.meter(split)
    for batch in task.batches(split, seed=0, batch_size=100):
        meter.update(batch, predict(batch))
    result = meter.result()
    return {name: float(np.mean([y for _, y in value])) if isinstance(value, tuple) else value for name, value in result.items()}
