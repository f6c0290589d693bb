"""Keeps results that the store could not take, one atomic JSON file a run, until the next command sends them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4


def put(folder: Path, body: dict[str, Any]) -> Path:
    """Write `body` so that the file is there whole or not at all, also after a power cut."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid4().hex}.json"
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(body, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return path


def waiting(folder: Path, uri: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield each spooled file that belongs to the store at `uri`."""
    for path in sorted(folder.glob("*.json")):
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["uri"] == uri:
            yield path, body
