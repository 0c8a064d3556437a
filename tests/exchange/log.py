"""Kafka as a dictionary of lists: what is committed, and nothing else.

Enough of a client for what is not decided by Kafka itself; there are no groups, and nothing ever fails. What
Kafka decides is tested on a real broker.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from process.errors import PermanentError
from transport.client import (
    Group,
    Membership,
    Message,
    NewTopic,
    Outgoing,
    TopicDescription,
    TopicPartition,
)


@dataclass
class Log:
    """All topics of a broker, and the client that reads and writes them."""

    topics: dict[str, TopicDescription] = field(default_factory=dict)
    messages: dict[TopicPartition, list[Message]] = field(default_factory=dict)

    def write(self, records: Sequence[Outgoing]) -> dict[TopicPartition, int]:
        """Append records; gives the next offset of every partition written."""
        for each in records:
            place = TopicPartition(each.topic, each.partition)
            there = self.messages.setdefault(place, [])
            there.append(Message(*place, len(there), each.key, each.value, each.headers, 0))
        return {place: len(self.messages[place]) for place in {TopicPartition(r.topic, r.partition) for r in records}}

    def transactions(self, transactional_id: str) -> LogTransactions:
        return LogTransactions(self)

    def group(self, group: str, instance: str, topics: Sequence[str]) -> Group:
        raise NotImplementedError

    def reader(self, positions: Mapping[TopicPartition, int]) -> LogReader:
        return LogReader(self, {place: max(offset, 0) for place, offset in positions.items()})

    def admin(self) -> LogAdmin:
        return LogAdmin(self)


@dataclass
class LogTransactions:
    """A sender whose every transaction is committed."""

    log: Log
    sent: list[Outgoing] = field(default_factory=list)

    def rebuild(self) -> None:
        self.sent = []

    def begin(self) -> None:
        self.sent = []

    def send(self, record: Outgoing) -> None:
        self.sent.append(record)

    def seal(self) -> Mapping[TopicPartition, int]:
        return {}

    def commit(self, offsets: Mapping[TopicPartition, int] | None = None, membership: Membership | None = None) -> None:
        self.log.write(self.sent)
        self.sent = []

    def abort(self) -> None:
        self.sent = []

    def close(self) -> None:
        self.sent = []


@dataclass
class LogReader:
    """Reads from positions on."""

    log: Log
    at: dict[TopicPartition, int]

    def to_end(self) -> Iterator[Message]:
        for place in self.at:
            for message in self.log.messages.get(place, [])[self.at[place] :]:
                self.at[place] = message.offset + 1
                yield message

    def poll(self, seconds: float, max_messages: int = 2000) -> Sequence[Message]:
        return list(self.to_end())

    def positions(self) -> Mapping[TopicPartition, int]:
        return dict(self.at)

    def close(self) -> None:
        self.at = {}


@dataclass
class LogAdmin:
    """Topics and their ends."""

    log: Log

    def create_topics(self, topics: Sequence[NewTopic]) -> None:
        if not topics:
            raise ValueError(topics)  # as kafka-python does
        for topic in topics:
            if topic.name in self.log.topics:
                raise PermanentError(topic.name)
            self.log.topics[topic.name] = TopicDescription(topic.partitions, topic.replication, dict(topic.configs))

    def delete_topics(self, names: Sequence[str]) -> None:
        for name in names:
            del self.log.topics[name]

    def describe_topics(self, names: Collection[str] | None = None) -> Mapping[str, TopicDescription]:
        return {name: told for name, told in self.log.topics.items() if names is None or name in names}

    def set_configs(self, name: str, configs: Mapping[str, str]) -> None:
        told = self.log.topics[name]
        self.log.topics[name] = told._replace(configs={**told.configs, **configs})

    def partitions(self, topic: str) -> int:
        return self.log.topics[topic].partitions if topic in self.log.topics else 0

    def start_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    def end_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {place: len(self.log.messages.get(place, [])) for place in partitions}

    def stable_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return self.end_offsets(partitions)

    def committed(self, group: str) -> Mapping[TopicPartition, int]:
        return {}

    def close(self) -> None:
        pass
