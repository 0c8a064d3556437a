r"""The folders into which the local tax office and the police put their files.

A delivery is three files: the data, a control file of one line, and an empty `.ok`, written last:

    CZRK_350299_20240630_0001.xml     GB18030; or .txt: fields parted by |, lines ended by CRLF; or .xlsx
    CZRK_350299_20240630_0001.ctl     file name|rows|bytes|MD5|batch|F or I|from|to
    CZRK_350299_20240630_0001.ok

Batches of a family count from 0001 without gaps. A full file (F) holds every row; an increment (I) the rows that
changed since, and only a family whose rows say themselves that they are deleted can have one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from deploy.district.changes import Change
from deploy.district.rows import Row
from deploy.district.sample import District
from deploy.district.sources import IN_FOLDERS, SOURCES, Source, of_department
from deploy.district.workbook import Workbook

Image = Sequence[str | None]
_ENDINGS = {"delimited": "txt", "xml": "xml", "xlsx": "xlsx"}
_ENCODING = "gb18030"
_TIME = "%Y-%m-%d %H:%M:%S"
_BEGINNING = "1990-01-01 00:00:00"
SHANGHAI = ZoneInfo("Asia/Shanghai")


class Drops:
    """The first full file of every family, filled block by block; `with` closes and releases them."""

    def __init__(self, folders: Mapping[str, Path], at: datetime) -> None:
        self._stack = ExitStack()
        self._files: dict[str, Delivery] = {}
        for department in folders.keys() & set(IN_FOLDERS):
            for source in of_department(department):
                delivery = Delivery(folders[department], source, at, "F")
                self._files[source.name] = self._stack.enter_context(delivery)

    def add(self, rows: Iterable[Row]) -> None:
        """Write the rows that belong into files."""
        for row in rows:
            if row.source in self._files:
                self._files[row.source].write(row)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def apply(district: District, changes: Iterable[Change], folders: Mapping[str, Path], at: datetime) -> list[Path]:
    """Deliver the changes that lead to this district; the data files written."""
    by_source: dict[str, list[Change]] = {}
    for change in changes:
        if change.department in folders:
            by_source.setdefault(change.source, []).append(change)
    return [_deliver(district, name, found, folders, at) for name, found in sorted(by_source.items())]


def _deliver(
    district: District, name: str, changes: Sequence[Change], folders: Mapping[str, Path], at: datetime
) -> Path:
    source = SOURCES[name]
    kind = "F" if source.flag is None else "I"
    rows = district.at(name) if source.flag is None else [_now(change) for change in changes]
    with Delivery(folders[source.department], source, at, kind) as delivery:
        for row in rows:
            delivery.write(row)
    return delivery.data


def _now(change: Change) -> Row:
    if change.now is None:
        raise ValueError(f"{change.source}: an increment cannot say that a row is gone; flag it as deleted")
    return change.now


class Delivery:
    """One data file while it is written, and what releases it: control file first, `.ok` last."""

    def __init__(self, folder: Path, source: Source, at: datetime, kind: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        before = sorted(folder.glob(f"{source.family}_*.ctl"), key=_batch_of)
        local = at.astimezone(SHANGHAI)
        self._kind, self._to = kind, f"{local:{_TIME}}"
        self._from = before[-1].read_text(_ENCODING).split("|")[7].strip() if before else _BEGINNING
        self._batch = _batch_of(before[-1]) + 1 if before else 1
        self._stem = folder / f"{source.family}_{local:%Y%m%d}_{self._batch:04d}"
        self.data = self._beside(_ENDINGS[source.form])
        self._file = _FORMS[source.form](self.data, source)
        self._rows = 0

    def write(self, row: Row) -> None:
        for image in row.images():
            self._file.write(image)
            self._rows += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the delivery; one that broke off is left without its `.ok`, for nobody to take."""
        self._file.close()
        if kind is None:
            self._beside("ctl").write_bytes(f"{self._described()}\r\n".encode(_ENCODING))
            self._beside("ok").touch()

    def _described(self) -> str:
        with self.data.open("rb") as file:
            digest = hashlib.file_digest(file, "md5").hexdigest()
        told = (self.data.name, self._rows, self.data.stat().st_size, digest, f"{self._batch:04d}", self._kind)
        return "|".join(map(str, (*told, self._from, self._to)))

    def _beside(self, ending: str) -> Path:
        return self._stem.with_name(f"{self._stem.name}.{ending}")


class _Form(Protocol):
    def write(self, image: Image) -> None: ...
    def close(self) -> None: ...


class _Delimited:
    """Fields as they are, never quoted: a row that would need it cannot be handed over."""

    def __init__(self, path: Path, _source: Source) -> None:
        self._file: IO[bytes] = path.open("wb")

    def write(self, image: Image) -> None:
        fields = [field or "" for field in image]
        line = "|".join(fields)
        if line.count("|") >= len(fields) or "\n" in line or "\r" in line:
            raise ValueError("a field holds a separator or a line end")
        self._file.write(f"{line}\r\n".encode(_ENCODING))

    def close(self) -> None:
        self._file.close()


class _Xml:
    def __init__(self, path: Path, source: Source) -> None:
        self._file: IO[bytes] = path.open("wb")
        self._frame = "".join(f"<{column}>%s</{column}>" for column in source.columns)
        self._file.write(b'<?xml version="1.0" encoding="GB18030"?>\n<ROWS>\n')

    def write(self, image: Image) -> None:
        fields = tuple(escape(field) if field else "" for field in image)
        self._file.write(f"<ROW>{self._frame % fields}</ROW>\n".encode(_ENCODING))

    def close(self) -> None:
        self._file.write(b"</ROWS>\n")
        self._file.close()


def _xlsx(path: Path, source: Source) -> Workbook:
    book = Workbook(path)
    book.write(source.columns)
    return book


_FORMS: Mapping[str, Callable[[Path, Source], _Form]] = {"delimited": _Delimited, "xml": _Xml, "xlsx": _xlsx}


def _batch_of(control: Path) -> int:
    return int(control.stem.rsplit("_", 1)[1])
