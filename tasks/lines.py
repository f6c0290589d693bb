"""Texts as they come from files: decoded, cut into lines, and refused with file and line where they are not what they should be."""

BYTE_ORDER_MARK = "\ufeff"  # some editors put it in front of a UTF-8 text


def decoded(content: bytes, encoding: str, source: object) -> str:
    """Return the text of `content`, without a byte order mark in front.

    Raises:
        ValueError: not in this encoding; the message names the source, the line and the byte.
    """
    try:
        return content.decode(encoding).removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise ValueError(
            f"{source}, line {line}: expected {encoding.upper()}, got byte 0x{content[error.start]:02x} at byte {column} of the line"
        ) from error


def lines(text: str, source: object) -> list[str]:
    """Return the lines of a text, without the end of the last one.

    Only a line feed ends a line: `splitlines` would also end it at characters that stand inside sentences.

    Raises:
        ValueError: no line at all, or an empty one; the message names the source and the line.
    """
    found = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    for number, line in enumerate(found, 1):
        if not line.strip():
            raise ValueError(f"{source}, line {number}: expected a text, got an empty line")
    return found
