"""Canonical JSON: one text for one configuration, whoever wrote it and on whatever machine."""

import dataclasses
import hashlib
import json
import math
import types
import typing
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any


def canonical(value: Any) -> Any:
    """Return `value` as plain JSON data: dataclasses by their fields, distributions by their arguments, sets sorted.

    Raises:
        ValueError: a NaN, an infinity, or an object that has no canonical form.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"a configuration holds finite numbers only, got {value}")
        return float(value) + 0.0  # no negative zero
    if isinstance(value, PurePath):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return fields(value)
    if hasattr(value, "_asdict"):
        body = value._asdict()
        return {"type": type(value).__name__, **canonical(body)}
    if isinstance(value, Mapping):
        if unnamed := [key for key in value if not isinstance(key, str)]:
            raise ValueError(f"keys of a configuration are strings, got {unnamed[0]!r}")
        return {key: canonical(value[key]) for key in sorted(value)}
    if isinstance(value, (set, frozenset)):
        return sorted(canonical(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    raise ValueError(f"{type(value).__name__} has no canonical form: {value!r}")


def fields(instance: Any, *, changed_only: bool = False) -> dict[str, Any]:
    """Return the fields of a dataclass in canonical form, numbers coerced by annotation (1 and 1.0 in a float field are one).

    With `changed_only`, fields that equal their default are left out. Fields marked `metadata={"key": False}` never appear.
    """
    hints = _hints(type(instance))
    found = {}
    for field in dataclasses.fields(instance):
        if not field.metadata.get("key", True):
            continue
        value = getattr(instance, field.name)
        if changed_only and value == _default(field):
            continue
        found[field.name] = canonical(_coerced(value, hints[field.name]))
    return found


def text(value: Any) -> str:
    """Return the canonical JSON text of `value`."""
    return json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(value: Any) -> str:
    """Return the sha256 of the canonical JSON text of `value`."""
    return hashlib.sha256(text(value).encode()).hexdigest()


def _hints(kind: type) -> dict[str, Any]:
    """The annotations; a name that only the type checker imports stands for anything."""
    unknown: dict[str, Any] = {}
    while True:
        try:
            return typing.get_type_hints(kind, localns=unknown)
        except NameError as error:
            if error.name is None or error.name in unknown:
                raise
            unknown[error.name] = Any


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return dataclasses.MISSING


def _coerced(value: Any, hint: Any) -> Any:
    """A whole number in a field that says float (and not int) is a float."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union else (hint,)
    if float in options and int not in options and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
