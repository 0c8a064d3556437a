"""What a closed cycle lets readers conclude: one message to every partition, and the closed position.

A table read whole in one snapshot is proven complete, and what it lacks is proven gone, at the snapshot. Changes
that a department hands over are complete on its own word, and tell what is gone only where it says they do. But
not while the fuse holds deletions back, and not once the store was lost, for then nobody knows which keys its
rows were sent under, those that are gone and those that moved: until a resend over all buckets has told it.
"""

from dataclasses import dataclass, replace
from typing import Any

from connectors.fuse import recent
from connectors.position import Position
from connectors.reconciliation import Clean
from connectors.resend import Resend
from connectors.sources.snapshot import Snapshot
from schemas import topics
from schemas.audit import Buckets
from schemas.codec import Contract
from transport.client import Outgoing

NAME = "registry/watermark-1"
STORE_LOST = "store_lost"
FUSE = "fuse"


@dataclass(slots=True)
class Counts:
    """What one cycle came to, in rows: `read = sent + unchanged + refused`."""

    read: int = 0
    sent: int = 0
    unchanged: int = 0
    refused: int = 0
    refused_unreadable: int = 0
    deleted: int = 0
    held: int = 0

    @property
    def balanced(self) -> bool:
        return self.read == self.sent + self.unchanged + self.refused


@dataclass(frozen=True, slots=True)
class Closing:
    """What a cycle was besides an ordinary one, and what its source has heard."""

    inventory: Buckets | None = None
    resend: Resend | None = None
    heard: int = 0
    clean: Clean | None = None


def closed(position: Position, counts: Counts, snapshot: Snapshot, closing: Closing, mapping: str) -> Position:
    """The position when the cycle has closed."""
    snapshot_ms, present_ms = snapshot.at_ms, snapshot.present_ms
    resent_all = closing.resend is not None and not closing.resend.buckets
    lost = position.present_stopped == STORE_LOST and not resent_all
    stopped = STORE_LOST if lost else FUSE if counts.held else None
    after = replace(
        position,
        closed_cycle=position.cycle,
        closed_at=snapshot_ms,
        # Where deletions are not told, rows that are gone may be among those that were read.
        rows_at_source=counts.read if present_ms == snapshot_ms else None,
        vanished=recent(position.vanished, snapshot_ms),
        held=counts.held,
        present_stopped=stopped,
        alias_epoch=0,
        mapping=mapping,
    )
    if stopped is None:
        after = replace(after, complete_until=snapshot_ms, complete_cycle=position.cycle, present_until=present_ms)
    return _counted(after, closing)


def _counted(position: Position, closing: Closing) -> Position:
    cycle, at = position.closed_cycle, position.closed_at
    if closing.clean and closing.clean.cycle > position.clean_cycle:
        position = replace(position, clean_cycle=closing.clean.cycle, clean_at=closing.clean.at_ms)
    if closing.inventory is not None:
        # What was said of earlier inventories has had its say.
        position = replace(position, inventory_cycle=cycle, inventory_at=at, reconciled=closing.heard)
    return replace(position, resent_cycle=cycle) if closing.resend is not None else position


def watermarks(
    position: Position, counts: Counts, contract: Contract, prefix: str, department: str, *, stated: bool
) -> list[Outgoing]:
    """The closed cycle's watermark for every partition, each with that partition's own sum."""
    topic = topics.dept(prefix, department)
    headers = (("source", position.source.encode()),)
    return [
        Outgoing(topic, partition, key(position.source, partition), contract.encode(NAME, value), headers)
        for partition, value in enumerate(_values(position, counts, stated=stated))
    ]


def key(source: str, partition: int) -> bytes:
    return f"~watermark:{source}:{partition}".encode()


def _values(position: Position, counts: Counts, *, stated: bool) -> list[dict[str, Any]]:
    said = {
        "source": position.source,
        "epoch": position.epoch,
        "cycle": position.closed_cycle,
        "snapshot_at": position.closed_at,
        "alias_epoch": position.alias_epoch,
        "inventory": position.inventory_cycle == position.closed_cycle,
        "clean_inventory": position.clean_cycle,
        "opens_resend": None,
        "rows_at_source": position.rows_at_source,
        "read": counts.read,
        "sent": counts.sent,
        "unchanged": counts.unchanged,
        "refused": counts.refused,
        "refused_unreadable": counts.refused_unreadable,
        "deleted": counts.deleted,
        "held": counts.held,
        "read_until": position.closed_at,
        "complete_until": position.complete_until,
        "complete_cycle": position.complete_cycle,
        "present_until": position.present_until,
        "identity_until": position.closed_at,
        "stated": stated,
        "broken_since": None,
        "break_kind": None,
    }
    return [
        {**said, "partition": partition, "sum_count": each.count, "sum_digest": each.digest_bytes}
        for partition, each in enumerate(position.sums)
    ]
