"""The reader: follows the registry and its history into the view, batch by batch."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from threading import Event
from time import monotonic, time
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from approval.rows import Rows, UnknownSchemaNumberError, kinds, rows_of
from approval.view import View
from process.errors import SettingsError, TransientError
from process.logs import log, warn
from process.messages import say
from schemas import topics
from schemas.codec import Contract
from schemas.subjects import GRAMMAR, DistrictKey
from transport.client import Admin, Client, Message, Reader, TopicPartition

EARLIEST: Final = -2
_BATCH: Final = 2000
_POLL_SECONDS: Final = 0.5
_LOOK_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 30.0


class Gauges:
    """What the reader tells about itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        told = "tongban_approval"
        self.records = Counter(f"{told}_records", "Messages taken into the view.", ["topic"], registry=registry)
        self.lag = Gauge(f"{told}_lag_records", "Offsets the view is behind the registry.", registry=registry)
        self.caught_up = Gauge(f"{told}_caught_up", "1 once this run has reached the end.", registry=registry)
        self.last_read = Gauge(f"{told}_last_read_timestamp_seconds", "Last successful poll.", registry=registry)
        self.connected = Gauge(f"{told}_broker_connected", "1 while Kafka answers.", registry=registry)
        self._registry = registry

    def told(self) -> tuple[bool, bool]:
        """Whether this run has reached the end, and whether Kafka answers."""
        names = ("tongban_approval_caught_up", "tongban_approval_broker_connected")
        caught_up, connected = (self._registry.get_sample_value(name) == 1 for name in names)
        return caught_up, connected


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry that is followed: where it is, and the schemas it is read by."""

    client: Client
    prefix: str
    contract: Contract


def run(registry: Registry, view: View, gauges: Gauges, key: DistrictKey, stop: Event) -> None:
    """Follow the registry until asked to stop, through outages of the broker."""
    pause = 1.0
    while not stop.is_set():
        started = monotonic()
        try:
            follow(registry, view, gauges, key, stop)
        except UnknownSchemaNumberError:
            raise  # only an upgrade helps, and a person has to be told
        except TransientError as exc:
            gauges.connected.set(0)
            # An outage after a good while of reading is a new one.
            pause = 1.0 if monotonic() - started > _LONGEST_PAUSE_SECONDS else min(pause * 2, _LONGEST_PAUSE_SECONDS)
            warn("approval.waiting", reason=str(exc), seconds=pause)
            stop.wait(pause)


def follow(
    registry: Registry,
    view: View,
    gauges: Gauges,
    key: DistrictKey,
    stop: Event,
    idle_seconds: float | None = None,
) -> None:
    """Read to the end, say so, and follow on; with `idle_seconds`, until so long nothing came."""
    client, generation = registry.client, _generation(registry, key)
    known = view.begin(registry.prefix, generation, _now_ms())
    gauges.caught_up.set(0)
    positions = {at: known.get(at, EARLIEST) for at in _partitions(registry.prefix, generation["partitions"])}
    with closing(client.reader(positions)) as reader, closing(client.admin()) as admin:
        _catch_up(reader, view, gauges, registry, stop)
        _follow_on(_Lag(admin, reader, gauges), reader, view, registry, stop, idle_seconds)


def _catch_up(reader: Reader, view: View, gauges: Gauges, registry: Registry, stop: Event) -> None:
    for batch in _batches(reader.to_end()):
        _take(batch, reader, view, gauges, registry)
        if stop.is_set():
            return
    view.apply(Rows(), reader.positions(), _now_ms())
    view.caught_up()
    gauges.caught_up.set(1)
    gauges.lag.set(0)
    log("approval.caught_up")


def _follow_on(
    lag: "_Lag", reader: Reader, view: View, registry: Registry, stop: Event, idle_seconds: float | None
) -> None:
    last_news = monotonic()
    while not stop.is_set() and (idle_seconds is None or monotonic() - last_news < idle_seconds):
        batch = reader.poll(_POLL_SECONDS, _BATCH)
        if batch:
            _take(batch, reader, view, lag.gauges, registry)
            last_news = monotonic()
        elif lag.look():
            view.apply(Rows(), reader.positions(), _now_ms())


def _take(batch: Sequence[Message], reader: Reader, view: View, gauges: Gauges, registry: Registry) -> None:
    view.apply(rows_of(batch, registry.prefix, registry.contract), reader.positions(), _now_ms())
    for message in batch:
        gauges.records.labels(message.topic.removeprefix(registry.prefix)).inc()
    gauges.last_read.set(time())
    gauges.connected.set(1)


class _Lag:
    """How far behind the view is, asked of the broker now and then."""

    def __init__(self, admin: Admin, reader: Reader, gauges: Gauges) -> None:
        self.gauges = gauges
        self._admin = admin
        self._reader = reader
        self._next_look = monotonic()

    def look(self) -> bool:
        """Look if it is time to; whether it was."""
        if monotonic() < self._next_look:
            return False
        positions = self._reader.positions()
        ends = self._admin.stable_offsets(list(positions))
        self.gauges.lag.set(sum(max(0, end - positions[at]) for at, end in ends.items()))
        self.gauges.last_read.set(time())
        self.gauges.connected.set(1)
        self._next_look = monotonic() + _LOOK_SECONDS
        return True


def _batches(messages: Iterator[Message]) -> Iterator[list[Message]]:
    while batch := list(islice(messages, _BATCH)):
        yield batch


def _partitions(prefix: str, count: int) -> list[TopicPartition]:
    followed = [*kinds(prefix), topics.history(prefix)]
    return [TopicPartition(topic, number) for topic in followed for number in range(count)]


def _generation(registry: Registry, key: DistrictKey) -> Mapping[str, Any]:
    """What was fixed at first publish; refuses to go on with another district key."""
    topic = topics.control(registry.prefix)
    with closing(registry.client.admin()) as admin:
        exists = admin.partitions(topic) > 0
    generation = _first_generation(registry, topic) if exists else None
    if generation is None:
        raise TransientError(say("approval.no_generation", topic=topic))
    ours = {
        "key_fingerprint": key.fingerprint,
        "key_letter": key.letter,
        "key_function": key.function,
        "key_grammar": GRAMMAR,
    }
    for field, value in ours.items():
        if generation[field] != value:
            raise SettingsError(say("approval.other_key", field=field, theirs=generation[field], ours=value))
    return generation


def _first_generation(registry: Registry, topic: str) -> Mapping[str, Any] | None:
    with closing(registry.client.reader({TopicPartition(topic, 0): EARLIEST})) as reader:
        values = [message.value for message in reader.to_end() if message.key == b"generation" and message.value]
    return registry.contract.decode(values[0])[1] if values else None


def _now_ms() -> int:
    return int(time() * 1000)
