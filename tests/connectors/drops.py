"""A department that hands its table over as files: plain writers of the three forms, and the folder they go to.

The writers know nothing of the readers: what they write is what a department's own export would.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

import openpyxl

from connectors.mapping import Source
from tests.connectors.worlds import TWO_PARTS, source

COLUMNS = ("ID", "CODE", "NAME", "FLAG", "PARENT", "HAS_PARENT")
SQL = 'sql: {url: "sqlite:////nowhere.db", table: branches}'
ZONE = ZoneInfo("Asia/Shanghai")
# The first file ends at this hour, each further one an hour later.
BEGIN = datetime(2016, 3, 1, tzinfo=ZONE)
TEXT = "delimited: {separator: '|', columns: [ID, CODE, NAME, FLAG, PARENT, HAS_PARENT]}"
XML = "xml: {row: ROW, optional: [CODE, PARENT]}"
XLSX = "xlsx: {sheet: 企业}"
FORMS = {"txt": TEXT, "xml": XML, "xlsx": XLSX}

Row = Mapping[str, object]
Said = Mapping[str, object]
NOTHING: Said = {}


def of(folder: Path, drop: Path, form: str = TEXT, *more: str) -> Source:
    """A source of two parts that reads a drop folder."""
    said = ", ".join([f"folder: {drop}", "name: 'FR_350299_SCJG_{date}_{number}'", form, *more])
    return source(TWO_PARTS.replace(SQL, f"files: {{{said}}}"), folder)


def delimited(rows: Sequence[Row], encoding: str = "gb18030", end: str = "\r\n") -> bytes:
    return "".join("|".join(_text(row, name) for name in COLUMNS) + end for row in rows).encode(encoding)


def xml(rows: Sequence[Row], encoding: str = "gb18030") -> bytes:
    """An element a row; what is not there is left out, as exports do."""
    told = [
        "<ROW>" + "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in row.items() if value) + "</ROW>\n"
        for row in rows
    ]
    written = f'<?xml version="1.0" encoding={quoteattr(encoding.upper())}?>\n<ROOT>\n{"".join(told)}</ROOT>\n'
    return written.encode(encoding)


def xlsx(rows: Sequence[Row], columns: Sequence[str] = COLUMNS, title: str = "企业") -> bytes:
    """A sheet with the names in its first row; text stays text, whatever it looks like."""
    workbook = openpyxl.Workbook()
    sheet: Any = workbook.active
    sheet.title = title
    for number, values in enumerate([dict(zip(columns, columns, strict=True)), *rows], 1):
        for place, name in enumerate(columns, 1):
            cell = sheet.cell(number, place, values.get(name))
            if isinstance(cell.value, str):
                cell.data_type = "s"
    return saved(workbook)


def saved(workbook: openpyxl.Workbook) -> bytes:
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def _text(row: Row, name: str) -> str:
    return "" if row[name] is None else str(row[name])


@dataclass
class Department:
    """Puts files into a folder, one after the other."""

    folder: Path
    ending: str = "txt"

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)

    def deliver(
        self, batch: int, rows: Sequence[Row], *, full: bool = True, name: str = "", said: Said = NOTHING
    ) -> str:
        """Write the data, the control file and the `.ok`; `said` is what the control file says instead."""
        writers: Mapping[str, Callable[[Sequence[Row]], bytes]] = {"txt": delimited, "xml": xml, "xlsx": xlsx}
        written = writers[self.ending](rows)
        return self.deliver_bytes(batch, written, len(rows), full=full, name=name, said=said)

    def deliver_bytes(
        self, batch: int, data: bytes, rows: int, *, full: bool = True, name: str = "", said: Said = NOTHING
    ) -> str:
        stem = name or f"FR_350299_SCJG_20160301_{batch:04d}"
        file = self.folder / f"{stem}.{self.ending}"
        file.write_bytes(data)
        line = {
            "name": file.name,
            "rows": rows,
            "bytes": len(data),
            "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
            "batch": batch,
            "kind": "F" if full else "I",
            "from": told(batch - 1),
            "to": told(batch),
            **said,
        }
        self.control(stem, "|".join(map(str, line.values())) + "\r\n")
        (self.folder / f"{stem}.ok").touch()
        return file.name

    def control(self, stem: str, line: str) -> None:
        (self.folder / f"{stem}.ctl").write_bytes(line.encode("gb18030"))


def told(batch: int) -> str:
    """The time at which a batch ends, as a control file has it."""
    return f"{BEGIN + timedelta(hours=batch):%Y%m%d%H%M%S}"


def ends_ms(batch: int) -> int:
    """The same, in milliseconds since 1970."""
    return int((BEGIN + timedelta(hours=batch)).astimezone(UTC).timestamp() * 1000)
