"""The data layer, against a server of this test's own: nothing is used that is not the pinned file."""

import hashlib
import io
import os
import tarfile
import zipfile

import pytest

from suite import corpus as layer
from suite import fetching, plugins
from suite.corpus import Corpus, Damaged, File, Member, Missing, Package, listing, locate
from suite.fetching import Unreachable
from tests.corpus_server import CONTENT, absent, busy, endless, half, send, serving, whole, without_ranges, wrong

HASH = hashlib.sha256(CONTENT).hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Return the folder of all corpora, a fresh one."""
    monkeypatch.setenv("SUITE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(fetching, "PAUSE", 0.0)
    return tmp_path / "data"


@pytest.fixture
def server():
    with serving() as state:
        yield state


def made(url="", *, sha256=HASH, package=None, name="file.bin"):
    file = File(name=name, size=len(CONTENT), sha256=sha256, url=url, package=package)
    return Corpus(name="sample", files=(file,), licence="none", source="this test")


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_get_fetches_checks_and_keeps_a_file_and_asks_once(data, server):
    folder = layer.get(made(server.url))
    assert folder == data / "sample"
    assert (folder / "file.bin").read_bytes() == CONTENT
    assert files(folder) == ["file.bin"]
    assert layer.get(made(server.url)) == locate(made(server.url)) == folder
    assert server.requests == [None]


def test_locate_never_fetches_and_names_the_command_that_does(data, server):
    with pytest.raises(Missing, match=r"'sample' is not here .*file\.bin.* suite data get sample$"):
        locate(made(server.url))
    assert server.requests == []
    assert not data.exists()


def test_a_file_that_lies_here_is_enough(data):
    (data / "sample").mkdir(parents=True)
    (data / "sample" / "file.bin").write_bytes(CONTENT)
    unreachable = made("https://unreachable.invalid/file.bin")
    assert locate(unreachable) == layer.get(unreachable) == data / "sample"


def test_a_wrong_file_that_lies_here_is_an_error_and_is_left_alone(data, server):
    (data / "sample").mkdir(parents=True)
    path = data / "sample" / "file.bin"
    path.write_bytes(b"mine")
    for action in (locate, layer.get):
        with pytest.raises(Damaged) as error:
            action(made(server.url))
        assert all(part in str(error.value) for part in (str(path), HASH, hashlib.sha256(b"mine").hexdigest()))
    assert path.read_bytes() == b"mine"
    assert server.requests == []


def test_a_file_that_changes_after_a_check_is_checked_again(data, server):
    path = layer.get(made(server.url)) / "file.bin"
    path.write_bytes(b"x" + CONTENT[1:])
    os.utime(path, ns=(0, 0))
    with pytest.raises(Damaged):
        locate(made(server.url))


def test_a_wrong_download_is_an_error_that_names_both_hashes_and_leaves_nothing(data, server):
    server.answers = [wrong]
    with pytest.raises(Damaged) as error:
        layer.get(made(server.url))
    assert all(part in str(error.value) for part in ("file.bin", HASH, hashlib.sha256(b"x" * len(CONTENT)).hexdigest()))
    assert files(data / "sample") == []


def test_a_wrong_download_does_not_fall_back_to_a_package(data, server):
    server.answers = [wrong]
    with pytest.raises(Damaged):
        layer.get(made(server.url, package=Package(requirement="sample==1.0", sha256=OTHER, member="file.bin")))


def test_a_download_that_is_cut_short_goes_on_where_it_stopped(data, server):
    server.answers = [half, whole]
    assert (layer.get(made(server.url)) / "file.bin").read_bytes() == CONTENT
    assert server.requests == [None, f"bytes={len(CONTENT) // 2}-"]


def test_a_download_that_never_completes_stops_and_keeps_its_part_for_later(data, server):
    server.answers = [half, lambda handler: send(handler, b"", status=206)]
    with pytest.raises(Unreachable, match=r"stopped at 128,000 of 256,000 bytes"):
        layer.get(made(server.url))
    assert len(server.requests) == fetching.RETRIES
    assert files(data / "sample") == [".file.bin.part"]
    server.answers = [whole]
    assert (layer.get(made(server.url)) / "file.bin").read_bytes() == CONTENT
    assert server.requests[-1] == "bytes=128000-"


def test_a_server_that_knows_no_ranges_is_read_from_the_beginning(data, server):
    server.answers = [half, without_ranges]
    assert (layer.get(made(server.url)) / "file.bin").read_bytes() == CONTENT
    assert server.requests[1] is not None


def test_a_part_of_another_file_is_found_out_and_dropped(data, server):
    (data / "sample").mkdir(parents=True)
    (data / "sample" / ".file.bin.part").write_bytes(b"stale")
    with pytest.raises(Damaged):
        layer.get(made(server.url))
    assert (layer.get(made(server.url)) / "file.bin").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_dropped(data, server):
    (data / "sample").mkdir(parents=True)
    (data / "sample" / ".file.bin.part").write_bytes(CONTENT * 2)
    assert (layer.get(made(server.url)) / "file.bin").read_bytes() == CONTENT
    assert server.requests == [None]


def test_a_server_that_sends_without_end_is_not_read_to_the_end(data, server):
    server.answers = [endless]
    with pytest.raises(Damaged) as error:
        layer.get(made(server.url))
    received = int(str(error.value).rsplit("(", 1)[1].split(" ")[0].replace(",", ""))
    assert received <= len(CONTENT) + fetching.PIECE


def test_a_refusal_is_final_and_a_busy_server_is_asked_again(data, server):
    server.answers = [absent]
    with pytest.raises(Unreachable, match=r"answered 404 .* by hand"):
        layer.get(made(server.url))
    assert len(server.requests) == 1
    server.answers = [busy, busy, whole]
    assert (layer.get(made(server.url)) / "file.bin").read_bytes() == CONTENT
    assert len(server.requests) == 4


def test_progress_is_told_in_bytes(data, server):
    told = []
    layer.get(made(server.url), progress=lambda *values: told.append(values))
    assert {(name, total) for name, _, total in told} == {("file.bin", len(CONTENT))}
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1][1] == len(CONTENT)


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Return the wheel `sample 1.0`, which ships the file; pip looks in its folder and nowhere else."""
    path = tmp_path / "index" / "sample-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sample/data/file.bin", CONTENT)
        archive.writestr("sample/__init__.py", "raise RuntimeError('nothing of the package is imported')")
        archive.writestr("sample-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n")
        archive.writestr("sample-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("sample-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    return path


def package(wheel, **changed):
    pinned = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return Package(**{"requirement": "sample==1.0", "sha256": pinned, "member": "sample/data/file.bin", **changed})


def test_a_file_comes_from_a_package_where_its_address_fails(data, server, wheel):
    server.answers = [absent]
    folder = layer.get(made(server.url, package=package(wheel)))
    assert (folder / "file.bin").read_bytes() == CONTENT
    assert files(folder) == ["file.bin"]


def test_another_wheel_than_the_pinned_one_is_an_error(data, wheel):
    with pytest.raises(Damaged, match="not the pinned wheel"):
        layer.get(made(package=package(wheel, sha256=OTHER)))
    assert files(data / "sample") == []


def test_every_source_that_failed_says_why(data, server, wheel):
    server.answers = [absent]
    with pytest.raises(Unreachable, match=r"answered 404.*sample==2\.0 failed.*by hand"):
        layer.get(made(server.url, package=package(wheel, requirement="sample==2.0")))


def test_the_listing_says_what_is_here(data, server):
    corpora = [made(server.url)]
    assert listing(corpora) == [{"name": "sample", "size": 256_000, "licence": "none", "source": "this test", "here": "no"}]
    path = layer.get(corpora[0]) / "file.bin"
    assert listing(corpora)[0]["here"] == "yes"
    path.write_bytes(b"")
    assert listing(corpora)[0]["here"] == "damaged"


def test_corpora_lie_in_suite_data_or_in_the_cache_folder_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("SUITE_DATA", str(tmp_path))
    assert layer.root() == tmp_path
    monkeypatch.delenv("SUITE_DATA")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert layer.root() == tmp_path / "cache" / "sequence-suite"


def test_a_folder_that_cannot_be_written_is_said_plainly(monkeypatch, tmp_path, server):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SUITE_DATA", str(tmp_path / "file"))
    with pytest.raises(Unreachable, match="set SUITE_DATA"):
        layer.get(made(server.url))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../file"},
        {"name": ".hidden"},
        {"size": 0},
        {"sha256": "abc"},
        {"sha256": HASH.upper()},
        {"url": "http://example.org/file"},
        {"url": "file:///etc/passwd"},
        {"url": ""},
    ],
)
def test_a_file_needs_a_plain_name_a_size_a_hash_and_a_safe_address(wrong):
    with pytest.raises(ValueError, match=r"must be|needs a url"):
        File(**{"name": "file", "size": 1, "sha256": HASH, "url": "https://example.org/file", **wrong})


