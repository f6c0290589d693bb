"""The treebank as it is published, counted by other means than the loader's, and tagged by counting."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from suite.corpus import Missing, locate
from tasks.corpora import CORPORA
from tasks.tagging import FILES, Tagging

SENTENCES = {"train": 12_544, "validation": 2_001, "test": 2_077}


@pytest.fixture(scope="module")
def folder():
    try:
        return locate(CORPORA["ud-english-ewt"])
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def words(folder):
    """Return (word, tag) of each sentence, from the lines that begin with a whole number."""
    found = {}
    for split, name in FILES.items():
        blocks = (folder / name).read_text(encoding="utf-8").strip().split("\n\n")
        rows = [[line.split("\t") for line in block.split("\n")] for block in blocks]
        found[split] = [[(row[1], row[3]) for row in block if set(row[0]) <= set("0123456789")] for block in rows]
    return found


def test_every_sentence_and_word_of_the_treebank_is_read(folder, words):
    read = Tagging().sentences()
    for split, sentences in SENTENCES.items():
        assert len(read[split]) == len(words[split]) == sentences
        assert [list(zip(one.words, one.tags, strict=True)) for one in read[split]] == words[split]
    assert Tagging().tags == tuple(sorted({tag for sentence in words["train"] for _, tag in sentence}))
    assert Tagging().spec.outputs == 17


@pytest.mark.parametrize("split", ["validation", "test"])
def test_baselines_score_what_plain_counting_says(words, split):
    tags = defaultdict(Counter)
    for sentence in words["train"]:
        for word, tag in sentence:
            tags[word.lower()][tag] += 1
    overall = sum(tags.values(), Counter())
    assert overall.most_common(1)[0][0] == "NOUN"

    def lookup(word):
        counts = tags.get(word.lower())
        return max(counts, key=lambda tag: (counts[tag], overall[tag])) if counts else "NOUN"

    task = Tagging()
    for name, guess in (("majority", lambda word: "NOUN"), ("most frequent tag", lookup)):
        right = [[guess(word) == tag for word, tag in sentence] for sentence in words[split]]
        new = [[word.lower() not in tags for word, _ in sentence] for sentence in words[split]]
        meter, baseline = task.meter(split), task.baselines()[name]
        for batch in task.batches(split, seed=0, batch_size=64):
            meter.update(batch, baseline.predict(batch))
        found = meter.result()
        flat, unknown = np.concatenate(right), np.concatenate(new)
        assert found["accuracy"] == pytest.approx(flat.mean())
        assert found["unknown_accuracy"] == pytest.approx(flat[unknown].mean())
        assert found["sentence_accuracy"] == pytest.approx(np.mean([all(one) for one in right]))
        if name == "majority":
            floors = {metric: task.metrics(split)[metric].floors["majority"] for metric in found}
            assert floors == pytest.approx(found)


@pytest.mark.parametrize(("buckets", "least"), [(5, 0.69), (8, 0.8)])
def test_batches_of_training_are_mostly_words(folder, buckets, least):
    task = Tagging(buckets=buckets)
    batches = [batch for batch, _ in zip(task.batches("train", seed=0, batch_size=32), range(392), strict=False)]
    assert sum(batch.mask.sum() for batch in batches) / sum(batch.mask.size for batch in batches) > least
    assert len({batch.x.shape[1] for batch in batches}) <= buckets
