"""Files that a user brings: what cannot be read, or is no longer what it was, is refused by name."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from tasks.lines import decoded


@dataclass(frozen=True)
class UserFile:
    """A file with the sha256 that it had when a question was written down: with other content it is refused, not read."""

    path: Path
    sha256: str

    def __str__(self) -> str:
        return str(self.path)


Source = Path | UserFile


def place(source: Source) -> Path:
    """Return where the file is."""
    return source.path if isinstance(source, UserFile) else Path(source)


def content_of(source: Source) -> bytes:
    """Return what the file holds; of a file that ends in .gz what was compressed.

    Raises:
        ValueError: no such file, or another content than that which was written down.
    """
    path = place(source)
    try:
        content = path.read_bytes()
        checked(source, hashlib.sha256(content).hexdigest())
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error


def checked(source: Source, sha256: str) -> None:
    """Refuse a file whose content is not that which was written down.

    Raises:
        ValueError: names the file and both hashes.
    """
    if isinstance(source, UserFile) and source.sha256 != sha256:
        raise ValueError(
            f"{source.path} has changed: the question was written for sha256 {source.sha256}, this is {sha256}; "
            "bring that file back, or write the question anew with `suite new`"
        )


def text_of(source: Source) -> str:
    """Return a UTF-8 text, without the mark that some editors put in front of it.

    Raises:
        ValueError: no such file, another content, or another encoding; names the file and the line.
    """
    return decoded(content_of(source), "utf-8", source)
