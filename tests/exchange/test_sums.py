"""Sums by bucket: kept as state changes, or counted from state at once, they are the same."""

from __future__ import annotations

from collections import defaultdict
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from exchange.ledger import Ledger, Place
from exchange.sums import counted, recounted
from schemas.audit import Sum
from schemas.codec import contract
from tests.exchange.examples import many
from tests.exchange.histories import Said, histories
from tests.exchange.memory import Exchange, Memory
from tests.exchange.publishing import AUDIT, TYPES

Sums = dict[tuple[int, str, int], Sum]


def kept(memory: Memory, partitions: int = 3) -> Sums:
    """Every sum that stands in a store."""
    ledger = Ledger(memory, contract())
    return {
        (number, source, bucket): each
        for number in range(partitions)
        for source in (f"{name}.main" for name in TYPES)
        for bucket, each in ledger.sums(number, source).items()
    }


def plainly(memory: Memory, partitions: int = 3) -> Sums:
    """Every sum from the statements alone."""
    ledger, found = Ledger(memory, contract()), defaultdict[tuple[int, str, int], Sum](Sum)
    for number in range(partitions):
        for source in (f"{name}.main" for name in TYPES):
            for subject, statement in ledger.held(number, source, lambda _: True):
                place = number, source, AUDIT.bucket(statement.identity.record_id)
                found[place] = found[place].plus(counted(subject, statement, AUDIT, contract()))
    return {place: each for place, each in found.items() if each != Sum()}


@many
@given(histories, st.integers(1, 5))
def test_sums_kept_message_by_message_are_those_of_the_statements(history: list[Said], size: int) -> None:
    exchange = Exchange()
    messages = [said.outgoing(3) for said in history]
    for at in range(0, len(messages), size):
        exchange.take(messages[at : at + size])

    assert kept(exchange.memory) == plainly(exchange.memory)


@many
@given(histories, st.integers(1, 4), st.randoms(use_true_random=False))
def test_sums_counted_anew_from_the_topic_are_those_that_were_kept(
    history: list[Said], size: int, random: Random
) -> None:
    """The topic holds earlier versions of a key too, and a batch may hold several."""
    exchange, written = Exchange(), list[tuple[Place, bytes]]()
    for said in history:
        exchange.take([said.outgoing(3)])
        written += exchange.state()
    again = Memory()
    for at in range(0, len(written), size):
        changed: dict[Place, bytes | None] = dict(written[at : at + size])
        again.write({**changed, **recounted(changed, again, AUDIT, contract())})

    assert kept(again) == kept(exchange.memory)


def test_a_row_counts_in_its_bucket_with_all_it_says_and_an_ended_one_leaves_nothing() -> None:
    said = Said("local_tax", "legal:org:XX0000001", "r1", "", (1, 1), "UPSERT", rows=2, content={"name": "甲"})
    gone = Said("local_tax", "legal:org:XX0000001", "r1", "", (1, 2), "DELETE")
    exchange = Exchange()

    exchange.take([said.outgoing(3)])
    there = kept(exchange.memory)
    exchange.take([gone.outgoing(3)])

    assert [each.count for each in there.values()] == [2]
    assert kept(exchange.memory) == {}
