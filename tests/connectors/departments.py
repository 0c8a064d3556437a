"""Every shipped source with a few real-shaped rows of its own, and what they come to (`rows/<source>.yaml`).

In a case all cells are text; a null field is left out; `{scheme number}` stands for the pseudonym of that number,
`{source record id}` for that of a row's id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from connectors.columns import Row
from connectors.mapper import Mapped, Record
from connectors.mapping import Source
from connectors.shipped import files
from process.settings import load_yaml
from tests.connectors.worlds import KEY, shipped

ROWS = Path("tests/connectors/rows")


@dataclass(frozen=True)
class Case:
    """A few rows of one record id, and what is said of them."""

    source: str
    it: str
    rows: list[Row]
    said: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.source} {self.it}"


def sources() -> dict[str, Source]:
    return {name: shipped(file) for name, file in files(None).items()}


def cases() -> list[Case]:
    return [case for source in SOURCES.values() for case in _cases(source)]


def _cases(source: Source) -> list[Case]:
    written, _ = load_yaml(ROWS / f"{source.name}.yaml")
    nothing = dict.fromkeys(source.mapping.columns())
    return [
        Case(source.name, case.pop("it"), [_row(nothing, row) for row in case.pop("rows")], _filled(case))
        for case in written["cases"]
    ]


def _row(nothing: dict[str, None], cells: dict[str, Any]) -> Row:
    """All columns that are read; what is not read does not reach the mapper."""
    return {**nothing, **{name: str(cell) for name, cell in cells.items() if name in nothing and cell is not None}}


def _filled(said: Any) -> Any:
    """What is said, with every `{scheme number}` as its pseudonym."""
    if isinstance(said, str):
        return re.sub(r"\{(\S+) ([^}]+)\}", lambda found: KEY.pseudonym(*found.groups()), said)
    if isinstance(said, dict):
        return {name: _filled(each) for name, each in said.items()}
    return [_filled(each) for each in said] if isinstance(said, list) else said


def told(mapped: Mapped) -> dict[str, Any]:
    """What rows came to, in the words of a case."""
    if mapped.gone:
        return {"gone": True}
    if mapped.refusal:
        return {"refused": [mapped.refusal.reason, *mapped.refusal.fields]}
    found: dict[str, Any] = {"records": [_record(record) for record in mapped.records]}
    return {**found, "left_out": list(mapped.defects)} if mapped.defects else found


def _record(record: Record) -> dict[str, Any]:
    head = record.value["meta"]
    dates = {name: _plain(head[name]) for name in ("effective_from", "effective_to") if head[name]}
    return {
        **({"part": record.target.part} if record.target.part else {}),
        **({"rows": head["rows"]} if head["rows"] != 1 else {}),
        "type": record.target.type,
        "subject": record.target.subject,
        **dates,
        "identifiers": [" ".join((n["scheme"], n["value"], n["verdict"])) for n in head["identifiers"]],
        "fields": {name: _plain(value) for name, value in fields_of(record).items()},
    }


def fields_of(record: Record) -> dict[str, Any]:
    """What the record says; what is null is not among it."""
    return {name: value for name, value in record.value.items() if name != "meta" and value is not None}


def _plain(value: Any) -> str:
    match value:
        case date():
            return value.isoformat()
        case {"canonical": canonical, "raw": raw}:
            return str(canonical) if canonical else f"{raw}?"
        case {"amount": amount, "currency": letters}:
            return f"{amount} {letters}"
    return str(value)


SOURCES = sources()
CASES = cases()
