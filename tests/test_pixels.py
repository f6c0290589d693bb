"""Pictures of digits: orders of reading, splits, the idx format, and baselines against scikit-learn's own."""

import gzip
import itertools
import struct

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from suite import corpus as layer
from suite.corpus import Missing
from tasks import idx, pixels
from tasks.corpora import CORPORA
from tasks.pixels import Pixels


def whole(task, split):
    """Return x and y of a split that is not training, or of one epoch of training."""
    if split == "train":
        batch = next(task.batches("train", seed=0, batch_size=1_078))
        return batch.x, batch.y
    batches = list(task.batches(split, seed=0, batch_size=1))
    return np.concatenate([batch.x for batch in batches]), np.concatenate([batch.y for batch in batches])


def test_the_splits_hold_every_picture_once_and_every_class_in_equal_shares():
    pictures, labels = load_digits(return_X_y=True)
    parts = {split: whole(Pixels(), split) for split in ("train", "validation", "test")}
    assert [len(y) for _, y in parts.values()] == [1_078, 360, 359]
    found = np.concatenate([x.reshape(len(x), -1) for x, _ in parts.values()]) * 16
    assert np.unique(found, axis=0).shape == found.shape
    np.testing.assert_array_equal(np.unique(found, axis=0), np.unique(pictures, axis=0))
    for (_, y), share in zip(parts.values(), (0.6, 0.2, 0.2), strict=True):
        assert np.abs(np.bincount(y) - share * np.bincount(labels)).max() <= 1
    known = {picture.tobytes(): label for picture, label in zip(pictures, labels, strict=True)}
    for x, y in parts.values():
        assert [known[(picture.reshape(-1) * 16).astype(float).tobytes()] for picture in x] == y.tolist()


def test_orders_of_reading_show_the_same_picture():
    by_pixel, by_row, permuted = (whole(Pixels(order=order), "test")[0] for order in ("pixels", "rows", "permuted"))
    assert (by_pixel.shape[1:], by_row.shape[1:], permuted.shape[1:]) == ((64, 1), (8, 8), (64, 1))
    np.testing.assert_array_equal(by_pixel[:, :, 0], by_row.reshape(-1, 64))
    places = Pixels(order="permuted").places
    assert sorted(places) == list(range(64))
    np.testing.assert_array_equal(permuted[:, :, 0], by_pixel[:, places, 0])
    assert by_pixel.min() == 0
    assert by_pixel.max() == 1


def test_the_permutation_is_fixed_by_its_seed_and_stands_on_the_card():
    one, other = Pixels(order="permuted"), Pixels(order="permuted", permutation=1)
    assert one.places.tolist() == Pixels(order="permuted", limit=5).places.tolist() != other.places.tolist()
    assert (one.places == np.arange(64)).sum() < 8
    for task in (one, other):
        assert f"permutation seed {task.permutation}, first steps {', '.join(map(str, task.places[:8]))}" in task.describe().notes


def test_training_shows_every_picture_once_an_epoch():
    task = Pixels(limit=50)
    batches = list(itertools.islice(task.batches("train", seed=1, batch_size=20), 6))
    assert sorted(int(batch.weight.sum()) for batch in batches) == [10, 10, 20, 20, 20, 20]
    shown = [picture.tobytes() for batch in batches for picture in batch.x[batch.weight > 0]]
    assert len(set(shown[:50])) == 50
    assert sorted(shown[:50]) == sorted(shown[50:])
    assert shown[:50] != shown[50:]


@pytest.mark.parametrize("order", ["pixels", "permuted", "rows"])
def test_fitted_baselines_say_what_plain_loops_and_scikit_learn_say(order):
    task = Pixels(order=order)
    (x, y), (unseen, _) = whole(Pixels(), "train"), whole(Pixels(), "test")
    x, unseen = x.reshape(len(x), -1).astype(float), unseen.reshape(len(unseen), -1).astype(float)
    (batch,) = task.batches("test", seed=0, batch_size=359)
    found = task.baselines()["nearest centroid"].predict(batch)
    means = [x[y == digit].mean(axis=0) for digit in range(10)]
    assert found.best.tolist() == [int(np.argmin([np.linalg.norm(picture - mean) for mean in means])) for picture in unseen]
    assert np.isnan(found.loss).all()
    with threadpool_limits(1):
        expected = LogisticRegression(max_iter=5_000, tol=1e-8).fit(x, y).predict_proba(unseen)
    found = task.baselines()["logistic regression"].predict(batch)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-3)
    assert 0.93 < (found.best == batch.y).mean() < 0.99


def test_baselines_answer_even_where_training_lacks_a_class():
    task = Pixels(limit=8)
    assert len(set(whole(task, "validation")[1])) > 1
    for batch in task.batches("validation", seed=0, batch_size=8):
        for baseline in task.baselines().values():
            assert set(baseline.predict(batch).best) <= set(range(10))


