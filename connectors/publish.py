"""Publish: changes, the position and its sums go out in one transaction, noted before and settled after.

Nobody else writes under the source's transactional id: taking it fences whoever had it. Whatever becomes
doubtful is left as it is; `recover` takes the id again, reads what is committed, and goes on from there.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors import inventory, watermark
from connectors import position as positions
from connectors.fuse import with_gone
from connectors.mapper import Refusal, meta
from connectors.mapping import Source
from connectors.plan import Change, Statement
from connectors.position import Position
from connectors.reconciliation import Inbox
from connectors.sources.snapshot import Snapshot
from connectors.store import Store
from connectors.watermark import STORE_LOST, Closing, Counts
from process.errors import FencedError
from process.logs import warn
from process.messages import say
from schemas import topics
from schemas.audit import AuditKey
from schemas.codec import Contract
from schemas.subjects import partition
from transport.client import Client, Doubt, Outgoing

BATCH_ROWS = 2_000
BATCH_BYTES = 4 << 20
# A sender that took longer to commit makes itself anew at its next transaction, without telling.
_SLOW_SECONDS = 1.5
_REFUSAL = "quarantine/refusal-1"
_ORDINARY = Closing()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change as its messages."""

    change: Change
    records: tuple[Outgoing, ...]
    quarantine: tuple[Outgoing, ...]

    @property
    def bytes(self) -> int:
        return sum(len(message.value or b"") for message in (*self.records, *self.quarantine))


