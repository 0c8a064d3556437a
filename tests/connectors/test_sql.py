"""Tables read in one snapshot: what is seen, what is refused, and what an error does not say."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.mapping import Source
from connectors.sources.sql import SqlSource
from process.errors import PermanentError, SettingsError, TransientError
from tests.connectors.worlds import TWO_PARTS, source

COLUMNS = ("ID", "CODE", "NAME", "FLAG", "PARENT", "HAS_PARENT")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with the table of branches, two rows in it."""
    found = f"sqlite:///{tmp_path}/branches.db" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    with _writing(found) as connection:
        columns = ", ".join(f'"{name}" TEXT' for name in COLUMNS)
        connection.exec_driver_sql(f"CREATE TABLE branches ({columns})")
    _insert(found, "r1")
    _insert(found, "r2")
    return str(found)


class _writing:  # noqa: N801 - reads as a word in `with _writing(url)`
    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url)

    def __enter__(self) -> sa.Connection:
        self._begun = self._engine.begin()
        return self._begun.__enter__()

    def __exit__(self, *exc: object) -> None:
        self._begun.__exit__(None, None, None)
        self._engine.dispose()


def _insert(url: str, record_id: str) -> None:
    with _writing(url) as connection:
        connection.execute(sa.text("""INSERT INTO branches ("ID", "NAME") VALUES (:id, '䶮')"""), {"id": record_id})


def of(url: str, folder: Path, *changes: tuple[str, str]) -> Source:
    text = TWO_PARTS.replace("sqlite:////nowhere.db", url)
    for was, becomes in changes:
        text = text.replace(was, becomes)
    return source(text, folder)


@pytest.fixture
def rows(url: str, tmp_path: Path) -> Iterator[SqlSource]:
    made = SqlSource(of(url, tmp_path))
    yield made
    made.close()


def test_two_looks_at_a_snapshot_see_the_same_whatever_happens_between(rows: SqlSource, url: str) -> None:
    with rows.snapshot() as snapshot:
        first = sorted(str(row["ID"]) for row in snapshot.rows(["ID"]))
        if url.startswith("postgresql"):
            _insert(url, "r3")
        second = [(row["ID"], row["NAME"]) for row in snapshot.rows(["ID", "NAME"])]

    assert first == ["r1", "r2"]
    assert sorted(map(str, second)) == ["('r1', '䶮')", "('r2', '䶮')"]


def test_what_was_committed_before_the_snapshots_time_is_in_it(rows: SqlSource, url: str) -> None:
    _insert(url, "r3")
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    with rows.snapshot() as snapshot:
        seen = {row["ID"] for row in snapshot.rows(["ID"])}

    assert "r3" in seen
    assert before.timestamp() * 1000 - 1 <= snapshot.at_ms <= datetime.now(UTC).timestamp() * 1000


def test_a_snapshot_cannot_be_written_through(rows: SqlSource) -> None:
    with rows.snapshot() as snapshot:
        connection = snapshot._connection  # noqa: SLF001 - nothing public may write, which is the point
        with pytest.raises(sa.exc.DBAPIError):
            connection.exec_driver_sql("DELETE FROM branches")


def test_a_database_says_which_it_is(rows: SqlSource, url: str) -> None:
    with rows.snapshot() as one:
        first = one.incarnation
    with rows.snapshot() as two:
        second = two.incarnation

    assert first == second
    assert first.startswith("system ") or url.startswith("sqlite")


def test_a_missing_column_is_told_with_its_line_and_what_there_is(url: str, tmp_path: Path) -> None:
    made = SqlSource(of(url, tmp_path, ("column: FLAG", "column: FLAGG")))
    with pytest.raises(PermanentError) as caught, made.snapshot():
        pass
    made.close()

    assert "source.yaml:7: operation.column: the table branches has no column FLAGG" in str(caught.value)
    assert "CODE, FLAG, HAS_PARENT, ID" in str(caught.value)


def test_a_missing_table_is_told_with_its_line(url: str, tmp_path: Path) -> None:
    made = SqlSource(of(url, tmp_path, ("table: branches", "table: branch")))
    with (
        pytest.raises(PermanentError, match=r"source.yaml:4: the database has no table or view branch\b"),
        made.snapshot(),
    ):
        pass
    made.close()


def test_a_view_is_read_like_a_table(url: str, tmp_path: Path) -> None:
    with _writing(url) as connection:
        connection.exec_driver_sql("CREATE VIEW shown AS SELECT * FROM branches")
    made = SqlSource(of(url, tmp_path, ("table: branches", "table: shown")))
    with made.snapshot() as snapshot:
        count = len(list(snapshot.rows(COLUMNS)))
    made.close()

    assert count == 2


def test_a_file_that_is_not_there_is_a_source_that_is_down_and_is_not_made(tmp_path: Path) -> None:
    made = SqlSource(of(f"sqlite:///{tmp_path}/none.db", tmp_path))
    with pytest.raises(TransientError, match="does not answer"):
        made.reach()

    assert not (tmp_path / "none.db").exists()


def test_a_server_that_is_not_there_is_a_source_that_is_down_and_its_password_is_not_told(tmp_path: Path) -> None:
    made = SqlSource(of("postgresql://u:geheim@127.0.0.1:1/d", tmp_path))
    with pytest.raises(TransientError, match="does not answer") as caught:
        made.reach()

    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("url", ["oracle://u@h/d", "not a url", "sqlite://"])
def test_a_database_that_cannot_be_read_is_a_wrong_setting(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"source\.yaml:4"):
        SqlSource(of(url, tmp_path))


def test_bytes_that_are_no_text_spoil_their_row_only(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "b.db")
    connection.execute(f"CREATE TABLE branches ({', '.join(COLUMNS)})")
    connection.execute("INSERT INTO branches (ID, NAME) VALUES ('r1', CAST(x'fe9f' AS TEXT)), ('r2', '好')")
    connection.commit()
    connection.close()
    made = SqlSource(of(f"sqlite:///{tmp_path}/b.db", tmp_path))
    with made.snapshot() as snapshot:
        names = {row["ID"]: row["NAME"] for row in snapshot.rows(["ID", "NAME"])}
    made.close()

    assert names == {"r1": "\udcfe\udc9f", "r2": "好"}
