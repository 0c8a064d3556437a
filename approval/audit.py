"""The audit log: who asked what of whom, and what was told; written before anything is answered.

One JSON record a line, only ever added to. Each record carries its number, the keyed hash of the one before and its
own, so a record that is changed, taken out or put in later shows. The last ones cut off do not show from the file
alone: whoever kept the number and hash of a record can ask whether the log still goes through it.

A write that a crash cut short stays as it is; the record after it carries the hash of what was left, and nothing was
answered for it.
"""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from process.errors import FencedError, PermanentError, SettingsError, TransientError
from process.logs import warn
from process.messages import say
from schemas.plain import to_json
from schemas.subjects import HASHES

# Longer than any record: the last whole one is always within so many bytes of the end.
_TAIL_BYTES: Final = 1 << 20
_BEFORE_THE_FIRST: Final = "0" * 64


class AuditError(TransientError):
    """The log cannot be written, so nothing may be answered."""


class BrokenLogError(PermanentError):
    """The log is not as it was written."""


@dataclass(frozen=True, slots=True)
class Place:
    """A record's number and hash; before the first one 0 and zeros."""

    sequence: int = 0
    hash: str = _BEFORE_THE_FIRST


@dataclass(frozen=True, slots=True)
class Sealing:
    """The key records are chained by, and the function it is used with."""

    key: bytes
    function: str

    def line(self, record: Mapping[str, Any]) -> bytes:
        """The record as it stands in the log."""
        return to_json({**record, "hash": self._hash(record)}).encode() + b"\n"

    def opened(self, line: bytes) -> dict[str, Any] | None:
        """The record a line holds; None: nobody who has the key wrote it so."""
        try:
            record = json.loads(line)
        except ValueError:
            return None
        if not isinstance(record, dict) or not isinstance(record.get("hash"), str):
            return None
        hashed = {name: value for name, value in record.items() if name != "hash"}
        same = hmac.compare_digest(self._hash(hashed).encode(), record["hash"].encode())
        return record if same and self.line(hashed) == line + b"\n" else None

    def _hash(self, record: Mapping[str, Any]) -> str:
        return hmac.new(self.key, to_json(record).encode(), HASHES[self.function]).hexdigest()


