"""A department's side for the exchange's tests: records and watermarks as a connector would send them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from schemas import topics
from schemas.audit import AuditKey, Sum
from schemas.codec import NO_HASH, contract
from schemas.subjects import partition
from transport.client import Client, Outgoing

AUDIT = AuditKey(b"published audit key of the tests" * 2)
SNAPSHOT = datetime(2026, 3, 1, 8, tzinfo=UTC)
TYPES = {"market_supervision": "market_supervision/enterprise-1", "local_tax": "local_tax/taxpayer-1"}

Record = tuple[str, bytes]


def record(
    department: str, subject: str, record_id: str, cycle: int = 1, operation: str = "UPSERT", **content: Any
) -> tuple[str, bytes]:
    """One record of a department, of the type it has here unless told: its subject and its framed value."""
    name = content.pop("type", None) or TYPES[department]
    fields = [each["name"] for each in contract()[name].document["fields"]]
    meta = {
        "source": f"{department}.main",
        "record_id": record_id,
        "part": content.pop("part", ""),
        "operation": operation,
        "epoch": content.pop("epoch", 1),
        "cycle": cycle,
        "source_token": None,
        "moved_to": content.pop("moved_to", None),
        "row_hash": NO_HASH,
        "rows": content.pop("rows", 1),
        "observed_at": SNAPSHOT,
        "effective_from": content.pop("effective_from", None),
        "effective_to": content.pop("effective_to", None),
        "identifiers": content.pop("identifiers", []),
    }
    value = {**dict.fromkeys(fields), **content, "meta": meta}
    if operation in ("UPSERT", "END"):
        meta["row_hash"] = AUDIT.row_hash(name, contract().content(name, value))
    return subject, contract().encode(name, value)


def code(raw: str, canonical: str | None, of: str = "test-1") -> dict[str, str | None]:
    """A coded value."""
    return {"raw": raw, "canonical": canonical, "list": of}


def day(text: str) -> date:
    """A date from its ISO form."""
    return date.fromisoformat(text)


@dataclass(slots=True)
class Department:
    """A department that counts what it sends, as its connector does."""

    name: str
    prefix: str
    partitions: int
    sums: dict[int, Sum] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return f"{self.name}.main"

    def outgoing(self, records: Iterable[Record]) -> list[Outgoing]:
        """The records as messages, counted."""
        sent = [self._message(subject, value) for subject, value in records]
        for message in sent:
            counted = AUDIT.of_message(message.key or b"", message.value)
            self.sums[message.partition] = self.sums.get(message.partition, Sum()).plus(counted)
        return sent

    def _message(self, subject: str, value: bytes) -> Outgoing:
        where = partition(subject, self.partitions)
        headers = (("source", self.source.encode()),)
        return Outgoing(topics.dept(self.prefix, self.name), where, subject.encode(), value, headers)

    def watermarks(self, cycle: int, **changed: Any) -> list[Outgoing]:
        """A watermark to every partition."""
        return [self.watermark(cycle, number, **changed) for number in range(self.partitions)]

    def watermark(self, cycle: int, number: int, **changed: Any) -> Outgoing:
        """One partition's watermark."""
        value = contract().encode("registry/watermark-1", watermark(self.source, cycle, number, self.sums, changed))
        key = f"~watermark:{self.source}:{number}".encode()
        return Outgoing(topics.dept(self.prefix, self.name), number, key, value, (("source", self.source.encode()),))


def watermark(
    source: str, cycle: int, number: int, sums: Mapping[int, Sum], changed: Mapping[str, Any]
) -> dict[str, Any]:
    """A watermark's content: everything concluded at the snapshot, unless `changed` says otherwise."""
    told = sums.get(number, Sum())
    counts = dict.fromkeys(("read", "sent", "unchanged", "refused", "refused_unreadable", "deleted", "held"), 0)
    times = dict.fromkeys(("read_until", "complete_until", "present_until", "identity_until"), SNAPSHOT)
    return {
        "source": source,
        "partition": number,
        "epoch": 1,
        "cycle": cycle,
        "snapshot_at": SNAPSHOT,
        "alias_epoch": 0,
        "inventory": False,
        "clean_inventory": 0,
        "opens_resend": None,
        "rows_at_source": 0,
        **counts,
        "sum_count": told.count,
        "sum_digest": told.digest_bytes,
        **times,
        "complete_cycle": cycle,
        "stated": False,
        "broken_since": None,
        "break_kind": None,
        **changed,
    }


def send(client: Client, records: Sequence[Outgoing], name: str = "test-department") -> None:
    """Write records in one transaction."""
    transactions = client.transactions(name)
    try:
        transactions.begin()
        for each in records:
            transactions.send(each)
        transactions.seal()
        transactions.commit()
    finally:
        transactions.close()
