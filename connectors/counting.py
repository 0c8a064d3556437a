"""Counting: when a source is inventoried, when it is resent, and how a resend is opened.

An inventory is due at the first cycle, after every resend, and as often as the source's file says: by the source's
own clock, and by ours where that stands still because nothing is handed over. A resend is due when the auditor
found the newest inventory to differ, and when the store was lost: then for all buckets, and until it is answered
nothing is concluded.
"""

import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

from connectors.inventory import Inventory
from connectors.mapping import Source
from connectors.publish import Publisher
from connectors.reconciliation import HeldRows
from connectors.resend import ALL, Resend, joined
from connectors.store import Store
from connectors.watermark import STORE_LOST, Closing
from process.logs import error, log, warn
from schemas.audit import BUCKETS, AuditKey
from schemas.codec import Contract

# Rows asked for at once: the lists are in memory here, and in one transaction at the exchange.
_ROWS_AT_ONCE = 100_000
_MOST_SLICES = 16
# What a resend does not mend, the next one hardly does.
_PAUSE_SECONDS = 60.0


class Timing(NamedTuple):
    """How often everything is counted, and how long partitions may take to say what they hold."""

    inventory_seconds: float
    resend_wait_seconds: float


class Counting:
    """The second looks at one source."""

    def __init__(
        self,
        source: Source,
        contract: Contract,
        audit: AuditKey,
        publisher: Publisher,
        store: Store,
        timing: Timing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._contract, self._audit = source, contract, audit
        self._publisher, self.store, self._timing, self._clock = publisher, store, timing, clock
        self._not_before = 0.0
        self._counted_at = clock()

    # --- inventories -------------------------------------------------------------------------------------------------
    def inventory_due(self, snapshot_ms: int) -> bool:
        position = self._publisher.position
        if position.inventory_at is None or position.inventory_cycle < position.resent_cycle:
            return True
        if self._clock() - self._counted_at >= self._timing.inventory_seconds:
            return True
        return snapshot_ms - position.inventory_at >= self._timing.inventory_seconds * 1000

    def inventory(self) -> Inventory:
        """An empty one, to be filled by the cycle."""
        self._counted_at = self._clock()
        return Inventory(self._audit)

    def hears_of_a_clean_one(self) -> bool:
        """Whether a watermark has to tell the partitions that an inventory was clean."""
        clean = self._publisher.inbox.clean
        return clean is not None and clean.cycle > self._publisher.position.clean_cycle

    # --- resends -----------------------------------------------------------------------------------------------------
    def opened(self) -> Resend | None:
        """A resend that is due and answered; the store is right then for what it covers."""
        self._publisher.inbox.read()
        buckets = self._wanted()
        if buckets is None or self._clock() < self._not_before:
            return None
        self._not_before = self._clock() + _PAUSE_SECONDS
        resend = Resend(buckets)
        for some in in_parts(buckets, self._publisher.position.rows_at_source or 0):
            held = self._held(some)
            if held is None:
                warn("resend.unanswered", source=self._source.name, seconds=self._timing.resend_wait_seconds)
                return None
            self._set_right(resend, some, held)
        return resend

    def closing(self, inventory: Inventory | None, resend: Resend | None) -> Closing:
        """What the close of this cycle has to tell besides."""
        if resend:
            resend.close()
        inbox = self._publisher.inbox
        return Closing(inventory.buckets if inventory else None, resend, inbox.offset, inbox.clean)

    def told(self, resend: Resend | None, cycle: int) -> None:
        """A resend has closed: say what it found."""
        if resend is None:
            return
        log("resend.closed", source=self._source.name, cycle=cycle, count=len(resend.buckets))
        for kind, count in sorted(resend.breaks.items()):
            error("resend.break", source=self._source.name, cycle=cycle, kind=kind, count=count)

    def _wanted(self) -> frozenset[int] | None:
        position, request = self._publisher.position, self._publisher.inbox.request
        if position.present_stopped == STORE_LOST:
            return ALL
        if request and request.inventory == position.inventory_cycle > position.resent_cycle:
            return request.buckets
        return None

    def _held(self, buckets: frozenset[int]) -> HeldRows | None:
        """What the partitions hold of these buckets; None when some do not say so in time."""
        request = secrets.token_hex(8)
        self._publisher.open_resend(request, buckets)
        partitions = len(self._publisher.position.sums)
        return self._publisher.inbox.lists(request, partitions, self._timing.resend_wait_seconds)

    def _set_right(self, resend: Resend, buckets: frozenset[int], held: HeldRows) -> None:
        """The store's notes of these buckets as the partitions see them."""
        position = self._publisher.position
        own = {
            record_id: notes
            for record_id, notes in self.store.all()
            if not buckets or self._audit.bucket(record_id) in buckets
        }
        if position.present_stopped != STORE_LOST:
            # What a store that was lost had sent is not known: there is nothing to compare.
            resend.compare(own, held, (position.epoch, position.cycle))
        rows = own.keys() | held.keys()
        self.store.join((row, joined(own.get(row, ()), held.get(row, ()), self._type)) for row in rows)

    def _type(self, part: str, subject: str) -> str:
        """The record type of a statement that only its part and subject are known of; one that may carry its DELETE."""
        kind = "natural_person" if subject.startswith("person:") else "legal_person"
        parts = self._source.mapping.records
        fits = (each.type for each in parts if each.part == part and each.subject == kind)
        return next(fits, None) or self._any_type(kind) or parts[0].type

    def _any_type(self, kind: str) -> str | None:
        department = self._source.department
        names = (name for name in self._contract.names() if self._contract[name].department == department)
        return next((name for name in names if self._contract[name].subject == kind), None)


def in_parts(buckets: frozenset[int], rows: int) -> list[frozenset[int]]:
    """The buckets in as many parts as the rows in them need; all of them in one go where they are few."""
    wanted = len(buckets) or BUCKETS
    count = min(rows * wanted // BUCKETS // _ROWS_AT_ONCE + 1, _MOST_SLICES, wanted)
    if count == 1:
        return [buckets]
    named = sorted(buckets) or range(BUCKETS)
    return [frozenset(named[start::count]) for start in range(count)]
