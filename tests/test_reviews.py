"""Reviews as they are read: every corpus, real where it is here, made by the test otherwise, and what is refused."""

import bz2
import dataclasses
import hashlib
import io
import tarfile

import numpy as np
import pytest

from suite.corpus import Missing, locate
from tasks.corpora import CORPORA
from tasks.lines import decoded, lines
from tasks.partition import tenths
from tasks.review_rows import divided
from tasks.reviews import in_words, reviews
from tasks.sentiment import Sentiment


def read(corpus="rotten-tomatoes", path=None, longest=200):
    try:
        return reviews(corpus, path, longest=longest)
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a function that puts files of the test's own where a corpus is looked for, as its pinned ones."""

    def put(name, **contents):
        monkeypatch.setenv("SUITE_DATA", str(tmp_path))
        corpus = CORPORA[name]
        given = dict(zip([each.name for file in corpus.files for each in file.wanted], contents.values(), strict=True))
        (tmp_path / name).mkdir(exist_ok=True)
        for file, content in given.items():
            (tmp_path / name / file).write_bytes(content)
        change = lambda each: {"size": max(1, len(given[each.name])), "sha256": hashlib.sha256(given[each.name]).hexdigest()}
        files = tuple(
            dataclasses.replace(file, members=tuple(dataclasses.replace(member, **change(member)) for member in file.members))
            if file.members
            else dataclasses.replace(file, **change(file))
            for file in corpus.files
        )
        monkeypatch.setitem(CORPORA, name, dataclasses.replace(corpus, files=files))
        return tmp_path / name

    return put


def test_mr_is_cp1252_and_holds_5331_sentences_of_each_kind():
    found = read("rt-polarity")
    assert np.bincount(found.labels).tolist() == [5_331, 5_331]
    words = {word for row in found.words for word in row}
    assert any("é" in word for word in words)
    assert not any("\x80" <= letter <= "\x9f" for word in words for letter in word), "control characters: read as Latin-1"


def test_sst2_is_sentences_and_not_phrases():
    found = read("sst2")
    sizes = {part: int((found.parts == part).sum()) for part in ("train", "validation", "test")}
    assert sizes == {"train": 6_920, "validation": 872, "test": 1_821}


def test_rotten_tomatoes_is_12808_snippets_of_508_films_without_plots():
    found = read()
    assert np.bincount(found.labels).tolist() == [5_405, 7_403]
    assert len(np.unique(found.groups)) == 508


def test_no_film_is_in_two_splits():
    found = read()
    parts = divided(found, "here", fold=None)
    films = {split: set(found.groups[rows]) for split, rows in parts.items()}
    assert not films["train"] & films["test"]
    assert not films["train"] & films["validation"]
    assert not films["validation"] & films["test"]
    assert sorted(np.concatenate(list(parts.values()))) == list(range(12_808))
    assert [len(parts[split]) / 12_808 for split in ("train", "validation", "test")] == pytest.approx([0.8, 0.1, 0.1], abs=0.005)


CSV = (
    'category,text,movie_name,has_plot_and_reviews\nplot,"a plot",one,1\nfresh,"It\'s a ""deft"" drama.\nTruly",one,1\nrotten,dull,two,0\n'
)


def test_snippets_may_hold_quotes_and_ends_of_lines(place):
    place("rotten-tomatoes", file=bz2.compress(CSV.encode()))
    found = read()
    assert found.words == [["it's", "a", '"', "deft", '"', "drama", ".", "truly"], ["dull"]]
    assert (found.labels.tolist(), found.groups.tolist()) == ([1, 0], ["one", "two"])


@pytest.mark.parametrize("row", ["good,a text,one,1", "fresh,,one,1", "fresh,a text,,1"])
def test_a_snippet_without_label_text_or_film_is_refused_with_its_line(place, row):
    place("rotten-tomatoes", file=bz2.compress(CSV.encode() + row.encode() + b"\n"))
    with pytest.raises(ValueError, match=r"corpus_full\.csv\.bz2, line 6: expected fresh or rotten"):
        read()


