"""What a connector tells Prometheus; subjects and rows are never labels."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from connectors.mapping import Source
from connectors.position import Position
from connectors.watermark import Counts

_LABELS = ("department", "source")
_PREFIX = "tongban_connector_"


class Metrics:
    """The metrics of one source."""

    def __init__(self, source: Source) -> None:
        self.registry = CollectorRegistry()
        self._labels = (source.department, source.name)
        self._connected = self._gauge("source_connected", "Whether the source answered when it was last asked.")
        self._cycles = self._counter("cycles", "Cycles, by how they ended.", "outcome")
        self._rows_read = self._gauge("rows_read", "Rows read in the newest closed cycle.")
        self._refused = self._gauge("records_refused", "Rows refused in the newest cycle, by reason.", "reason")
        self._sent = self._counter("records_sent", "Rows of which a new version was sent.")
        self._unchanged = self._counter("records_unchanged", "Rows that were not sent, for nothing had changed.")
        self._deleted = self._counter("records_deleted", "Rows that were gone and whose deletion was sent.")
        self._paths = self._counter("rows_by_path", "Rows sent or deleted, by what found them.", "path")
        self._breaks = self._counter("breaks", "Statements that differed at the exchange, by kind.", "kind")
        self._inventoried = self._gauge("inventory_timestamp_seconds", "The source's clock at the newest inventory.")
        self._clean = self._gauge("clean_inventory_timestamp_seconds", "The same, of the newest that was clean.")
        self._held = self._gauge("deletes_held", "Deletions the fuse holds back.")
        self._stopped = self._gauge("present_stopped", "Whether present_until stands still, by why.", "reason")
        self._defects = self._counter("values_left_out", "Values that could not be read, by field.", "field")
        self._closed = self._gauge("last_cycle_timestamp_seconds", "When the newest cycle closed.")
        self._snapshot = self._gauge("snapshot_timestamp_seconds", "The source's clock at the newest snapshot.")
        self._duration = self._gauge("cycle_duration_seconds", "How long the newest cycle took.")
        self._rebuilt = self._counter("rebuilds", "How often the sender was made anew after a doubt.")
        self._fenced = self._counter("fenced", "How often another instance took this one's place.")
        self._alarms = self._gauge("source_alarms", "Files that are refused or waited for, by reason.", "reason")
        self._refused_seen: set[str] = set()
        self._alarms_seen: set[str] = set()
        self._stopped_seen: set[str] = set()

    def connected(self, *, answers: bool) -> None:
        self._connected.labels(*self._labels).set(answers)

    def alarmed(self, counted: Mapping[str, int]) -> None:
        """How much a person should look at, by reason; none, once it is over."""
        self._alarms_seen |= set(counted)
        for reason in self._alarms_seen:
            self._alarms.labels(*self._labels, reason).set(counted.get(reason, 0))

    def ended(self, outcome: str) -> None:
        self._cycles.labels(*self._labels, outcome).inc()

    def rebuilt(self) -> None:
        self._rebuilt.labels(*self._labels).inc()

    def fenced(self) -> None:
        self._fenced.labels(*self._labels).inc()

    def left_out(self, field: str) -> None:
        self._defects.labels(*self._labels, field).inc()

    def cycle(self, counts: Counts, reasons: dict[str, int], snapshot_ms: int, seconds: float) -> None:
        """What the newest cycle came to."""
        self._rows_read.labels(*self._labels).set(counts.read)
        self._sent.labels(*self._labels).inc(counts.sent)
        self._unchanged.labels(*self._labels).inc(counts.unchanged)
        self._deleted.labels(*self._labels).inc(counts.deleted)
        self._held.labels(*self._labels).set(counts.held)
        self._snapshot.labels(*self._labels).set(snapshot_ms / 1000)
        self._duration.labels(*self._labels).set(seconds)
        self._refused_seen |= set(reasons)
        for reason in self._refused_seen:
            self._refused.labels(*self._labels, reason).set(reasons.get(reason, 0))

    def found(self, counts: Counts, breaks: Mapping[str, int] | None) -> None:
        """Which way rows were found to differ: by polling, or by a resend (`breaks`) that repairs what polling lost."""
        path = "polled" if breaks is None else "repaired"
        self._paths.labels(*self._labels, path).inc(counts.sent + counts.deleted)
        for kind, count in (breaks or {}).items():
            self._breaks.labels(*self._labels, kind).inc(count)

    def closed(self, position: Position, now_seconds: float) -> None:
        """A watermark went out."""
        self._inventoried.labels(*self._labels).set((position.inventory_at or 0) / 1000)
        self._clean.labels(*self._labels).set((position.clean_at or 0) / 1000)
        self._closed.labels(*self._labels).set(now_seconds)
        if position.present_stopped:
            self._stopped_seen.add(position.present_stopped)
        for reason in self._stopped_seen:
            self._stopped.labels(*self._labels, reason).set(reason == position.present_stopped)

    def _gauge(self, name: str, doc: str, *more: str) -> Gauge:
        return Gauge(_PREFIX + name, doc, (*_LABELS, *more), registry=self.registry)

    def _counter(self, name: str, doc: str, *more: str) -> Counter:
        return Counter(_PREFIX + name, doc, (*_LABELS, *more), registry=self.registry)
