"""Scores of free-running translations: BLEU and chrF of whole sentences, by sacrebleu, with its signature."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from suite.task import Array, Batch, Prediction, Score
from tasks.meters import Means, loss

SCORES = ("BLEU", "chrF", "exact")
BEAMS = {"greedy": "", "beam4": " beam4"}  # how ids were decoded -> what the name of a score ends with
LEAST = 4  # words of a sentence that has a BLEU of its own
WIDE = 4  # source words in one point of a curve


def bleu(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Return the BLEU of a corpus with one reference a sentence, 0 to 100: cased, tokenised as 13a, smoothed exponentially.

    Source: Papineni et al. (2002), doi:10.3115/1073083.1073135; Post (2018), arXiv:1804.08771.
    """
    import sacrebleu

    # force: no complaint about sentences that end in a sign of their own, which a poor model may well write
    return float(sacrebleu.corpus_bleu(list(hypotheses), [list(references)], force=True).score)


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Return the chrF2 of a corpus, 0 to 100: F-score of character 6-grams.

    Source: Popović (2015), doi:10.18653/v1/W15-3049.
    """
    import sacrebleu

    return float(sacrebleu.corpus_chrf(list(hypotheses), [list(references)]).score)


def signature() -> str:
    """Return what sacrebleu calls this BLEU; two BLEUs with different signatures must not be compared."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU()
    metric.corpus_score(["a"], [["a"]])
    return str(metric.get_signature())


class Translations:
    """A meter: loss and perplexity of the right symbols, and of what was decoded BLEU, chrF and the share of exact sentences.

    `decode` turns ids into a sentence; `sources` and `references` are the sentences by the number in `extra["row"]`. A
    translation is cut at 1.5 times the symbols of its source and 10 more. What was not decoded has no scores. Of the rows in
    `shown`, by name, the attention is kept as a map: a row for each symbol of the target, a column for each of the source.
    """

    def __init__(
        self, decode: Callable[[Array], str], sources: Sequence[str], references: Sequence[str], shown: Mapping[str, int] | None = None
    ) -> None:
        self.decode, self.sources, self.references = decode, sources, references
        self.shown = {row: name for name, row in (shown or {}).items()}
        self.maps: dict[str, tuple[tuple[float, float], ...]] = {}
        self.means = Means({"loss": loss})
        self.found: dict[str, dict[int, str]] = {name: {} for name in BEAMS}

    def update(self, batch: Batch, prediction: Prediction) -> None:
        self.means.update(batch, prediction)
        if batch.extra is None or batch.mask is None:
            raise ValueError('a batch of translations must have a mask and extra["row"], got none')
        limits = (1.5 * batch.mask.sum(axis=1) + 10).astype(int)
        numbers = batch.extra["row"].tolist()
        there = np.flatnonzero(batch.weight.any(axis=1)).tolist()
        for name in BEAMS.keys() & (prediction.decoded or {}).keys():
            ids = (prediction.decoded or {})[name]
            for place in there:
                self.found[name][numbers[place]] = self.decode(ids[place, : limits[place]])
        attention = prediction.attention
        for place in there:
            if attention is not None and numbers[place] in self.shown:
                weights = attention[place, : (batch.weight[place] > 0).sum(), : batch.mask[place].sum()]
                self.maps[self.shown[numbers[place]]] = tuple(enumerate(np.round(weights.astype(float), 4).ravel().tolist()))

    def result(self) -> dict[str, Score]:
        scores: dict[str, Score] = {**self.means.result(), **self.maps}
        done: dict[tuple[str, ...], tuple[float, float, float]] = {}  # what two ways of decoding write alike is scored once
        if isinstance(nats := scores.get("loss"), float):
            scores["perplexity"] = math.exp(nats) if nats < 700 else math.inf
        for name, ending in BEAMS.items():
            if not (found := self.found[name]):
                continue
            rows = sorted(found)
            hypotheses, references = [found[row] for row in rows], [self.references[row] for row in rows]
            if (key := tuple(hypotheses)) not in done:
                exact = np.mean([one == other for one, other in zip(hypotheses, references, strict=True)])
                done[key] = bleu(hypotheses, references), chrf(hypotheses, references), float(exact)
            scores |= zip((f"{score}{ending}" for score in SCORES), done[key], strict=True)
            if name == "greedy" and (curve := self._by_length(rows)):
                scores["BLEU by length"] = curve
        return scores

    def _by_length(self, rows: Sequence[int]) -> tuple[tuple[float, float], ...]:
        """BLEU by source words; a group is left out where its references are too short to have a BLEU."""
        groups: dict[int, list[int]] = {}
        for row in rows:
            groups.setdefault(-(-len(self.sources[row].split()) // WIDE) * WIDE, []).append(row)
        curve = []
        for words, members in sorted(groups.items()):
            references = [self.references[row] for row in members]
            if any(len(reference.split()) >= LEAST for reference in references):
                curve.append((float(words), bleu([self.found["greedy"][row] for row in members], references)))
        return tuple(curve)
