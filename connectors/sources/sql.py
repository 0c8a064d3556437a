"""SQL: a whole table, read in one snapshot of one transaction (PostgreSQL, SQLite).

The snapshot's time is the database's own clock taken before its first read: what was committed before it
is seen. A PostgreSQL standby is refused, for its clock says nothing of how far it is behind.

Only mapped columns are selected. Texts of the driver that may quote a row never reach an error.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import exc as sql_errors
from sqlalchemy.engine import URL, Connection, Engine, make_url

from connectors.columns import Row
from connectors.mapping import Source, columns_of
from connectors.reading import Sql
from connectors.sources.snapshot import Alarm
from process.errors import PermanentError, SettingsError, TransientError
from process.messages import say

_ROWS_AT_ONCE = 2_000
_CONNECT_SECONDS = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_URL = ("read", "sql", "url")
_TABLE = ("read", "sql", "table")


class SqlSource:
    """A table or view of a database."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._sql = _table(source)
        self._engine = _engine(source, self._sql)

    def reach(self) -> None:
        """Return when the database answers."""
        with self._translated(), self._engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")

    def more(self) -> bool:
        return False

    def alarms(self) -> Sequence[Alarm]:
        return ()

    @contextmanager
    def snapshot(self, not_before_ms: int = 0) -> "Iterator[SqlSnapshot]":  # noqa: ARG002 - a database shows the present only
        """The table as it is now; the transaction ends with the context."""
        with self._translated():
            connection = self._engine.connect()
        try:
            with self._translated():
                begun = _BEGIN[self._engine.dialect.name](connection)
                self._refuse_standby(begun)
                self._require_columns(connection)
            yield SqlSnapshot(self, connection, begun)
        finally:
            connection.close()

    def close(self) -> None:
        self._engine.dispose()

    def rows(self, connection: Connection, columns: Sequence[str], order_by: Sequence[str]) -> Iterator[Row]:
        """Every row of the table, as the transaction sees it."""
        statement = sa.select(*map(_column, columns)).select_from(self._table()).order_by(*map(_column, order_by))
        with self._translated():
            found = connection.execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE).execute(statement)
            for row in found:
                yield dict(zip(columns, row, strict=True))

    def _table(self) -> sa.TableClause:
        schema = sa.quoted_name(self._sql.schema_, quote=True) if self._sql.schema_ else None
        return sa.table(sa.quoted_name(self._sql.table, quote=True), schema=schema)

    def _refuse_standby(self, begun: "_Begun") -> None:
        if begun.standby:
            raise PermanentError(say("connectors.standby", place=self._source.at(_URL), source=self._source.name))

    def _require_columns(self, connection: Connection) -> None:
        try:
            found = {
                str(each["name"]) for each in sa.inspect(connection).get_columns(self._sql.table, self._sql.schema_)
            }
        except sql_errors.NoSuchTableError:
            place = self._source.at(_TABLE)
            raise PermanentError(say("connectors.table_missing", place=place, table=self._sql.table)) from None
        missing = [(place, column) for place, column in columns_of(self._source.mapping) if column not in found]
        if missing:
            told = [
                say(
                    "connectors.column_missing",
                    place=self._source.at(place),
                    field=".".join(map(str, place)),
                    column=column,
                    table=self._sql.table,
                    hint=", ".join(sorted(found)),
                )
                for place, column in missing
            ]
            raise PermanentError("\n".join(told))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sql_errors.ProgrammingError, sql_errors.NotSupportedError) as exc:
            reason = _code(exc)
            text = say(
                "connectors.source_refuses", place=self._source.at(_TABLE), source=self._source.name, reason=reason
            )
            raise PermanentError(text) from None
        except sql_errors.DBAPIError as exc:
            raise TransientError(say("connectors.source_down", source=self._source.name, reason=_code(exc))) from None
        except (sql_errors.TimeoutError, OSError) as exc:
            reason = type(exc).__name__
            raise TransientError(say("connectors.source_down", source=self._source.name, reason=reason)) from None