def archive(files):
    """Return a .tar.gz of these files, name -> text."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name, text in files.items():
            information = tarfile.TarInfo(name)
            information.size = len(text.encode())
            tar.addfile(information, io.BytesIO(text.encode()))
    return target.getvalue()


def imdb(films=20):
    """Return a small archive laid out as that of Maas et al.: two reviews of each film and kind."""
    files = {"aclImdb/README": "no review", "aclImdb/train/unsup/0_0.txt": "no label", "aclImdb/train/urls_unsup.txt": "a\n"}
    for part in ("test", "train"):
        for side in ("neg", "pos"):
            files[f"aclImdb/{part}/labeledBow.feat"] = "9 0:1"
            files[f"aclImdb/{part}/urls_{side}.txt"] = "".join(f"http://example.org/{part}{n // 2}\n" for n in range(2 * films))
            for number in range(2 * films):
                files[f"aclImdb/{part}/{side}/{number}_{7 if side == 'pos' else 2}.txt"] = f"{part} {side}<br /><br />film {number // 2}"
    return files


def test_imdb_is_read_from_its_archive_with_the_film_of_each_review(place):
    place("imdb", file=archive(imdb()))
    found = read("imdb")
    assert len(found.words) == 160
    assert found.words[0] == ["test", "neg", "film", "0"]
    assert found.labels.tolist() == [0] * 40 + [1] * 40 + [0] * 40 + [1] * 40
    assert found.parts.tolist() == ["test"] * 80 + ["train"] * 80
    assert found.groups[41] == "http://example.org/test0"
    assert found.groups[0] == found.groups[40] == "http://example.org/test0"


def test_imdb_validates_on_films_of_training_that_it_does_not_train_on(place):
    place("imdb", file=archive(imdb()))
    found = read("imdb")
    parts = divided(found, "here", fold=None)
    assert {split: len(rows) for split, rows in parts.items()} == {"train": 72, "validation": 8, "test": 80}
    assert set(found.parts[parts["test"]]) == {"test"}
    assert not set(found.groups[parts["train"]]) & set(found.groups[parts["validation"]])
    with pytest.raises(ValueError, match="official split has no folds, got fold 1"):
        divided(found, "here", fold=1)


def test_imdb_that_is_damaged_inside_is_refused_with_the_name_of_the_file(place):
    place("imdb", file=archive({**imdb(), "aclImdb/train/neg/3_2.txt": " "}))
    with pytest.raises(ValueError, match=r"aclImdb/train/neg/3_2\.txt, line 1: expected a text"):
        read("imdb")
    place("imdb", file=archive({**imdb(), "aclImdb/train/urls_pos.txt": "one"}))
    with pytest.raises(ValueError, match=r"train/urls_pos\.txt: expected the film of review 1"):
        read("imdb")


def test_mr_in_another_encoding_or_with_an_empty_line_is_refused_with_its_line(place):
    place("rt-polarity", neg=b"dull\nbad \x81 worse\n", pos=b"fine\n")
    with pytest.raises(ValueError, match=r"rt-polarity\.neg, line 2: expected CP1252, got byte 0x81"):
        read("rt-polarity")
    place("rt-polarity", neg=b"dull\n\nbad\n", pos=b"fine\n")
    with pytest.raises(ValueError, match=r"rt-polarity\.neg, line 2: expected a text, got an empty line"):
        read("rt-polarity")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1 fine\n2 odd\n", r"mine\.txt, line 2: expected a label out of 0, 1, got '2'"),
        (b"1 fine\nfine\n", r"line 2: expected a text"),
        (b"1 fine\n10 points\n", r"line 2: expected a label"),
        (b"1 fine\n0 \n", r"line 2: expected a text, got none"),
        (b"1 fine\n\n0 bad\n", r"line 2: expected a text, got an empty line"),
        (b"1 fine\n0 caf\xe9\n", r"line 2: expected UTF-8, got byte 0xe9"),
        (b"", r"line 1: expected a text, got an empty line"),
    ],
)
def test_a_file_of_the_user_is_refused_with_its_line_and_read_anew_when_it_is_mended(tmp_path, content, message):
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    task = Sentiment(path=path, least=1)
    with pytest.raises(ValueError, match=message):
        _ = task.spec
    path.write_text("".join(f"{number % 2} {'fine' if number % 2 else 'bad'} film {number}\n" for number in range(40)))
    assert task.spec.outputs == 2


def test_a_file_of_the_user_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.txt cannot be read"):
        _ = Sentiment(path=tmp_path / "none.txt").spec


def test_too_few_rows_for_both_classes_in_every_split_are_refused(tmp_path):
    path = tmp_path / "few.txt"
    path.write_text("1 fine\n0 bad\n1 good\n")
    with pytest.raises(ValueError, match="rows of both classes"):
        _ = Sentiment(path=path).spec


def test_words_keep_their_apostrophes_and_marks_stand_alone():
    assert in_words("It's NOT 'café-noir', 2nd!") == ["it's", "not", "'", "café", "-", "noir", "'", ",", "2nd", "!"]


def test_only_a_line_feed_ends_a_line():
    assert lines("a\x85b\u2028c\nd\r\n", "here") == ["a\x85b\u2028c", "d"]
    assert decoded(b"a\x85", "cp1252", "here") == "a…"


def test_tenths_hold_the_classes_in_equal_shares_and_each_row_once():
    labels = np.repeat([0, 1], [300, 700])
    found = tenths(labels, np.full(1_000, ""), "here", 1)
    assert [np.bincount(labels[found == tenth]).tolist() for tenth in range(10)] == [[30, 70]] * 10
    assert (tenths(labels, np.full(1_000, ""), "here", 1) == found).all()
    assert (tenths(labels, np.full(1_000, ""), "here", 2) != found).mean() > 0.8


def test_tenths_by_group_divide_no_group_and_are_of_about_one_size():
    rng = np.random.default_rng(0)
    groups = np.repeat([f"film {n}" for n in range(200)], rng.integers(1, 30, 200))
    found = tenths(np.zeros(len(groups), int), groups, "here")
    assert all(len(set(found[groups == group])) == 1 for group in np.unique(groups))
    assert np.abs(np.bincount(found, minlength=10) - len(groups) / 10).max() <= 30


def test_the_plain_files_of_mr_serve_without_their_archive():
    try:
        folder = locate(CORPORA["rt-polarity"])
    except Missing as missing:
        pytest.skip(str(missing))
    assert {"rt-polarity.neg", "rt-polarity.pos"} <= {path.name for path in folder.iterdir()}
