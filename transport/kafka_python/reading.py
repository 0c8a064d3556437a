"""Reading: as a member of a group, or given partitions to their end."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from process.errors import PermanentError, TransientError
from process.messages import say
from transport.client import Doubt, Membership, Message, Polled, TopicPartition
from transport.deadline import within
from transport.kafka_python.library import (
    INSTANCE_FENCED,
    QUERY_SECONDS,
    ConsumerRebalanceListener,
    KafkaConsumer,
    NativePartition,
    RangePartitionAssignor,
    failed,
    made,
    says,
    unreachable,
)
from transport.kafka_python.topics import Admin
from transport.settings import Kafka

# A transaction that is left open stands in the way until it expires, and the broker looks for those only now and then.
_STILL_SECONDS = 60.0


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


class Reader:
    def __init__(self, settings: Kafka, positions: Mapping[TopicPartition, int]) -> None:
        self._settings = settings
        self._positions = dict(positions)
        self._handing: Iterator[Message] = iter(())
        self._consumer: Any = None
        self._admin: Admin | None = None

    def to_end(self) -> Iterator[Message]:
        self._connected()
        return self._until(self._ends())

    def _until(self, ends: Mapping[TopicPartition, int]) -> Iterator[Message]:
        yield from self._hand_over()
        still_since = time.monotonic()
        while left := [partition for partition, end in ends.items() if self._positions[partition] < end]:
            before = [self._positions[partition] for partition in left]
            self._handing = iter(self._fetch(0.2, 2000))
            yield from self._hand_over()
            self._catch_up(left)
            now = time.monotonic()
            if [self._positions[partition] for partition in left] != before:
                still_since = now
            elif now - still_since > _STILL_SECONDS:
                raise TransientError(unreachable(self._settings, "nothing came for a minute"))

    def poll(self, seconds: float, max_messages: int = 2000) -> Sequence[Message]:
        if left := list(self._hand_over()):
            return left
        messages = self._fetch(seconds, max_messages)
        self._positions.update({TopicPartition(each.topic, each.partition): each.offset + 1 for each in messages})
        return messages

    def positions(self) -> Mapping[TopicPartition, int]:
        self._connected()
        return dict(self._positions)

    def close(self) -> None:
        self._disconnect()
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def _ends(self) -> Mapping[TopicPartition, int]:
        if self._admin is None:
            self._admin = Admin(self._settings)
        ends = self._admin.end_offsets(list(self._positions))
        for partition, end in ends.items():
            if self._positions[partition] > end:
                raise PermanentError(
                    say(
                        "transport.behind_the_end",
                        topic=partition.topic,
                        partition=partition.partition,
                        end=end,
                        position=self._positions[partition],
                    )
                )
        return ends

    def _hand_over(self) -> Iterator[Message]:
        for message in self._handing:
            self._positions[TopicPartition(message.topic, message.partition)] = message.offset + 1
            yield message

    def _fetch(self, seconds: float, max_messages: int) -> list[Message]:
        self._connected()
        try:
            return _messages(self._consumer.poll(timeout_ms=max(1, int(seconds * 1000)), max_records=max_messages))
        except Exception as exc:
            # After an error the library may not go on, or may skip: the next call starts where we are.
            self._disconnect()
            raise failed(exc, self._settings) from exc

    def _catch_up(self, partitions: Collection[TopicPartition]) -> None:
        """Move past what is never handed over: markers, aborted records, the gaps of compaction."""
        for partition in partitions:
            position = self._consumer.position(NativePartition(*partition), timeout_ms=1000)
            if position is not None:
                self._positions[partition] = max(self._positions[partition], position)

    def _connected(self) -> None:
        if self._consumer is not None:
            return
        consumer = made(self._settings, KafkaConsumer, **_reading(), client_id="reader")
        self._consumer = consumer
        try:
            within(QUERY_SECONDS * 2, self._go_to_positions)
        except Exception as exc:
            self._disconnect()
            raise failed(exc, self._settings) from exc

    def _go_to_positions(self) -> None:
        natives = [NativePartition(*partition) for partition in self._positions]
        self._consumer.assign(natives)
        earliest = [native for native in natives if self._positions[TopicPartition(*native)] < 0]
        starts = self._consumer.beginning_offsets(earliest, timeout_ms=QUERY_SECONDS * 1000) if earliest else {}
        for native in natives:
            partition = TopicPartition(*native)
            self._positions[partition] = int(starts.get(native, self._positions[partition]))
            self._consumer.seek(native, self._positions[partition])

    def _disconnect(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with suppress(Exception):
                within(5.0, consumer.close, autocommit=False, timeout_ms=2000)


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
