r"""A control file: what a department says of a data file, on one line.

>>> from zoneinfo import ZoneInfo
>>> line = b"FR_1.txt|2|40|D41D8CD98F00B204E9800998ECF8427E|0007|I|20160229020000|20160301020000\r\n"
>>> said = parse(line, "gb18030", ZoneInfo("Asia/Shanghai"))
>>> said.batch, said.full, said.to_ms
(7, False, 1456768800000)
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from connectors.sources.files.reject import Reject

MAX_BYTES: Final = 4_096
_FIELDS: Final = ("name", "rows", "bytes", "md5", "batch", "kind", "from", "to")
# A day alone would leave open whether its end or its beginning is meant.
_TIME: Final = re.compile("([0-9]{4})[-/]?([0-9]{2})[-/]?([0-9]{2})[ T]?([0-9]{2}):?([0-9]{2}):?([0-9]{2})")
_DIGITS: Final = re.compile("[0-9]{1,15}")
_MD5: Final = re.compile("[0-9a-f]{32}")


class Content(NamedTuple):
    """What tells one file's content from another's."""

    rows: int
    bytes: int
    md5: str
    full: bool
    from_ms: int | None
    to_ms: int


@dataclass(frozen=True, slots=True)
class Control:
    """A data file as its department describes it; times are milliseconds since 1970."""

    name: str
    batch: int
    content: Content

    @property
    def full(self) -> bool:
        return self.content.full

    @property
    def to_ms(self) -> int:
        return self.content.to_ms


def parse(written: bytes, encoding: str, zone: ZoneInfo) -> Control:
    """What the line says; times are the source's own."""
    try:
        line = written.decode(encoding)
    except UnicodeDecodeError:
        raise Reject("control_form", field="encoding") from None
    parts = line.removesuffix("\n").removesuffix("\r").split("|")
    if len(parts) != len(_FIELDS):
        raise Reject("control_form", field="|".join(_FIELDS))
    said = dict(zip(_FIELDS, (part.strip(" ") for part in parts), strict=True))
    full = _one_of(said, "kind", "FI") == "F"
    from_ms, to_ms = _from(said, zone, full=full), _time(said, "to", zone)
    if from_ms is not None and from_ms > to_ms:
        raise Reject("control_form", field="from")
    content = Content(_number(said, "rows"), _number(said, "bytes"), _md5(said), full, from_ms, to_ms)
    return Control(said["name"], _number(said, "batch"), content)


def _one_of(said: dict[str, str], name: str, letters: str) -> str:
    letter = said[name].upper()
    if len(letter) != 1 or letter not in letters:
        raise Reject("control_form", field=name)
    return letter


def _number(said: dict[str, str], name: str) -> int:
    if not _DIGITS.fullmatch(said[name]):
        raise Reject("control_form", field=name)
    return int(said[name])


def _md5(said: dict[str, str]) -> str:
    digest = said["md5"].lower()
    if not _MD5.fullmatch(digest):
        raise Reject("control_form", field="md5")
    return digest


def _from(said: dict[str, str], zone: ZoneInfo, *, full: bool) -> int | None:
    """A full file begins with the world, and need not say so."""
    return None if full and not said["from"] else _time(said, "from", zone)


def _time(said: dict[str, str], name: str, zone: ZoneInfo) -> int:
    found = _TIME.fullmatch(said[name])
    if not found:
        raise Reject("control_form", field=name)
    year, month, day, hour, minute, second = map(int, found.groups())
    try:
        return round(datetime(year, month, day, hour, minute, second, tzinfo=zone).timestamp()) * 1_000
    except (ValueError, OverflowError):
        raise Reject("control_form", field=name) from None
