"""The table as accepted: what the files taken so far say, as one table of text (SQLite).

One file is one transaction: its rows and its place in the order are there together or not at all. A row has no key
but its file and line, so that two rows of one record id stay two, for the mapper to refuse. An increment replaces all
earlier rows whose record id columns say what those of one of its rows say; a row that is flagged as deleted stays as
such a row, until the next full file.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from connectors.columns import Row
from connectors.sources.files.control import Control
from connectors.sources.files.lines import Line, Value
from connectors.sources.files.order import Accepted
from connectors.sources.files.reject import Reject
from connectors.values import Tokens, text
from schemas.text import UnmappedCharacterError

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS accepted (batch INTEGER PRIMARY KEY, name TEXT UNIQUE, md5 TEXT, "full" INTEGER,
    to_ms INTEGER, "rows" INTEGER);
CREATE TABLE IF NOT EXISTS refused (name TEXT PRIMARY KEY, signature TEXT, code TEXT, line INTEGER, text TEXT);
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns the table has, and which of them are the record id; `fingerprint` of all that shapes it."""

    columns: Sequence[str]
    record_id: Sequence[str]
    tokens: Tokens
    fingerprint: str

    def key(self, values: Sequence[Value]) -> str | None:
        """The row's id as rows are compared by it; None where it has none."""
        parts = [self._part(values[self.columns.index(column)]) for column in self.record_id]
        clean = [part for part in parts if part is not None]
        return ",".join(f"{len(part)}:{part}" for part in clean) if len(clean) == len(parts) else None

    def _part(self, value: Value) -> str | None:
        if isinstance(value, bytes):
            return value.hex()
        try:
            return text(value, self.tokens)
        except UnmappedCharacterError:
            return value


class Refusal(NamedTuple):
    """A delivery that is not taken as it is, and what is said of it."""

    name: str
    signature: str
    code: str
    line: int | None
    text: str


class Standing(NamedTuple):
    """How far a table has come."""

    newest: Accepted | None
    refused: Sequence[Refusal]


class Table:
    """One source's table; whoever holds the source's store writes it."""

    def __init__(self, file: Path, layout: Layout) -> None:
        self._file, self._layout = file, layout
        try:
            self._db = self._begun()
        except sqlite3.DatabaseError as exc:
            if isinstance(exc, sqlite3.OperationalError):
                raise
            # No table any more: it is made anew from the files kept.
            self._db = self._anew()
        if self._about("fingerprint") != layout.fingerprint:
            self._db.close()
            self._db = self._anew()

    def close(self) -> None:
        self._db.close()

    @property
    def newest(self) -> Accepted | None:
        """The file that was accepted last."""
        return _one(self._db, "SELECT * FROM accepted ORDER BY batch DESC LIMIT 1")

    @property
    def full(self) -> Accepted | None:
        """The newest full file."""
        return _one(self._db, 'SELECT * FROM accepted WHERE "full" ORDER BY batch DESC LIMIT 1')

    def accepted(self, batch: int) -> Accepted | None:
        """The file that was accepted under this number."""
        return _one(self._db, "SELECT * FROM accepted WHERE batch = ?", batch)

    def since_full(self) -> set[str]:
        """The names of the files that make up the table."""
        since = self.full.batch if self.full else 0
        return {name for (name,) in self._db.execute("SELECT name FROM accepted WHERE batch >= ?", (since,))}

    @property
    def owed(self) -> bool:
        """Whether the newest file has not been seen through to a closed cycle."""
        newest = self.newest
        return newest is not None and self._about("shown") != str(newest.batch)

    def shown(self, batch: int) -> None:
        """A cycle over the table as of this file has closed."""
        self._say("shown", str(batch))

    def refusals(self) -> list[Refusal]:
        return [Refusal(*found) for found in self._db.execute("SELECT * FROM refused ORDER BY name")]

    def keep_refusals(self, refusals: Iterable[Refusal]) -> None:
        """Remember what is refused, for whoever asks how the source stands."""
        now = sorted(refusals)
        if now != self.refusals():
            with _transaction(self._db):
                self._db.execute("DELETE FROM refused")
                self._db.executemany("INSERT INTO refused VALUES (?, ?, ?, ?, ?)", now)

    def apply(self, control: Control, lines: Iterable[Line]) -> None:
        """Take a file in whole; raises `Reject`, and then nothing of it is there."""
        said = control.content
        with _transaction(self._db):
            if _one(self._db, "SELECT * FROM accepted WHERE name = ?", control.name):
                raise Reject("name_taken")
            if said.full:
                self._db.execute('DELETE FROM "rows"')
            (before,) = self._db.execute('SELECT coalesce(max(rowid), 0) FROM "rows"').fetchone()
            found = self._insert(control.batch, lines)
            if found != said.rows:
                raise Reject("control_rows", said=said.rows, found=found)
            self._db.execute(_REPLACED, {"before": before})
            accepted = Accepted(control.batch, control.name, said.md5, said.full, said.to_ms, said.rows)
            self._db.execute("INSERT INTO accepted VALUES (?, ?, ?, ?, ?, ?)", astuple(accepted))

    @contextmanager
    def seen(self) -> Iterator["Seen"]:
        """The table as it is now, whatever is written meanwhile."""
        with closing(_connected(self._file)) as connection, _transaction(connection, "BEGIN"):
            connection.execute("SELECT count(*) FROM about")
            yield Seen(connection, self._layout.columns)

    def _insert(self, batch: int, lines: Iterable[Line]) -> int:
        marks = ", ".join("?" * (3 + len(self._layout.columns)))
        numbered = ((batch, line.number, self._layout.key(line.values), *line.values) for line in lines)
        return self._db.executemany(f'INSERT INTO "rows" VALUES ({marks})', numbered).rowcount  # noqa: S608 - only marks

    def _begun(self) -> sqlite3.Connection:
        connection = _connected(self._file)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
        return connection

    def _anew(self) -> sqlite3.Connection:
        for ending in ("", "-wal", "-shm"):
            self._file.with_name(self._file.name + ending).unlink(missing_ok=True)
        self._db = self._begun()
        columns = "".join(f", c{place} TEXT" for place in range(len(self._layout.columns)))
        with _transaction(self._db):
            self._db.execute(f'CREATE TABLE "rows" (batch INTEGER, line INTEGER, key TEXT{columns})')
            self._db.execute('CREATE INDEX by_key ON "rows" (key)')
            self._say("shown", "")
            self._say("fingerprint", self._layout.fingerprint)
        return self._db

    def _about(self, name: str) -> str | None:
        found = self._db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def _say(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))


