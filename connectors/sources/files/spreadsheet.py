"""xlsx: one sheet of a workbook, a row a row.

A workbook is a zip of XML documents, and the parser that reads it quickly trusts both: one cell in the farthest
corner makes it ask for fifty gigabytes, which ends the process. So the documents that are needed, and no others, are
unpacked under limits into a copy, and walked through by the parser that knows how to be careful; only then the copy
is read as a workbook.

What a spreadsheet did to a value on the way cannot be undone. It drops leading zeros from whatever looks like a
number, and all digits after the fifteenth: so a number is only taken in a column that is said to hold numbers, and
only up to fifteen digits; anywhere else its row is refused. A day counts by the workbook's own calendar (1900 or
1904), but for 28 February 1900, which stands for the 29th too, a day that never was: its row is refused, as for a
time without a day and for a duration. An error (`#N/A`) refuses the file.
"""

import os
import posixpath
import re
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, BinaryIO, Final

import python_calamine as calamine

from connectors.reading import Limits, Xlsx
from connectors.sources.files.lines import Line, Value, places
from connectors.sources.files.markup import Element, each, local
from connectors.sources.files.reject import Reject

# Below this a document is harmless, however well it packs.
_SMALL_BYTES: Final = 1 << 20
# What the directory of a zip says of one member, its name included.
_ENTRY_BYTES: Final = 512
_DEEPEST, _MOST_INSIDE = 32, 10_000
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"
_END_BYTES, _END_64_BYTES, _COMMENT_BYTES = 22, 20, 1 << 16
_OLD_EXCEL_OR_ENCRYPTED: Final = b"\xd0\xcf\x11\xe0"
_NEEDED: Final = frozenset(
    {
        "[content_types].xml",
        "_rels/.rels",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "xl/sharedstrings.xml",
    }
)
_PLACE: Final = re.compile("([A-Z]{1,3})([1-9][0-9]{0,6})")
_EXACT: Final = 10**15
_TWO_DAYS: Final = date(1900, 2, 28)


def rows(file: BinaryIO, form: Xlsx, wanted: Sequence[str], limits: Limits) -> Iterator[Line]:
    """Every row that is not blank, with the columns that are wanted, by its number in the sheet."""
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as copy:
        name, seen = _examined(file, copy.file, form, limits)
        copy.flush()
        cells = _cells(copy.name, name, form.header, seen)
    yield from _rows(cells, form, wanted, limits)


@dataclass(slots=True)
class _Seen:
    """What the careful parser saw of a sheet."""

    rows: int = 0
    columns: int = 0
    numbers: int = 0


def _examined(file: BinaryIO, copy: IO[bytes], form: Xlsx, limits: Limits) -> tuple[str, _Seen]:
    """Write what a reader needs of the workbook, all of it looked through; the sheet's name, and what is in it."""
    _refuse_directory(file, limits)
    try:
        with zipfile.ZipFile(file) as packed, zipfile.ZipFile(copy, "w") as unpacked:
            _refuse_members(packed.infolist(), limits)
            name, path = _sheet(packed, form)
            for each_name in packed.namelist():
                if each_name.lower() in _NEEDED or each_name == path:
                    with packed.open(each_name) as source, unpacked.open(each_name, "w") as target:
                        shutil.copyfileobj(source, target)
                if each_name.lower() in _NEEDED:
                    _walk_through(packed, each_name)
            return name, _looked_through(packed, path, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, ValueError):
        raise Reject("zip_unreadable") from None


