"""What surrounds the simulated source: its table, a log in memory that spoils messages, and rules bent from outside."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from connectors import mapping
from connectors.columns import Row
from connectors.mapper import Mapped, Mapper
from connectors.mapping import Source
from connectors.sources.snapshot import Alarm
from exchange.owner import Rules
from schemas import topics
from schemas.codec import UndecodableError, contract
from schemas.installed import shipped
from schemas.subjects import partition
from tests.connectors.worlds import AUDIT, BRANCH, CODES, KEY, SUBJECTS, UNMAPPED, branch
from tests.connectors.worlds import MemoryKafka as Kafka
from tests.connectors.worlds import MemoryReader as Reader
from tests.connectors.worlds import MemoryTransactions as Transactions
from transport.client import Message, Outgoing, TopicPartition

if TYPE_CHECKING:
    from tests.simulation.world import World

PREFIX, DEPARTMENT = "t.", "market_supervision"
PARTITIONS = 2
RIDS = ("r1", "r2", "r3")
TICK_MS = 1_200_000  # the fuse's day has 72 steps
START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = date(2026, 3, 1)
DEPT = topics.dept(PREFIX, DEPARTMENT)
RECONCILIATION = topics.reconciliation(PREFIX, DEPARTMENT)
STATE = topics.state(PREFIX)


class Broken(Exception):
    """A promise does not hold."""


class Line(NamedTuple):
    """A row of the department: subject by number, none: unreadable; value x, y, or bad: refused."""

    subject: int | None
    value: str

    @property
    def refused(self) -> bool:
        return self.subject is None or self.value == "bad"


@cache
def the_source() -> Source:
    return mapping.load(BRANCH, {}, contract())


@cache
def the_mapper() -> Mapper:
    return Mapper(the_source(), contract(), KEY, AUDIT)


@cache
def the_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="simulation", dir="/dev/shm" if Path("/dev/shm").exists() else None))  # noqa: S108


@cache
def the_rules() -> Rules:
    installed = replace(shipped(), policy="p")
    return Rules(PREFIX, PARTITIONS, installed, AUDIT, frozenset({"p"}), {DEPT: DEPARTMENT})


@cache
def row_of(rid: str, line: Line) -> Row:
    code = "?!" if line.subject is None else CODES[line.subject]
    return branch(rid, code, UNMAPPED if line.value == "bad" else line.value)


@dataclass
class Seen:
    """The table in one snapshot."""

    lines: Mapping[str, Line]
    at_ms: int
    incarnation: str = ""
    stated = owed = False

    @property
    def present_ms(self) -> int:
        return self.at_ms

    def rows(self, columns: Sequence[str], order_by: Sequence[str] = ()) -> Iterator[Row]:
        return iter([row_of(rid, line) for rid, line in sorted(self.lines.items())])


class Table:
    """The table, as the connector reaches it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def reach(self) -> None:
        pass

    def more(self) -> bool:
        return False

    def alarms(self) -> Sequence[Alarm]:
        return ()

    @contextmanager
    def snapshot(self, not_before_ms: int = 0) -> Iterator[Seen]:
        self._world.snapshots.append((self._world.now, self._world.lines))
        yield Seen(self._world.lines, ms(self._world.now))

    def close(self) -> None:
        pass


class Log(Kafka):
    """Kafka in memory, through which the world lets steps happen between transactions and spoils messages."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def transactions(self, transactional_id: str) -> Transactions:
        return _Interrupted(self, transactional_id)

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        return _Awaited(self, dict(positions))

    def append(self, records: Iterable[Outgoing]) -> None:
        super().append(self.world.in_transit(list(records)))

    def end(self, topic: str, partition: int = 0) -> int:
        return len(self.logs.get(TopicPartition(topic, partition), []))


class _Interrupted(Transactions):
    def commit(self, offsets: object = None, membership: object = None) -> None:
        self._kafka.world.interrupt()  # type: ignore[attr-defined]
        super().commit(offsets, membership)


class _Awaited(Reader):
    def poll(self, seconds: float, max_messages: int = 2000) -> Sequence[Message]:
        if seconds > 0:
            self._kafka.world.answer()  # type: ignore[attr-defined]
        return super().poll(seconds, max_messages)


def ms(now: int) -> int:
    return int(START.timestamp() * 1000) + now * TICK_MS


def now_of(time: datetime) -> int:
    return int((time - START).total_seconds() * 1000) // TICK_MS


MARKER = "reconciliation/marker-1"


def watermark_in(message: Message) -> dict[str, Any] | None:
    """The watermark in a message, if it is one that can be read."""
    if not (message.key or b"").startswith(b"~"):
        return None
    try:
        name, told = contract().decode(message.value or b"")
    except UndecodableError:
        return None
    return told if name == "registry/watermark-1" else None


def partition_of(subject: int) -> int:
    return partition(SUBJECTS[subject], PARTITIONS)


class Unreadable:
    """Put back: a refused row stands under no key that can be read in it."""

    def record_id(self, row: Row) -> str | None:
        return the_mapper().record_id(row)

    def map_all(self, rows: Sequence[Row]) -> Mapped:
        mapped = the_mapper().map_all(rows)
        return replace(mapped, refusal=replace(mapped.refusal, readable=())) if mapped.refusal else mapped


class Heavy:
    """Put back: a refused row counts under every key it is refused under."""

    def __getattr__(self, name: str) -> Any:
        return getattr(contract(), name)

    def __getitem__(self, name: str) -> Any:
        return contract()[name]

    def encode(self, name: str, value: Mapping[str, Any]) -> bytes:
        meta = value.get("meta")
        if meta and meta["operation"] == "REFUSED":
            value = {**value, "meta": {**meta, "rows": 1}}
        return contract().encode(name, value)