@pytest.mark.parametrize(
    "wrong", [{"corpus": "cifar"}, {"order": "columns"}, {"permutation": 3}, {"order": "rows", "permutation": 1}, {"limit": 0}]
)
def test_impossible_configurations_are_refused(wrong):
    with pytest.raises(ValueError, match=list(wrong)[-1]):
        Pixels(**wrong)


def gzipped(path, content):
    path.write_bytes(gzip.compress(content, mtime=0))
    return path


def test_idx_is_read_back(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (3, 4, 5), dtype=np.uint8)
    path = gzipped(tmp_path / "a.gz", bytes([0, 0, 8, 3]) + struct.pack(">3I", 3, 4, 5) + array.tobytes())
    np.testing.assert_array_equal(idx.read(path), array)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x00\x00\x08\x01\x00\x00\x00\x03ab", "expected 3 bytes for 3, got 2"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x01ab", "expected 1 bytes for 1, got 2"),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x01abcd", "unsigned bytes"),
        (b"\x00\x00\x08\x02\x00\x00\x00\x01", "header of 12 bytes"),
        (b"", "unsigned bytes"),
    ],
)
def test_what_is_no_idx_is_refused_by_name(tmp_path, content, said):
    with pytest.raises(ValueError, match=rf"a\.gz: .*{said}"):
        idx.read(gzipped(tmp_path / "a.gz", content))


@pytest.mark.parametrize("content", [b"plain", gzip.compress(b"abc" * 99, mtime=0)[:-9]])
def test_what_is_no_gzip_is_refused_by_name(tmp_path, content):
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.gz: expected a gzipped idx file"):
        idx.read(tmp_path / "a.gz")


def test_the_published_files_of_mnist_hold_what_is_known_of_them():
    corpus = CORPORA["mnist"]
    here = [file for file in corpus.files if (layer.root() / "mnist" / file.name).is_file()]
    if not here:
        pytest.skip("no file of mnist is here")
    for file in here:
        path = layer.root() / "mnist" / file.name
        layer.check(path, file)
        assert path.stat().st_size == file.size
        array = idx.read(path)
        rows = 60_000 if file.name.startswith("train") else 10_000
        assert array.shape == ((rows, 28, 28) if "images" in file.name else (rows,))
        if file.name == "t10k-labels-idx1-ubyte.gz":
            assert np.bincount(array).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
            assert array[:5].tolist() == [7, 2, 1, 0, 4]
        if file.name == "train-labels-idx1-ubyte.gz":
            assert np.bincount(array).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_mnist_says_what_it_lacks_and_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SUITE_DATA", str(tmp_path))
    with pytest.raises(Missing, match="suite data get mnist"):
        Pixels(corpus="mnist").digest()


def test_mnist_is_cut_as_said(tmp_path, monkeypatch):
    """Against files of the right form, smaller than the published ones, which are large."""
    rng = np.random.default_rng(0)
    sizes = {"train": 5_040, "t10k": 30}
    pictures = {part: rng.integers(0, 256, (size, 28, 28), dtype=np.uint8) for part, size in sizes.items()}
    labels = {part: rng.integers(0, 10, size, dtype=np.uint8) for part, size in sizes.items()}
    for part, size in sizes.items():
        header = struct.pack(">3I", size, 28, 28)
        gzipped(tmp_path / f"{part}-images-idx3-ubyte.gz", bytes([0, 0, 8, 3]) + header + pictures[part].tobytes())
        gzipped(tmp_path / f"{part}-labels-idx1-ubyte.gz", bytes([0, 0, 8, 1]) + header[:4] + labels[part].tobytes())
    monkeypatch.setattr(pixels, "locate", lambda corpus: tmp_path)
    pixels._pictures.cache_clear()
    try:
        task = Pixels(corpus="mnist")
        assert task.spec.longest == 784
        assert {split: size for split, size in task.describe().sizes.items() if split != "train"} == {
            "validation": 5_000,
            "test": 30,
            "probe": 32,
        }
        batch = next(task.batches("validation", seed=0, batch_size=2))
        np.testing.assert_array_equal(batch.x[1].ravel(), pictures["train"][41].ravel().astype(np.float32) / 255)
        assert batch.y.tolist() == labels["train"][40:42].tolist()
        assert next(task.batches("test", seed=0, batch_size=30)).y.tolist() == labels["t10k"].tolist()
        seen = next(task.batches("train", seed=0, batch_size=40)).y
        assert np.bincount(seen, minlength=10).tolist() == np.bincount(labels["train"][:40], minlength=10).tolist()
    finally:
        pixels._pictures.cache_clear()
