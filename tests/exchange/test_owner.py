"""The owner of a partition: the registry is a function of the set of records and the last day, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.entries import history_hash
from schemas.codec import NO_HASH, contract
from schemas.subjects import partition
from tests.exchange.examples import few, many
from tests.exchange.histories import DAYS, SUBJECTS, A, Said, histories, records, ticks
from tests.exchange.memory import FIRST_DAY, PREFIX, Exchange, at_once
from tests.exchange.oracle import counted, registry, told
from tests.exchange.publishing import Department, code, record
from transport.client import Outgoing

MARKET, TAX = "market_supervision", "local_tax"

seeds = st.randoms(use_true_random=False)


def sent(history: Sequence[Said], days: Sequence[date], partitions: int) -> list[Outgoing]:
    """The records, a watermark of each department in the middle, and the days, as messages."""
    words = [said.outgoing(partitions) for said in history]
    departments = [Department(name, PREFIX, partitions) for name in (MARKET, TAX)]
    marks = [mark for number, each in enumerate(departments) for mark in each.watermarks(number + 1)]
    begun = [message for day in days for message in Exchange(partitions).day(day)]
    return [*words, *marks, *begun]


def batches(messages: Sequence[Outgoing], random: Random) -> Iterator[Sequence[Outgoing]]:
    """The messages cut anywhere."""
    while messages:
        size = random.randint(1, len(messages))
        yield messages[:size]
        messages = messages[size:]


@many
@given(histories, ticks, seeds, st.sampled_from([1, 3, 12]))
def test_the_registry_is_what_the_set_of_records_and_the_last_day_make_of_it(
    history: list[Said], days: list[date], random: Random, partitions: int
) -> None:
    messages = sent(history, days, partitions)
    again = messages + random.choices(messages, k=len(messages) // 2)
    random.shuffle(again)
    exchange = Exchange(partitions)
    for batch in batches(again, random):
        exchange.take(batch)

    today = max([FIRST_DAY, *days])
    assert {subject: told(entry) for subject, entry in exchange.entries().items()} == registry(history, today)
    rows = {source: tuple(rows) for source, rows in exchange.rows().items() if any(rows)}
    assert rows == {source: found for source, found in counted(history).items() if any(found)}


@few
@given(histories, ticks, seeds)
def test_order_repeats_batches_and_partitions_leave_the_very_same_bytes(
    history: list[Said], days: list[date], random: Random
) -> None:
    plain = at_once(sent(history, days, 1), 1)
    mixed = sent(history, days, 12) * 2
    random.shuffle(mixed)
    other = Exchange(12)
    for batch in batches(mixed, random):
        other.take(batch)

    assert other.entries() == plain.entries()


@few
@given(histories, ticks, seeds)
def test_all_of_it_once_more_publishes_nothing(history: list[Said], days: list[date], random: Random) -> None:
    messages = sent(history, days, 3)
    exchange = at_once(messages)
    random.shuffle(messages)

    written = [record for batch in batches(messages, random) for record in exchange.take(batch)]

    assert written == []


@few
@given(st.lists(st.one_of(records(), st.sampled_from(DAYS[1:])), max_size=14))
def test_a_subject_is_published_when_what_is_said_of_it_changes_and_only_then(steps: list[Said | date]) -> None:
    exchange, history, today, expected = Exchange(), list[Said](), FIRST_DAY, 0
    for step in steps:
        before = registry(history, today)
        if isinstance(step, Said):
            history.append(step)
            exchange.take([step.outgoing(3)])
        else:
            today = max(today, step)
            exchange.take(exchange.day(step))
        after = registry(history, today)
        expected += sum(after[subject] != before.get(subject) for subject in after)

    assert len(exchange.published()) == expected


@few
@given(histories, records())
def test_a_version_not_newer_than_what_is_known_changes_nothing_but_the_sum(history: list[Said], late: Said) -> None:
    exchange = at_once([said.outgoing(3) for said in [*history, late]])
    before = dict(exchange.memory.table)

    written = exchange.take([late.outgoing(3)])

    changed = {place.key for place, value in exchange.memory.table.items() if before[place] != value}
    assert written == []
    assert changed == {b"a\0" + late.source.encode()}
    assert exchange.tally[0].outcomes == {(late.department, "stale"): 1}


@few
@given(histories, ticks)
def test_the_history_of_a_subject_is_one_unbroken_chain_that_ends_in_its_entry(
    history: list[Said], days: list[date]
) -> None:
    exchange = Exchange()
    for message in sent(history, days, 3):
        exchange.take([message])

    for subject, entry in exchange.entries().items():
        links = chain(exchange, subject)
        assert [link["change"] for link in links] == list(range(1, len(links) + 1))
        assert links[0]["previous_hash"] == NO_HASH
        for one, next_ in pairwise(links):
            assert next_["previous_hash"] == history_hash(one["previous_hash"], one["change"], one["entry"])
        assert contract().decode(links[-1]["entry"])[1] == entry
        assert all(link["causes"] for link in links)


def chain(exchange: Exchange, subject: str) -> list[dict[str, Any]]:
    found = (contract().decode(each.value or b"")[1] for each in exchange.published("registry.history"))
    return [link for link in found if link["subject"] == subject]


@few
@given(histories)
def test_a_withdrawn_row_leaves_the_entry_as_if_it_had_never_been(history: list[Said]) -> None:
    bare = [said for said in history if (said.subject, said.department, said.record_id) != (A, TAX, "r1")]
    row = [said for said in history if said not in bare and said.operation in ("UPSERT", "END")]
    withdrawn = [Said(TAX, A, "r1", part, (9, 9), "WITHDRAW") for part in ("", "b")]
    entries = at_once([said.outgoing(3) for said in [*bare, *row, *withdrawn]]).entries()
    without = at_once([said.outgoing(3) for said in bare]).entries()

    assert {**told(entries[A]), "sources": None} == {
        **told(without.get(A, at_once([withdrawn[0].outgoing(3)]).entries()[A])),
        "sources": None,
    }


@pytest.mark.parametrize("operation", ["DELETE", "WITHDRAW", "ERASE"])
def test_no_byte_of_a_row_stays_in_the_state_or_the_registry_once_it_is_gone(operation: str) -> None:
    secret = "只此一处的名称"
    said = Said(MARKET, A, "r1", "", (1, 1), "UPSERT", content={"name": secret})
    exchange = at_once([said.outgoing(3)])
    assert any(secret.encode() in value for value in exchange.memory.table.values())

    exchange.take([Said(MARKET, A, "r1", "", (1, 2), operation).outgoing(3)])

    assert not any(secret.encode() in value for value in exchange.memory.table.values())
    assert secret.encode() not in (exchange.published()[-1].value or b"")


def test_a_subject_whose_last_row_has_gone_stays_as_gone_with_the_newest_version_it_had() -> None:
    said = Said(MARKET, A, "r1", "", (1, 1), "UPSERT", content={"name": "甲"})
    exchange = at_once([said.outgoing(3), Said(MARKET, A, "r1", "", (1, 4), "DELETE").outgoing(3)])

    entry = exchange.entries()[A]

    assert entry["condition"] == "gone"
    assert entry["members"] == []
    assert entry["sources"] == [{"source": "market_supervision.main", "epoch": 1, "cycle": 4, "refused": 0}]


def test_a_row_moved_to_another_subject_leaves_no_claim_behind() -> None:
    other = SUBJECTS[2]
    exchange = at_once(
        [
            Said(MARKET, A, "r1", "", (1, 1), "UPSERT", content={"name": "甲"}).outgoing(3),
            Said(TAX, A, "t1", "", (1, 1), "UPSERT", content={"name": "乙"}).outgoing(3),
            Said(MARKET, A, "r1", "", (1, 2), "DELETE", moved_to=other).outgoing(3),
            Said(MARKET, other, "r1", "", (1, 2), "UPSERT", content={"name": "甲"}).outgoing(3),
        ]
    )

    entries = exchange.entries()

    assert entries[A]["facts"]["name"]["value"] == "乙"
    assert [member["source"] for member in entries[A]["members"]] == ["local_tax.main"]
    assert entries[other]["facts"]["name"]["value"] == "甲"


def test_a_watermark_stands_behind_the_entries_it_covers_and_before_what_came_later() -> None:
    market = Department(MARKET, PREFIX, 1)
    first = market.outgoing([record(MARKET, A, "r1", name="甲")])
    mark = market.watermarks(1)
    later = market.outgoing([record(MARKET, SUBJECTS[2], "r2", cycle=2, name="乙")])

    keys = [record.key for record in Exchange(1).take([*first, *mark, *later]) if record.topic.endswith("legal-person")]

    assert keys == [A.encode(), b"~watermark:market_supervision.main:0", SUBJECTS[2].encode()]


def test_watermarks_reach_the_registries_of_both_kinds_of_subject() -> None:
    exchange = at_once(Department(MARKET, PREFIX, 3).watermarks(1))

    assert len(exchange.published()) == len(exchange.published("registry.natural-person")) == 3


def test_a_future_value_begins_on_its_day_and_the_one_before_holds_until_then() -> None:
    rows = [
        Said(MARKET, A, "old", "", (1, 1), "UPSERT", content={"name": "旧名"}),
        Said(MARKET, A, "new", "", (1, 1), "UPSERT", effective_from=DAYS[4], content={"name": "新名"}),
    ]
    exchange = at_once([row.outgoing(3) for row in rows])
    names = []
    for day in DAYS[2:]:
        exchange.take(exchange.day(day))
        names.append(exchange.entries()[A]["facts"]["name"]["value"])

    assert names == ["旧名", "旧名", "新名", "新名"]
    assert len(exchange.published()) == 2


def test_a_day_that_changes_nothing_publishes_nothing() -> None:
    exchange = at_once([Said(MARKET, A, "r1", "", (1, 1), "UPSERT", content={"name": "甲"}).outgoing(3)])

    assert exchange.take(exchange.day(DAYS[3])) == []


def test_an_entry_says_which_change_by_which_rules_it_is_and_what_its_hash_is() -> None:
    first = Said(MARKET, A, "r1", "", (1, 1), "UPSERT", content={"name": "甲"})
    exchange = at_once([first.outgoing(3)])
    exchange.take([Said(MARKET, A, "r1", "", (1, 2), "UPSERT", content={"status": code("1", "ACTIVE")}).outgoing(3)])

    headers = dict(exchange.published()[-1].headers)

    content_hash = exchange.entries()[A]["content_hash"].hex().encode()
    assert headers == {"change": b"2", "alias_epoch": b"0", "policy": b"p", "content_hash": content_hash}


def test_everything_of_a_subject_is_written_to_the_partition_its_messages_came_by() -> None:
    exchange = at_once([Said(TAX, s, "r1", "", (1, 1), "UPSERT").outgoing(12) for s in SUBJECTS], 12)

    assert {each.partition for each in exchange.written} == {partition(subject, 12) for subject in SUBJECTS}
