"""Translation: reading two files, vocabularies of training alone, buckets, epochs, and BLEU of what is decoded."""

import gzip
import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from suite.corpus import Damaged, Missing, locate
from suite.task import Prediction
from tasks.bleu import bleu, chrf, signature
from tasks.corpora import CORPORA
from tasks.parallel import divided, made, multi30k, read, sentences
from tasks.phrases import phrases
from tasks.retrieval import Nearest, constant
from tasks.subwords import SPECIAL, UNKNOWN, fit, pieces
from tasks.transduction import START, STOP, decoded
from tasks.translation import Translation

TINY = Translation().tiny()
SENTENCES = ("Don't go, dog!", 'A "red" well-known 3.5 m high tree.', "Männer spielen Fußball – draußen…", "(a) b", "¿Qué?")


def written(path, content):
    path.write_bytes(content)
    return path


@pytest.fixture
def files(tmp_path):
    """Return two files of 100 pairs that differ in every line."""
    pairs = phrases()[:100]
    return tuple(
        written(tmp_path / f"text.{language}", "\n".join(column).encode())
        for language, column in zip(("en", "de"), zip(*pairs, strict=True), strict=True)
    )


def test_two_files_are_read_line_by_line_plain_or_gzip_with_single_spaces(tmp_path):
    one = written(tmp_path / "one", "\ufeffa  b\r\nc\u2028d\r\n".encode())
    other = written(tmp_path / "other.gz", gzip.compress("ä\n e\tf ".encode()))
    assert read(one, other) == [("a b", "ä"), ("c d", "e f")]


def test_files_that_do_not_pair_up_are_refused_with_the_first_line_alone(tmp_path):
    one, other = written(tmp_path / "one", b"a\nb\nc\n"), written(tmp_path / "other", b"a\nb\n")
    for pair in ((one, other), (other, one)):
        with pytest.raises(ValueError, match=rf"^{one}, line 3: has no partner, {other} ends with line 2"):
            read(*pair)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a\n\nb\n", ", line 2: expected a text, got an empty line"),
        (b"a\nb\n \n", ", line 3: expected a text"),
        (b"", ", line 1: expected a text"),
        ("a\nfür\n".encode("cp1252"), ", line 2: expected UTF-8, got byte 0xfc at byte 2 of the line"),
        ("a\nb".encode("utf-16"), ", line 1: expected UTF-8, got byte 0xff at byte 1 of the line"),
    ],
)
def test_a_line_that_is_empty_or_of_another_encoding_is_named(tmp_path, content, words):
    path = written(tmp_path / "text", content)
    with pytest.raises(ValueError, match=f"^{path}{words}"):
        sentences(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"nothing.*cannot be read"):
        sentences(tmp_path / "nothing")


def test_all_translations_of_a_sentence_are_in_one_split_and_repeated_pairs_go(files):
    pairs = [(source, f"{target} {copy}") for source, target in phrases() for copy in (1, 2, 2)]
    splits = divided(pairs)
    assert sum(len(found.sources) for found in splits.values()) == 2 * len(phrases())
    for one, other in itertools.combinations(splits.values(), 2):
        assert not set(one.sources) & set(other.sources)
    shares = [len(splits[split].sources) / 2 / len(phrases()) for split in ("train", "validation", "test")]
    assert shares == pytest.approx([0.9, 0.05, 0.05], abs=0.02)


def test_files_of_ones_own_are_a_task_named_by_their_content(files):
    task = Translation(source_path=files[0], target_path=files[1], vocabulary=60)
    batch = next(task.batches("train", seed=0, batch_size=4))
    english, german = (vocabulary.decode for vocabulary in task.text.vocabularies)
    known = dict(phrases())
    for x, y in zip(batch.x, batch.y, strict=True):
        assert german(y) == known[english(x)]
    assert (
        len({task.digest(), replace(task, pairs=50).digest(), replace(task, lower=True).digest(), replace(task, units="word").digest()})
        == 4
    )
    with pytest.raises(ValueError, match="go together"):
        Translation(source_path=files[0])


def test_a_corpus_without_a_sentence_for_bleu_is_refused(tmp_path):
    path = written(tmp_path / "words", "\n".join(f"word{k}" for k in range(200)).encode())
    with pytest.raises(ValueError, match="BLEU counts 4 words in a row: no target of train"):
        _ = Translation(source_path=path, target_path=path).spec


