"""Sentiment: vocabulary, padding, passes, shuffled words, and its bags of words against print and against counting by hand."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from suite.corpus import Missing
from tasks.bags import Bag, naive_bayes
from tasks.padding import padded_lengths
from tasks.partition import tenths
from tasks.reviews import reviews
from tasks.sentiment import Sentiment, _rows
from tasks.vocabulary import PADDING, UNKNOWN, Vocabulary


@pytest.fixture
def task(tmp_path):
    """Return a task of 300 rows of 1 to 12 words, whose words and lengths tell the row."""
    rng = np.random.default_rng(0)
    rows = [f"{n % 2} " + " ".join(["good" if n % 2 else "bad", f"row{n}", *rng.choice(list("abcdefgh"), n % 11)]) for n in range(300)]
    path = tmp_path / "rows.txt"
    path.write_text("\n".join(rows))
    return Sentiment(path=path, least=1)


def seen(task, split, batches=None, batch_size=16):
    """Return the rows of a split as tuples of ids without padding, in their order."""
    found = []
    for batch in itertools.islice(task.batches(split, seed=1, batch_size=batch_size), batches):
        found += [tuple(x[mask]) for x, mask, weight in zip(batch.x, batch.mask, batch.weight, strict=True) if weight > 0]
    return found


def test_every_pass_over_training_takes_every_row_once(task):
    batches = math.ceil(240 / 16)
    rows = _rows(task)
    expected = sorted(tuple(rows.x[number, : rows.used[number]]) for number in rows.splits["train"])
    passes = [seen(task, "train", 2 * batches)[part * 240 : (part + 1) * 240] for part in (0, 1)]
    assert [sorted(each) for each in passes] == [expected, expected]
    assert passes[0] != passes[1]


def test_batches_of_training_hold_rows_of_about_one_length(task):
    batches = list(itertools.islice(task.batches("train", seed=0, batch_size=16), 15))
    lengths = task.spec.lengths
    assert len(lengths) == 5
    assert len({batch.x.shape[1] for batch in batches}) >= 4
    narrow = [len(set(np.searchsorted(lengths, batch.mask.sum(axis=1)))) == 1 for batch in batches]
    assert sum(not each for each in narrow) <= len(lengths) - 1  # a batch where one length ends and the next begins


def test_padding_lengths_cost_the_least_of_all_choices():
    rng = np.random.default_rng(0)
    for _ in range(60):
        lengths = rng.integers(1, 9, rng.integers(1, 12))
        longest, most = int(lengths.max()) + int(rng.integers(2)), int(rng.integers(1, 5))
        cost = lambda chosen, lengths=lengths: np.array(sorted(chosen))[np.searchsorted(sorted(chosen), lengths)].sum()
        choices = itertools.chain(*(itertools.combinations(range(1, longest), size) for size in range(most)))
        found = padded_lengths(lengths, longest, most=most)
        assert found == tuple(sorted(set(found)))
        assert (len(found) <= most, found[-1]) == (True, longest)
        assert cost(found) == min(cost((*choice, longest)) for choice in choices)


def test_the_vocabulary_is_of_training_only(task):
    train = {number for row in seen(task, "train", 15) for number in row}
    assert train == set(range(2, task.spec.inputs))
    for split in ("validation", "test"):
        assert all(row[1] == UNKNOWN for row in seen(task, split) if len(row) > 1)  # the word that only this row holds


def test_words_are_numbered_by_how_often_training_holds_them():
    vocabulary = Vocabulary([["b", "a", "c"], ["c", "b", "d"], ["c"]], least=2)
    assert vocabulary.words == ("", "", "c", "b")
    assert vocabulary.encode([["d", "c", "b", "b"], ["c"]], longest=3).tolist() == [[UNKNOWN, 2, 3], [2, PADDING, PADDING]]


def test_shuffled_rows_hold_the_words_of_their_rows_in_another_order(task):
    plain, shuffled = seen(task, "test"), seen(task, "test/shuffled")
    assert [sorted(row) for row in plain] == [sorted(row) for row in shuffled]
    moved = [one != other for one, other in zip(plain, shuffled, strict=True) if len(set(one)) > 3]
    assert np.mean(moved) > 0.9
    assert seen(task, "test/shuffled") == shuffled


def test_folds_test_every_row_once(task):
    tested = [row for fold in range(10) for row in _rows(Sentiment(path=task.path, least=1, fold=fold)).splits["test"]]
    assert sorted(tested) == list(range(300))
    for fold in range(10):
        splits = _rows(Sentiment(path=task.path, fold=fold)).splits
        assert not set(splits["train"]) & set(splits["test"])
        assert sorted(splits["validation"]) == sorted(_rows(Sentiment(path=task.path, fold=(fold + 1) % 10)).splits["test"])


def test_only_the_first_words_of_a_long_row_are_kept_and_the_card_says_of_how_many(task):
    short = Sentiment(path=task.path, least=1, longest=6)
    assert max(map(len, seen(short, "test"))) == short.spec.longest == 6
    share = np.mean([2 + n % 11 > 6 for n in range(300)])
    assert f"Cut behind 6 words: {share:.1%} of the rows." in short.describe().notes


def test_the_card_states_the_share_of_padding(task):
    batches = list(itertools.islice(task.batches("train", seed=0, batch_size=1), 240))
    padding = 1 - sum(batch.mask.sum() for batch in batches) / sum(batch.mask.size for batch in batches)
    assert f"{padding:.1%} of training is padding" in task.describe().notes


def test_naive_bayes_agrees_with_counting_by_dictionary():
    rng = np.random.default_rng(0)
    x, y = rng.integers(1, 9, (60, 5)), rng.integers(0, 2, 60)
    x[rng.random(60) < 0.5, 3:] = PADDING
    new = rng.integers(0, 9, (20, 5))
    bag, model = naive_bayes(x, y, vocabulary=9, order=2)

    def features(row):
        known = [int(word) if word > UNKNOWN else None for word in row]
        pairs = [(one, two) for one, two in itertools.pairwise(known) if one and two]
        return [word for word in known if word] + pairs

    counts = [Counter(feature for row in x[y == kind] for feature in features(row)) for kind in (0, 1)]
    names = set(counts[0]) | set(counts[1])
    for row, found in zip(new, model.predict_proba(bag.counts(new)), strict=True):
        logs = [
            math.log(np.mean(y == kind))
            + sum(math.log((counts[kind][f] + 1) / (counts[kind].total() + len(names))) for f in features(row) if f in names)
            for kind in (0, 1)
        ]
        assert found[1] == pytest.approx(1 / (1 + math.exp(logs[0] - logs[1])))


def test_words_that_training_does_not_hold_count_as_none():
    bag = Bag(np.array([[2, 3, 0]]), vocabulary=9, order=1)
    assert bag.counts(np.array([[3, 3, UNKNOWN], [8, 2, PADDING]])).toarray().tolist() == [[0, 2], [1, 0]]


def test_the_order_of_words_is_nothing_to_a_bag_of_words_and_something_to_one_of_pairs():
    task = Sentiment(corpus="invented")
    found = {}
    for name, baseline in task.baselines().items():
        for split in ("test", "test/shuffled"):
            meter = task.meter(split)
            for batch in task.batches(split, seed=0, batch_size=16):
                meter.update(batch, baseline.predict(batch))
            found[name, split] = meter.result()["Brier"]
    for name in ("majority", "naive Bayes", "logistic regression"):
        assert found[name, "test"] == pytest.approx(found[name, "test/shuffled"])
    assert found["naive Bayes, pairs", "test"] != pytest.approx(found["naive Bayes, pairs", "test/shuffled"])
    assert found["naive Bayes", "test"] < found["majority", "test"]


@pytest.mark.parametrize("wrong", [{"corpus": "imbd"}, {"fold": 10}, {"fold": -1}, {"least": 0}, {"longest": 0}])
def test_impossible_settings_are_refused_with_what_came(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        Sentiment(**wrong)


def test_a_corpus_with_official_splits_has_no_folds():
    try:
        _ = Sentiment(corpus="sst2").spec
    except Missing as missing:
        pytest.skip(str(missing))
    with pytest.raises(ValueError, match="official split has no folds"):
        _ = Sentiment(corpus="sst2", fold=0).spec


def test_a_missing_corpus_names_the_command_that_gets_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SUITE_DATA", str(tmp_path))
    with pytest.raises(Missing, match="suite data get rotten-tomatoes"):
        _ = Sentiment(least=3).spec


def test_mr_gives_the_published_scores_of_bags_of_words_in_a_cross_validation():
    """Wang & Manning (2012), table 2, ten folds of their own: multinomial naive Bayes 77.9 (words), 79.0 (and pairs)."""
    try:
        found = reviews("rt-polarity", None, longest=100)
    except Missing as missing:
        pytest.skip(str(missing))
    fold = tenths(found.labels, found.groups, "sentiment", 1, "rt-polarity", "folds")
    scores = {"words": [], "pairs": []}
    for test in range(10):
        vocabulary = Vocabulary((found.words[row] for row in np.flatnonzero(fold != test)), least=1)
        x, y = vocabulary.encode(found.words, longest=100), found.labels
        train, rest = fold != test, fold == test
        fits = {
            "words": naive_bayes(x[train], y[train], vocabulary=len(vocabulary), order=1),
            "pairs": naive_bayes(x[train], y[train], vocabulary=len(vocabulary), order=2),
        }
        for name, (bag, model) in fits.items():
            scores[name].append(100 * model.score(bag.counts(x[rest]), y[rest]))
    means = {name: np.mean(each) for name, each in scores.items()}
    print({name: f"{np.mean(each):.2f} +- {np.std(each, ddof=1):.2f}" for name, each in scores.items()})
    assert means["words"] == pytest.approx(77.9, abs=1)
    assert means["pairs"] == pytest.approx(79.0, abs=1)
