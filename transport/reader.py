"""Reads given partitions without a group, whichever library fetches."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

from process.errors import PermanentError
from process.messages import say
from transport.client import Admin, Message, TopicPartition
from transport.preflight import unreachable
from transport.settings import Kafka

# A transaction that is left open stands in the way until it expires, and the broker looks for those only now and then.
_STILL_SECONDS = 60.0


class Fetching(Protocol):
    """A library's consumer that stands at given positions; its errors are told in our words."""

    def fetch(self, seconds: float, max_messages: int) -> Sequence[Message]: ...

    def reached(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Where it would fetch next, of partitions for which it knows: past what is never handed over.

        That is markers, aborted records, and the gaps of compaction.
        """

    def close(self) -> None: ...


class Reader:
    """The verbs of a reader; `begin` connects at positions, of which -2 is the earliest there is."""

    def __init__(
        self,
        settings: Kafka,
        positions: Mapping[TopicPartition, int],
        begin: Callable[[Mapping[TopicPartition, int]], Fetching],
        admin: Callable[[], Admin],
    ) -> None:
        self._settings = settings
        self._positions = dict(positions)
        self._begin = begin
        self._make_admin = admin
        self._handing: Iterator[Message] = iter(())
        self._fetching: Fetching | None = None
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
                raise unreachable(self._settings, "nothing came for a minute")

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
            self._admin = self._make_admin()
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

    def _fetch(self, seconds: float, max_messages: int) -> Sequence[Message]:
        fetching = self._connected()
        try:
            return fetching.fetch(seconds, max_messages)
        except Exception:
            # After an error the library may not go on, or may skip: the next call starts where we are.
            self._disconnect()
            raise

    def _catch_up(self, partitions: Collection[TopicPartition]) -> None:
        for partition, position in self._connected().reached(partitions).items():
            self._positions[partition] = max(self._positions[partition], position)

    def _connected(self) -> Fetching:
        if self._fetching is None:
            self._fetching = self._begin(self._positions)
            self._positions.update(self._fetching.reached(self._positions))
        return self._fetching

    def _disconnect(self) -> None:
        fetching, self._fetching = self._fetching, None
        if fetching is not None:
            fetching.close()
