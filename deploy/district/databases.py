"""The departments' databases: one code path for SQLite and PostgreSQL, the URL decides.

Every column is text, as the departments have it; no table has a primary key, since the dirt holds a key twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from types import TracebackType
from typing import Self

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Index,
    Insert,
    MetaData,
    Table,
    Text,
    and_,
    create_engine,
    select,
)

from deploy.district.changes import Change
from deploy.district.rows import Row
from deploy.district.sample import District
from deploy.district.sources import ENTERPRISE, SOURCES, of_department

_BATCH = 5_000
Image = tuple[str | None, ...]


class Databases:
    """Databases being filled, block by block; `with` commits them. What stood in the tables before is gone."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._engines = {url: create_engine(url) for url in urls.values()}
        self._connections = {url: engine.connect() for url, engine in self._engines.items()}
        self._tables: dict[str, _Filling] = {}
        for department, url in urls.items():
            for source in of_department(department):
                self._tables[source.name] = _Filling(table(source.name), self._connections[url])

    def add(self, rows: Iterable[Row]) -> None:
        """Insert the rows that belong into databases."""
        for row in rows:
            if row.source in self._tables:
                self._tables[row.source].add(row.images())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for filling in self._tables.values():
                filling.finish()
        for url, connection in self._connections.items():
            if kind is None:
                connection.commit()
            connection.close()
            self._engines[url].dispose()


class _Filling:
    """One table being filled; its index is made when all rows are there."""

    def __init__(self, target: Table, connection: Connection) -> None:
        self._table, self._connection = target, connection
        target.drop(connection, checkfirst=True)
        target.create(connection)
        self._waiting: list[Image] = []
        self._insert = _compiled(target.insert(), connection.engine)

    def add(self, images: Iterable[Image]) -> None:
        self._waiting.extend(images)
        if len(self._waiting) >= _BATCH:
            self._send()

    def finish(self) -> None:
        if self._waiting:
            self._send()
        key = SOURCES[str(self._table.info["source"])].key
        Index(f"ix_{self._table.name}", *(self._table.c[column] for column in key)).create(self._connection)

    def _send(self) -> None:
        text, by_name = self._insert
        names = self._table.columns.keys()
        # Past SQLAlchemy's own executemany, which costs four times as much per row as SQLite does.
        sent = [dict(zip(names, image, strict=True)) for image in self._waiting] if by_name else self._waiting
        self._connection.exec_driver_sql(text, sent)
        self._waiting = []


def table(source: str) -> Table:
    """The source's table, as it stands in its department's database."""
    columns = [Column(column, Text, quote=True) for column in SOURCES[source].columns]
    return Table(SOURCES[source].table, MetaData(), *columns, info={"source": source})


def write(district: District, urls: Mapping[str, str]) -> None:
    """Fill the databases of these departments with the district."""
    with Databases(urls) as databases:
        databases.add(district.rows)


def rows(url: str, source: str) -> list[dict[str, str | None]]:
    """Every row of the source's table, in the order of its key."""
    target, names = table(source), SOURCES[source].columns
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(select(target).order_by(*_key_columns(target))).mappings().all()
    engine.dispose()
    return [{name: row[name] for name in names} for row in found]


def apply(changes: Iterable[Change], urls: Mapping[str, str]) -> None:
    """Carry out the changes that happen at these departments, each one's in one transaction."""
    for department, group in _by_department(changes).items():
        if department in urls:
            engine = create_engine(urls[department])
            with engine.begin() as connection:
                for change in group:
                    _carry_out(connection, change)
            engine.dispose()


def revoke(market_url: str, credit_code: str, on: date) -> int:
    """Revoke a licence at the source, as a registrar would; how many rows that changed."""
    target = table(ENTERPRISE)
    stamp = f"{on.year}-{on.month}-{on.day}"
    change = target.update().where(target.c["UNISCID"] == credit_code)
    engine = create_engine(market_url)
    with engine.begin() as connection:
        changed = connection.execute(
            change.values(REGSTATE="0006", APPRDATE=stamp, UPDATE_TIME=f"{stamp} 9:00:00", CD_OPERATION="u")
        ).rowcount
    engine.dispose()
    return changed


def _compiled(insert: Insert, engine: Engine) -> tuple[str, bool]:
    """The statement as the driver takes it, and whether it takes a row by column names."""
    compiled = insert.compile(dialect=engine.dialect)
    return str(compiled), not compiled.positional


def _by_department(changes: Iterable[Change]) -> dict[str, list[Change]]:
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.department, []).append(change)
    return groups


def _carry_out(connection: Connection, change: Change) -> None:
    target = table(change.source)
    if change.before is None:
        if change.now is not None:
            connection.execute(target.insert(), change.now.as_mappings())
    elif change.now is None:
        connection.execute(target.delete().where(_this(target, change.before)))
    elif change.now.lines:
        connection.execute(target.delete().where(_this(target, change.before)))
        connection.execute(target.insert(), change.now.as_mappings())
    else:
        connection.execute(target.update().where(_this(target, change.before)).values(change.now.columns))


def _this(target: Table, row: Row) -> ColumnElement[bool]:
    """The rows of its record id."""
    source, image = SOURCES[row.source], row.as_mappings()[0]
    same = [target.c[column] == image[column] for column in source.key]
    if source.months:
        same.append(target.c[source.months].like(f"{str(image[source.months])[:4]}%"))
    return and_(*same)


def _key_columns(target: Table) -> list[Column[str]]:
    source = SOURCES[str(target.info["source"])]
    return [target.c[column] for column in (*source.key, *((source.months,) if source.months else ()))]
