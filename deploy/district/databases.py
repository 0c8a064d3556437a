"""The two departments' databases: one code path for SQLite and PostgreSQL, the URL decides.

Every column is text, as the departments have it; no table has a primary key, since the dirt holds a key twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import Column, Connection, Index, MetaData, Table, Text, create_engine, select

from deploy.district.changes import Change
from deploy.district.persons import DEPARTMENTS, MARKET
from deploy.district.rows import COLUMNS, KEY_COLUMN, TABLES, Row
from deploy.district.sample import District

_BATCH = 500


def table(department: str) -> Table:
    """The department's table, as it stands in its own database."""
    name, key = TABLES[department], KEY_COLUMN[department]
    columns = [Column(column, Text, quote=True) for column in COLUMNS[department]]
    return Table(name, MetaData(), *columns, Index(f"ix_{name}", key))


def write(district: District, urls: Mapping[str, str]) -> None:
    """Fill the databases with the district; what stood in the two tables before is gone."""
    for department in DEPARTMENTS:
        engine = create_engine(urls[department])
        target = table(department)
        target.drop(engine, checkfirst=True)
        with engine.begin() as connection:
            target.create(connection)
            _insert(connection, target, district.at(department))
        engine.dispose()


def rows(url: str, department: str) -> list[dict[str, str | None]]:
    """Every row of the department's table, in the order of its key."""
    target = table(department)
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(select(target).order_by(target.c[KEY_COLUMN[department]])).mappings().all()
    engine.dispose()
    return [{name: row[name] for name in COLUMNS[department]} for row in found]


def apply(changes: Iterable[Change], urls: Mapping[str, str]) -> None:
    """Carry changes out at the sources, each department's in one transaction."""
    for department, group in _by_department(changes).items():
        engine = create_engine(urls[department])
        with engine.begin() as connection:
            for change in group:
                _carry_out(connection, change)
        engine.dispose()


def revoke(market_url: str, credit_code: str, on: date) -> int:
    """Revoke a licence at the source, as a registrar would; how many rows that changed."""
    target = table(MARKET)
    stamp = f"{on.year}-{on.month}-{on.day}"
    change = target.update().where(target.c["UNISCID"] == credit_code)
    engine = create_engine(market_url)
    with engine.begin() as connection:
        changed = connection.execute(
            change.values(REGSTATE="0006", APPRDATE=stamp, UPDATE_TIME=f"{stamp} 9:00:00", CD_OPERATION="u")
        ).rowcount
    engine.dispose()
    return changed


def _insert(connection: Connection, target: Table, rows: Sequence[Row]) -> None:
    for start in range(0, len(rows), _BATCH):
        connection.execute(target.insert(), [row.columns for row in rows[start : start + _BATCH]])


def _by_department(changes: Iterable[Change]) -> dict[str, list[Change]]:
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.department, []).append(change)
    return groups


def _carry_out(connection: Connection, change: Change) -> None:
    target = table(change.department)
    this_row = target.c[KEY_COLUMN[change.department]].in_([change.record_id])
    if change.now is None:
        connection.execute(target.delete().where(this_row))
    elif change.before is None:
        connection.execute(target.insert(), change.now.columns)
    else:
        connection.execute(target.update().where(this_row).values(change.now.columns))
