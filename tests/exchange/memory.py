"""An exchange in memory: the owners over a dictionary, one transaction per batch, as the worker runs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from exchange.control import tick
from exchange.ledger import Ledger, Place
from exchange.owner import Owner, Rules, Tally, initial_tick
from exchange.statements import Rows
from schemas import topics
from schemas.codec import contract
from schemas.installed import Installed, shipped
from tests.exchange.publishing import AUDIT, TYPES
from transport.client import Message, Outgoing

PREFIX = "t."
FIRST_DAY = date(2026, 3, 1)


class Memory:
    """What lies under a ledger, in a dictionary."""

    def __init__(self) -> None:
        self.table: dict[Place, bytes] = {}

    def get(self, place: Place) -> bytes | None:
        return self.table.get(place)

    def write(self, changed: Mapping[Place, bytes | None]) -> None:
        for place, value in changed.items():
            if value is None:
                self.table.pop(place, None)
            else:
                self.table[place] = value

    def scan(self, partition: int, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        for place in sorted(self.table):
            if place.partition == partition and place.key.startswith(prefix):
                yield place.key, self.table[place]


class Exchange:
    """All owners of an installation, and the topics they have written."""

    def __init__(self, partitions: int = 3, installed: Installed | None = None) -> None:
        self.rules = Rules(
            prefix=PREFIX,
            partitions=partitions,
            installed=replace(installed or shipped(), policy="p"),
            audit_key=AUDIT,
            policies={"p"},
            departments={topics.dept(PREFIX, name): name for name in TYPES},
        )
        self.memory = Memory()
        self.written: list[Outgoing] = []
        self.offsets: Counter[tuple[str, int]] = Counter()

    def take(self, batch: Iterable[Outgoing]) -> list[Outgoing]:
        """Take what was sent as one batch; gives what is written for it, state left out."""
        ledger, owners, tallies = Ledger(self.memory, self.rules.contract), dict[int, Owner](), list[Tally]()
        for message in map(self._arrived, batch):
            initial_tick(ledger, message.partition, FIRST_DAY)
            owner = owners.setdefault(message.partition, Owner(message.partition, self.rules, ledger))
            owner.take(message)
        for owner in owners.values():
            owner.settle()
            tallies.append(owner.tally)
        self.memory.write({**ledger.staged(), **ledger.sums_staged()})
        out = [record for owner in owners.values() for record in owner.out]
        self.written += out
        self.tally = tallies
        return out

    def _arrived(self, sent: Outgoing) -> Message:
        self.offsets[sent.topic, sent.partition] += 1
        offset = self.offsets[sent.topic, sent.partition]
        return Message(sent.topic, sent.partition, offset, sent.key, sent.value, sent.headers, 0)

    def state(self) -> list[tuple[Place, bytes]]:
        """What stands in `exchange.state`: sums do not."""
        return [(place, value) for place, value in self.memory.table.items() if not place.key.startswith(b"b\0")]

    def day(self, day: date) -> list[Outgoing]:
        """The word to every partition that a day has begun."""
        return [tick(PREFIX, number, day, contract()) for number in range(self.rules.partitions)]

    def published(self, topic: str = "registry.legal-person") -> list[Outgoing]:
        """Everything that was written to a topic."""
        return [each for each in self.written if each.topic == PREFIX + topic]

    def entries(self) -> dict[str, dict[str, Any]]:
        """The registry of legal persons as a reader of the compacted topic has it."""
        newest = {each.key or b"": each.value or b"" for each in self.published()}
        return {
            key.decode(): contract().decode(value)[1]
            for key, value in newest.items()
            if not key.startswith(b"~watermark:")
        }

    def rows(self) -> dict[str, Rows]:
        """How many rows of every source are live and refused, over all partitions."""
        ledger, found = Ledger(self.memory, self.rules.contract), dict[str, Rows]()
        for number in range(self.rules.partitions):
            for name, source in ledger.sources(number):
                before = found.get(name, Rows(0, 0))
                found[name] = Rows(before.live + source.rows.live, before.refused + source.rows.refused)
        return found


def at_once(messages: Sequence[Outgoing], partitions: int = 3) -> Exchange:
    """An exchange that has taken these messages as one batch."""
    exchange = Exchange(partitions)
    exchange.take(messages)
    return exchange
