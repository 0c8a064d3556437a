"""One cycle: number, snapshot, what changed, what is gone, watermark.

Now and then a cycle is an *inventory*, which counts all it reads against the exchange, or a *resend*, which first
asks the partitions what they hold. All three read the same and send the same way.

Rows of one record id leave together, for none may leave before all are known (`connectors.groups`): they are
mapped, and what the store lacks is sent. Memory holds the record ids, and never the rows.

A row flagged as deleted counts as not there: it is in no count but `deleted`, once its DELETE goes out. All is
counted in rows but what is gone, which is counted in record ids: of a group that is gone nobody knows any more
how many rows it had.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Event

from connectors import fuse
from connectors.counting import Counting
from connectors.groups import together
from connectors.inventory import Inventory
from connectors.mapper import Mapped, Mapper
from connectors.mapping import Source
from connectors.metrics import Metrics
from connectors.plan import Change, changed, vanished
from connectors.position import Position
from connectors.publish import Publisher
from connectors.resend import Resend
from connectors.sources.snapshot import Rows, Snapshot
from connectors.watermark import Counts
from process.errors import PermanentError, TransientError
from process.logs import error
from process.messages import say

# A source in which nothing happens says so this often.
IDLE_WATERMARK_SECONDS = 10.0


@dataclass(slots=True)
class Report:
    """What a cycle came to."""

    cycle: int
    snapshot_ms: int
    counts: Counts = field(default_factory=Counts)
    reasons: Counter[str] = field(default_factory=Counter)
    inventory: Inventory | None = None
    resend: Resend | None = None
    closed: bool = False

    @property
    def changed(self) -> bool:
        return bool(self.counts.sent or self.counts.deleted)


class Cycles:
    """Runs cycles of one source, one after the other."""

    def __init__(
        self,
        source: Source,
        rows: Rows,
        mapper: Mapper,
        publisher: Publisher,
        counting: Counting,
        metrics: Metrics,
    ) -> None:
        self._source, self._rows, self._mapper = source, rows, mapper
        self._publisher, self._store, self._folder = publisher, counting.store, counting.store.folder
        self._counting, self._metrics = counting, metrics
        self._stop = Event()
        self._next_watermark = 0.0

    def run(self, stop: Event, *, always_close: bool, inventory: bool = False) -> Report:
        """One cycle. What it raises has abandoned it: the next takes a new number."""
        self._stop = stop
        began = time.monotonic()
        self._publisher.take_number()
        resend = self._counting.opened()
        with self._rows.snapshot(self.position.closed_at or 0) as snapshot:
            self._refuse_another_incarnation(snapshot)
            report = Report(self._publisher.position.cycle, snapshot.at_ms, resend=resend)
            if resend is None and (inventory or self._counting.inventory_due(snapshot.at_ms)):
                report.inventory = self._counting.inventory()
            sent = self._send(snapshot, report)
            if always_close or sent or snapshot.owed or self._due(report):
                self._close(snapshot, report)
        self._metrics.cycle(report.counts, report.reasons, report.snapshot_ms, time.monotonic() - began)
        self._metrics.found(report.counts, resend.breaks if resend else None)
        return report

    def _refuse_another_incarnation(self, snapshot: Snapshot) -> None:
        position = self._publisher.position
        known = position.closed_cycle > 0 or position.transaction_id
        if known and position.incarnation != snapshot.incarnation:
            raise PermanentError(say("connectors.incarnation_changed", source=self._source.name))

    def _send(self, snapshot: Snapshot, report: Report) -> int:
        seen: set[str] = set()
        known = self._store.count()
        changes = self._changes(snapshot, seen, report)
        sent = sum(1 for _ in self._publish(changes, snapshot))
        gone = [(record_id, notes) for record_id, notes in self._store.all() if record_id not in seen]
        if self._held(len(gone), known, report):
            report.counts.held = len(gone)
            return sent
        for _ in self._publish((vanished(record_id, notes) for record_id, notes in gone), snapshot):
            report.counts.deleted += 1
        if self._publisher.position.held == 0:
            fuse.remove_release(self._folder)
        return sent + report.counts.deleted

    def _publish(self, changes: Iterable[Change], snapshot: Snapshot) -> Iterator[Change]:
        for change in self._publisher.send(changes, snapshot.at_ms, snapshot.incarnation, self._store):
            yield change
            if self._stop.is_set():
                # A first cycle may take an hour; what is committed is not sent again by the next one.
                raise TransientError(say("connectors.asked_to_stop", source=self._source.name))

    def _changes(self, snapshot: Snapshot, seen: set[str], report: Report) -> Iterator[Change]:
        for mapped in self._mapped(snapshot, seen):
            noted = self._store.noted(mapped.record_id)
            change = changed(mapped, noted)
            self._count(mapped, change, report)
            if report.inventory:
                report.inventory.add(mapped, change.after if change else noted)
            if report.resend:
                report.resend.judge(mapped)
            if change:
                yield change

    def _mapped(self, snapshot: Snapshot, seen: set[str]) -> Iterator[Mapped]:
        """Every row that is there, once; rows of one record id together."""
        for rows in together(snapshot, self._mapper, self._source.mapping):
            mapped = self._mapper.map_all(rows)
            # Rows without an id are the same when all of them is.
            if not mapped.gone and mapped.record_id not in seen:
                seen.add(mapped.record_id)
                yield mapped

    def _count(self, mapped: Mapped, change: Change | None, report: Report) -> None:
        counts = report.counts
        counts.read += mapped.rows
        if mapped.refusal:
            counts.refused += mapped.rows
            counts.refused_unreadable += mapped.refusal.unreadable_rows
            report.reasons[mapped.refusal.reason] += mapped.rows
        elif change:
            counts.sent += mapped.rows
        else:
            counts.unchanged += mapped.rows
        for each in mapped.defects:
            self._metrics.left_out(each)

    def _held(self, gone: int, known: int, report: Report) -> bool:
        position = self._publisher.position
        if position.held == 0:
            # What is left of a release that has done its work must not let the next hold through.
            fuse.remove_release(self._folder)
        release = fuse.read_release(self._folder)
        held = fuse.holds(gone, known, position, report.snapshot_ms, release)
        if held and gone != position.held:
            error("fuse.held", source=self._source.name, cycle=report.cycle, held=gone)
        return held

    def _due(self, report: Report) -> bool:
        counted = report.inventory is not None or report.resend is not None or self._counting.hears_of_a_clean_one()
        held_differs = report.counts.held != self._publisher.position.held
        return counted or held_differs or time.monotonic() >= self._next_watermark

    def _close(self, snapshot: Snapshot, report: Report) -> None:
        if report.counts.held:
            # Rows that are gone and may not go yet stand on one side only: nothing would be proven.
            report.inventory = None
        closing = self._counting.closing(report.inventory, report.resend)
        self._publisher.close_cycle(report.counts, snapshot, self._store, closing)
        self._counting.told(report.resend, report.cycle)
        report.closed = True
        self._next_watermark = time.monotonic() + IDLE_WATERMARK_SECONDS
        self._metrics.closed(self.position, time.time())

    @property
    def position(self) -> Position:
        return self._publisher.position