@pytest.mark.parametrize("units", ["bpe", "word"])
def test_a_sentence_of_training_is_put_together_again_to_the_letter(units):
    vocabulary = fit(SENTENCES, size=300, units=units)
    assert [vocabulary.decode([*ids, STOP, 7, 8]) for ids in vocabulary.encode(SENTENCES)] == list(SENTENCES)


def test_words_are_ranked_by_count_and_what_is_rare_is_unknown():
    assert pieces("Don't go, dog!") == ["▁Don", "'", "t", "▁go", ",", "▁dog", "!"]
    vocabulary = fit(["b b b a a c", "a d b"], size=len(SPECIAL) + 2, units="word")
    assert vocabulary.symbols[4:] == ("▁b", "▁a")
    assert vocabulary.encode(["a c b"]) == [[5, UNKNOWN, 4]]
    assert vocabulary.decode([5, UNKNOWN, 4]) == "a ⁇ b"


def test_merges_join_the_commonest_pair_first():
    """In a b c, a b c, a b the pair (a, b) is had 3 times, (ab, c) twice; the mark in front of a word is a symbol too."""
    vocabulary = fit(["abc abc ab"], size=100, units="bpe")
    assert vocabulary.merges[0] in {("a", "b"), ("▁", "a")}
    assert set(map("".join, vocabulary.merges)) >= {"▁ab", "▁abc"}
    assert "▁abc" in vocabulary.symbols


def test_vocabularies_are_of_the_training_pairs_alone():
    task = Translation(corpus="phrases", pairs=40, vocabulary=2_000, units="word")
    seen = {piece for row in task.text.splits["train"] for piece in pieces(task.text.targets[row])}
    assert set(task.text.vocabularies[1].symbols[4:]) == seen
    assert len(task.text.splits["train"]) == 40


def test_longer_pairs_are_left_out_of_every_split_and_the_rest_keeps_its_order():
    task = Translation(corpus="phrases", most_words=9, pairs=30)
    every = list(zip(*made("en", "de")["train"], strict=True))
    kept = [pair for pair in every if all(len(side.split()) <= 9 for side in pair)]
    assert len(kept) > 30
    text = task.text
    assert [(text.sources[row], text.targets[row]) for row in text.splits["train"]] == kept[:30]
    assert max(len(side.split()) for side in (*text.sources, *text.targets)) <= 9
    with pytest.raises(ValueError, match=r"got none for train, validation, test; most_words is 2"):
        _ = Translation(corpus="phrases", most_words=2).spec


