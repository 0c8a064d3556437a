"""A source's whole way to a real broker, from SQLite and from PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client import generate_latest
from pydantic import SecretStr

from connectors.connector import Connector
from connectors.cycle import Report
from connectors.mapping import Source, load
from connectors.reading import Read, Sql
from connectors.settings import Settings
from deploy.district import databases, sample
from process.errors import FencedError, PermanentError, SettingsError, TransientError
from schemas import topics
from schemas.audit import Sum
from schemas.codec import contract
from schemas.subjects import partition
from tests.connectors.worlds import AUDIT, MARKET, PARTITIONS, TAX, is_record
from transport.client import Client, Message, TopicPartition, connect

LABELS = 'department="market_supervision",source="market_supervision.enterprise"'
DISTRICT = sample.generate(3, 60)
DEPARTMENTS = {"market_supervision": MARKET, "local_tax": TAX}


def read(client: Client, topic: str, partitions: int = PARTITIONS) -> list[tuple[Message, dict[str, Any]]]:
    """Every committed message of a topic, opened."""
    reader = client.reader({TopicPartition(topic, each): -2 for each in range(partitions)})
    found = [(message, contract().decode(message.value)[1]) for message in reader.to_end() if message.value]
    reader.close()
    return found


@contextmanager
def connected(source: Source, settings: Settings, stop: Event | None = None) -> Iterator[Connector]:
    connector = Connector(source, settings, contract(), connect(settings.kafka), stop or Event())
    try:
        yield connector
    finally:
        connector.close()


def once(source: Source, settings: Settings) -> Report:
    with connected(source, settings) as connector:
        return connector.once()


def sources(urls: Mapping[str, str]) -> dict[str, Source]:
    market = load(MARKET, {"MARKET_URL": urls["market_supervision"]}, contract())
    tax = load(TAX, {"LOCAL_TAX_FOLDER": "/nowhere"}, contract())
    # The tax office hands over files; here it is the table they are made from.
    read = Read(sql=Sql(url=SecretStr(urls["local_tax"]), table="dj_nsrxx"))
    return {
        "market_supervision": market,
        "local_tax": replace(tax, mapping=tax.mapping.model_copy(update={"read": read})),
    }


@pytest.fixture
def sqlite(tmp_path: Path) -> dict[str, str]:
    urls = {department: f"sqlite:///{tmp_path / department}.db" for department in DEPARTMENTS}
    databases.write(DISTRICT, urls)
    return urls


@pytest.fixture
def market(sqlite: dict[str, str]) -> Source:
    return sources(sqlite)["market_supervision"]


def test_both_departments_arrive_whole_and_a_second_run_sends_watermarks_only(
    sqlite: dict[str, str], installed: Settings, client: Client
) -> None:
    for source in sources(sqlite).values():
        first, second = once(source, installed), once(source, installed)
        found = read(client, topics.dept(installed.kafka.prefix, source.department))
        records = [message for message, _ in found if is_record(message)]
        marks = [content for message, content in found if not is_record(message)]
        sums = [Sum()] * PARTITIONS
        for message in records:
            assert message.key
            sums[message.partition] = sums[message.partition].plus(AUDIT.of_message(message.key, message.value))

        assert first.counts.sent == len(_outcomes(source.department, "live"))
        assert first.counts.refused == len(_outcomes(source.department, "refused"))
        assert first.counts.balanced
        assert (second.counts.sent, second.counts.unchanged) == (0, first.counts.sent)
        assert {mark["cycle"] for mark in marks} == {1, 2}
        assert len(marks) == 2 * PARTITIONS
        assert all(message.headers == (("source", source.name.encode()),) for message, _ in found)
        assert all(message.partition == partition((message.key or b"").decode(), PARTITIONS) for message in records)
        assert sorted((m["partition"], m["sum_count"]) for m in marks if m["cycle"] == 2) == [
            (at, each.count) for at, each in enumerate(sums)
        ]


def _outcomes(department: str, outcome: str) -> list[str]:
    return [row.record_id for row in DISTRICT.at(department) if row.outcome == outcome]


def test_postgresql_gives_what_sqlite_gives(
    sqlite: dict[str, str], postgresql: str, installed: Settings, client: Client
) -> None:
    databases.write(DISTRICT, dict.fromkeys(DEPARTMENTS, postgresql))
    lite = sources(sqlite)["market_supervision"]
    large = sources(dict.fromkeys(DEPARTMENTS, postgresql))["market_supervision"]
    other = installed.model_copy(update={"state_dir": installed.state_dir / "other"})
    topic = topics.dept(installed.kafka.prefix, "market_supervision")
    counts = once(large, installed).counts
    first = _contents(read(client, topic))
    with pytest.raises(PermanentError, match="not the database that was read before"):
        once(lite, other)

    assert counts.balanced
    assert first == {each.target.subject + each.value["meta"]["record_id"]: each.row_hash for each in _mapped(lite)}


def _contents(found: list[tuple[Message, dict[str, Any]]]) -> dict[str, bytes]:
    return {
        (message.key or b"").decode() + content["meta"]["record_id"]: content["meta"]["row_hash"]
        for message, content in found
        if is_record(message) and content["meta"]["operation"] == "UPSERT"
    }


def _mapped(source: Source) -> list[Any]:
    """What the rows of a source come to, read by hand."""
    from connectors.sources.sql import SqlSource  # noqa: PLC0415
    from tests.connectors.worlds import mapper_of  # noqa: PLC0415

    rows, mapper = SqlSource(source), mapper_of(source)
    with rows.snapshot() as snapshot:
        read_rows = list(snapshot.rows(source.mapping.columns()))
    rows.close()
    ids = [mapper.record_id(row) for row in read_rows]
    return [r for row, id_ in zip(read_rows, ids, strict=True) if ids.count(id_) == 1 for r in mapper.map(row).records]


def test_what_is_gone_at_the_source_is_deleted_and_what_moved_leaves_nothing(
    sqlite: dict[str, str], market: Source, installed: Settings, client: Client
) -> None:
    once(market, installed)
    rows = [row for row in DISTRICT.at("market_supervision") if row.outcome == "live" and row.subject.key()]
    gone, moved, other = rows[0], rows[1], rows[2]
    with _writing(sqlite["market_supervision"]) as connection:
        connection.execute(sa.text("DELETE FROM scjg_qyjbxx WHERE PRIPID = :id"), {"id": gone.record_id})
        connection.execute(
            sa.text("UPDATE scjg_qyjbxx SET UNISCID = :code, REGNO = NULL WHERE PRIPID = :id"),
            {"code": other.columns["UNISCID"], "id": moved.record_id},
        )
    report = once(market, installed)
    sent = [
        c["meta"] for m, c in read(client, topics.dept(installed.kafka.prefix, "market_supervision")) if is_record(m)
    ]
    second = [(head["operation"], head["record_id"]) for head in sent if head["cycle"] == 2]

    assert (report.counts.sent, report.counts.deleted) == (1, 1)
    assert sorted(second) == sorted(
        [("DELETE", gone.record_id), ("DELETE", moved.record_id), ("UPSERT", moved.record_id)]
    )


@contextmanager
def _writing(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_a_source_that_is_down_takes_no_number(market: Source, installed: Settings, tmp_path: Path) -> None:
    once(market, installed)
    (tmp_path / "market_supervision.db").rename(tmp_path / "away.db")
    with connected(market, installed) as connector, pytest.raises(TransientError, match="does not answer"):
        connector.once()
    (tmp_path / "away.db").rename(tmp_path / "market_supervision.db")

    assert once(market, installed).cycle == 2


def test_a_source_that_comes_back_is_read_again(market: Source, installed: Settings, tmp_path: Path) -> None:
    (tmp_path / "market_supervision.db").rename(tmp_path / "away.db")
    reports: list[Report] = []

    class ComesBackDuringThePause(Event):
        def wait(self, timeout: float | None = None) -> bool:
            (tmp_path / "away.db").rename(tmp_path / "market_supervision.db")
            return False

    with connected(market, installed, ComesBackDuringThePause()) as connector:
        connector.follow(1, reports.append)
        metrics = generate_latest(connector.metrics.registry).decode()
        ready, _ = connector.ready()

    assert reports[0].counts.sent > 0
    assert reports[0].cycle == 1
    assert ready
    assert f"source_connected{{{LABELS}}} 1.0" in metrics
    assert 'outcome="abandoned"' in metrics
    assert f"records_sent_total{{{LABELS}}} {reports[0].counts.sent}.0" in metrics


def test_a_connector_asked_to_stop_leaves_its_cycle_and_the_next_goes_on(
    market: Source, installed: Settings, client: Client
) -> None:
    asked = Event()
    asked.set()
    with connected(market, installed, asked) as connector, pytest.raises(TransientError, match="asked to stop"):
        connector.once()
    report = once(market, installed)

    assert (report.cycle, report.counts.sent) == (2, 0)


def test_of_two_connectors_of_one_source_the_newer_goes_on_and_the_other_stops(
    market: Source, installed: Settings, tmp_path: Path
) -> None:
    elsewhere = installed.model_copy(update={"state_dir": tmp_path / "elsewhere"})
    with connected(market, installed) as old, connected(market, elsewhere) as new:
        old.once()
        new.once()
        with pytest.raises(FencedError, match="another process has read on"):
            old.once()
        report = new.once()

    assert (report.cycle, report.counts.sent) == (3, 0)


def test_a_second_process_with_the_same_store_is_turned_away(market: Source, installed: Settings) -> None:
    with connected(market, installed), pytest.raises(TransientError, match="in use by another process"):
        Connector(market, installed, contract(), connect(installed.kafka), Event())


def test_another_key_is_refused_before_anything_is_sent(market: Source, installed: Settings, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    other.touch(mode=0o600)
    other.write_text("ab" * 32)
    with pytest.raises(SettingsError, match="key_fingerprint differs"):
        once(market, installed.model_copy(update={"district_key_file": other}))


def test_without_a_generation_nothing_starts(market: Source, installed: Settings) -> None:
    bare = installed.kafka.model_copy(update={"prefix": installed.kafka.prefix + "bare."})
    with pytest.raises(TransientError, match="exchange topics apply"):
        once(market, installed.model_copy(update={"kafka": bare}))
