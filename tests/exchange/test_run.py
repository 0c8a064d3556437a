"""The worker on a real broker: restore, restart, breaks, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from exchange import control, look, provision
from exchange.run import worker
from exchange.settings import Settings
from schemas.codec import contract
from schemas.installed import shipped
from schemas.subjects import DistrictKey
from schemas.topics import all_topics
from tests.exchange.publishing import AUDIT, Department, code, record, send
from transport.client import Client, connect
from transport.settings import Kafka

PARTITIONS = 3
KEY = DistrictKey(bytes(range(32)))


@pytest.fixture
def settings(kafka: Kafka, tmp_path: Path) -> Settings:
    key = tmp_path / "audit.key"
    key.write_text(AUDIT.secret.hex())
    key.chmod(0o600)
    return Settings(
        kafka=kafka,
        state_dir=tmp_path / "state",
        audit_key_file=key,
        partitions=PARTITIONS,
        unknown_schema_wait_seconds=1,
    )


@pytest.fixture
def client(settings: Settings) -> Client:
    client = connect(settings.kafka)
    begin(client, settings)
    return client


def begin(client: Client, settings: Settings) -> None:
    prefix = settings.kafka.prefix
    wanted = all_topics(prefix, PARTITIONS, shipped().departments)
    admin = client.admin()
    provision.apply(admin, provision.plan(wanted, {}), wanted, 1)
    admin.close()
    begun = control.generation(PARTITIONS, KEY, AUDIT.fingerprint)
    provision.begin(client, prefix, begun, shipped())


def until_idle(settings: Settings, instance: str = "exchange-0") -> None:
    worker(settings, shipped(), instance, Event(), until_idle_seconds=1.0)


def departments(settings: Settings) -> tuple[Department, Department]:
    prefix = settings.kafka.prefix
    return Department("market_supervision", prefix, PARTITIONS), Department("local_tax", prefix, PARTITIONS)


def dump(client: Client, settings: Settings) -> dict[str, dict[str, Any]]:
    return dict(look.entries(client, settings.kafka.prefix, "legal-person", contract()))


def subjects(count: int) -> Iterator[str]:
    return (f"legal:org:XX{number:07d}" for number in range(count))


def test_two_departments_that_disagree_become_one_entry_with_the_authoritys_word_and_the_dissent(
    client: Client, settings: Settings
) -> None:
    market, tax = departments(settings)
    subject = "legal:org:XX0000001"
    send(
        client, market.outgoing([record("market_supervision", subject, "m1", name="新名", status=code("1", "ACTIVE"))])
    )
    send(client, tax.outgoing([record("local_tax", subject, "t1", name="旧名", taxpayer_number="T1")]))
    send(client, [*market.watermarks(1, rows_at_source=1), *tax.watermarks(1, rows_at_source=1)])

    until_idle(settings)

    facts = dump(client, settings)[subject]["facts"]
    assert facts["name"]["value"] == "新名"
    assert facts["name"]["state"] == "known"
    assert [dissent["value"] for dissent in facts["name"]["dissent"]] == ["旧名"]
    assert facts["taxpayer_number"]["value"] == "T1"
    assert all(source.balanced for source in look.status(client, settings.kafka.prefix, contract()))


def test_a_restart_without_lmdb_gives_the_same_dump_and_publishes_nothing(client: Client, settings: Settings) -> None:
    market, tax = departments(settings)
    send(client, market.outgoing(record("market_supervision", s, s[-3:], name=f"名{s}") for s in subjects(40)))
    send(client, tax.outgoing(record("local_tax", s, s[-3:], name="另名") for s in subjects(20)))
    send(client, [*market.watermarks(1), *tax.watermarks(1)])
    until_idle(settings)
    before, ends = dump(client, settings), registry_ends(client, settings)

    until_idle(settings, "exchange-1")

    assert dump(client, settings) == before
    assert registry_ends(client, settings) == ends


def registry_ends(client: Client, settings: Settings) -> int:
    """How many records the registry topic of legal persons holds that a reader of committed data sees."""
    return sum(1 for _ in look.read_all(client, f"{settings.kafka.prefix}registry.legal-person"))


def test_a_warm_restart_reads_only_what_is_behind(
    client: Client, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    market, _ = departments(settings)
    send(client, market.outgoing(record("market_supervision", s, s[-3:], name=s) for s in subjects(40)))
    until_idle(settings)
    capfd.readouterr()

    until_idle(settings)

    assert "exchange.restored" not in capfd.readouterr().err


def test_a_message_less_than_was_sent_is_a_break_and_no_conclusion_passes_it(
    client: Client, settings: Settings
) -> None:
    market, _ = departments(settings)
    sent = market.outgoing(record("market_supervision", s, s[-3:], name=s) for s in subjects(30))
    lost = sent.pop()
    send(client, [*sent, *market.watermarks(1)])

    until_idle(settings)

    told = marks(client, settings)
    assert told[lost.partition]["break_kind"] == "messages_missing"
    assert told[lost.partition]["complete_until"] is None
    assert told[lost.partition]["present_until"] is None
    whole = [mark for number, mark in told.items() if number != lost.partition]
    assert all(mark["break_kind"] is None and mark["complete_until"] for mark in whole)


def marks(client: Client, settings: Settings) -> dict[int, dict[str, Any]]:
    found = {}
    for message in look.read_all(client, f"{settings.kafka.prefix}registry.legal-person"):
        name, content = contract().decode(message.value or b"")
        if name == "registry/watermark-1":
            found[message.partition] = content
    return found


def test_a_message_nobody_can_open_is_set_aside_as_it_came_and_the_next_is_taken(
    client: Client, settings: Settings
) -> None:
    market, _ = departments(settings)
    good = "legal:org:XX0000001"
    whole = market.outgoing([record("market_supervision", good, "m1", name="名")])[0]
    value = whole.value or b""
    odd = [b"not avro", b"", value[:-3], b"\0\0\0\0\x07later", bytes(2) + value]
    for each in odd:
        send(client, [whole._replace(value=each)])
    send(client, [whole._replace(value=None), whole._replace(key=None), whole])

    until_idle(settings)

    assert dump(client, settings)[good]["facts"]["name"]["value"] == "名"
    told = list(look.quarantined(client, settings.kafka.prefix, "market_supervision", contract()))
    reasons = [refusal["reason"] for refusal in told]
    assert reasons == [
        "not_framed",
        "not_framed",
        "malformed",
        "unknown_schema",
        "unknown_schema",
        "no_value",
        "no_key",
    ]
    topic = f"{settings.kafka.prefix}quarantine.market_supervision"
    bodies = [contract().decode(m.value or b"")[1]["body"] for m in look.read_all(client, topic)]
    assert bodies == [*odd, None, value]


def test_two_workers_share_the_partitions_and_say_what_one_says(client: Client, settings: Settings) -> None:
    market, tax = departments(settings)
    send(client, market.outgoing(record("market_supervision", s, s[-3:], name=s) for s in subjects(40)))
    stop = Event()
    second = Thread(target=worker, args=(settings, shipped(), "exchange-b", stop))
    second.start()
    until_idle(settings, "exchange-a")
    send(client, tax.outgoing(record("local_tax", s, s[-3:], name="另名") for s in subjects(40)))
    until_idle(settings, "exchange-a")
    stop.set()
    second.join()

    assert {s for s, entry in dump(client, settings).items() if entry["facts"]["name"]["dissent"]} == set(subjects(40))