@pytest.mark.parametrize("batch_size", [1, 7, 64, 500])
def test_an_epoch_reads_every_pair_once_in_full_batches_of_few_shapes(batch_size):
    task = replace(TINY, buckets=3)
    count = len(task.text.splits["train"])
    epoch = list(itertools.islice(task.batches("train", seed=3, batch_size=batch_size), -(-count // batch_size)))
    rows = [row for batch in epoch for row in batch.extra["row"][batch.weight.any(axis=1)]]
    assert sorted(rows) == sorted(task.text.splits["train"])
    assert sum(not batch.weight.any(axis=1).all() for batch in epoch) == (count % batch_size > 0)
    shapes = {(batch.x.shape[1], batch.y.shape[1]) for batch in epoch}
    assert shapes <= set(zip(task.spec.lengths, task.spec.target_lengths, strict=True))
    assert len(set(task.text.buckets)) == len(task.spec.lengths) <= 4


def test_buckets_keep_padding_low(tmp_path):
    """Of sentences of 4 to 40 words, one length for all wastes (40 - 22) / 40; of 7 groups alike, about a seventh of that."""
    sentences = [f"{' '.join(['word'] * (4 + k % 37))} {k}" for k in range(1_000)]
    path = written(tmp_path / "text", "\n".join(sentences).encode())
    padding = {}
    for buckets in (1, 7):
        task = Translation(source_path=path, target_path=path, pairs=None, most_words=None, units="word", buckets=buckets)
        batches = itertools.islice(task.batches("train", seed=0, batch_size=32), 28)
        padding[buckets] = 1 - np.mean(np.concatenate([batch.mask.mean(axis=1) for batch in batches]))
    assert padding[1] > 0.4
    assert padding[7] < 0.3 * padding[1]


def meter_of(task, split, decode):
    meter = task.meter(split)
    for batch in task.batches(split, seed=0, batch_size=10):
        meter.update(batch, decode(batch))
    return meter.result()


def test_one_who_writes_the_references_gets_100_with_bpe_and_less_where_words_are_unknown():
    for units, size, least in (("bpe", 60, 100), ("word", 30, 5)):
        task = replace(TINY, units=units, vocabulary=size)
        found = meter_of(task, "test", lambda batch: Prediction(np.zeros(batch.y.shape), batch.y, decoded={"greedy": batch.y}))
        assert found["BLEU"] == pytest.approx(task.metrics("test")["BLEU"].ceiling)
        assert (found["BLEU"] == pytest.approx(100)) == (units == "bpe")
        assert found["BLEU"] > least
        assert "BLEU beam4" not in found


def test_greedy_and_beam_are_scored_apart_and_each_is_optional():
    def halves(batch):
        ids = decoded([y[: weight.sum() // 2] for y, weight in zip(batch.y, batch.weight.astype(int), strict=True)], batch).decoded[
            "greedy"
        ]
        return Prediction(np.ones(batch.y.shape), batch.y, decoded={"greedy": ids, "beam4": batch.y})

    found = meter_of(TINY, "test", halves)
    assert found["BLEU"] < 60 < found["BLEU beam4"] == pytest.approx(100)
    assert (found["exact"], found["exact beam4"]) == (0, 1)
    assert found["perplexity"] == pytest.approx(np.e)
    only = meter_of(TINY, "test", lambda batch: Prediction(np.ones(batch.y.shape), batch.y, decoded={"beam4": batch.y}))
    assert set(only) == {"loss", "perplexity", "BLEU beam4", "chrF beam4", "exact beam4"}
    assert set(meter_of(TINY, "test", lambda batch: Prediction(np.ones(batch.y.shape), batch.y))) == {"loss", "perplexity"}


def test_what_is_attended_to_is_kept_for_three_test_sentences_with_the_names_of_rows_and_columns():
    """The k-th symbol of the target attends to the k-th of the source, or to the last one."""

    def straight(batch):
        last = batch.mask.sum(axis=1)[:, None] - 1
        weights = np.eye(batch.x.shape[1])[np.minimum(np.arange(batch.y.shape[1]), last)]
        return Prediction(np.ones(batch.y.shape), batch.y, attention=weights.astype(np.float32))

    maps = TINY.describe().maps
    found = {name: score for name, score in meter_of(TINY, "test", straight).items() if name.startswith("attention")}
    assert list(maps) == ["attention 1", "attention 2", "attention 3"]
    assert set(found) == set(maps)
    pairs = dict(zip(TINY.text.sources, TINY.text.targets, strict=True))
    for name, (down, across) in maps.items():
        source, target = ("".join(symbols).replace("_", " ").strip() for symbols in (across, down[:-1]))
        assert pairs[source] == target
        assert down[-1] == "stop"
        weights = np.array([value for _, value in found[name]]).reshape(len(down), len(across))
        np.testing.assert_array_equal(weights, np.eye(len(across))[np.minimum(np.arange(len(down)), len(across) - 1)])
    assert not any(name.startswith("attention") for name in meter_of(TINY, "validation", straight))


def test_a_translation_without_end_is_cut_at_one_and_a_half_times_its_source_and_ten():
    batch = next(TINY.batches("test", seed=0, batch_size=5))
    meter = TINY.meter("test")
    endless = np.full((5, 500), 6, np.int32)
    meter.update(batch, Prediction(np.ones(batch.y.shape), batch.y, decoded={"greedy": endless}))
    one = TINY.text.vocabularies[1].decode
    for row, mask in zip(batch.extra["row"], batch.mask, strict=True):
        assert meter.found["greedy"][row] == one([6] * int(1.5 * mask.sum() + 10))


def test_bleu_agrees_with_its_definition():
    """Clipped n-gram precisions of a corpus, their geometric mean, and the penalty for being short; counted here by hand."""
    references = ["the cat sat on the mat today", "a dog ran in the park"]
    hypotheses = ["the cat sat on the the mat", "a dog ran in a park"]
    logs = []
    for order in range(1, 5):
        right = total = 0
        for hypothesis, reference in zip(hypotheses, references, strict=True):
            h, r = (Counter(zip(*(side.split()[k:] for k in range(order)), strict=False)) for side in (hypothesis, reference))
            right, total = right + (h & r).total(), total + h.total()
        logs.append(np.log(right / total))
    assert bleu(hypotheses, references) == pytest.approx(100 * np.exp(np.mean(logs)))
    assert bleu(["the cat sat on"], ["the cat sat on the mat"]) == pytest.approx(100 * np.exp(1 - 6 / 4))
    assert signature().startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")


def test_the_constant_sentence_is_the_candidate_with_the_highest_bleu_on_the_others():
    sentences = list(made("en", "de")["train"].targets[:60])
    candidates, rest = sentences[::2], sentences[1::2]
    scores = [bleu([candidate] * len(rest), rest) for candidate in candidates]
    assert bleu([constant(sentences)] * len(rest), rest) == pytest.approx(max(scores))


def test_the_most_alike_sentence_shares_rare_words():
    nearest = Nearest(["a man sees a dog", "a man sees a unicorn", "a man sees a cat"])
    assert nearest(["the unicorn sees it", "Dog!"]) == [1, 0]


def test_the_loss_of_the_target_alone_is_that_of_counting():
    """Unigram: (c(w) + k / V) / (n + k), k different symbols, n symbols, stop included."""
    text = TINY.text
    train = [symbol for row in text.splits["train"] for symbol in (*text.y[row], STOP)]
    counts, size = Counter(train), TINY.spec.outputs
    nats = [
        -np.log((counts[symbol] + len(counts) / size) / (len(train) + len(counts)))
        for row in text.splits["test"]
        for symbol in (*text.y[row], STOP)
    ]
    assert TINY.metrics("test")["loss"].floors["unigram"] == pytest.approx(np.mean(nats))
    assert START not in counts


def test_multi30k_is_what_its_authors_count_and_its_copied_source_scores_what_is_known():
    """29,000, 1,014 and 1,000 pairs; copying the English scores BLEU 0.48 and chrF 16.3 on test_2016_flickr, cased, 13a."""
    try:
        locate(CORPORA["multi30k"])
    except Missing as missing:
        pytest.skip(str(missing))
    splits = multi30k("en", "de")
    assert [len(splits[split].sources) for split in ("train", "validation", "test")] == [29_000, 1_014, 1_000]
    sources, targets = splits["test"]
    assert bleu(sources, targets) == pytest.approx(0.48, abs=0.005)
    assert chrf(sources, targets) == pytest.approx(16.3, abs=0.05)
    assert multi30k("de", "en")["test"] == (targets, sources)


def test_a_corpus_that_is_not_here_or_not_pinned_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("SUITE_DATA", str(tmp_path))
    with pytest.raises(Missing, match="suite data get multi30k"):
        _ = Translation(pairs=17).spec
    with pytest.raises(Missing, match="its fr files have no pinned hash; give your copy of them by source_path and target_path"):
        _ = Translation(target="fr").spec
    (tmp_path / "multi30k").mkdir()
    for file in CORPORA["multi30k"].files:
        (tmp_path / "multi30k" / file.name).write_bytes(b"other")
    with pytest.raises(Damaged):
        _ = Translation(pairs=17).spec


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"corpus": "europarl"}, "corpus must be multi30k or phrases, got 'europarl'"),
        ({"units": "byte"}, "units must be bpe or word, got 'byte'"),
        ({"source": "de", "target": "fr"}, "languages must be en and one of de, en, fr, got 'de' and 'fr'"),
        ({"source": "en", "target": "en"}, "languages must differ"),
        ({"corpus": "phrases", "target": "fr"}, "languages must be en and one of de, en, got"),
        ({"vocabulary": 4}, "vocabulary must exceed the 4 special symbols, got 4"),
        ({"buckets": 8}, "buckets must be 1 to 7, got 8"),
        ({"pairs": 0}, "pairs must be at least 1, got 0"),
        ({"most_words": 0}, "most_words must be at least 1, got 0"),
    ],
)
def test_impossible_settings_are_refused_with_what_came(wrong, words):
    with pytest.raises(ValueError, match=words):
        Translation(**wrong)
