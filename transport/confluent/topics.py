"""Topics and offsets, asked of the brokers."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from process.errors import PermanentError
from process.messages import say
from transport.client import NewTopic, TopicDescription, TopicPartition
from transport.confluent.library import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    NativePartition,
    NativeTopic,
    OffsetSpec,
    TopicCollection,
    code_of,
    failed,
    made,
    patiently,
)
from transport.deadline import QUERY_SECONDS
from transport.preflight import unreachable
from transport.settings import Kafka

_Answers = tuple[dict[Any, Any], list[Any]]


class Admin:
    def __init__(self, settings: Kafka) -> None:
        self._settings = settings
        self._client: AdminClient | None = None

    def create_topics(self, topics: Sequence[NewTopic]) -> None:
        wanted = [
            NativeTopic(each.name, each.partitions, each.replication, config=dict(each.configs)) for each in topics
        ]
        made_now, existing = self._ask("create_topics", wanted, but=KafkaError.TOPIC_ALREADY_EXISTS)
        if existing:
            raise PermanentError(say("transport.topic_exists", topic=", ".join(sorted(existing))))
        self._wait_for_leaders(made_now)

    def delete_topics(self, names: Sequence[str]) -> None:
        self._ask("delete_topics", list(names))

    def describe_topics(self, names: Collection[str] | None = None) -> Mapping[str, TopicDescription]:
        found = {name: topic for name, topic in self._found(names).items() if not topic.is_internal}
        resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in found]
        described, _ = self._ask("describe_configs", resources)
        configs = {
            resource.name: {name: entry.value for name, entry in entries.items()}
            for resource, entries in described.items()
        }
        return {
            name: TopicDescription(len(topic.partitions), len(topic.partitions[0].replicas), configs[name])
            for name, topic in found.items()
        }

    def set_configs(self, name: str, configs: Mapping[str, str]) -> None:
        entries = [
            ConfigEntry(each, value, incremental_operation=AlterConfigOpType.SET) for each, value in configs.items()
        ]
        resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=entries)
        self._ask("incremental_alter_configs", [resource])

    def partitions(self, topic: str) -> int:
        found = self._found([topic])
        return len(found[topic].partitions) if found else 0

    def start_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return self._offsets(partitions, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED)

    def end_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return self._offsets(partitions, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)

    def stable_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return self._offsets(partitions, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED)

    def committed(self, group: str) -> Mapping[TopicPartition, int]:
        answer, _ = self._ask("list_consumer_group_offsets", [ConsumerGroupTopicPartitions(group)])
        return {
            TopicPartition(each.topic, each.partition): each.offset
            for each in answer[group].topic_partitions
            if each.offset >= 0
        }

    def close(self) -> None:
        self._client = None

    def _offsets(
        self, partitions: Collection[TopicPartition], spec: OffsetSpec, isolation: IsolationLevel
    ) -> Mapping[TopicPartition, int]:
        asked = {NativePartition(*partition): spec for partition in partitions}
        if not asked:
            return {}
        options = {"isolation_level": isolation}
        found, _ = self._call(lambda client: patiently(lambda: _answers(client.list_offsets, asked, None, options)))
        return {TopicPartition(each.topic, each.partition): answer.offset for each, answer in found.items()}

    def _found(self, names: Collection[str] | None) -> dict[str, Any]:
        """The topics named (all: None) that exist, as the library describes them."""
        if names is None:
            names = self._call(lambda client: client.list_topics(timeout=QUERY_SECONDS)).topics
        found, _ = self._ask("describe_topics", TopicCollection(list(names)), but=KafkaError.UNKNOWN_TOPIC_OR_PART)
        return found

    def _wait_for_leaders(self, names: Collection[str]) -> None:
        """The broker that was asked knows of its topics at once; who leads them, and the others, a moment later."""
        due = time.monotonic() + QUERY_SECONDS
        while time.monotonic() < due:
            found = self._found(names)
            if len(found) == len(names) and all(each.leader for topic in found.values() for each in topic.partitions):
                return
            time.sleep(0.05)
        raise unreachable(self._settings, f"no leader for {', '.join(sorted(names))}")

    def _ask(
        self, verb: str, asked: Any, *, but: int | None = None, **options: Any
    ) -> tuple[dict[Any, Any], list[Any]]:
        """The answer for each thing asked, and those that were answered with the error `but`."""
        return self._call(lambda client: _answers(getattr(client, verb), asked, but, options)) if asked else ({}, [])

    def _call(self, call: Callable[[AdminClient], Any]) -> Any:
        if self._client is None:
            self._client = made(self._settings, AdminClient, {"client.id": "admin"})
        try:
            return call(self._client)
        except Exception as exc:
            self.close()
            raise failed(exc, self._settings) from exc


def _answers(
    call: Callable[..., Mapping[Any, Any]], asked: Any, but: int | None, options: Mapping[str, Any]
) -> _Answers:
    answered: dict[Any, Any] = {}
    others = []
    for thing, future in call(asked, request_timeout=QUERY_SECONDS, **options).items():
        try:
            answered[thing] = future.result(QUERY_SECONDS * 2)
        except KafkaException as exc:
            if code_of(exc) != but:
                raise
            others.append(thing)
    return answered, others