def _refuse_directory(file: BinaryIO, limits: Limits) -> None:
    """Before the directory is read into memory: it says itself how long it is, at the file's end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if file.read(4) == _OLD_EXCEL_OR_ENCRYPTED:
        raise Reject("zip_encrypted")
    file.seek(max(0, size - _COMMENT_BYTES - _END_BYTES - _END_64_BYTES))
    tail = file.read()
    file.seek(0)
    at = len(tail) - _END_BYTES
    if tail[at : at + 4] != _END or tail[-2:] != b"\0\0":
        at = tail.rfind(_END)
    if at < 0 or at + _END_BYTES > len(tail):
        raise Reject("zip_unreadable")
    (directory,) = struct.unpack_from("<I", tail, at + 12)
    longer = tail[max(0, at - _END_64_BYTES) : at].startswith(_END_64)
    if longer or directory > limits.members * _ENTRY_BYTES:
        raise Reject("zip_members", limit=limits.members)


def _refuse_members(members: Sequence[zipfile.ZipInfo], limits: Limits) -> None:
    names = [member.filename for member in members]
    if len(names) > limits.members:
        raise Reject("zip_members", limit=limits.members)
    if len(set(names)) != len(names) or any(_leads_elsewhere(name) for name in names):
        raise Reject("zip_name")
    if any(member.flag_bits & 0x1 for member in members):
        raise Reject("zip_encrypted")
    if sum(member.file_size for member in members) > limits.unpacked_bytes:
        raise Reject("zip_too_large", limit=limits.unpacked_bytes)
    for member in members:
        if member.file_size > max(_SMALL_BYTES, member.compress_size * limits.ratio):
            raise Reject("zip_ratio", limit=limits.ratio)


def _leads_elsewhere(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")


def _sheet(packed: zipfile.ZipFile, form: Xlsx) -> tuple[str, str]:
    """The name of the sheet that is meant, and where it lies."""
    with packed.open("xl/_rels/workbook.xml.rels") as links:
        targets = {link.get("Id"): link.get("Target", "") for link in _elements(links, "Relationship")}
    with packed.open("xl/workbook.xml") as workbook:
        sheets = [(sheet.get("name", ""), _path(targets, sheet)) for sheet in _elements(workbook, "sheet")]
    found = [(name, path) for name, path in sheets if form.sheet in {None, name}]
    if not found:
        raise Reject("sheet_missing", sheet=form.sheet or "-")
    if len(found) > 1:
        raise Reject("sheet_unclear")
    if found[0][1] not in packed.namelist():
        raise Reject("zip_unreadable")
    return found[0]


def _path(targets: dict[str | None, str], sheet: Element) -> str:
    link = next((value for name, value in sheet.attrib.items() if name.endswith("}id")), None)
    return posixpath.normpath(posixpath.join("/xl", targets.get(link, ""))).lstrip("/")


def _elements(document: IO[bytes], name: str) -> Iterator[Element]:
    return each(document, name, "utf-8", _DEEPEST, _MOST_INSIDE)


def _walk_through(packed: zipfile.ZipFile, name: str) -> None:
    with packed.open(name) as document:
        for _ in _elements(document, ""):
            pass


def _looked_through(packed: zipfile.ZipFile, path: str, limits: Limits) -> _Seen:
    """How far the cells of the sheet reach: a reader holds all of the rectangle, the empty ones too."""
    seen = _Seen()
    row, number, column = None, 0, 0
    with packed.open(path) as document:
        for cell in _elements(document, "c"):
            if cell.getparent() is not row:
                row, number, column = cell.getparent(), _number(cell.getparent(), number), 0
            number, column = _place(cell, number, column)
            _see(cell, number, column, seen)
            if seen.rows * seen.columns > limits.cells:
                raise Reject("cells_too_many", number, limit=limits.cells)
    return seen


def _number(row: Element, before: int) -> int:
    return int(row.get("r") or before + 1)


def _place(cell: Element, row: int, before: int) -> tuple[int, int]:
    """Row and column of a cell, both from 1; one that does not say stands right of the one before."""
    said = cell.get("r")
    if said is None:
        return row, before + 1
    found = _PLACE.fullmatch(said)
    if not found:
        raise Reject("xlsx_unreadable", row)
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), column


def _see(cell: Element, row: int, column: int, seen: _Seen) -> None:
    if len(cell) == 0:
        return
    if cell.get("t") == "e":
        raise Reject("cell_error", row)
    seen.rows, seen.columns = max(seen.rows, row), max(seen.columns, column)
    if cell.get("t", "n") == "n":
        seen.numbers += any(local(inner) == "v" and inner.text for inner in cell)


def _cells(path: str, sheet: str, header: int, seen: _Seen) -> list[list[Any]]:
    """The whole sheet from its first cell on."""
    try:
        with calamine.CalamineWorkbook.from_path(path) as workbook:
            found = workbook.get_sheet_by_name(sheet)
            if any(end[0] >= header - 1 for _, end in found.merged_cell_ranges or ()):
                raise Reject("cells_merged")
            cells = found.to_python(skip_empty_area=False)
    except calamine.CalamineError:
        raise Reject("xlsx_unreadable") from None
    numbers = sum(not isinstance(cell, str | bool) for row in cells for cell in row)
    if numbers != seen.numbers:
        raise Reject("cells_lost")
    return cells


def _rows(cells: Sequence[Sequence[Any]], form: Xlsx, wanted: Sequence[str], limits: Limits) -> Iterator[Line]:
    header = cells[form.header - 1] if len(cells) >= form.header else ()
    at = places([str(name).strip() for name in header], wanted, limits, form.header)
    numeric = [column in form.numbers for column in wanted]
    for number, row in enumerate(cells[form.header :], form.header + 1):
        if any(cell != "" for cell in row):
            values = [_value(row[place], number=may) for place, may in zip(at, numeric, strict=True)]
            yield Line(number, values)


def _value(cell: Any, *, number: bool) -> Value:
    match cell:
        case str():
            return cell or None
        case bool():
            return "1" if cell else "0"
        case int() | float() if number and abs(cell) < _EXACT:
            return format(Decimal(repr(cell)).normalize(), "f")
        case datetime():
            return cell.isoformat(" ")
        case date() if cell != _TWO_DAYS:
            return cell.isoformat()
    return repr(cell).encode()