class SqlSnapshot:
    """One read-only transaction: the whole table, so that nothing it lacks was there."""

    stated = owed = False

    def __init__(self, source: SqlSource, connection: Connection, begun: "_Begun") -> None:
        self._source, self._connection = source, connection
        self.at_ms = self.present_ms = begun.at_ms
        self.incarnation = begun.incarnation

    def rows(self, columns: Sequence[str], order_by: Sequence[str] = ()) -> Iterator[Row]:
        """Every row, with these columns only; ordered by the database, as its collation has it."""
        return self._source.rows(self._connection, columns, order_by)


def _column(name: str) -> sa.ColumnElement[Any]:
    return sa.column(sa.quoted_name(name, quote=True))


class _Begun(NamedTuple):
    at_ms: int
    incarnation: str
    standby: bool


def _begin_sqlite(connection: Connection) -> _Begun:
    # The file may be on another machine, but its clock is not to be had: ours, before the first read.
    at_ms = _milliseconds(datetime.now(UTC))
    connection.exec_driver_sql("BEGIN")
    connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema")
    return _Begun(at_ms, "", standby=False)


def _begin_postgresql(connection: Connection) -> _Begun:
    # now() is when the transaction began, and the snapshot is taken by its first statement, which is later.
    now, standby, database = connection.execute(_NOW).one()
    incarnation = f"database {database}"
    if connection.execute(_MAY_TELL).scalar_one():
        system, timeline = connection.execute(_SYSTEM).one()
        incarnation = f"system {system} timeline {timeline} database {database}"
    return _Begun(_milliseconds(now), incarnation, bool(standby))


_NOW = sa.text("SELECT now(), pg_is_in_recovery(), (SELECT oid FROM pg_database WHERE datname = current_database())")
_MAY_TELL = sa.text(
    "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')"
    " AND has_function_privilege('pg_control_checkpoint()', 'EXECUTE')"
)
_SYSTEM = sa.text("SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()")
_BEGIN = {"sqlite": _begin_sqlite, "postgresql": _begin_postgresql}


def _milliseconds(time: datetime) -> int:
    """Rounded down: a snapshot is never said to be later than it is."""
    return (time - _EPOCH) // timedelta(milliseconds=1)


def _table(source: Source) -> Sql:
    if source.mapping.read.sql is None:
        raise ValueError(f"{source.name} is not read from a database")
    return source.mapping.read.sql


def _engine(source: Source, sql: Sql) -> Engine:
    try:
        url = make_url(sql.url.get_secret_value())
        match url.get_backend_name():
            case "sqlite":
                return _sqlite(url)
            case "postgresql":
                return _postgresql(url)
    except ModuleNotFoundError as exc:
        raise SettingsError(say("connectors.driver_missing", place=source.at(_URL), driver=exc.name)) from None
    except (sql_errors.ArgumentError, ValueError):
        # Its text may repeat the password.
        raise SettingsError(say("connectors.url_unreadable", place=source.at(_URL))) from None
    raise SettingsError(say("connectors.database_unsupported", place=source.at(_URL), kind=url.get_backend_name()))


def _sqlite(url: URL) -> Engine:
    """An engine that never makes a file where there is none, and never writes into one."""
    if not url.database or url.database == ":memory:":
        raise ValueError("a file is needed")
    address = f"file:{quote(url.database)}?mode=rw"

    def opened() -> sqlite3.Connection:
        # rw, for a reader must be able to roll back what a crashed writer left; query_only sees to the rest.
        connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=_CONNECT_SECONDS)
        connection.execute("PRAGMA query_only = ON")
        # Bytes that are no UTF-8 become lone surrogates: that row is refused, and not the whole table.
        connection.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
        return connection

    return sa.create_engine("sqlite://", creator=opened, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")


def _postgresql(url: URL) -> Engine:
    drivername = "postgresql+psycopg" if url.drivername == "postgresql" else url.drivername
    options: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS} if drivername.endswith("psycopg") else {}
    engine = sa.create_engine(
        url.set(drivername=drivername), poolclass=sa.NullPool, isolation_level="REPEATABLE READ", connect_args=options
    )
    return engine.execution_options(postgresql_readonly=True)


def _code(exc: sql_errors.DBAPIError) -> str:
    """The kind of the driver's error, never its text: that may quote a row or a password."""
    state = getattr(exc.orig, "sqlstate", None) or getattr(exc.orig, "sqlite_errorname", None)
    return f"{type(exc.orig).__name__} {state}" if state else type(exc.orig).__name__
