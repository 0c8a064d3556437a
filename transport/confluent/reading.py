"""Reading: as a member of a group, or given partitions to their end."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from transport.client import Doubt, Membership, Message, Polled, TopicPartition
from transport.confluent.library import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    NativeMessage,
    NativePartition,
    code_of,
    error_of,
    failed,
    instance_fenced,
    made,
    message,
    offsets_at,
    partition_count,
    patiently,
    sound,
)
from transport.confluent.topics import Admin
from transport.deadline import QUERY_SECONDS, within
from transport.reader import Reader
from transport.settings import Kafka

_READING = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",
    "allow.auto.create.topics": False,
    # The only word the library has about markers, aborted records and gaps: it says how far it has read.
    "enable.partition.eof": True,
    "check.crcs": True,
    "topic.metadata.refresh.interval.ms": 30_000,
    # A seek has to wait for the fetch that is under way.
    "fetch.wait.max.ms": 100,
    # What is fetched ahead, and how soon after the application has taken from it more is fetched.
    "queued.max.messages.kbytes": 32 << 10,
    "fetch.queue.backoff.ms": 10,
}


_LOOK_SECONDS = 4.0


class _Consuming:
    """Has a consumer, and throws it away without closing it.

    Closing serves what is still to be told of partitions, and if that is an assignment it waits for ever for an answer
    of the group that has ended, with the whole interpreter held. And there is nothing to close: a member with a name
    of its own does not leave its group, and offsets are committed elsewhere.
    """

    def __init__(self, consumer: Consumer) -> None:
        self._kept = [consumer]

    def close(self) -> None:
        with suppress(Exception):
            # The last who knows it takes it down, which may take its time.
            within(5.0, self._kept.clear)

    @property
    def _consumer(self) -> Consumer:
        return self._kept[0]


class Group(_Consuming):
    def __init__(self, settings: Kafka, group: str, instance: str, topics: Sequence[str]) -> None:
        self._settings = settings
        self._group = group
        self._instance = instance
        self._topics = list(topics)
        self._fenced = False
        self._moves = _Moves()
        self._at: dict[TopicPartition, int] = {}
        super().__init__(made(settings, Consumer, _READING | _membership(group, instance)))
        self._consumer.subscribe(self._topics, on_assign=self._moves.on_assign, on_revoke=self._moves.on_revoke)

    def poll(self, seconds: float, max_messages: int = 2000) -> Polled:
        try:
            batch = _fetched(self._consumer, seconds, max_messages)
            # At once: read later, an evicted member's metadata no longer fences it.
            metadata = self._consumer.consumer_group_metadata()
            member = self._consumer.memberid()
            messages = _taken(batch, self._at)
        except Exception as exc:
            self._moves.moved = True
            raise self._failed(exc) from exc
        if self._fenced:
            raise self._taken_over()
        # Without a member id the broker could not tell us from another.
        if not member or not self._moves.assigned:
            return Polled(messages, None)
        return Polled(messages, Membership(self._group, self._moves.count, member, self._instance, metadata))

    def moved(self) -> bool:
        return self._moves.moved

    def settle(self) -> Mapping[TopicPartition, int] | None:
        if not self._moves.assigned:
            return None
        try:
            positions = within(QUERY_SECONDS * 3, self._go_to_committed)
        except Exception as exc:
            raise self._failed(exc) from exc
        self._moves.moved = False
        return positions

    def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        for partition, offset in positions.items():
            try:
                self._consumer.seek(NativePartition(*partition, offset))
            except KafkaException:
                # Taken from us meanwhile, or not being read yet: going to what is committed is right in both cases.
                self._moves.moved = True
            else:
                self._at[partition] = offset

    def behind(self) -> Mapping[TopicPartition, int]:
        try:
            # Shorter than the session: who asks has to poll meanwhile.
            ends = within(_LOOK_SECONDS + 1, offsets_at, self._consumer, list(self._at), OFFSET_END, _LOOK_SECONDS)
        except Exception as exc:
            raise self._failed(exc) from exc
        return {partition: max(0, end - self._at[partition]) for partition, end in ends.items()}

    def partition_counts(self) -> Mapping[str, int]:
        return {topic: self._count(topic) for topic in self._topics}

    def _count(self, topic: str) -> int:
        try:
            return within(QUERY_SECONDS + 1, partition_count, self._consumer, topic)
        except Exception as exc:
            if code_of(exc) == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return 0
            raise self._failed(exc) from exc

    def _go_to_committed(self) -> dict[TopicPartition, int]:
        # Waits while a transaction that commits them is undecided.
        committed = self._consumer.committed(self._consumer.assignment(), timeout=QUERY_SECONDS)
        at = {TopicPartition(each.topic, each.partition): sound(each).offset for each in committed}
        none = [partition for partition, offset in at.items() if offset < 0]
        positions = dict(sorted((at | offsets_at(self._consumer, none, OFFSET_BEGINNING)).items()))
        # All at once, and nothing that was fetched before is handed over any more.
        self._consumer.assign([NativePartition(*partition, offset) for partition, offset in positions.items()])
        self._at = dict(positions)
        return positions

    def _failed(self, exc: Exception) -> Exception:
        error = error_of(exc)
        if error is not None and instance_fenced(error):
            # It is told once; the consumer has come to its end.
            self._fenced = True
            return self._taken_over()
        return failed(exc, self._settings)

    def _taken_over(self) -> Doubt:
        return Doubt("instance_fenced", f"{self._instance} was taken over in {self._group}")


class _Moves:
    """What the library has told of partitions handed to us or taken from us, while it was polled.

    Apart from the consumer's owner: the consumer keeps what it calls, and could else not be thrown away by its owner.
    """

    def __init__(self) -> None:
        self.moved = True
        self.assigned = False
        self.count = 0

    def on_assign(self, _consumer: Consumer, _partitions: Sequence[NativePartition]) -> None:
        self.moved = self.assigned = True
        self.count += 1

    def on_revoke(self, _consumer: Consumer, _partitions: Sequence[NativePartition]) -> None:
        self.moved = True
        self.assigned = False


def _membership(group: str, instance: str) -> dict[str, Any]:
    return {
        "group.id": group,
        "client.id": instance,
        "group.instance.id": instance,
        # Partition i of all topics on one member: no other assignor keeps that.
        "partition.assignment.strategy": "range",
        "session.timeout.ms": 6_000,
        "heartbeat.interval.ms": 1_000,
        "max.poll.interval.ms": 300_000,
    }


def reader(settings: Kafka, positions: Mapping[TopicPartition, int]) -> Reader:
    """Reads given partitions without a group."""
    return Reader(settings, positions, partial(_Assigned, settings), partial(Admin, settings))


class _Assigned(_Consuming):
    """A consumer of given partitions."""

    def __init__(self, settings: Kafka, positions: Mapping[TopicPartition, int]) -> None:
        self._settings = settings
        self._at = dict(positions)
        # The library wants a group's name, though nothing is asked of the group.
        options = {"group.id": _NO_GROUP, "client.id": "reader"}
        super().__init__(made(settings, Consumer, _READING | options))
        try:
            within(QUERY_SECONDS * 2, self._go_to_positions)
        except Exception as exc:
            self.close()
            raise failed(exc, settings) from exc

    def fetch(self, seconds: float, max_messages: int) -> Sequence[Message]:
        try:
            return _taken(_fetched(self._consumer, seconds, max_messages), self._at, _NOT_OURS)
        except Exception as exc:
            raise failed(exc, self._settings) from exc

    def reached(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {partition: self._at[partition] for partition in partitions}

    def _go_to_positions(self) -> None:
        # Of a topic that may not be read the library says later only that it has no such partition.
        for topic in {partition.topic for partition in self._at}:
            patiently(partial(partition_count, self._consumer, topic))
        earliest = [partition for partition, position in self._at.items() if position < 0]
        self._at |= offsets_at(self._consumer, earliest, OFFSET_BEGINNING)
        self._consumer.assign([NativePartition(*partition, position) for partition, position in self._at.items()])


# It asks who coordinates the group all the same, which a login without rights to any group is not told.
_NO_GROUP = "none"
_NOT_OURS = frozenset({KafkaError.GROUP_AUTHORIZATION_FAILED})


def _fetched(consumer: Consumer, seconds: float, max_messages: int) -> Sequence[NativeMessage]:
    """What is there, as soon as something is: the library's own call for many waits for all of them or for the time."""
    first = consumer.poll(max(0.001, seconds))
    if first is None:
        return []
    return [first, *consumer.consume(max_messages - 1, 0)] if max_messages > 1 else [first]


def _taken(batch: Iterable[Any], at: dict[TopicPartition, int], overlooked: Collection[int] = ()) -> Sequence[Message]:
    """The messages of a batch, those of one partition together; `at` moves behind all that was read."""
    taken: dict[tuple[str, int], list[Message]] = {}
    for native in batch:
        error = native.error()
        if error is None:
            read = message(native)
            taken.setdefault((read.topic, read.partition), []).append(read)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - public, in spite of its name
            at[TopicPartition(native.topic(), native.partition())] = native.offset()
        elif error.code() not in overlooked:
            raise KafkaException(error)
    for partition, messages in taken.items():
        at[TopicPartition(*partition)] = max(at.get(TopicPartition(*partition), 0), messages[-1].offset + 1)
    return [each for messages in taken.values() for each in messages]
