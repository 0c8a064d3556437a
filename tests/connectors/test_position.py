"""The position comes back as it was written, also as an earlier release wrote it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors import position as positions
from connectors.position import Position, Vanished
from schemas import topics
from schemas.audit import Sum
from schemas.codec import contract
from tests.connectors.worlds import PREFIX, START_MS, MemoryKafka
from transport.client import Outgoing

DEPARTMENT = "market_supervision"
POSITION = replace(
    Position.first("market_supervision.branch", 2),
    sums=(Sum(3, 1 << 100), Sum()),
    cycle=9,
    closed_at=START_MS,
    vanished=(Vanished(START_MS, 2),),
    clean_cycle=7,
    clean_at=START_MS - 1,
    inventory_cycle=8,
    inventory_at=START_MS - 2,
    resent_cycle=6,
    reconciled=41,
)


def read(value: bytes) -> Position | None:
    kafka: Any = MemoryKafka()
    kafka.append([Outgoing(topics.positions(PREFIX, DEPARTMENT), 0, POSITION.source.encode(), value)])
    return positions.read(kafka, contract(), PREFIX, DEPARTMENT, POSITION.source)


def test_a_position_comes_back_as_it_was_written() -> None:
    assert read(positions.outgoing(POSITION, contract(), PREFIX, DEPARTMENT).value or b"") == POSITION


def test_a_position_of_the_release_before_has_counted_nothing_yet() -> None:
    counted = ("clean_cycle", "clean_at", "inventory_cycle", "inventory_at", "resent_cycle", "reconciled")
    first = Position.first(POSITION.source, 2)
    told = {name: value for name, value in POSITION.message().items() if name not in counted}
    old = contract().encode("positions/position-1", told)

    assert read(old) == replace(POSITION, **{name: getattr(first, name) for name in counted})
