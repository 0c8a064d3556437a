"""The auditor: compares each inventory of a source with what the partitions held when they took its watermark.

The connector's sums and the partitions' are messages in `reconciliation.<department>`; once all are there they
are compared bucket by bucket. The verdict goes into the same topic: a clean one releases what a broken stream
holds back, one that is not comes with a request to send again what differs. It runs in the safe loop, so there
is one auditor, and a verdict is given once.

Nothing is stored: what was not judged yet is read again from the topic, some way back. An inventory that is
older than that is left unjudged, and the next one says as much.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Thread
from typing import Any

from exchange import control
from exchange.idle import stop_when_idle
from exchange.metrics import AuditMetrics
from exchange.settings import Settings
from exchange.standing import Standing, heard
from process import health
from process.logs import error, log, warn
from schemas import topics
from schemas.audit import Buckets, Sum, buckets_of
from schemas.codec import Contract, UndecodableError
from schemas.installed import Installed
from transport import loop
from transport.client import Client, Message, Outgoing, TopicPartition, connect

_LOOK_BACK = 2_000
# Inventories of a source that may be waited for at once; an older one is given up.
_WAITING = 3


@dataclass(slots=True)
class Gathered:
    """The sums of one inventory, as far as they have come."""

    snapshot_at: datetime
    source: Buckets | None = None
    partitions: dict[int, Buckets] = field(default_factory=dict)


def verdict(source: str, cycle: int, gathered: Gathered) -> dict[str, Any]:
    """The comparison: `reconciliation/verdict-1`."""
    theirs = gathered.source or {}
    ours = added(gathered.partitions.values())
    differ = sorted(b for b in theirs.keys() | ours.keys() if theirs.get(b, Sum()) != ours.get(b, Sum()))
    lacks = [theirs.get(bucket, Sum()).count - ours.get(bucket, Sum()).count for bucket in differ]
    return {
        "source": source,
        "inventory": cycle,
        "snapshot_at": gathered.snapshot_at,
        "clean": not differ,
        "rows_at_source": sum(each.count for each in theirs.values()),
        "rows_held": sum(each.count for each in ours.values()),
        "missing": sum(count for count in lacks if count > 0),
        "extra": -sum(count for count in lacks if count < 0),
        "buckets": differ,
    }


def added(partitions: Iterable[Buckets]) -> Buckets:
    """The sums of all partitions together."""
    total: dict[int, Sum] = {}
    for buckets in partitions:
        for bucket, each in buckets.items():
            total[bucket] = total.get(bucket, Sum()).plus(each)
    return total


class Auditor:
    """What the safe loop does with the reconciliation topics."""

    def __init__(
        self, client: Client, departments: Mapping[str, str], partitions: int, contract: Contract, metrics: AuditMetrics
    ) -> None:
        """`departments`: reconciliation topic to department."""
        self._client, self._departments, self._contract = client, departments, contract
        self._partitions, self._metrics = partitions, metrics
        self._waiting: dict[str, dict[int, Gathered]] = {}
        self.standings: dict[str, Standing] = {}

    # --- the loop's calls --------------------------------------------------------------------------------------------
    def assigned(self, positions: Mapping[TopicPartition, int]) -> None:
        """Gather anew what had come by the committed offsets; what was complete by then has been judged."""
        self._waiting, self.standings = {}, {}
        for place, position in positions.items():
            for message in self._before(place, position):
                list(self._take(message))
        self._metrics.show(self.standings)

    def process(self, messages: Sequence[Message]) -> tuple[Sequence[Outgoing], object]:
        """Judge the inventories that have become complete."""
        verdicts = [each for message in messages for each in self._take(message)]
        return [record for topic, told in verdicts for record in self._said(topic, told)], [v for _, v in verdicts]

    def idle(self) -> None:
        return None

    def committed(
        self, staged: object, positions: Mapping[TopicPartition, int], written: Mapping[TopicPartition, int]
    ) -> None:
        """Say what was found."""
        del positions, written
        self._metrics.show(self.standings)
        for told in staged if isinstance(staged, list) else ():
            self._metrics.judged(told)
            self._tell(told)

    # --- one message -------------------------------------------------------------------------------------------------
    def _take(self, message: Message) -> Iterator[tuple[str, dict[str, Any]]]:
        """The verdict that this message completes, if it does."""
        try:
            name, told = self._contract.decode(message.value or b"")
        except UndecodableError as exc:
            warn("audit.unreadable", topic=message.topic, offset=message.offset, reason=exc.reason)
            return
        source = told["source"]
        if not source.startswith(self._departments[message.topic] + "."):
            warn("audit.unreadable", topic=message.topic, offset=message.offset, reason="wrong_source")
            return
        self.standings[source] = heard(self.standings.get(source, Standing()), name, told)
        if name == "reconciliation/inventory-1":
            yield from ((message.topic, each) for each in self._gather(source, told))

    def _gather(self, source: str, told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        waiting = self._waiting.setdefault(source, {})
        gathered = waiting.setdefault(told["cycle"], Gathered(told["snapshot_at"]))
        if told["partition"] is None:
            gathered.source = buckets_of(told["buckets"])
        else:
            gathered.partitions[told["partition"]] = buckets_of(told["buckets"])
        if gathered.source is not None and len(gathered.partitions) == self._partitions:
            del waiting[told["cycle"]]
            yield verdict(source, told["cycle"], gathered)
        for cycle in sorted(waiting)[:-_WAITING]:
            del waiting[cycle]

    def _said(self, topic: str, told: Mapping[str, Any]) -> Iterator[Outgoing]:
        key = str(told["source"]).encode()
        yield Outgoing(topic, 0, key, self._contract.encode("reconciliation/verdict-1", told))
        if not told["clean"]:
            about = {"source": told["source"], "request": secrets.token_hex(8), "inventory": told["inventory"]}
            request = {**about, "buckets": told["buckets"]}
            yield Outgoing(topic, 0, key, self._contract.encode("reconciliation/resend-1", request))

    def _tell(self, told: Mapping[str, Any]) -> None:
        standing = self.standings.get(told["source"], Standing())
        fields = {"source": told["source"], "cycle": told["inventory"], "missing": told["missing"]}
        if not told["clean"]:
            error("audit.differs", **fields, extra=told["extra"], count=len(told["buckets"]))
        elif standing.open_since is not None:
            log("audit.mended", source=told["source"], cycle=told["inventory"])

    def _before(self, place: TopicPartition, position: int) -> Iterator[Message]:
        """The messages some way back, up to the committed offset."""
        if position <= 0:
            return
        reader = self._client.reader({place: position - _LOOK_BACK if position > _LOOK_BACK else -2})
        try:
            for message in reader.to_end():
                if message.offset >= position:
                    return
                yield message
        finally:
            reader.close()


def run(
    settings: Settings, installed: Installed, instance: str, stop: Event, until_idle_seconds: float | None = None
) -> None:
    """Audit until asked to stop, or until nothing comes any more."""
    client = connect(settings.kafka)
    prefix = settings.kafka.prefix
    begun = control.installation(client, prefix, installed.contract)
    names = settings.departments or installed.departments
    departments = {topics.reconciliation(prefix, name): name for name in names}
    metrics = AuditMetrics()
    auditor = Auditor(client, departments, begun.generation["partitions"], installed.contract, metrics)
    tally = loop.Tally()

    def ready() -> tuple[bool, dict[str, object]]:
        return tally.settled, {"sources": len(auditor.standings), "transactions": tally.transactions}

    shown = health.serve(metrics.registry, ready, settings.metrics_port)
    log("audit.started", instance=instance, port=shown.port)
    if until_idle_seconds is not None:
        Thread(target=stop_when_idle, args=(tally, until_idle_seconds, stop), daemon=True).start()
    try:
        loop.run(client, f"{prefix}{settings.group}-audit", instance, [*departments], auditor, stop, tally=tally)
    finally:
        shown.stop()
