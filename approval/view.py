"""The view: the registry as tables, current and past, with the offsets it was read to.

Rows and offsets change in one database transaction, so the view is always the registry as it was at some
offsets; it can be deleted and comes back the same. SQLite by default, any SQLAlchemy database by setting.
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    select,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from approval.rows import Rows
from process.errors import FencedError, SettingsError, TransientError
from process.messages import say
from transport.client import TopicPartition

tables: Final = MetaData()

meta = Table("meta", tables, Column("name", String, primary_key=True), Column("value", String, nullable=False))
offsets = Table(
    "offsets",
    tables,
    Column("topic", String, primary_key=True),
    Column("partition", BigInteger, primary_key=True, autoincrement=False),
    Column("next", BigInteger, nullable=False),
)
entries = Table(
    "entries",
    tables,
    Column("subject", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("condition", String, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("alias_epoch", BigInteger, nullable=False),
    Column("content_hash", String, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False),
)
past_entries = Table(
    "past_entries",
    tables,
    Column("subject", String, primary_key=True),
    Column("change", BigInteger, primary_key=True, autoincrement=False),
    Column("recorded_from", BigInteger, nullable=False),
    Column("recorded_to", BigInteger),  # null: until now
    Column("value", LargeBinary),  # null: erased
)
aliases = Table(
    "aliases",
    tables,
    Column("subject", String, primary_key=True),
    Column("alias_of", String, nullable=False),
    Column("alias_epoch", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
)
identifiers = Table(
    "identifiers",
    tables,
    Column("subject", String, primary_key=True),
    Column("scheme", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("verdict", String, nullable=False),
    Index("identifiers_by_value", "scheme", "value"),
)
watermarks = Table(
    "watermarks",
    tables,
    Column("topic", String, primary_key=True),
    Column("source", String, primary_key=True),
    Column("partition", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False),
)
past_watermarks = Table(
    "past_watermarks",
    tables,
    Column("topic", String, primary_key=True),
    Column("partition", BigInteger, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Index("past_watermarks_by_source", "partition", "source", "recorded_at"),
)

# What the registry's topics can bring back; the past of watermarks cannot be read again once they are compacted.
_REBUILT = (entries, aliases, identifiers, watermarks, offsets)

# A tombstone is kept 30 days: a reader away for longer may have missed one, and must read everything again.
MAX_AWAY_MS: Final = 25 * 86_400_000


class View:
    """The view as its only writer sees it; a second writer that starts takes it over."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._token = secrets.token_hex(8)
        tables.create_all(engine)

    def begin(self, prefix: str, generation: Mapping[str, Any], now_ms: int) -> Mapping[TopicPartition, int]:
        """Take the view over for a new run, and give the offsets to go on from; none: from the beginning.

        Until `caught_up` is said, readers of the view conclude nothing from silence.
        """
        with self._engine.begin() as connection:
            known = meta_of(connection)
            _refuse_another(known, prefix, generation)
            if now_ms - int(known.get("last_read_ms", now_ms)) > MAX_AWAY_MS:
                _forget(connection)
            told = {"prefix": prefix, "generation": json.dumps(generation, sort_keys=True)}
            _tell(connection, {**told, "caught_up": "false", "reader": self._token})
            rows = connection.execute(select(offsets)).all()
        return {TopicPartition(row.topic, row.partition): row.next for row in rows}

    def apply(self, rows: Rows, positions: Mapping[TopicPartition, int], now_ms: int) -> None:
        """Take a batch in, and remember how far it was read."""
        with self._engine.begin() as connection:
            self._still_ours(connection)
            _replace(connection, rows)
            _remember(connection, positions)
            _tell(connection, {"last_read_ms": str(now_ms)})

    def caught_up(self) -> None:
        """Say that this run has reached the end it saw at its start."""
        with self._engine.begin() as connection:
            self._still_ours(connection)
            _tell(connection, {"caught_up": "true"})

    def close(self) -> None:
        self._engine.dispose()

    def _still_ours(self, connection: Connection) -> None:
        if meta_of(connection).get("reader") != self._token:
            raise FencedError(say("approval.another_reader"))


class NoViewError(TransientError):
    """Nobody has made the view yet."""


def reading(url: str) -> Engine:
    """The view as those see it who only read: never made, never changed."""
    engine = engine_of(url)
    missing = engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists()
    if missing or not inspect(engine).has_table(entries.name):
        engine.dispose()
        raise NoViewError(say("approval.no_view", place=engine.url.render_as_string()))
    return engine


def meta_of(connection: Connection) -> dict[str, str]:
    """What the view says of itself."""
    return {row.name: row.value for row in connection.execute(select(meta))}


def _refuse_another(known: Mapping[str, str], prefix: str, generation: Mapping[str, Any]) -> None:
    if not known:
        return
    if known["prefix"] != prefix or json.loads(known["generation"]) != generation:
        raise SettingsError(say("approval.another_generation", prefix=known["prefix"]))


def _forget(connection: Connection) -> None:
    for table in _REBUILT:
        connection.execute(table.delete())


def _tell(connection: Connection, told: Mapping[str, str]) -> None:
    rows = [{"name": name, "value": value} for name, value in told.items()]
    _put(connection, meta, ("name",), rows)


def _remember(connection: Connection, positions: Mapping[TopicPartition, int]) -> None:
    rows = [{"topic": at.topic, "partition": at.partition, "next": offset} for at, offset in positions.items()]
    _put(connection, offsets, ("topic", "partition"), rows)


def _replace(connection: Connection, rows: Rows) -> None:
    for table in (entries, aliases, identifiers):
        _drop(connection, table, ("subject",), rows.subjects)
    _add(connection, entries, rows.entries)
    _add(connection, aliases, rows.aliases)
    _add(connection, identifiers, rows.identifiers)
    _drop(connection, watermarks, ("topic", "source", "partition"), rows.marks)
    _add(connection, watermarks, rows.watermarks)
    _put(connection, past_watermarks, ("topic", "partition", "offset"), rows.past_watermarks)
    _drop(connection, past_entries, ("subject", "change"), rows.changes)
    _add(connection, past_entries, rows.past_entries)
    _end_intervals(connection, {row["subject"] for row in rows.changes})


def _end_intervals(connection: Connection, subjects: Iterable[str]) -> None:
    """An entry held until any later one was recorded: so intervals never overlap, whatever clocks did."""
    later = past_entries.alias()
    end = select(func.min(later.c.recorded_from)).where(
        later.c.subject == past_entries.c.subject, later.c.change > past_entries.c.change
    )
    touched = [{"touched": subject} for subject in subjects]
    if touched:
        ended = past_entries.update().where(past_entries.c.subject == bindparam("touched"))
        connection.execute(ended.values(recorded_to=end.scalar_subquery()), touched)


def _put(connection: Connection, table: Table, key: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> None:
    _drop(connection, table, key, rows)
    _add(connection, table, rows)


def _add(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(table.insert(), rows)


def _drop(connection: Connection, table: Table, key: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        same = [table.c[name] == bindparam(f"old_{name}") for name in key]
        connection.execute(table.delete().where(*same), [{f"old_{name}": row[name] for name in key} for row in rows])


def engine_of(url: str) -> Engine:
    """A connection to the database, one snapshot per transaction; SQLite is read while it is written (WAL)."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, isolation_level="REPEATABLE READ")
    engine = create_engine(url)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # Python's driver would begin a transaction only before the first change, and two reads would see two states.
    connection.isolation_level = None
    with suppress(AttributeError):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA busy_timeout=30000")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
