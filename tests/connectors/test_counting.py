"""When a source is counted and when it is resent, and that an inventory counts what really stands at the exchange."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import fuse
from connectors.counting import in_parts
from schemas import topics
from schemas.audit import BUCKETS, Sum, buckets_of
from schemas.codec import contract
from tests.connectors.test_histories import Event, cycles, lived, others, tables
from tests.connectors.worlds import AUDIT, CODES, PREFIX, TWO_PARTS, World, branch, is_record, source
from transport.client import Outgoing

DEPARTMENT = "market_supervision"
NAME = "market_supervision.branch"
TOPIC = topics.reconciliation(PREFIX, DEPARTMENT)
HOUR_MS = 3_600_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(source(TWO_PARTS, tmp_path), tmp_path / "store")
    world.rows.rows = [branch("r1", CODES[0]), branch("r2", CODES[1])]
    yield world
    world.stop()


def inventories(world: World) -> list[dict[str, Any]]:
    """The sums the connector has published."""
    told = [content for message, content in world.kafka.records(TOPIC)]
    return [content for content in told if "buckets" in content and "partition" in content]


def say(world: World, name: str, **told: Any) -> None:
    """What the auditor says."""
    value = contract().encode(f"reconciliation/{name}", {"source": NAME, **told})
    world.kafka.append([Outgoing(TOPIC, 0, NAME.encode(), value)])


def verdict(world: World, cycle: int) -> None:
    counts = dict.fromkeys(("rows_at_source", "rows_held", "missing", "extra"), 0)
    say(world, "verdict-1", inventory=cycle, snapshot_at=world.rows.at_ms, clean=True, buckets=[], **counts)


def markers(world: World) -> list[dict[str, Any]]:
    return [told for message, told in world.kafka.records(world.dept) if "request" in told]


def plainly(world: World) -> dict[int, Sum]:
    """Sums by bucket of what stands at the exchange, from all that was ever sent."""
    newest: dict[tuple[str, str, str], tuple[tuple[int, int, bool], dict[str, Any]]] = {}
    for message, content in world.kafka.records(world.dept):
        if is_record(message):
            meta = content["meta"]
            key = ((message.key or b"").decode(), meta["record_id"], meta["part"])
            version = (meta["epoch"], meta["cycle"], meta["operation"] != "DELETE")
            newest[key] = max(newest.get(key, (version, meta)), (version, meta), key=lambda each: each[0])
    found: dict[int, Sum] = {}
    for (subject, record_id, part), (_, meta) in newest.items():
        if meta["operation"] != "DELETE":
            row_hash = None if meta["operation"] == "REFUSED" else meta["row_hash"]
            each = AUDIT.of_statement(record_id, part, subject, row_hash, meta["rows"])
            bucket = AUDIT.bucket(record_id)
            found[bucket] = found.get(bucket, Sum()).plus(each)
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(tables, cycles, cycles, others), max_size=14))
def test_whatever_happened_an_inventory_counts_what_stands_at_the_exchange(events: list[Event]) -> None:
    with lived(events) as world:
        world.rows.at_ms += 2 * HOUR_MS
        world.cycle()

        assert buckets_of(inventories(world)[-1]["buckets"]) == plainly(world)


def test_the_first_cycle_is_an_inventory_and_the_next_one_comes_in_its_time(world: World) -> None:
    for step in (0, HOUR_MS // 2, HOUR_MS // 2, HOUR_MS):
        world.rows.at_ms += step
        world.cycle()

    assert [told["cycle"] for told in inventories(world)] == [1, 3, 4]
    assert [mark["cycle"] for mark in world.watermarks() if mark["inventory"] and mark["partition"] == 0] == [1, 3, 4]


def test_an_inventory_of_what_has_not_changed_sends_watermarks_and_sums_only(world: World) -> None:
    world.cycle()
    before = {place: len(log) for place, log in world.kafka.logs.items()}
    world.rows.at_ms += HOUR_MS
    world.cycle()
    since = [message for place, log in world.kafka.logs.items() for message in log[before.get(place, 0) :]]
    names = sorted({contract().decode(message.value or b"")[0] for message in since})

    assert names == ["positions/position-2", "reconciliation/inventory-1", "registry/watermark-1"]


def test_while_the_fuse_holds_rows_nothing_is_proven_and_no_cycle_is_an_inventory(world: World) -> None:
    world.cycle()
    world.rows.rows = []
    world.rows.at_ms += HOUR_MS
    world.cycle()
    fuse.write_release(world.folder, fuse.Release(2, 2))
    world.cycle()

    assert [told["cycle"] for told in inventories(world)] == [1, 3]


def test_the_next_watermark_names_the_inventory_that_was_found_clean_and_never_an_older_one(world: World) -> None:
    world.cycle()
    world.rows.at_ms += HOUR_MS
    world.cycle()
    verdict(world, 2)
    world.cycle()
    verdict(world, 1)
    world.start()
    world.cycle()

    named = [mark["clean_inventory"] for mark in world.watermarks() if mark["partition"] == 0]
    assert named == [0, 0, 2, 2]


def test_a_resend_is_opened_for_the_newest_inventory_and_just_the_buckets_that_differ(world: World) -> None:
    world.cycle()
    say(world, "resend-1", request="a", inventory=1, buckets=[5, 7])
    world.cycle()

    assert [marker["buckets"] for marker in markers(world)] == [[5, 7]] * 3


def test_a_request_for_an_inventory_that_is_not_the_newest_is_not_heard(world: World) -> None:
    world.cycle()
    world.rows.at_ms += HOUR_MS
    world.cycle()
    say(world, "resend-1", request="a", inventory=1, buckets=[6])
    world.cycle()
    none = markers(world)
    say(world, "resend-1", request="b", inventory=2, buckets=[5])
    say(world, "resend-1", request="c", inventory=1, buckets=[6])
    world.cycle()

    assert none == []
    assert {tuple(marker["buckets"]) for marker in markers(world)} == {(5,)}


def test_lists_that_answer_another_marker_do_not_count(world: World) -> None:
    world.cycle()
    for number in range(3):
        answer = {"partition": number, "piece": 0, "pieces": 1, "statements": []}
        say(world, "held-2", request="an earlier instance's", **answer)
    world.stop()
    shutil.rmtree(world.folder)
    report = world.cycle()

    assert report
    assert report.resend is None
    assert world.publisher.position.present_stopped == "store_lost"


def test_what_nobody_can_read_in_the_topic_stops_no_source(world: World) -> None:
    world.kafka.append([Outgoing(TOPIC, 0, NAME.encode(), b"\0\0\0\0\7rubbish")])

    assert world.cycle()


def test_all_buckets_of_a_large_source_are_asked_for_in_parts() -> None:
    small, large = in_parts(frozenset(), 5_000), in_parts(frozenset(), 1_000_000)

    assert small == [frozenset()]
    assert sorted(bucket for part in large for bucket in part) == list(range(BUCKETS))
    assert len(large) == 11
