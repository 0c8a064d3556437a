"""Dropped files read by a second hand: control file checked, batches in order, increments laid over full files."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from pathlib import Path
from typing import NamedTuple

Row = dict[str, str | None]


class Delivery(NamedTuple):
    """One delivery as its control file describes it, and the rows in it."""

    data: Path
    batch: int
    kind: str
    since: str
    until: str
    rows: list[Row]


def deliveries(folder: Path, family: str, columns: Sequence[str]) -> list[Delivery]:
    """Every released delivery of the family, in the order of its batches; a control file that disagrees fails."""
    found = [_delivery(ok, columns) for ok in folder.glob(f"{family}_*.ok")]
    return sorted(found, key=lambda each: each.batch)


def table(folder: Path, family: str, columns: Sequence[str], key: str) -> list[Row]:
    """What the department holds after all deliveries: the newest full file, and what increments changed since."""
    rows: list[Row] = []
    for delivery in deliveries(folder, family, columns):
        if delivery.kind == "F":
            rows = delivery.rows
        else:
            newer = {row[key] for row in delivery.rows}
            rows = [row for row in rows if row[key] not in newer] + delivery.rows
    return rows


def _delivery(ok: Path, columns: Sequence[str]) -> Delivery:
    name, count, size, md5, batch, kind, since, until = (
        ok.with_suffix(".ctl").read_bytes().decode("gb18030").strip().split("|")
    )
    data = ok.with_name(name)
    content = data.read_bytes()
    rows = list(_rows(data, columns))
    assert (len(content), hashlib.md5(content, usedforsecurity=False).hexdigest()) == (int(size), md5)
    assert len(rows) == int(count)
    assert data.stem.endswith(f"_{batch}")
    return Delivery(data, int(batch), kind, since, until, rows)


def _rows(data: Path, columns: Sequence[str]) -> Iterator[Row]:
    images = {".txt": _lines, ".xml": _elements, ".xlsx": _cells}[data.suffix](data)
    for image in images:
        fields = image if isinstance(image, Mapping) else dict(zip(columns, image, strict=True))
        assert list(fields) == list(columns)
        yield {column: value or None for column, value in fields.items()}


def _lines(data: Path) -> Iterator[list[str]]:
    text = data.read_bytes().decode("gb18030")
    assert text == "" or text.endswith("\r\n")
    yield from (line.split("|") for line in text.split("\r\n")[:-1])


def _elements(data: Path) -> Iterator[dict[str, str]]:
    head, text = data.read_bytes().decode("gb18030").split("\n", 1)
    assert head == '<?xml version="1.0" encoding="GB18030"?>'
    assert re.fullmatch(r"<ROWS>\n(<ROW>(<(\w+)>[^<>]*</\3>)+</ROW>\n)*</ROWS>\n", text)
    for row in re.findall("<ROW>(.*?)</ROW>", text):
        yield {name: unescape(value) for name, value in re.findall(r"<(\w+)>([^<>]*)</", row)}


def _cells(data: Path) -> Iterator[list[str]]:
    with zipfile.ZipFile(data) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    _, *rows = re.findall("<row>(.*?)</row>", sheet)
    for row in rows:
        yield [unescape(cell) for cell in re.findall('<t xml:space="preserve">([^<>]*)</t>', row)]
