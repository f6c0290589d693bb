"""Columns, spans and buckets: what a labelling task reads, scores and batches."""

import itertools
import re
from collections import Counter

import numpy as np
import pytest

from suite.task import Batch, Prediction
from tasks.columns import columns, conllu
from tasks.labelling import Labelling
from tasks.meters import Means, accuracy
from tasks.spans import SpanF1, checked_bio, spans
from tests.task_cases import OWN

TAGS = ("O", "B-LOC", "B-PER", "I-LOC", "I-PER")


def row(number, form, tag):
    return f"{number}\t{form}\t_\t{tag}\t_\t_\t_\t_\t_\t_"


def one_by_one(tags):
    """Return the spans of a sentence: walk on, and keep the span that is open."""
    found, begin = [], None
    for step in range(len(tags) + 1):
        tag = tags[step] if step < len(tags) else "O"
        goes_on = begin is not None and tag == f"I-{tags[begin][2:]}"
        if begin is not None and not goes_on:
            found.append((begin, step, tags[begin][2:]))
            begin = None
        if tag != "O" and not goes_on:
            begin = step
    return set(found)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O O O", set()),
        ("B-PER I-PER O", {(0, 2, "PER")}),
        ("B-PER B-PER", {(0, 1, "PER"), (1, 2, "PER")}),
        ("B-PER I-LOC", {(0, 1, "PER"), (1, 2, "LOC")}),
        ("O I-PER I-PER", {(1, 3, "PER")}),
        ("I-PER B-PER I-PER", {(0, 1, "PER"), (1, 3, "PER")}),
        ("O O B-LOC", {(2, 3, "LOC")}),
        ("B-LOC O I-LOC", {(0, 1, "LOC"), (2, 3, "LOC")}),
    ],
)
def test_spans_of_examples_done_by_hand(tags, expected):
    assert spans(tags.split()) == expected


def test_spans_are_those_of_a_walk_through_the_sentence():
    rng = np.random.default_rng(0)
    for _ in range(500):
        tags = [TAGS[i] for i in rng.integers(0, len(TAGS), rng.integers(1, 9))]
        assert spans(tags) == one_by_one(tags), tags


def scored(there, said, weight=None, batches=1):
    """Return what the meter says of tags (rows, time), taken in so many batches."""
    meter = SpanF1(Means({"accuracy": accuracy}), TAGS)
    weight = np.ones(there.shape, np.float32) if weight is None else weight
    for part in np.array_split(np.arange(len(there)), batches):
        meter.update(Batch(x=there[part], y=there[part], weight=weight[part]), Prediction(loss=weight[part] * 0, best=said[part]))
    return meter.result()


def ids(*sentences):
    return np.array([[TAGS.index(tag) for tag in sentence.split()] for sentence in sentences])


def test_span_f1_of_an_example_done_by_hand():
    there = ids("B-PER I-PER O B-LOC", "O B-LOC I-LOC O")
    said = ids("B-PER I-PER O B-PER", "O B-LOC O O")  # one of three is exact: another has a wrong type, another stops too soon
    assert scored(there, said)["span_f1"] == pytest.approx(2 * 1 / (3 + 3))
    said = ids("B-PER I-PER O O", "O B-LOC I-LOC O")
    assert scored(there, said)["span_f1"] == pytest.approx(2 * 2 / (2 + 3))
    assert scored(there, ids("O O O O", "O O O O"))["span_f1"] == 0
    assert scored(there, there) == {"accuracy": 1, "span_f1": 1}


def test_span_f1_counts_over_the_split_whatever_the_batches_and_not_what_weighs_nothing():
    rng = np.random.default_rng(1)
    there, said = rng.integers(0, len(TAGS), (2, 40, 7))
    valid = np.arange(7) < rng.integers(1, 8, 40)[:, None]
    expected = [0, 0, 0]
    for gold, guess, length in zip(there, said, valid.sum(axis=1), strict=True):
        one, other = (one_by_one([TAGS[i] for i in tags[:length]]) for tags in (gold, guess))
        expected = np.add(expected, (len(one & other), len(one), len(other)))
    found, gold, guessed = expected
    precision, recall = found / guessed, found / gold
    for batches in (1, 3, 40):
        result = scored(there, said, valid.astype(np.float32), batches)
        assert result["span_f1"] == pytest.approx(2 * precision * recall / (precision + recall))


