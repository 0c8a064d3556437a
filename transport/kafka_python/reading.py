"""Reading: as a member of a group, or given partitions to their end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from transport.client import Doubt, Membership, Message, Polled, TopicPartition
from transport.deadline import QUERY_SECONDS, within
from transport.kafka_python.library import (
    INSTANCE_FENCED,
    ConsumerRebalanceListener,
    KafkaConsumer,
    NativePartition,
    RangePartitionAssignor,
    failed,
    made,
    says,
)
from transport.kafka_python.topics import Admin
from transport.reader import Reader
from transport.settings import Kafka


class Group:
    def __init__(self, settings: Kafka, group: str, instance: str, topics: Sequence[str]) -> None:
        self._settings = settings
        self._group = group
        self._instance = instance
        self._topics = list(topics)
        self._moved = True
        self._consumer = made(
            settings,
            KafkaConsumer,
            **_reading(),
            group_id=group,
            client_id=instance,
            group_instance_id=instance,
            # Partition i of all topics on one member: no other assignor keeps that.
            partition_assignment_strategy=[RangePartitionAssignor],
            session_timeout_ms=6_000,
            heartbeat_interval_ms=1_000,
            max_poll_interval_ms=300_000,
        )
        self._consumer.subscribe(self._topics, listener=_Moves(self._has_moved))

    def poll(self, seconds: float, max_messages: int = 2000) -> Polled:
        try:
            # Never zero: polling without waiting starves the library's own input and output.
            batch = self._consumer.poll(timeout_ms=max(1, int(seconds * 1000)), max_records=max_messages)
            # At once: read later, an evicted member's metadata no longer fences it.
            metadata = self._consumer.group_metadata()
        except Exception as exc:
            self._moved = True
            if says(exc, INSTANCE_FENCED):
                raise Doubt("instance_fenced", f"{self._instance} was taken over in {self._group}") from exc
            raise failed(exc, self._settings) from exc
        return Polled(_messages(batch), self._membership(metadata))

    def moved(self) -> bool:
        return self._moved

    def settle(self) -> Mapping[TopicPartition, int] | None:
        # Cleared before looking: a move that comes meanwhile is seen at the next poll.
        self._moved = False
        try:
            positions = within(QUERY_SECONDS * 3, self._go_to_committed)
        except Exception as exc:
            self._moved = True
            raise failed(exc, self._settings) from exc
        if positions is None:
            self._moved = True
        return positions

    def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        for partition, offset in positions.items():
            with suppress(ValueError):  # taken from us meanwhile, which `moved` says
                self._consumer.seek(NativePartition(*partition), offset)

    def behind(self) -> Mapping[TopicPartition, int]:
        try:
            return within(QUERY_SECONDS, self._look_ahead)
        except Exception as exc:
            raise failed(exc, self._settings) from exc

    def partition_counts(self) -> Mapping[str, int]:
        try:
            return {
                topic: len(within(QUERY_SECONDS, self._consumer.partitions_for_topic, topic)) for topic in self._topics
            }
        except Exception as exc:
            raise failed(exc, self._settings) from exc

    def close(self) -> None:
        with suppress(Exception):
            within(5.0, self._consumer.close, autocommit=False, timeout_ms=2000)

    def _has_moved(self) -> None:
        self._moved = True

    def _membership(self, metadata: Any) -> Membership | None:
        if metadata.generation_id < 0 or not metadata.member_id:
            return None
        return Membership(self._group, metadata.generation_id, metadata.member_id, self._instance)

    def _go_to_committed(self) -> dict[TopicPartition, int] | None:
        if self._consumer.group_metadata().generation_id < 0:
            return None
        positions = {}
        for partition in sorted(self._consumer.assignment()):
            # Waits while a transaction that commits it is undecided.
            offset = self._consumer.committed(partition, timeout_ms=QUERY_SECONDS * 1000)
            if offset is None:
                offset = self._consumer.beginning_offsets([partition])[partition]
            self._consumer.seek(partition, offset)
            positions[TopicPartition(*partition)] = int(offset)
        return positions

    def _look_ahead(self) -> dict[TopicPartition, int]:
        assigned = list(self._consumer.assignment())
        if not assigned:
            return {}
        ends = self._consumer.end_offsets(assigned, timeout_ms=QUERY_SECONDS * 500)
        at = {partition: self._consumer.position(partition, timeout_ms=1000) for partition in assigned}
        return {TopicPartition(*each): max(0, ends[each] - at[each]) for each in assigned if at[each] is not None}


class _Moves(ConsumerRebalanceListener):  # type: ignore[misc]
    """Runs on the library's own thread, where waiting stops the heartbeat: it sets a flag and no more."""

    def __init__(self, moved: Callable[[], None]) -> None:
        self._moved = moved

    def on_partitions_revoked(self, _revoked: object) -> None:
        self._moved()

    def on_partitions_assigned(self, _assigned: object) -> None:
        self._moved()


def reader(settings: Kafka, positions: Mapping[TopicPartition, int]) -> Reader:
    """Reads given partitions without a group."""
    return Reader(settings, positions, partial(_Assigned, settings), partial(Admin, settings))


class _Assigned:
    """A consumer of given partitions."""

    def __init__(self, settings: Kafka, positions: Mapping[TopicPartition, int]) -> None:
        self._settings = settings
        self._consumer = made(settings, KafkaConsumer, **_reading(), client_id="reader")
        try:
            within(QUERY_SECONDS * 2, self._go_to, positions)
        except Exception as exc:
            self.close()
            raise failed(exc, settings) from exc

    def fetch(self, seconds: float, max_messages: int) -> Sequence[Message]:
        try:
            return _messages(self._consumer.poll(timeout_ms=max(1, int(seconds * 1000)), max_records=max_messages))
        except Exception as exc:
            raise failed(exc, self._settings) from exc

    def reached(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        at = {each: self._consumer.position(NativePartition(*each), timeout_ms=1000) for each in partitions}
        return {partition: position for partition, position in at.items() if position is not None}

    def close(self) -> None:
        with suppress(Exception):
            within(5.0, self._consumer.close, autocommit=False, timeout_ms=2000)

    def _go_to(self, positions: Mapping[TopicPartition, int]) -> None:
        natives = {NativePartition(*partition): position for partition, position in positions.items()}
        self._consumer.assign(list(natives))
        earliest = [native for native, position in natives.items() if position < 0]
        starts = self._consumer.beginning_offsets(earliest, timeout_ms=QUERY_SECONDS * 1000) if earliest else {}
        for native, position in natives.items():
            self._consumer.seek(native, int(starts.get(native, position)))


def _reading() -> dict[str, Any]:
    return {
        "isolation_level": "read_committed",
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "allow_auto_create_topics": False,
        "request_timeout_ms": 15_000,
        "retry_backoff_ms": 50,
        "metadata_max_age_ms": 30_000,
        "fetch_max_bytes": 32 << 20,
    }


def _messages(batch: Mapping[Any, Sequence[Any]]) -> list[Message]:
    return [
        Message(
            each.topic,
            each.partition,
            each.offset,
            each.key,
            each.value,
            # A header without a value comes from another client; ours cannot send it.
            tuple([(name, value or b"") for name, value in each.headers]),
            each.timestamp,
        )
        for records in batch.values()
        for each in records
    ]
