"""What the exchange shows Prometheus: few label values, never a subject."""

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange.ledger import Ledger
from exchange.owner import Tally
from exchange.standing import Standing
from exchange.watermarks import Source
from transport import loop


class Metrics:
    """One worker's metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._records = Counter(
            "tongban_exchange_records",
            "Messages taken, by what came of them.",
            ["department", "outcome"],
            registry=self.registry,
        )
        self._published = Counter("tongban_exchange_entries_published", "Entries published.", registry=self.registry)
        self._transactions = Counter("tongban_exchange_transactions", "Transactions committed.", registry=self.registry)
        self.waiting_for_schema = Gauge(
            "tongban_exchange_waiting_for_schema",
            "Unknown schemas whose messages are still waited with.",
            registry=self.registry,
        )
        self._partitions = Gauge("tongban_exchange_partitions", "Partitions owned.", registry=self.registry)
        self._sources = _Sources()
        self.registry.register(self._sources)

    def watch(self, tally: loop.Tally) -> None:
        """Show what the safe loop counts."""
        self.registry.register(_Loop(tally))

    def assigned(self, partitions: Sequence[int], ledger: Ledger) -> None:
        """Partitions were given to this worker."""
        self._partitions.set(len(partitions))
        self._sources.show(partitions, ledger)

    def committed(self, tallies: Sequence[Tally], partitions: Sequence[int], ledger: Ledger) -> None:
        """A transaction has committed."""
        self._transactions.inc()
        for tally in tallies:
            self._published.inc(tally.published)
            for (department, outcome), count in tally.outcomes.items():
                self._records.labels(department, outcome).inc(count)
        self._sources.show(partitions, ledger)


class AuditMetrics(Collector):
    """The auditor's metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._inventories = Counter(
            "tongban_audit_inventories", "Inventories judged.", ["source", "outcome"], registry=self.registry
        )
        self._standings: Mapping[str, Standing] = {}
        self.registry.register(self)

    def judged(self, verdict: Mapping[str, Any]) -> None:
        """An inventory has been compared."""
        self._inventories.labels(verdict["source"], "clean" if verdict["clean"] else "differs").inc()

    def show(self, standings: Mapping[str, Standing]) -> None:
        """Show these sources from now on."""
        self._standings = dict(standings)

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked for before there is something to show."""
        return ()

    def collect(self) -> Iterable[Metric]:
        known = self._standings
        breaks = GaugeMetricFamily(
            "tongban_audit_open_breaks",
            "Statements that differ, by the kind a resend named.",
            labels=["source", "kind"],
        )
        for source, standing in known.items():
            for kind, count in sorted(standing.breaks.items()):
                breaks.add_metric([source, kind], count)
        yield breaks
        yield _gauge("differing_buckets", "Buckets that differed at the newest inventory.", known, lambda s: s.buckets)
        yield _gauge("rows_missing", "Rows that buckets lacked at the newest inventory.", known, lambda s: s.missing)
        yield _gauge("rows_extra", "Rows that buckets had too many at the newest inventory.", known, lambda s: s.extra)
        until = "verified_until_timestamp_seconds"
        yield _gauge(until, "Snapshot of the newest clean inventory; 0: none.", known, lambda s: _at(s.verified_until))
        since = "open_since_timestamp_seconds"
        yield _gauge(since, "Snapshot that showed the oldest open break; 0: none.", known, lambda s: _at(s.open_since))


def _gauge(name: str, told: str, known: Mapping[str, Standing], of: Callable[[Standing], float]) -> Metric:
    family = GaugeMetricFamily(f"tongban_audit_{name}", told, labels=["source"])
    for source, standing in known.items():
        family.add_metric([source], of(standing))
    return family


def _at(time: datetime | None) -> float:
    return time.timestamp() if time else 0.0


class _Sources(Collector):
    """Every source in the partitions owned, as of the last transaction; nothing stays of partitions given away."""

    def __init__(self) -> None:
        self._known: Mapping[str, Sequence[Source]] = {}

    def show(self, partitions: Sequence[int], ledger: Ledger) -> None:
        """Show these partitions from now on."""
        names = sorted({name for partition in partitions for name, _ in ledger.sources(partition)})
        self._known = {name: [ledger.source(partition, name) for partition in partitions] for name in names}

    def collect(self) -> Iterable[Metric]:
        known = self._known
        breaks = GaugeMetricFamily(
            "tongban_exchange_open_breaks",
            "Partitions in which the stream audit stands broken.",
            labels=["source", "kind"],
        )
        for name, here in known.items():
            for kind, count in sorted(Counts(source.break_kind for source in here if source.break_kind).items()):
                breaks.add_metric([name, kind], count)
        yield breaks
        yield _by_source("live_rows", "Source rows live in the partitions owned.", known, lambda s: s.rows.live)
        yield _by_source(
            "refused_rows", "Source rows refused in the partitions owned.", known, lambda s: s.rows.refused
        )
        complete = "complete_until_timestamp_seconds"
        yield _by_source(
            complete, "Least complete_until over the partitions owned.", known, _complete_until, least=True
        )


def _by_source(
    name: str,
    told: str,
    known: Mapping[str, Sequence[Source]],
    of: Callable[[Source], float],
    *,
    least: bool = False,
) -> Metric:
    family = GaugeMetricFamily(f"tongban_exchange_{name}", told, labels=["source"])
    for source, here in known.items():
        values = [of(each) for each in here]
        family.add_metric([source], min(values) if least else sum(values))
    return family


def _complete_until(source: Source) -> float:
    """0 where nothing can be concluded, as in a partition that has not heard of the source."""
    return _at(source.watermark["complete_until"] if source.watermark else None)


class _Loop(Collector):
    """The safe loop's own counts, as they are when asked."""

    def __init__(self, tally: loop.Tally) -> None:
        self._tally = tally

    def collect(self) -> Iterable[Metric]:
        rebuilds = CounterMetricFamily(
            "tongban_exchange_rebuilds", "Producers made anew, by reason.", labels=["reason"]
        )
        for reason, count in sorted(self._tally.rebuilds.items()):
            rebuilds.add_metric([reason], count)
        yield rebuilds
        behind = GaugeMetricFamily("tongban_exchange_behind_messages", "Messages not yet taken.", labels=["topic"])
        ahead: Counts[str] = Counts()
        for (topic, _), count in self._tally.behind.items():
            ahead[topic] += count
        for topic, count in sorted(ahead.items()):
            behind.add_metric([topic], count)
        yield behind
