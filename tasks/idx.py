"""Reads idx, the format of MNIST: a magic number, the sizes of the axes, and bytes."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from suite.task import Array

UNSIGNED_BYTES = 8


def read(path: Path) -> Array:
    """Return the uint8 array of a gzipped idx file.

    Source: LeCun, Cortes & Burges, yann.lecun.com/exdb/mnist.

    Raises:
        ValueError: not gzip, not idx of unsigned bytes, or not as long as its header says; names the file.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: expected a gzipped idx file: {error}") from error
    if len(content) < 4 or content[:3] != bytes([0, 0, UNSIGNED_BYTES]) or not content[3]:
        raise ValueError(f"{path}: expected idx of unsigned bytes, which begins 00 00 08, got {content[:4].hex(' ')}")
    axes, header = content[3], 4 + 4 * content[3]
    if len(content) < header:
        raise ValueError(f"{path}: expected a header of {header} bytes, got {len(content)} bytes in all")
    shape = struct.unpack(f">{axes}I", content[4:header])
    if len(content) - header != math.prod(shape):
        raise ValueError(f"{path}: expected {math.prod(shape):,} bytes for {' x '.join(map(str, shape))}, got {len(content) - header:,}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
