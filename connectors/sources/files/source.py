"""A family of files as a source: each `reach` takes the next delivery in, and a snapshot shows the table.

A file that was taken in is not followed by the next before a cycle over it has closed, so that each file is a cycle
of its own, with its own snapshot time. Only where what was published already is newer than the table (its folder
was lost, and it begins anew) are files taken in one after the other, up to there.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from connectors.columns import Row
from connectors.mapping import Source
from connectors.reading import Files
from connectors.sources.files.intake import Intake
from connectors.sources.files.order import Accepted
from connectors.sources.files.table import Layout, Seen, Table
from connectors.sources.snapshot import Alarm
from connectors.values import Tokens
from process.errors import TransientError
from process.logs import error
from process.messages import say

# Another number when the same files make another table: it is made anew from those kept then.
_VERSION: Final = 1


class FileRefusedError(TransientError):
    """A delivery is refused: a corrected one may come, and a person should see to it."""

    exit_code = 4


class FileSource:
    """The files that a department puts into a folder."""

    def __init__(self, source: Source, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._source, self._folder, self._now = source, folder, now
        self._files = family(source)
        self._layout = _layout(source, self._files)
        self._begun: Intake | None = None
        self._alarms: Sequence[Alarm] = ()
        self._awaited: int | None = None

    def close(self) -> None:
        if self._begun:
            self._begun.table.close()
            self._begun = None

    def reach(self) -> None:
        """Take the next delivery in, if it is its turn; return when there is something to show."""
        with self._translated():
            intake = self._intake()
            intake.survey()
            if not intake.table.owed:
                intake.take_next()
            intake.remember()
            self._look_for_alarms(intake)
            if intake.table.newest is None:
                raise self._nothing()

    def more(self) -> bool:
        """Whether a delivery waits whose turn it is now."""
        return self._intake().more

    def alarms(self) -> Sequence[Alarm]:
        """Refused deliveries, and a batch that others wait for."""
        return self._alarms

    @contextmanager
    def snapshot(self, not_before_ms: int = 0) -> "Iterator[FileSnapshot]":
        """The table as of the newest file taken in; raises `TransientError` where that is older than asked for."""
        with self._translated():
            table = self._intake().table
            newest = self._caught_up(not_before_ms)
            owed = table.owed
        with table.seen() as seen:
            yield FileSnapshot(seen, newest, self._present_ms(table, newest), owed, f"files {self._files.name}")
        if owed:
            with self._translated():
                table.shown(newest.batch)

    def _intake(self) -> Intake:
        if self._begun is None:
            zone = ZoneInfo(self._source.mapping.timezone)
            self._begun = Intake(self._source.name, self._files, self._folder, self._layout, zone, self._now)
        return self._begun

    def _caught_up(self, not_before_ms: int) -> Accepted:
        intake = self._intake()
        while (newest := intake.table.newest) and newest.to_ms < not_before_ms and intake.take_next():
            pass
        if newest is None:
            raise self._nothing()
        if newest.to_ms < not_before_ms:
            raise TransientError(say("connectors.files_behind", source=self._source.name, file=newest.name))
        return newest

    def _present_ms(self, table: Table, newest: Accepted) -> int:
        """An increment that does not tell what is gone leaves that as of the last full file."""
        full = table.full
        return newest.to_ms if self._files.deletions_reported or full is None else full.to_ms

    def _look_for_alarms(self, intake: Intake) -> None:
        alarms = [Alarm(refusal.code, FileRefusedError(refusal.text)) for refusal in intake.alarmed()]
        awaited = intake.awaited()
        if awaited is not None:
            alarms.append(self._missing(awaited, intake))
        if awaited is not None and awaited != self._awaited:
            error("file.missing", source=self._source.name, batch=awaited, count=len(intake.waiting()))
        self._alarms, self._awaited = alarms, awaited

    def _missing(self, batch: int, intake: Intake) -> Alarm:
        name, waiting = self._source.name, len(intake.waiting())
        if batch == 0:
            return Alarm("no_full_file", TransientError(say("connectors.files_no_full", source=name, count=waiting)))
        return Alarm("gap", TransientError(say("connectors.files_gap", source=name, batch=batch, count=waiting)))

    def _nothing(self) -> TransientError:
        """Why there is nothing to show yet."""
        if self._alarms:
            return self._alarms[0].error
        place = self._source.at(("read", "files", "folder"))
        return TransientError(say("connectors.files_none", place=place, source=self._source.name))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as exc:
            raise TransientError(self._trouble(exc)) from exc

    def _trouble(self, exc: OSError | sqlite3.Error) -> str:
        reason = getattr(exc, "sqlite_errorname", None) or getattr(exc, "strerror", None) or type(exc).__name__
        name, place = self._source.name, self._source.at(("read", "files", "folder"))
        return say("connectors.files_trouble", place=place, source=name, reason=reason, folder=self._folder)


@dataclass(frozen=True, slots=True)
class FileSnapshot:
    """The table as of one file."""

    _seen: Seen
    _newest: Accepted
    present_ms: int
    owed: bool
    incarnation: str

    @property
    def at_ms(self) -> int:
        return self._newest.to_ms

    @property
    def stated(self) -> bool:
        return not self._newest.full

    def rows(self, columns: Sequence[str], order_by: Sequence[str] = ()) -> Iterator[Row]:
        """Every row, with these columns only; in the order in which they came, unless another one is asked for."""
        return self._seen.rows(columns, order_by)


def family(source: Source) -> Files:
    """The files that the source is read from."""
    files = source.mapping.read.files
    if files is None:
        raise ValueError(f"{source.name} is not read from files")
    return files


def _layout(source: Source, files: Files) -> Layout:
    mapping = source.mapping
    shape = {
        "version": _VERSION,
        "columns": mapping.columns(),
        "mapping": mapping.model_dump(mode="json", include={"record_id", "nulls", "timezone"}),
        "files": files.model_dump(mode="json", exclude={"folder", "limits", "deletions_reported", "may_be_empty"}),
    }
    fingerprint = hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()
    tokens = Tokens.of(mapping.nulls, mapping.open_ends)
    return Layout(mapping.columns(), mapping.record_id.columns, tokens, fingerprint)
