"""Text files that a user brings: what cannot be read is refused by file and line."""

from pathlib import Path


def text_of(path: Path) -> str:
    """Return a UTF-8 text, without the mark that some editors put in front of it.

    Raises:
        ValueError: no such file, or another encoding; names the file and the line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {line}: expected UTF-8, got the byte 0x{content[error.start]:02x}") from error