def test_span_f1_is_left_out_where_there_is_no_span():
    assert "span_f1" not in scored(ids("O O"), ids("B-PER O"))


@pytest.mark.parametrize("tag", ["PER", "B-", "E-PER", "b-PER", ""])
def test_tags_that_are_not_bio_are_refused(tag):
    with pytest.raises(ValueError, match=re.escape(repr(tag))):
        checked_bio(["O", "B-PER", tag])


def test_ids_of_a_range_and_with_a_point_are_no_words():
    words = [(1, "I", "PRON"), ("2-3", "don't", "_"), (2, "do", "AUX"), (3, "n't", "PART"), ("3.1", "go", "VERB")]
    text = "\n".join(["# text = I don't.", *(row(*word) for word in words), "", row(1, "No", "INTJ")])
    assert [(one.words, one.tags, one.line) for one in conllu(text, "x")] == [
        (("I", "do", "n't"), ("PRON", "AUX", "PART"), 2),
        (("No",), ("INTJ",), 8),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1 two NOUN", "10 columns"),
        (row("one", "two", "NOUN"), "id like"),
        (row("1-x", "two", "NOUN"), "id like"),
        (row(1, "two", "_"), "column 4"),
    ],
)
def test_a_bad_line_of_conllu_is_refused_by_file_and_number(line, said):
    with pytest.raises(ValueError, match=rf"^file\.conllu, line 3: .*{said}"):
        conllu(f"# one\n{row(1, 'a', 'DET')}\n{line}\n", "file.conllu")


