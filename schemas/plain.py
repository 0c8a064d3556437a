"""Decoded values as JSON a person or a program can read: dates in ISO form, bytes in hex, keys sorted.

The same value gives the same text, so two dumps can be compared line by line.
"""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def to_json(value: Any, indent: int | None = None) -> str:
    """Canonical JSON of a decoded value."""
    return json.dumps(value, default=_plain, ensure_ascii=False, sort_keys=True, indent=indent)


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)
