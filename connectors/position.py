"""How far a source is read: a compacted record that is written in the transaction of the records it speaks of."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from schemas import topics
from schemas.audit import Sum
from schemas.codec import Contract
from transport.client import Client, Outgoing, TopicPartition

_NAME = "positions/position-2"
_EARLIEST = -2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Vanished(NamedTuple):
    """Rows whose deletion left, and the source's clock at the snapshot that missed them."""

    at: int
    rows: int


@dataclass(frozen=True, slots=True)
class Position:
    """The newest committed state of a source; times are milliseconds of the source's clock."""

    source: str
    sums: tuple[Sum, ...]
    epoch: int = 1
    cycle: int = 0
    closed_cycle: int = 0
    closed_at: int | None = None
    rows_at_source: int | None = None
    incarnation: str = ""
    lower_bound: str | None = None
    transaction_id: str = ""
    vanished: tuple[Vanished, ...] = ()
    held: int = 0
    present_stopped: str | None = None
    present_until: int | None = None
    complete_until: int | None = None
    complete_cycle: int | None = None
    alias_epoch: int = 0
    mapping: str = ""
    clean_cycle: int = 0
    clean_at: int | None = None
    inventory_cycle: int = 0
    inventory_at: int | None = None
    resent_cycle: int = 0
    reconciled: int = 0

    @classmethod
    def first(cls, source: str, partitions: int) -> "Position":
        """Before anything of the source was read."""
        return cls(source, (Sum(),) * partitions)

    def message(self) -> dict[str, Any]:
        """The position as its schema has it."""
        sums = [{"count": each.count, "digest": each.digest_bytes} for each in self.sums]
        vanished = [{"at": each.at, "rows": each.rows} for each in self.vanished]
        return {**asdict(self), "sums": sums, "vanished": vanished}

    def numbered(self) -> "Position":
        """With the next cycle's number taken."""
        return replace(self, cycle=self.cycle + 1)

    def after_messages(self, messages: Sequence[tuple[int, Sum]]) -> "Position":
        """With messages added to their partitions' sums."""
        sums = list(self.sums)
        for partition, digest in messages:
            sums[partition] = sums[partition].plus(digest)
        return replace(self, sums=tuple(sums))


def new_transaction_id() -> str:
    """Random: two stores never agree on it by chance."""
    return secrets.token_hex(16)


def outgoing(position: Position, contract: Contract, prefix: str, department: str) -> Outgoing:
    """The position as its message."""
    topic = topics.positions(prefix, department)
    return Outgoing(topic, 0, position.source.encode(), contract.encode(_NAME, position.message()))


def read(client: Client, contract: Contract, prefix: str, department: str, source: str) -> Position | None:
    """The newest committed position of the source; None before its first."""
    topic = topics.positions(prefix, department)
    reader = client.reader({TopicPartition(topic, 0): _EARLIEST})
    newest: bytes | None = None
    try:
        for message in reader.to_end():
            if message.key == source.encode():
                newest = message.value
    finally:
        reader.close()
    return None if newest is None else _position(contract.decode(newest)[1])


def _position(value: dict[str, Any]) -> Position:
    times = {name: milliseconds(time) for name, time in value.items() if isinstance(time, datetime)}
    sums = tuple(Sum.of(each["count"], each["digest"]) for each in value["sums"])
    vanished = tuple(Vanished(milliseconds(each["at"]), each["rows"]) for each in value["vanished"])
    return Position(**{**value, **times, "sums": sums, "vanished": vanished})


def milliseconds(time: datetime) -> int:
    """A time as it is counted here."""
    return (time - _EPOCH) // timedelta(milliseconds=1)
