"""Inventory: sums of everything a cycle read, for counting against what the exchange holds.

Taken over what the cycle leaves at the exchange, row by row and refused ones among them: record id, part,
subject and row hash of each statement, in a bucket that the record id gives. The exchange keeps the same sums
of what it holds and freezes them when it takes this cycle's watermark, so rows that change meanwhile are in
neither.
"""

from connectors.mapper import Mapped
from connectors.plan import Notes
from schemas.audit import AuditKey, Buckets, Sum, buckets_told
from schemas.codec import Contract


class Inventory:
    """The sums of one cycle."""

    def __init__(self, audit: AuditKey) -> None:
        self._audit = audit
        self._buckets: dict[int, Sum] = {}

    def add(self, mapped: Mapped, stands: Notes) -> None:
        """Count a row, which stands at the exchange so once the cycle has closed."""
        bucket = self._audit.bucket(mapped.record_id)
        counted = self._buckets.get(bucket, Sum()).plus(Sum(mapped.rows))
        for note in stands:
            row_hash = None if note.refused else note.row_hash
            part, _, subject = note.target
            counted = counted.plus(self._audit.of_statement(mapped.record_id, part, subject, row_hash, 0))
        self._buckets[bucket] = counted

    @property
    def buckets(self) -> Buckets:
        return self._buckets


def encoded(buckets: Buckets, source: str, cycle: int, snapshot_ms: int, contract: Contract) -> bytes:
    """The connector's own sums as they are published."""
    value = {
        "source": source,
        "cycle": cycle,
        "snapshot_at": snapshot_ms,
        "partition": None,
        "buckets": buckets_told(buckets),
    }
    return contract.encode("reconciliation/inventory-1", value)