class AuditLog:
    """The log as its only writer sees it."""

    def __init__(self, path: Path, sealing: Sealing) -> None:
        self._path = path
        self._sealing = sealing
        self._one_at_a_time = Lock()
        self._file: _Tail | None = None
        try:
            self._file = _Tail(path, sealing, os.O_RDWR | os.O_CREAT)
        except OSError as exc:
            raise AuditError(self._unwritable(exc)) from exc

    @property
    def writable(self) -> bool:
        """Whether the last record could be written."""
        return self._file is not None

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a record; it is on the disk when this returns, and where that fails nothing may be answered."""
        with self._one_at_a_time:
            try:
                # After a failure the end is looked at anew: what was half written is taken note of.
                self._file = self._file or _Tail(self._path, self._sealing, os.O_RDWR)
                self._file.append(record)
            except OSError as exc:
                self._give_up()
                raise AuditError(self._unwritable(exc)) from exc
            except (FencedError, SettingsError) as exc:
                raise AuditError(str(exc)) from exc

    def close(self) -> None:
        """Write no more, and let another do it."""
        with self._one_at_a_time:
            self._give_up()

    def _give_up(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None

    def _unwritable(self, exc: OSError) -> str:
        return say("approval.audit_unwritable", file=self._path, reason=exc.strerror or type(exc).__name__)


class _Tail:
    """The open file, locked, and where it ends."""

    def __init__(self, path: Path, sealing: Sealing, how: int) -> None:
        self._path = path
        self._sealing = sealing
        self._fd = os.open(path, how | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            self._lock()
            self._size = os.fstat(self._fd).st_size
            self._last, self._left, self._ended = self._end()
            _sync_folder(path.parent)
        except BaseException:
            self.close()
            raise
        if self._left:
            warn("approval.audit_cut_short", file=str(path), bytes=len(self._left))

    def append(self, record: Mapping[str, Any]) -> None:
        self._refuse_a_stranger()
        told = {**record, "sequence": self._last.sequence + 1, "previous": self._last.hash}
        if self._left:
            told["cut_short"] = hashlib.sha256(self._left).hexdigest()
        line = self._sealing.line(told)
        self._write(line if self._ended else b"\n" + line)
        os.fsync(self._fd)
        self._last = _place(json.loads(line))
        self._left, self._ended = b"", True

    def close(self) -> None:
        os.close(self._fd)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FencedError(say("approval.audit_held", file=self._path)) from None

    def _end(self) -> tuple[Place, bytes, bool]:
        """The last whole record, what stands behind it, and whether the last line is ended."""
        begin = max(0, self._size - _TAIL_BYTES)
        data = os.pread(self._fd, self._size - begin, begin)
        lines = [line for line in data.split(b"\n") if line]
        ended = not data or data.endswith(b"\n")
        for count, line in enumerate(reversed(lines)):
            record = self._sealing.opened(line)
            if record is not None:
                return _place(record), b"\n".join(lines[len(lines) - count :]), ended
        if b"\n" in data:
            # Nobody whose first record was cut short left a whole line behind.
            raise SettingsError(say("approval.audit_foreign", file=self._path))
        return Place(), data, ended

    def _refuse_a_stranger(self) -> None:
        """A file that was moved away, cut or added to by another is not the log any more."""
        try:
            there: os.stat_result | None = self._path.stat()
        except FileNotFoundError:
            there = None
        ours = os.fstat(self._fd)
        if there is None or (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino) or ours.st_size != self._size:
            raise AuditError(say("approval.audit_changed", file=self._path))

    def _write(self, data: bytes) -> None:
        while data:
            written = os.write(self._fd, data)
            self._size += written
            data = data[written:]


def _sync_folder(folder: Path) -> None:
    """A new file's name is on the disk only when its folder is."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _place(record: Mapping[str, Any]) -> Place:
    return Place(record["sequence"], record["hash"])


@dataclass(frozen=True, slots=True)
class Verified:
    """A log that is as it was written: how many records, how many writes cut short, and the last record."""

    records: int
    cut_short: int
    last: Place
    unfinished: bool


def verify(path: Path, sealing: Sealing, kept: Place | None = None) -> Verified:
    """Read the whole log and follow its chain, through the record kept by somebody if there is one."""
    last, cut_short, left, met = Place(), 0, list[bytes](), kept is None or kept == Place()
    for number, line in _lines(path):
        record = sealing.opened(line.rstrip(b"\n"))
        if record is None:
            left.append(line)
            continue
        digest = hashlib.sha256(b"\n".join(each.rstrip(b"\n") for each in left)).hexdigest() if left else None
        if (record["sequence"], record["previous"]) != (last.sequence + 1, last.hash):
            raise BrokenLogError(say("approval.audit_gap", file=path, line=number, sequence=last.sequence))
        if record.get("cut_short") != digest:
            raise BrokenLogError(say("approval.audit_altered", file=path, line=number - len(left)))
        last, cut_short, left = _place(record), cut_short + bool(left), []
        met = met or last == kept
    unfinished = bool(left) and not left[-1].endswith(b"\n")
    if left and not unfinished:
        raise BrokenLogError(say("approval.audit_altered", file=path, line=number - len(left) + 1))
    if not met and kept is not None:
        raise BrokenLogError(say("approval.audit_not_through", file=path, sequence=kept.sequence))
    return Verified(last.sequence, cut_short, last, unfinished)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            yield from ((number, line) for number, line in enumerate(file, 1) if line != b"\n")
    except FileNotFoundError:
        raise BrokenLogError(say("approval.audit_missing", file=path)) from None