class Publisher:
    """What one source sends, and how far it is."""

    def __init__(
        self,
        client: Client,
        source: Source,
        contract: Contract,
        audit: AuditKey,
        partitions: int,
        prefix: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._source, self._contract, self._audit = client, source, contract, audit
        self._partitions, self._prefix = partitions, prefix
        self._transactions = client.transactions(transactional_id(prefix, source))
        self.position = Position.first(source.name, partitions)
        self.inbox = Inbox(client, source, contract, prefix)
        self._clock = clock
        self._slow = self._began = False
        self._committed: Position | None = None
        self._attempted: Position | None = None

    def recover(self, store: Store) -> None:
        """Take the transactional id, and only then read how far we are; the store has to lead there."""
        self._transactions.rebuild()
        self._slow = False
        found = self._read()
        self._refuse_a_rivals(found)
        self._committed, self._attempted = found, None
        self.position = found or Position.first(self._source.name, self._partitions)
        self.inbox.begin(self.position.reconciled)
        if not found or not store.matches(found.transaction_id):
            self._begin_anew(store)

    def _begin_anew(self, store: Store) -> None:
        """The store is lost, or an older copy: everything is sent again, and nothing more is said of what is gone.

        That it was lost stands in every position from here on, the next number's first. Should that one not
        be committed, the emptied store matches nothing, and is found lost again.
        """
        store.wipe()
        if self.position.transaction_id:
            warn("store.lost", source=self._source.name, cycle=self.position.cycle)
            self.position = replace(self.position, present_stopped=STORE_LOST)

    def take_number(self) -> None:
        """Open the next cycle; its number is never used again, whatever becomes of the cycle."""
        self._commit((), self.position.numbered())

    def raise_epoch(self, incarnation: str) -> None:
        """Accept another incarnation of the source: its rows count as newer than all before."""
        self._commit((), replace(self.position, epoch=self.position.epoch + 1, incarnation=incarnation))

    def send(self, changes: Iterable[Change], snapshot_ms: int, incarnation: str, store: Store) -> Iterator[Change]:
        """Send the changes in transactions of bounded size, and give back each one that is committed."""
        prepared = (self._prepare(change, snapshot_ms) for change in changes)
        for batch in _batches(prepared):
            self._send(batch, snapshot_ms, incarnation, store)
            yield from (each.change for each in batch)

    def open_resend(self, request: str, buckets: frozenset[int]) -> None:
        """Ask every partition what it holds at this place."""
        self._commit([self._marker(number, request, buckets) for number in range(self._partitions)], self.position)

    def close_cycle(self, counts: Counts, snapshot: Snapshot, store: Store, closing: Closing = _ORDINARY) -> None:
        """Tell every partition what the cycle lets readers conclude, and the auditor what there is to compare."""
        after = watermark.closed(self.position, counts, snapshot, closing, self._source.fingerprint)
        after = replace(after, incarnation=snapshot.incarnation)
        if closing.resend is not None:
            # The store has become what the position leads to, also where nothing had to be sent.
            after = replace(after, transaction_id=positions.new_transaction_id())
            store.note((), after.transaction_id, before=self.position.transaction_id)
        marks = watermark.watermarks(
            after, counts, self._contract, self._prefix, self._source.department, stated=snapshot.stated
        )
        self._commit([*marks, *self._reconciliation(after, closing)], after)

    def close(self) -> None:
        self._transactions.close()
        self.inbox.close()

    def _reconciliation(self, after: Position, closing: Closing) -> Iterator[Outgoing]:
        topic, key = topics.reconciliation(self._prefix, self._source.department), self._source.name.encode()
        at = after.closed_at or 0
        if closing.inventory is not None:
            value = inventory.encoded(closing.inventory, self._source.name, after.closed_cycle, at, self._contract)
            yield Outgoing(topic, 0, key, value, self._headers)
        if closing.resend is not None:
            kinds = [{"kind": kind, "count": count} for kind, count in sorted(closing.resend.breaks.items())]
            told = {"source": self._source.name, "cycle": after.closed_cycle, "found_at": at, "kinds": kinds}
            yield Outgoing(topic, 0, key, self._contract.encode("reconciliation/breaks-1", told), self._headers)

    def _marker(self, number: int, request: str, buckets: frozenset[int]) -> Outgoing:
        told = {"source": self._source.name, "partition": number, "request": request, "buckets": sorted(buckets)}
        topic = topics.dept(self._prefix, self._source.department)
        key = watermark.key(self._source.name, number)
        return Outgoing(topic, number, key, self._contract.encode("reconciliation/marker-1", told), self._headers)

    def _send(self, batch: Sequence[Prepared], snapshot_ms: int, incarnation: str, store: Store) -> None:
        records = [message for each in batch for message in each.records]
        quarantine = [message for each in batch for message in each.quarantine]
        after = self._after(batch, records, snapshot_ms, incarnation)
        changes = [each.change for each in batch]
        store.note(changes, after.transaction_id, before=self.position.transaction_id)
        self._commit([*records, *quarantine], after)
        store.settle(changes)

    def _after(
        self, batch: Sequence[Prepared], records: Sequence[Outgoing], snapshot_ms: int, incarnation: str
    ) -> Position:
        gone = sum(each.change.vanished for each in batch)
        sums = [(m.partition, self._audit.of_message(m.key or b"", m.value)) for m in records]
        lately = self.position.vanished
        return replace(
            self.position.after_messages(sums),
            transaction_id=positions.new_transaction_id(),
            incarnation=incarnation,
            vanished=with_gone(lately, snapshot_ms, gone) if gone else lately,
            held=max(0, self.position.held - gone),
        )

    def _commit(self, messages: Sequence[Outgoing], after: Position) -> None:
        if self._slow:
            self._take_again()
        said = positions.outgoing(after, self._contract, self._prefix, self._source.department)
        self._attempted = after
        try:
            self._transactions.begin()
            for message in (*messages, said):
                self._transactions.send(message)
            self._transactions.seal()
            began = self._clock()
            self._transactions.commit()
        except Doubt:
            self._transactions.abort()
            raise
        self._slow = self._clock() - began > _SLOW_SECONDS
        self.position = self._committed = after

    def _take_again(self) -> None:
        """After a slow commit the sender is made anew: nobody may have written under our id in between."""
        self._transactions.rebuild()
        self._refuse_a_rivals(self._read())
        self._slow = False

    def _refuse_a_rivals(self, found: Position | None) -> None:
        """A position that this process neither read nor wrote is another's: that one goes on, and we stop.

        To be fenced alone says less: the broker fences a sender whose transaction took too long, too.
        """
        if self._began and found not in (self._committed, self._attempted):
            raise FencedError(say("connectors.overtaken", source=self._source.name))
        self._began = True

    def _read(self) -> Position | None:
        return positions.read(self._client, self._contract, self._prefix, self._source.department, self._source.name)

    def _prepare(self, change: Change, snapshot_ms: int) -> Prepared:
        records = tuple(self._message(change.record_id, statement, snapshot_ms) for statement in change.statements)
        quarantine = (self._quarantined(change, change.refusal, snapshot_ms),) if change.refusal else ()
        return Prepared(change, records, quarantine)

    def _message(self, record_id: str, statement: Statement, snapshot_ms: int) -> Outgoing:
        target = statement.target
        head = meta(self._source.name, record_id, target.part, statement.operation)
        if statement.value:
            head = statement.value["meta"]
        head = {
            **head,
            "epoch": self.position.epoch,
            "cycle": self.position.cycle,
            "moved_to": statement.moved_to,
            "row_hash": statement.row_hash,
            "rows": statement.rows,
            "observed_at": snapshot_ms,
        }
        body = statement.value or dict.fromkeys(f["name"] for f in self._contract[target.type].document["fields"])
        value = self._contract.encode(target.type, {**body, "meta": head})
        topic = topics.dept(self._prefix, self._source.department)
        where = partition(target.subject, self._partitions)
        return Outgoing(topic, where, target.subject.encode(), value, self._headers)

    def _quarantined(self, change: Change, refusal: Refusal, snapshot_ms: int) -> Outgoing:
        value: dict[str, Any] = {
            "source": self._source.name,
            "record_id": change.record_id,
            "stage": "connector",
            "reason": refusal.reason,
            "fields": list(refusal.fields),
            "topic": None,
            "partition": None,
            "offset": None,
            "epoch": self.position.epoch,
            "cycle": self.position.cycle,
            "observed_at": snapshot_ms,
            "rows": change.rows,
            "key": None,
            "body": refusal.body,
            "headers": [],
        }
        key = f"{self._source.name}\0{change.record_id}"
        topic = topics.quarantine(self._prefix, self._source.department)
        where = partition(key, self._partitions)
        return Outgoing(topic, where, key.encode(), self._contract.encode(_REFUSAL, value), self._headers)

    @property
    def _headers(self) -> tuple[tuple[str, bytes], ...]:
        return (("source", self._source.name.encode()),)


def transactional_id(prefix: str, source: Source) -> str:
    return f"{prefix}connector-{source.department}-{source.name}"


def _batches(prepared: Iterable[Prepared]) -> Iterator[list[Prepared]]:
    batch: list[Prepared] = []
    size = 0
    for each in prepared:
        if batch and (len(batch) >= BATCH_ROWS or size + each.bytes > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += each.bytes
    if batch:
        yield batch
