"""The audit log: who asked what of whom, and what was told; on the disk before anything is answered.

One JSON record a line, only ever added to. Each carries its number, the hash of the one before and its own, all under
a key, so a record that is changed, taken out, put in or repeated shows. The last ones cut off do not show from the
file alone: whoever kept the number and hash of a record can ask whether the log still goes through it.

Where a write fails nothing is answered. What it left of a record is cut off before the next one, which says so. So the
log may tell of an answer that nobody got, and never leaves one out.
"""

import fcntl
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

# Longer than any record: the last one is always within so many bytes of the end.
_TAIL_BYTES: Final = 1 << 20


class AuditError(TransientError):
    """The log cannot be written, so nothing may be answered."""


class BrokenLogError(PermanentError):
    """The log is not as it was written."""


@dataclass(frozen=True, slots=True)
class Place:
    """A record's number and hash; before the first one 0 and zeros."""

    sequence: int = 0
    hash: str = "0" * 64


@dataclass(frozen=True, slots=True)
class Sealing:
    """The key records are chained by, and the function it is used with."""

    key: bytes
    function: str

    def line(self, record: Mapping[str, Any]) -> bytes:
        """The record as it stands in the log."""
        sealed = hmac.new(self.key, to_json(record).encode(), HASHES[self.function]).hexdigest()
        return to_json({**record, "hash": sealed}).encode() + b"\n"

    def opened(self, line: bytes) -> dict[str, Any] | None:
        """The record a whole line holds; None: nobody who has the key wrote it so."""
        try:
            record = json.loads(line)
            bare = {name: value for name, value in record.items() if name != "hash"}
            same = hmac.compare_digest(self.line(bare), line)
        except (ValueError, AttributeError, RecursionError):
            return None
        return record if same else None


class AuditLog:
    """The log as its only writer sees it."""

    def __init__(self, path: Path, sealing: Sealing) -> None:
        self._path = path
        self._sealing = sealing
        self._one_at_a_time = Lock()
        self._file: _File | None = None
        self.writable = True
        """Whether the last record could be written."""
        try:
            self._file = _File(path, sealing, os.O_CREAT)
        except OSError as exc:
            raise AuditError(self._unwritable(exc)) from exc

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a record; it is on the disk when this returns, and where that fails nothing may be answered."""
        with self._one_at_a_time:
            self.writable = False
            try:
                # Given up after a failure, and its end looked at anew.
                self._file = self._file or _File(self._path, self._sealing)
                self._file.append(record)
            except OSError as exc:
                self._give_up()
                raise AuditError(self._unwritable(exc)) from exc
            except (FencedError, SettingsError) as exc:
                raise AuditError(str(exc)) from exc
            self.writable = True

    def close(self) -> None:
        """Let another write it."""
        with self._one_at_a_time:
            self._give_up()

    def _give_up(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None

    def _unwritable(self, exc: OSError) -> str:
        return say("approval.audit_unwritable", file=self._path, reason=exc.strerror or type(exc).__name__)


class _File:
    """The open file, locked, and the last record in it."""

    def __init__(self, path: Path, sealing: Sealing, create: int = 0) -> None:
        self._path = path
        self._sealing = sealing
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | create, 0o640)
        try:
            self._lock()
            self._last, self._cut_short = self._end()
            self._size = os.fstat(self._fd).st_size
            _sync_folder(path.parent)
        except BaseException:
            self.close()
            raise

    def append(self, record: Mapping[str, Any]) -> None:
        self._refuse_a_stranger()
        told = {**record, "sequence": self._last.sequence + 1, "previous": self._last.hash}
        if self._cut_short:
            told["cut_short_bytes"] = self._cut_short
        line = self._sealing.line(told)
        self._write(line)
        os.fsync(self._fd)
        self._last, self._cut_short = _place(json.loads(line)), 0

    def close(self) -> None:
        os.close(self._fd)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FencedError(say("approval.audit_held", file=self._path)) from None

    def _end(self) -> tuple[Place, int]:
        """The last record, and how many bytes of another were cut off behind it."""
        size = os.fstat(self._fd).st_size
        begin = max(0, size - _TAIL_BYTES)
        whole, ended, rest = os.pread(self._fd, size - begin, begin).rpartition(b"\n")
        last = self._sealing.opened(whole.rpartition(b"\n")[2] + ended) if ended else None
        if ended and last is None:
            raise SettingsError(say("approval.audit_foreign", file=self._path))
        complete = self._sealing.opened(rest + b"\n")
        if complete is not None:  # all but the end of its line
            os.write(self._fd, b"\n")
            return _place(complete), 0
        if rest:
            os.ftruncate(self._fd, size - len(rest))
            warn("approval.audit_cut_short", file=str(self._path), bytes=len(rest))
        return Place() if last is None else _place(last), len(rest)

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
    """A log that is as it was written: its last record, how often a write was cut short, and whether one is now."""

    last: Place
    cut_short: int
    unfinished: bool


def verify(path: Path, sealing: Sealing, kept: Place | None = None) -> Verified:
    """Read the whole log and follow its chain; through the record that somebody kept, if there is one."""
    last, cut_short, unfinished, met = Place(), 0, False, kept in (None, Place())
    for number, line in _lines(path):
        if not line.endswith(b"\n"):
            unfinished = True  # the last line: just being written, or cut short by a crash
            break
        record = sealing.opened(line)
        if record is None:
            raise BrokenLogError(say("approval.audit_altered", file=path, line=number))
        if (record["sequence"], record["previous"]) != (last.sequence + 1, last.hash):
            raise BrokenLogError(say("approval.audit_gap", file=path, line=number, sequence=last.sequence))
        last, cut_short = _place(record), cut_short + ("cut_short_bytes" in record)
        met = met or last == kept
    if kept is not None and not met:
        raise BrokenLogError(say("approval.audit_not_through", file=path, sequence=kept.sequence))
    return Verified(last, cut_short, unfinished)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            yield from enumerate(file, 1)
    except OSError as exc:
        raise BrokenLogError(say("approval.audit_unreadable", file=path, reason=exc.strerror)) from exc
