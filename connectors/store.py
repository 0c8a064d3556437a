"""The connector's store: under which keys each row was sent, and what it said (LMDB).

Before a transaction everything about to be written is noted durably, in doubt; after the commit the notes are
settled. So a row in doubt is sent again, and its DELETE goes to every key it may ever have been sent under.

The store can be lost: it is never the truth. It *matches* when the random id of the last transaction noted in
it, or of the one before that, is the one in `positions`; one that does not match is emptied.
"""

import fcntl
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import lmdb

from connectors.mapper import Target
from connectors.plan import Change, Note, Notes
from process.errors import PermanentError, TransientError
from process.messages import say

# Address space, not disk: the file grows as rows come.
_MAP_BYTES = 64 << 30
_TRANSACTION, _BEFORE = b"transaction", b"before"


class Store:
    """One source's notes; one process has them open."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._lock = _Lock(folder / "lock")
        try:
            self._env = lmdb.open(str(folder), map_size=_MAP_BYTES, max_dbs=2, mode=0o600)
        except lmdb.Error as exc:
            self._lock.release()
            raise PermanentError(say("connectors.store_unreadable", folder=folder, reason=type(exc).__name__)) from exc
        self._rows = self._env.open_db(b"rows")
        self._meta = self._env.open_db(b"meta")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._env.close()
        self._lock.release()

    def count(self) -> int:
        """How many rows are noted."""
        with self._env.begin() as reading:
            return int(reading.stat(self._rows)["entries"])

    def matches(self, transaction_id: str) -> bool:
        """Whether what is noted here leads to the transaction that is the newest committed one."""
        with self._env.begin(db=self._meta) as reading:
            return transaction_id.encode() in {reading.get(_TRANSACTION), reading.get(_BEFORE)}

    def wipe(self) -> None:
        """Begin anew. It matches nothing until something is noted: whoever finds it so knows it is new."""
        with self._env.begin(write=True) as writing:
            writing.drop(self._rows, delete=False)
            writing.drop(self._meta, delete=False)

    def noted(self, record_id: str) -> Notes:
        """What was noted of a row; nothing for one that was never sent."""
        with self._env.begin(db=self._rows) as reading:
            found = reading.get(record_id.encode())
        return _notes(found) if found else ()

    def all(self) -> Iterator[tuple[str, Notes]]:
        """Every row noted, in the order of its id."""
        with self._env.begin(db=self._rows) as reading:
            for record_id, notes in reading.cursor():
                yield bytes(record_id).decode(), _notes(notes)

    def join(self, rows: Iterable[tuple[str, Notes]]) -> None:
        """Note what is known otherwise of these rows, instead of what is noted."""
        with self._env.begin(write=True, db=self._rows) as writing:
            for record_id, notes in rows:
                writing.put(record_id.encode(), _bytes(notes))

    def note(self, changes: Iterable[Change], transaction_id: str, before: str) -> None:
        """Note durably what is about to be written by a transaction; `before` is the newest committed one."""
        with self._env.begin(write=True) as writing:
            for change in changes:
                writing.put(change.record_id.encode(), _bytes(change.during), db=self._rows)
            self._remember(writing, transaction_id, before)

    def settle(self, changes: Iterable[Change]) -> None:
        """What was noted is committed."""
        with self._env.begin(write=True, db=self._rows) as writing:
            for change in changes:
                if change.after:
                    writing.put(change.record_id.encode(), _bytes(change.after))
                else:
                    writing.delete(change.record_id.encode())

    def _remember(self, writing: Any, transaction_id: str, before: str) -> None:
        writing.put(_TRANSACTION, transaction_id.encode(), db=self._meta)
        writing.put(_BEFORE, before.encode(), db=self._meta)


class _Lock:
    """Held while a process has the store open; the system lets go of it when the process ends, however it ends."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            self._file.close()
            raise TransientError(say("connectors.store_in_use", folder=file.parent)) from exc

    def release(self) -> None:
        self._file.close()


def _bytes(notes: Notes) -> bytes:
    told = [[*note.target, note.row_hash.hex() if note.row_hash else None, note.refused] for note in notes]
    return json.dumps(told, separators=(",", ":")).encode()


def _notes(content: bytes) -> Notes:
    return tuple(
        Note(Target(part, type_, subject), bytes.fromhex(row_hash) if row_hash else None, refused)
        for part, type_, subject, row_hash, refused in json.loads(bytes(content))
    )
