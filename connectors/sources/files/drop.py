"""The drop folder: which deliveries are complete, and their bytes, checked while they are copied.

Whoever may write into the folder is not trusted: only plain files are opened, never what a link points to, and
no more of them is read than their control file says.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

from connectors.reading import Files
from connectors.sources.files.control import MAX_BYTES, Control, parse
from connectors.sources.files.reject import Reject

OK: Final = ".ok"
CTL: Final = ".ctl"
_AT_ONCE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """A complete delivery; `signature` changes when one of its files does."""

    data: Path
    signature: str
    written: bytes
    control: Control

    @property
    def name(self) -> str:
        return self.data.name


@dataclass(frozen=True, slots=True)
class Broken:
    """What would be a delivery if its control file could be used."""

    data: Path
    signature: str
    reject: Reject

    @property
    def name(self) -> str:
        return self.data.name


class Drop:
    """A folder of deliveries of one family."""

    def __init__(self, folder: Path, files: Files, zone: ZoneInfo) -> None:
        self.folder = folder
        self._files, self._zone = files, zone
        self._family = _pattern(files.name)
        self._known: dict[str, Delivery | Broken] = {}

    def deliveries(self) -> list[Delivery | Broken]:
        """Everything whose `.ok` is there, by name; control files that have not changed are not read again."""
        names = [file.name for file in self.folder.iterdir()]
        stems = sorted(name.removesuffix(OK) for name in names if name.endswith(OK))
        found = [self._delivery(stem) for stem in stems if self._family.fullmatch(stem)]
        self._known = {each.name: each for each in found}
        return found

    def unfinished(self) -> list[str]:
        """Data files whose `.ok` is not there yet."""
        names = [file.name for file in self.folder.iterdir()]
        stems = sorted(name.removesuffix(self._files.ending) for name in names if name.endswith(self._files.ending))
        return [stem + self._files.ending for stem in stems if self._family.fullmatch(stem) and stem + OK not in names]

    def copy(self, delivery: Delivery, control: Control, target: BinaryIO | None) -> None:
        """Copy the data, and raise `Reject` unless they are what the control file says; None: only look."""
        digest = hashlib.md5(usedforsecurity=False)
        with plain(delivery.data) as file:
            before = os.fstat(file.fileno())
            self._refuse_size(before.st_size, control)
            left = control.content.bytes + 1
            while left and (block := file.read(min(left, _AT_ONCE))):
                digest.update(block)
                left -= len(block)
                if target:
                    target.write(block)
            if _told(os.fstat(file.fileno())) != _told(before):
                raise Reject("changing")
        self._refuse_size(control.content.bytes + 1 - left, control)
        if digest.hexdigest() != control.content.md5:
            raise Reject("control_md5")

    def _refuse_size(self, found: int, control: Control) -> None:
        if found != control.content.bytes:
            raise Reject("control_bytes", said=control.content.bytes, found=found)
        if found > self._files.limits.file_bytes:
            raise Reject("too_large", limit=self._files.limits.file_bytes)

    def _delivery(self, stem: str) -> Delivery | Broken:
        data, control = self.folder / f"{stem}{self._files.ending}", self.folder / f"{stem}{CTL}"
        signature = f"{_signature(data)} {_signature(control)}"
        known = self._known.get(data.name)
        if known and known.signature == signature:
            return known
        try:
            written = _written(data, control)
            return Delivery(data, signature, written, self._control(data, written))
        except Reject as exc:
            return Broken(data, signature, exc)

    def _control(self, data: Path, written: bytes) -> Control:
        control = parse(written, self._files.encoding, self._zone)
        if control.name != data.name:
            raise Reject("control_name")
        return control


@contextmanager
def plain(path: Path) -> Iterator[BinaryIO]:
    """A plain file, opened without following a link and without waiting for a pipe's other end."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise Reject("not_a_file")
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        raise Reject("not_readable") from None
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise Reject("not_a_file")
        yield file


def _written(data: Path, control: Path) -> bytes:
    """The control file of data that are there."""
    if not os.path.lexists(control):
        raise Reject("control_missing")
    if not os.path.lexists(data):
        raise Reject("data_missing")
    with plain(control) as file:
        written = file.read(MAX_BYTES + 1)
    if len(written) > MAX_BYTES:
        raise Reject("control_form", field="length")
    return written


def _pattern(name: str) -> re.Pattern[str]:
    parts = re.split(r"(\{date\}|\{number\})", name)
    meaning = {"{date}": "[0-9]{8}", "{number}": "[0-9]{1,12}"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts))


def _signature(path: Path) -> str:
    try:
        return _told(path.lstat())
    except FileNotFoundError:
        return "-"


def _told(found: os.stat_result) -> str:
    return f"{found.st_ino}.{found.st_size}.{found.st_mtime_ns}"