def test_a_package_is_pinned():
    with pytest.raises(ValueError, match="pinned"):
        Package(requirement="sample", sha256=HASH, member="file")


def test_every_registered_corpus_can_be_fetched_and_says_its_terms():
    for name, entry in plugins.table("CORPORA").items():
        assert entry.value.name == name
        assert entry.value.licence
        assert entry.value.source
        assert entry.value.size > 0


def test_corpora_that_lie_here_are_the_pinned_ones():
    if "SUITE_DATA" not in os.environ:
        pytest.skip("SUITE_DATA is not set")
    here = {row["name"]: row["here"] for row in listing(entry.value for entry in plugins.table("CORPORA").values())}
    assert "damaged" not in here.values()


MEMBERS = {"one.txt": b"one " * 9_000, "two.txt": b"two " * 9_000}


def zipped(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in MEMBERS.items():
            archive.writestr(f"inner/{name}", content)


def tarred(path):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in MEMBERS.items():
            information = tarfile.TarInfo(f"inner/{name}")
            information.size = len(content)
            archive.addfile(information, io.BytesIO(content))


def packed(tmp_path, kind, *, server=None, **changed):
    """Return a corpus of two files in an archive, and the archive's bytes."""
    name, write = {"zip": ("packed.zip", zipped), "tar": ("packed.tar.gz", tarred)}[kind]
    write(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    hashes = {member: hashlib.sha256(inside).hexdigest() for member, inside in MEMBERS.items()}
    members = tuple(
        Member(**{"name": member, "path": f"inner/{member}", "size": len(MEMBERS[member]), "sha256": hashes[member], **changed})
        for member in MEMBERS
    )
    url = "https://unreachable.invalid/packed" if server is None else server.url
    file = File(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest(), url=url, members=members)
    return Corpus(name="sample", files=(file,), licence="none", source="this test"), content


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_the_members_of_an_archive_are_unpacked_and_checked(data, server, tmp_path, kind):
    corpus, content = packed(tmp_path, kind, server=server)
    server.answers = [lambda handler: send(handler, content)]
    told = []
    folder = layer.get(corpus, progress=lambda name, done, total: told.append((name, done, total)))
    assert {name: (folder / name).read_bytes() for name in MEMBERS} == MEMBERS
    assert files(folder) == sorted([corpus.files[0].name, *MEMBERS])
    assert locate(corpus) == folder
    assert told[-1] == ("two.txt", len(MEMBERS["two.txt"]), len(MEMBERS["two.txt"]))


def test_unpacked_files_are_enough_and_nothing_is_asked_for(data, tmp_path):
    corpus, _ = packed(tmp_path, "tar")
    (data / "sample").mkdir(parents=True)
    for name, content in MEMBERS.items():
        (data / "sample" / name).write_bytes(content)
    assert locate(corpus) == layer.get(corpus) == data / "sample"
    assert files(data / "sample") == sorted(MEMBERS)


def test_an_archive_that_lies_here_is_unpacked_by_get_and_named_by_locate(data, tmp_path):
    corpus, content = packed(tmp_path, "zip")
    (data / "sample").mkdir(parents=True)
    (data / "sample" / "packed.zip").write_bytes(content)
    with pytest.raises(Missing, match=r"lacks one\.txt, two\.txt\); get it with: suite data get sample"):
        locate(corpus)
    layer.get(corpus)
    assert locate(corpus) == data / "sample"


def test_a_wrong_unpacked_file_is_an_error_and_is_left_alone(data, tmp_path):
    corpus, content = packed(tmp_path, "zip")
    (data / "sample").mkdir(parents=True)
    (data / "sample" / "packed.zip").write_bytes(content)
    (data / "sample" / "one.txt").write_bytes(b"mine")
    for action in (locate, layer.get):
        with pytest.raises((Damaged, Missing)):
            action(corpus)
    assert (data / "sample" / "one.txt").read_bytes() == b"mine"


@pytest.mark.parametrize(("changed", "message"), [({"path": "inner/none"}, "holds no file inner/none"), ({"sha256": OTHER}, OTHER)])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_member_that_is_absent_or_another_is_an_error_and_leaves_nothing(data, tmp_path, kind, changed, message):
    corpus, content = packed(tmp_path, kind, **changed)
    (data / "sample").mkdir(parents=True)
    (data / "sample" / corpus.files[0].name).write_bytes(content)
    with pytest.raises(Damaged, match=message):
        layer.get(corpus)
    assert files(data / "sample") == [corpus.files[0].name]


def test_only_archives_have_members_and_all_names_differ(tmp_path):
    member = Member(name="one.txt", path="one.txt", size=1, sha256=HASH)
    with pytest.raises(ValueError, match=r"\.zip or \.tar\.gz"):
        File(name="file.bin", size=1, sha256=HASH, url="https://example.org/file", members=(member,))
    file = File(name="one.zip", size=1, sha256=HASH, url="https://example.org/file", members=(member, member))
    with pytest.raises(ValueError, match="distinct names"):
        Corpus(name="sample", files=(file,), licence="none", source="this test")
