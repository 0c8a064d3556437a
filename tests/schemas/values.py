"""Any value a published schema allows, for hypothesis: made from the file itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from schemas.codec import contract
from schemas.files import published_files

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CENTURY_MS = 100 * 365 * 86_400_000
RECORD_TYPES = [name for name in contract().names() if contract()[name].subject]


def document(name: str) -> dict[str, Any]:
    """The published file as JSON."""
    parsed: dict[str, Any] = json.loads(published_files()[name])
    return parsed


@cache
def values(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Values of a published schema."""
    made: st.SearchStrategy[dict[str, Any]] = _of(document(name), {})
    return made


@cache
def field(name: str, *path: str) -> st.SearchStrategy[Any]:
    """Values of one field, named by the way to it."""
    types: dict[str, st.SearchStrategy[Any]] = {}
    type_: Any = document(name)
    _of(type_, types)
    for step in path:
        type_ = next(f["type"] for f in type_["fields"] if f["name"] == step)
    return _of(type_, types)


def _of(type_: Any, types: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    if isinstance(type_, list):
        return st.one_of([_of(branch, types) for branch in type_])
    if isinstance(type_, str):
        return types[type_] if type_ in types else _plain(type_)
    made = _made(type_, types)
    if "name" in type_:
        types[f"{type_.get('namespace', 'tongban')}.{type_['name']}"] = made
    return made


def _made(type_: dict[str, Any], types: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    match type_:
        case {"logicalType": "date"}:
            return st.dates()
        case {"logicalType": "timestamp-millis"}:
            return st.integers(-CENTURY_MS, CENTURY_MS).map(lambda ms: EPOCH + timedelta(milliseconds=ms))
        case {"logicalType": "decimal", "precision": precision, "scale": scale}:
            most = 10**precision - 1
            return st.integers(-most, most).map(lambda units: Decimal(units).scaleb(-scale))
        case {"type": "record", "fields": fields}:
            return st.fixed_dictionaries({f["name"]: _of(f["type"], types) for f in fields})
        case {"type": "array", "items": items}:
            return st.lists(_of(items, types), max_size=3)
        case {"type": "enum", "symbols": symbols}:
            return st.sampled_from(symbols)
        case {"type": "fixed", "size": size}:
            return st.binary(min_size=size, max_size=size)
    return _plain(type_["type"])


def _plain(name: str) -> st.SearchStrategy[Any]:
    return {
        "null": st.none(),
        "boolean": st.booleans(),
        "int": st.integers(-(1 << 31), (1 << 31) - 1),
        "long": st.integers(-(1 << 63), (1 << 63) - 1),
        "bytes": st.binary(max_size=40),
        "string": st.text(max_size=20),
    }[name]
