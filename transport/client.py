"""The verbs this system speaks to Kafka with, whatever library is behind them.

A library is a class with these verbs; `tests/transport` holds each to the same
promises. Errors leave here as the reader of this code knows them:
`TransientError` (the broker is away), `Doubt` (what became of a transaction is
unknown or bad), `FencedError` (somebody else has our name), `PermanentError`
and `SettingsError` (trying again will not help).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from process.errors import SettingsError
from process.messages import say
from transport.settings import Kafka


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Message(NamedTuple):
    """What Kafka hands over: bytes, nothing opened."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int


class Outgoing(NamedTuple):
    """What is to be written, and to which partition: always said, never left to the library."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Membership(NamedTuple):
    """Who we were in the group at one poll; a commit under a stale one is refused by the broker."""

    group: str
    generation: int
    member: str
    instance: str
    native: Any = None


class Polled(NamedTuple):
    """One poll: its messages, and our membership at that very moment (none when it cannot fence)."""

    messages: Sequence[Message]
    membership: Membership | None


class NewTopic(NamedTuple):
    """A topic to be made."""

    name: str
    partitions: int
    replication: int = -1
    configs: Mapping[str, str] = {}


class TopicDescription(NamedTuple):
    """A topic as it stands, with every configuration value in force."""

    partitions: int
    replication: int
    configs: Mapping[str, str]


class Doubt(Exception):
    """A transaction failed or its outcome is unknown: rebuild, read what is committed, repeat.

    `reason` is one word of few, fit for a metric.
    """

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(f"{reason}: {text}" if text else reason)
        self.reason = reason


class Transactions(Protocol):
    """A sender under one transactional id; one transaction at a time."""

    def rebuild(self) -> None:
        """Throw the producer away and make a new one, which fences whoever had the id and settles its transaction.

        The first `begin` does it by itself; after a Doubt the owner does, and then reads what is committed.
        """

    def begin(self) -> None: ...

    def send(self, record: Outgoing) -> None:
        """Hand a record over; waits while too many bytes are on their way."""

    def seal(self) -> Mapping[TopicPartition, int]:
        """Wait until every record is with the broker, and give the next offset of each partition written."""

    def commit(self, offsets: Mapping[TopicPartition, int] | None = None, membership: Membership | None = None) -> None:
        """Commit the records, and the offsets as the given member of its group."""

    def abort(self) -> None:
        """Give the transaction up as well as can be; never raises."""

    def close(self) -> None: ...


class Group(Protocol):
    """One member of a consumer group: static membership, range assignment, offsets committed by transactions only."""

    def poll(self, seconds: float, max_messages: int = 2000) -> Polled:
        """Wait for messages; those of one partition come in order, and together."""

    def moved(self) -> bool:
        """Whether the assignment may have changed since `settle`: what was polled is not ours to take."""

    def settle(self) -> Mapping[TopicPartition, int] | None:
        """Take the assignment as it is: go to its committed offsets and give them; None while there is none to take."""

    def seek(self, positions: Mapping[TopicPartition, int]) -> None: ...

    def behind(self) -> Mapping[TopicPartition, int]:
        """How many offsets each assigned partition has ahead of us that a reader of committed data could read."""

    def partition_counts(self) -> Mapping[str, int]:
        """The number of partitions of each subscribed topic; 0 for one that does not exist."""

    def close(self) -> None: ...


class Reader(Protocol):
    """Reads given partitions without a group, committed data only."""

    def to_end(self) -> Iterator[Message]:
        """Every committed message up to the high watermark as it is at the call.

        A transaction that is open below it is waited for. TransientError when nothing moves for a minute.
        """

    def poll(self, seconds: float, max_messages: int = 2000) -> Sequence[Message]: ...

    def positions(self) -> Mapping[TopicPartition, int]:
        """The next offset to read, per partition: behind every message handed over so far."""

    def close(self) -> None: ...


class Admin(Protocol):
    """Topics and offsets."""

    def create_topics(self, topics: Sequence[NewTopic]) -> None:
        """Make the topics and return when they can be used; PermanentError for one that exists."""

    def delete_topics(self, names: Sequence[str]) -> None: ...

    def describe_topics(self, names: Collection[str] | None = None) -> Mapping[str, TopicDescription]:
        """The topics named (all: None) that exist."""

    def set_configs(self, name: str, configs: Mapping[str, str]) -> None: ...

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has; 0 when there is no such topic."""

    def start_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]: ...

    def end_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """High watermarks: behind everything written, open transactions among it."""

    def stable_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Last stable offsets: where a reader of committed data has to stop for now."""

    def committed(self, group: str) -> Mapping[TopicPartition, int]:
        """What a group has committed."""

    def close(self) -> None: ...


class Client(Protocol):
    """One library, connected as the settings say."""

    def transactions(self, transactional_id: str) -> Transactions: ...

    def group(self, group: str, instance: str, topics: Sequence[str]) -> Group: ...

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """Start at the positions given; -2 is the earliest there is."""

    def admin(self) -> Admin: ...


def connect(kafka: Kafka) -> Client:
    """The client the settings name. Nothing is connected before it is used."""
    if kafka.client == "confluent-kafka":
        return _confluent_kafka(kafka)
    from transport.kafka_python import KafkaPython  # noqa: PLC0415 - only the library that is named is loaded

    return KafkaPython(kafka)


def _confluent_kafka(kafka: Kafka) -> Client:
    try:
        from transport.confluent import ConfluentKafka  # noqa: PLC0415 - not every machine has a wheel for it
    except ImportError as exc:
        raise SettingsError(say("transport.no_library", client=kafka.client, reason=exc)) from exc
    return ConfluentKafka(kafka)