def test_columns_stand_between_tabs_or_blanks_and_documents_and_comments_are_passed_over():
    text = "-DOCSTART- -X- O O\n\n# a NNP O\r\nAda NNP B-PER\r\n\r\n\r\nNew York\tNNP\tB-LOC\n"
    found = columns(text, "x", word=0, tag=-1, comment="")
    assert [one.words for one in found] == [("#", "Ada"), ("New York",)]
    assert found[1].tags == ("B-LOC",)
    assert [one.words for one in columns(text, "x", word=0, tag=1, comment="#")] == [("Ada",), ("New York",)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a O\nb\n", r"line 2: expected a word and a tag in 2 columns or more, got 1"),
        (b"a O\n\xff O\n", r"line 2: expected UTF-8, got byte 0xff"),
        (b"a\tO\nb\t\n", r"line 2: expected a word and a tag"),
        (b"a O\n\nb O\n", r"at least 10 sentences to split, got 2"),
        (b"a O\n\n" * 20, r"at least two different tags"),
        (b"a O\nb PER\n\n" * 20, None),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_its_reason(tmp_path, content, said):
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    if said is None:
        assert Labelling(path=path).spec.outputs == 2
        with pytest.raises(ValueError, match=r"mine\.txt, sentence from line 1 on: .*'PER'"):
            _ = Labelling(path=path, scheme="bio").spec
    else:
        with pytest.raises(ValueError, match=said):
            _ = Labelling(path=path).spec
    with pytest.raises(ValueError, match="cannot be read"):
        _ = Labelling(path=tmp_path / "none").spec


def test_a_file_without_blank_lines_is_refused(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("a O\n\n" * 20 + "b X\n" * 1_001 + "\n" + "a O\n\n" * 9)
    with pytest.raises(ValueError, match=r"blank line after 1,000 words at most, got 1,001 words from line 41 on"):
        _ = Labelling(path=path).spec


@pytest.mark.parametrize("wrong", [{"scheme": "iob"}, {"least": 0}, {"limit": 0}, {"buckets": 1}, {"buckets": 9}, {"test_path": "x"}])
def test_impossible_configurations_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Labelling(path="x", **wrong)


def write(path, sentences):
    path.write_text("\n\n".join("\n".join(f"{word} {tag}" for word, tag in sentence) for sentence in sentences))
    return path


@pytest.fixture
def files(tmp_path):
    train = [[("The", "D"), ("cat", "N")], [("the", "D"), ("dog", "N"), ("left", "V")], [("left", "A")], [("LEFT", "A")]]
    return {
        "path": write(tmp_path / "train", train),
        "validation_path": write(tmp_path / "validation", [[("The", "D"), ("bird", "N")]]),
        "test_path": write(tmp_path / "test", [[("the", "D"), ("cat", "N")], [("Cat", "N"), ("sang", "V")]]),
    }


@pytest.mark.parametrize(
    ("options", "vocabulary", "x"),
    [
        ({}, 4, [[3, 1], [1, 1]]),  # 0 padding, 1 unknown, 2 left, 3 the
        ({"least": 1}, 6, [[5, 2], [2, 1]]),  # 2 cat, 3 dog, 4 left, 5 the
        ({"lower": False, "least": 1}, 8, [[7, 4], [1, 1]]),  # 2 LEFT, 3 The, 4 cat, 5 dog, 6 left, 7 the
        ({"least": 4}, 2, [[1, 1], [1, 1]]),
    ],
)
def test_the_vocabulary_is_what_training_holds_often_enough(files, options, vocabulary, x):
    task = Labelling(**files, **options)
    assert task.spec.inputs == vocabulary
    (batch,) = task.batches("test", seed=0, batch_size=2)
    assert batch.x.tolist() == x
    assert batch.extra["word"].tolist() == [[4, 1], [1, 0]]  # cat, dog, left, the: the same whatever the vocabulary


def test_the_most_frequent_tag_is_that_of_the_lower_cased_word_in_training_and_a_new_word_gets_the_commonest(files):
    task = Labelling(**files, lower=False)
    assert task.tags == ("A", "D", "N", "V")
    guess = task.baselines()["most frequent tag"]
    batch = next(task.batches("train", seed=0, batch_size=4))
    said = {}
    for words, tags in zip(batch.extra["word"], guess.predict(batch).best, strict=True):
        said |= dict(zip(words.tolist(), tags.tolist(), strict=True))
    assert {word: task.tags[tag] for word, tag in said.items() if word} == {1: "N", 2: "N", 3: "A", 4: "D"}
    (batch,) = task.batches("validation", seed=0, batch_size=1)
    found = guess.predict(batch)
    # training tags A 2, D 2, N 2, V 1; each counts once more, of 11 in all; "the" is D twice and nothing else
    shares = np.array([3, 3, 3, 2]) / 11
    assert found.best.tolist() == [[1, 0]]
    np.testing.assert_allclose(found.loss, -np.log([[(2 + shares[1]) / 3, shares[2]]]))


def test_unknown_words_are_those_that_training_lacks_not_the_rare_ones(files):
    task = Labelling(**files)
    meter = task.meter("test")
    for batch in task.batches("test", seed=0, batch_size=2):
        meter.update(batch, Prediction(loss=np.zeros(batch.y.shape), best=np.where(batch.extra["word"] == 0, batch.y, -1)))
    assert meter.result() == {"loss": 0, "accuracy": 1 / 4, "unknown_accuracy": 1, "sentence_accuracy": 0}


def test_one_file_is_cut_in_its_order_and_the_digest_follows_its_words_and_tags(tmp_path):
    sentences = [[(f"w{number}", "AB"[number % 2])] * (1 + number % 3) for number in range(20)]
    task = Labelling(path=write(tmp_path / "one", sentences))
    parts = task.sentences()
    assert [[one.words[0] for one in parts[name]] for name in ("train", "validation", "test")] == [
        [f"w{number}" for number in numbers] for numbers in (range(16), (16, 17), (18, 19))
    ]
    other = Labelling(path=write(tmp_path / "other", [*sentences[:-1], [("w19", "A")]]))
    same = Labelling(path=write(tmp_path / "same", sentences))
    assert task.digest() == same.digest() != other.digest()


def test_training_meets_every_sentence_once_an_epoch():
    task = OWN["labelling"]
    seen = Counter()
    for batch in itertools.islice(task.batches("train", seed=3, batch_size=8), 12):  # 48 sentences: two epochs of 6 batches
        seen.update(row[mask].tobytes() + tags[mask].tobytes() for row, tags, mask in zip(batch.x, batch.y, batch.mask, strict=True))
    assert sum(seen.values()) == 96
    assert all(times % 2 == 0 for times in seen.values())  # an even number: rare words make some sentences alike


def test_the_probe_weighs_the_word_in_the_middle_of_the_longest_sentences():
    task = OWN["labelling"]
    (batch,) = task.batches("probe", seed=0, batch_size=6)
    lengths = batch.mask.sum(axis=1)
    assert (batch.weight.argmax(axis=1) == lengths // 2).all()
    assert lengths.max() == max(len(one.words) for one in task.sentences()["validation"])