class Seen:
    """The table at one moment."""

    def __init__(self, connection: sqlite3.Connection, columns: Sequence[str]) -> None:
        self._connection, self._columns = connection, columns

    def rows(self, columns: Sequence[str], order_by: Sequence[str]) -> Iterator[Row]:
        """Every row, with these columns only, in the order of others, or else in that in which they came."""
        names, order = ", ".join(map(self._name, columns)), "".join(f"{self._name(column)}, " for column in order_by)
        query = f'SELECT {names} FROM "rows" ORDER BY {order}rowid'  # noqa: S608 - names of our own making
        for row in self._connection.execute(query):
            yield dict(zip(columns, row, strict=True))

    def _name(self, column: str) -> str:
        return f"c{self._columns.index(column)}"


def copy(file: Path, target: Path) -> None:
    """The same table in another file, with nothing owed."""
    with closing(_connected(file)) as source, closing(_connected(target)) as copied:
        source.execute("PRAGMA query_only = ON")
        source.backup(copied)
        copied.execute("UPDATE about SET value = (SELECT max(batch) FROM accepted) WHERE name = 'shown'")


def standing(file: Path) -> Standing:
    """How far the table in a file has come, read beside whoever writes it; nothing where there is none."""
    if not file.exists():
        return Standing(None, ())
    with closing(_connected(file)) as connection:
        connection.execute("PRAGMA query_only = ON")
        newest = _one(connection, "SELECT * FROM accepted ORDER BY batch DESC LIMIT 1")
        return Standing(
            newest, [Refusal(*found) for found in connection.execute("SELECT * FROM refused ORDER BY name")]
        )


_REPLACED: Final = """
DELETE FROM "rows" WHERE rowid <= :before
    AND key IN (SELECT key FROM "rows" WHERE rowid > :before AND key IS NOT NULL)
"""


def _connected(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _one(connection: sqlite3.Connection, query: str, *given: Any) -> Accepted | None:
    found = connection.execute(query, given).fetchone()
    if found is None:
        return None
    batch, name, md5, full, to_ms, rows = found
    return Accepted(batch, name, md5, bool(full), to_ms, rows)
