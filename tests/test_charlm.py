"""Character language modelling: windows, splits, vocabulary, and n-grams against counting done by hand."""

import dataclasses
import hashlib
import itertools
import math
from collections import Counter, defaultdict
from pydoc_data.topics import topics

import numpy as np
import pytest

from suite.corpus import File, Missing, locate
from tasks.charlm import CharLM
from tasks.corpora import CORPORA
from tasks.ngram import NGram
from tasks.text import Mapped, characters, unrepeated

SENTENCE = "the cat sat on the mat, and the dog ate the hat. "


@pytest.fixture
def text(tmp_path):
    """Return a text of 2,000 characters whose position can be told, and its path."""
    rng = np.random.default_rng(0)
    words = SENTENCE.split(" ")
    content = " ".join(rng.choice(words, 600))[:2_000]
    path = tmp_path / "text.txt"
    path.write_text(content)
    return content, path


def letters(task, ids):
    """Return the text of ids, by the order of the vocabulary."""
    known = sorted(set(task.path.read_text()[: len(task.path.read_text()) * 90 // 100]))
    return "".join(known[i] for i in ids)


def counted_targets(task, split):
    """Return the targets that weigh, in the order of the batches, and the size of the context of each."""
    found, context = [], []
    for batch in task.batches(split, seed=0, batch_size=7):
        for y, weight in zip(batch.y, batch.weight, strict=True):
            kept = np.flatnonzero(weight)
            found += list(y[kept])
            context += list(kept + 1)
    return np.array(found), np.array(context)


@pytest.mark.parametrize("window", [2, 10, 14, 50])
@pytest.mark.parametrize(("split", "first", "last"), [("validation", 1800, 1900), ("test", 1900, 2000)])
def test_every_character_but_the_first_is_scored_once_and_in_order(text, window, split, first, last):
    content, path = text
    task = CharLM(path=path, window=window)
    targets, context = counted_targets(task, split)
    assert letters(task, targets) == content[first + 1 : last]
    assert (context[window:] >= window // 2).all()
    assert (context[:window] == np.arange(1, window + 1)).all()


def test_targets_are_the_inputs_one_step_on(text):
    task = CharLM(path=text[1], window=10)
    for split in task.splits:
        for batch in itertools.islice(task.batches(split, seed=0, batch_size=5), 3):
            assert (batch.x[:, 1:] == batch.y[:, :-1]).all()


def test_splits_are_ninety_five_and_five_percent_in_the_order_of_the_text(text):
    content, path = text
    task = CharLM(path=path, window=10)
    whole = "".join(letters(task, task._text.parts[split]) for split in ("train", "validation", "test"))
    assert whole == content
    assert [len(task._text.parts[split]) for split in ("train", "validation", "test")] == [1800, 100, 100]


def test_training_windows_lie_in_the_training_text_and_begin_everywhere(tmp_path):
    content = "".join(np.random.default_rng(0).choice(list("abcdefgh"), 400))
    path = tmp_path / "letters.txt"
    path.write_text(content)
    task = CharLM(path=path, window=10)
    seen = set()
    for batch in itertools.islice(task.batches("train", seed=0, batch_size=64), 100):
        seen |= {letters(task, row) for row in np.concatenate([batch.x, batch.y[:, -1:]], axis=1)}
    assert seen == {content[start : start + 11] for start in range(360 - 10)}


def test_the_vocabulary_is_of_training_only_with_one_id_for_all_that_is_new(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("ab" * 90 + "abxbyaabab" + "abababzaba")
    task = CharLM(path=path, window=4)
    assert (task.spec.inputs, task.spec.outputs) == (3, 3)
    assert list(task._text.parts["validation"]) == [0, 1, 2, 1, 2, 0, 0, 1, 0, 1]
    assert task._text.parts["train"].max() == 1
    path = tmp_path / "plain.txt"
    path.write_text("ab" * 100)
    assert CharLM(path=path, window=4).spec.inputs == 2


def test_carried_windows_go_on_where_the_row_stopped_and_reset_at_each_pass(text):
    content, path = text
    task = CharLM(path=path, window=10, carried=True)
    train = content[:1800]
    windows = (1800 - 1 - 10) // 4 // 10
    batches = list(itertools.islice(task.batches("train", seed=0, batch_size=4), 2 * windows + 1))
    assert [index for index, batch in enumerate(batches) if batch.reset.all()] == [0, windows, 2 * windows]
    assert not any(batch.reset.any() and not batch.reset.all() for batch in batches)
    for start in (0, windows):
        for row in range(4):
            stream = "".join(letters(task, batch.x[row]) for batch in batches[start : start + windows])
            assert stream in train
    evaluated = next(task.batches("validation", seed=0, batch_size=4))
    assert evaluated.reset.all()


def test_every_pass_over_the_streams_begins_elsewhere(text):
    task = CharLM(path=text[1], window=50, carried=True)
    windows = (1800 - 1 - 50) // 2 // 50
    starts = {
        next(task.batches("train", seed=seed, batch_size=2, start=windows * epoch)).x.tobytes() for seed in range(3) for epoch in range(3)
    }
    assert len(starts) >= 7


def test_carried_and_windowed_models_are_evaluated_alike(text):
    plain, carried = (CharLM(path=text[1], window=10, carried=carried) for carried in (False, True))
    for one, other in zip(plain.batches("test", seed=0, batch_size=7), carried.batches("test", seed=0, batch_size=7), strict=True):
        assert (one.x == other.x).all()
        assert (one.weight == other.weight).all()


def reference(train, part, order, vocabulary):
    """Return the mean nats of an interpolated Witten-Bell model on `part`, counted with dictionaries."""
    tables = []
    for size in range(order):
        table = defaultdict(Counter)
        for end in range(size, len(train)):
            table[train[end - size : end]][train[end]] += 1
        tables.append(table)
    nats = []
    for end in range(1, len(part)):
        p = 1 / vocabulary
        for size, table in enumerate(tables):
            context = part[end - size : end]
            if size > end or context not in table:
                continue
            follows = table[context]
            p = (follows[part[end]] + len(follows) * p) / (sum(follows.values()) + len(follows))
        nats.append(-math.log(p))
    return np.mean(nats)


@pytest.mark.parametrize(("name", "order"), [("unigram", 1), ("bigram", 2), ("3-gram", 3), ("5-gram", 5)])
def test_ngrams_agree_with_counting_by_dictionary(text, name, order):
    content, path = text
    task = CharLM(path=path, window=20)
    meter = task.meter("test")
    for batch in task.batches("test", seed=0, batch_size=7):
        meter.update(batch, task.baselines()[name].predict(batch))
    expected = reference(content[:1800], content[1900:], order, task.spec.outputs)
    assert meter.result()["loss"] == pytest.approx(expected)
    assert meter.result()["bits"] == pytest.approx(expected / math.log(2))


def test_ngram_probabilities_sum_to_one():
    ids = np.random.default_rng(0).integers(0, 4, 60)
    counts = NGram(ids, vocabulary=5, order=3)
    x = np.random.default_rng(1).integers(0, 5, (30, 6))
    total = sum(np.exp(-counts.predict(x, np.full(x.shape, symbol), 3).loss) for symbol in range(5))
    assert total == pytest.approx(1)


def test_the_best_guess_of_an_ngram_is_the_commonest_successor():
    ids = np.array([0, 1, 0, 1, 0, 2, 1, 1])
    guess = NGram(ids, vocabulary=3, order=2).predict(np.array([[0, 2, 1]]), np.zeros((1, 3), int), 2).best
    assert guess[0, 0] == 1  # 0 is followed by 1, 1, 2
    assert guess[0, 1] == 1  # 2 is followed by 1


def test_a_text_is_named_by_the_hash_of_what_is_read(text):
    content, path = text
    assert CharLM(path=path, window=10).digest() == hashlib.sha256(content.encode()).hexdigest()
    assert CharLM(path=path, window=10, limit=500).digest() == hashlib.sha256(content[:500].encode()).hexdigest()
    assert CharLM().digest() != CharLM(limit=5_000).digest()


def test_a_paragraph_is_read_once_where_it_first_stands():
    assert unrepeated("a b\n\nc\n\n a\n  b\n\nd") == "a b\n\nc\n\nd"


def test_splits_of_the_offline_text_hardly_share_a_passage():
    for window, allowed in ((100, 0.002), (50, 0.01)):
        seen = {split: {ids[k : k + window].tobytes() for k in range(len(ids) - window)} for split, ids in CharLM()._text.parts.items()}
        for one, other in itertools.combinations(seen, 2):
            assert len(seen[one] & seen[other]) <= allowed * min(len(seen[one]), len(seen[other])), (one, other)


def test_python_s_reference_text_as_it_comes_leaks_into_its_last_part():
    """Why repeated paragraphs are dropped; if this fails, they need not be any more."""
    raw = "\n".join(topics.values())
    train, test = raw[: len(raw) * 90 // 100], raw[len(raw) * 95 // 100 :]
    assert np.mean([test[k : k + 100] in train for k in range(0, len(test) - 100, 50)]) > 0.02


def bits_of(task, split):
    found = []
    for baseline in task.baselines().values():
        meter = task.meter(split)
        for batch in task.batches(split, seed=0, batch_size=64):
            meter.update(batch, baseline.predict(batch))
        found.append(meter.result()["bits"])
    return found


def test_ngram_rows_of_the_offline_text_fall_with_the_order():
    found = bits_of(CharLM(window=50), "test")
    assert found == sorted(found, reverse=True)
    assert found[0] < math.log2(CharLM().spec.outputs)


def test_ngrams_agree_with_independent_measurements_on_python_s_whole_reference_text():
    """Known for the 465,048 characters of Python 3.11, repeated paragraphs included; 1 to 5 characters."""
    raw = "\n".join(topics.values())
    if len(raw) != 465_048:
        pytest.skip("another Python brings another text")
    ids = np.searchsorted(sorted(set(raw)), list(raw))
    train, test = ids[: len(ids) * 90 // 100], ids[len(ids) * 95 // 100 :]
    counts = NGram(train, vocabulary=ids.max() + 1, order=5)
    bits = [counts.predict(test[None, :-1], test[None, 1:], order).loss.mean() / math.log(2) for order in range(1, 6)]
    assert bits == pytest.approx([4.595, 3.255, 2.378, 1.907, 1.752], rel=0.002)


def test_tiny_shakespeare_gives_the_published_unigram_and_bigram_rows():
    try:
        text = (locate(CORPORA["tinyshakespeare"]) / "input.txt").read_text()
    except Missing as missing:
        pytest.skip(str(missing))
    assert (len(text), CharLM(corpus="tinyshakespeare").spec.outputs) == (1_115_394, 65)
    ids = np.searchsorted(sorted(set(text)), list(text))
    train, rest = ids[:1_003_854], ids[1_003_854:]
    counts = NGram(train, vocabulary=65, order=5)
    bits = [counts.predict(rest[None, :-1], rest[None, 1:], order).loss.mean() / math.log(2) for order in range(1, 6)]
    assert bits == pytest.approx([4.829, 3.586, 2.956, 2.559, 2.408], abs=6e-4)


def test_a_missing_corpus_names_the_command_that_gets_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SUITE_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="suite data get tinyshakespeare"):
        _ = CharLM(corpus="tinyshakespeare", limit=123_457).spec


@pytest.mark.parametrize("wrong", [{"window": 0}, {"window": 7}, {"corpus": "war and peace"}, {"limit": 0}])
def test_impossible_settings_are_refused_with_what_came(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        CharLM(**wrong)


def test_a_text_shorter_than_a_window_is_refused(tmp_path):
    path = tmp_path / "short.txt"
    path.write_text(SENTENCE)
    with pytest.raises(ValueError, match="more than one window of 10 characters"):
        _ = CharLM(path=path, window=10).spec


def test_too_many_streams_for_the_text_are_refused(text):
    with pytest.raises(ValueError, match="500 rows of 10"):
        CharLM(path=text[1], window=10, carried=True).batches("train", seed=0, batch_size=500)


def put(monkeypatch, folder, name, contents):
    """Put files of the test's own where a corpus is looked for, as its pinned ones."""
    monkeypatch.setenv("SUITE_DATA", str(folder))
    (folder / name).mkdir()
    for file, content in contents.items():
        (folder / name / file).write_bytes(content)
    files = tuple(
        File(name=file, size=len(content), sha256=hashlib.sha256(content).hexdigest(), url="https://example.org/file")
        for file, content in contents.items()
    )
    monkeypatch.setitem(CORPORA, name, dataclasses.replace(CORPORA[name], files=files))
    characters.cache_clear()


def test_the_penn_treebank_has_its_own_splits_and_a_line_begins_without_its_blank(monkeypatch, tmp_path):
    lines = {"train": " aer banknote \n no it was n't \n", "valid": " no q \n", "test": " it was \n a \n"}
    put(monkeypatch, tmp_path, "ptb", {f"ptb.{part}.txt": text.encode() for part, text in lines.items()})
    task = CharLM(corpus="ptb", window=4)
    known = sorted(set("aer banknote \nno it was n't \n"))
    show = lambda ids: "".join(known[i] if i < len(known) else "?" for i in ids)
    assert {split: show(ids) for split, ids in task._text.parts.items()} == {
        "train": "aer banknote \nno it was n't \n",
        "validation": "no ? \n",
        "test": "it was \na \n",
    }
    assert task.spec.inputs == len(known) + 1
    assert [len(ids) for ids in characters("ptb", None, 20).parts.values()] == [18, 1, 1]


@pytest.mark.parametrize(("part", "size"), [("train", 5_059_550), ("valid", 396_412), ("test", 446_184)])
def test_the_penn_treebank_has_the_usual_number_of_characters(part, size):
    lines = {"train": 42_068, "valid": 3_370, "test": 3_761}
    (file,) = [file for file in CORPORA["ptb"].files if part in file.name]
    assert file.size - lines[part] == size


def test_a_mapped_text_gives_what_a_text_in_memory_gives_and_stays_on_disk(monkeypatch, tmp_path, text):
    content, path = text
    put(monkeypatch, tmp_path, "text8", {"text8": content.encode()})
    plain, mapped = CharLM(path=path, window=10), CharLM(corpus="text8", window=10)
    assert isinstance(mapped._text.parts["train"], Mapped)
    assert isinstance(mapped._text.parts["train"].codes, np.memmap)
    assert mapped.digest() == plain.digest()
    assert mapped.spec == plain.spec
    for split in plain.splits:
        batches = [itertools.islice(task.batches(split, seed=0, batch_size=7), 4) for task in (plain, mapped)]
        for one, other in zip(*batches, strict=True):
            assert (one.x == other.x).all()
            assert (one.y == other.y).all()
            assert (one.weight == other.weight).all()
            assert other.x.dtype == np.int32
    assert mapped.metrics("test") == plain.metrics("test")
    assert bits_of(mapped, "test") == bits_of(plain, "test")


def test_bytes_are_symbols_where_a_file_is_read_in_bytes(tmp_path):
    path = tmp_path / "bytes"
    path.write_bytes(b"\xff\x00ab" * 450 + b"\xff\x00xa" * 50)
    task = CharLM(path=path, window=4, in_bytes=True)
    assert task.spec.inputs == 5  # four of training, and the unknown one
    assert list(task._text.parts["validation"][:4]) == [3, 0, 4, 1]
    assert {metric.unit for metric in task.metrics("test").values()} == {"nats per byte", "bits per byte"}
    assert "bytes: 1,800 train" in task.describe().notes
    assert task.digest() == hashlib.sha256(path.read_bytes()).hexdigest()
    assert CharLM(path=path, window=4, in_bytes=True, limit=1_000).digest() == hashlib.sha256(path.read_bytes()[:1_000]).hexdigest()


def test_a_text_counted_in_blocks_has_the_counts_of_the_whole(monkeypatch, text):
    _, path = text
    ids = CharLM(path=path, window=10)._text.parts["train"]
    whole = NGram(ids, vocabulary=30, order=4)
    monkeypatch.setattr("tasks.text.BLOCK", 97)
    for one, other in zip(whole.counts, NGram(ids, vocabulary=30, order=4).counts, strict=True):
        for expected, found in zip(one, other, strict=True):
            assert (expected == found).all()


def test_floors_measured_in_blocks_are_those_of_the_whole(monkeypatch, text):
    content, path = text
    whole = CharLM(path=path, window=10).metrics("test")["loss"].floors
    monkeypatch.setattr("tasks.text.BLOCK", 13)
    other = path.with_name("again.txt")
    other.write_text(content)
    assert CharLM(path=other, window=10).metrics("test")["loss"].floors == pytest.approx(whole)


def test_orders_that_numbers_cannot_hold_are_left_out(tmp_path):
    path = tmp_path / "many.txt"
    path.write_text("".join(chr(0x4E00 + n) for n in range(8_000)) * 2)
    assert set(CharLM(path=path, window=4).baselines()) == {"unigram", "bigram", "3-gram", "4-gram"}


def test_a_text_in_another_encoding_is_refused_with_file_and_line(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes("eins\nzwölf\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin\.txt, line 2: expected UTF-8, got byte 0xf6"):
        _ = CharLM(path=path, window=2).spec
    with pytest.raises(ValueError, match=r"none\.txt cannot be read"):
        _ = CharLM(path=tmp_path / "none.txt").spec
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    with pytest.raises(ValueError, match="must be a file with bytes in it"):
        _ = CharLM(path=empty, in_bytes=True).spec


def test_reading_in_bytes_is_for_files_of_the_user():
    with pytest.raises(ValueError, match="in_bytes must be False where no path is given"):
        CharLM(in_bytes=True)


def test_windows_score_the_last_twentieth_of_tiny_shakespeare_as_its_whole_stream_is_scored():
    """What models are compared with there; the last tenth, above, is easier (4.829 to 2.408 bits)."""
    task = CharLM(corpus="tinyshakespeare")
    try:
        train, test = (task._text.parts[split] for split in ("train", "test"))
    except Missing as missing:
        pytest.skip(str(missing))
    counts = NGram(train, vocabulary=65, order=5)
    stream = [counts.predict(test[None, :-1], test[None, 1:], order).loss.mean() / math.log(2) for order in range(1, 6)]
    print([f"{bits:.4f} bits, {bits * math.log(2):.4f} nats" for bits in stream])
    assert bits_of(task, "test") == pytest.approx(stream)
