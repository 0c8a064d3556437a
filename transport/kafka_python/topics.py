"""Topics and offsets, asked of the brokers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from process.errors import PermanentError
from process.messages import say
from transport.client import NewTopic, TopicDescription, TopicPartition
from transport.deadline import QUERY_SECONDS, within
from transport.kafka_python.library import (
    ConfigResource,
    IsolationLevel,
    KafkaAdminClient,
    NativePartition,
    OffsetSpec,
    errors,
    failed,
    made,
)
from transport.settings import Kafka


class Admin:
    def __init__(self, settings: Kafka) -> None:
        self._settings = settings
        self._client: Any = None

    def create_topics(self, topics: Sequence[NewTopic]) -> None:
        wanted = {
            topic.name: {
                "num_partitions": topic.partitions,
                "replication_factor": topic.replication,
                "configs": dict(topic.configs),
            }
            for topic in topics
        }
        try:
            self._ask("create_topics", wanted, wait_for_metadata=True)
        except errors.TopicAlreadyExistsError as exc:
            existing = ", ".join(sorted(set(wanted) & set(self.describe_topics(list(wanted)))))
            raise PermanentError(say("transport.topic_exists", topic=existing)) from exc

    def delete_topics(self, names: Sequence[str]) -> None:
        self._ask("delete_topics", list(names))

    def describe_topics(self, names: Collection[str] | None = None) -> Mapping[str, TopicDescription]:
        if names is not None and not names:
            return {}
        found = [
            topic
            for topic in self._ask("describe_topics", None if names is None else list(names))
            if topic["error_code"] == 0 and not topic["is_internal"]
        ]
        if not found:
            return {}
        resources = [ConfigResource("TOPIC", topic["name"]) for topic in found]
        configs = self._ask("describe_configs", resources, config_filter="all")["topic"]
        return {
            topic["name"]: TopicDescription(
                len(topic["partitions"]),
                len(topic["partitions"][0]["replica_nodes"]),
                {name: config["value"] for name, config in configs.get(topic["name"], {}).items()},
            )
            for topic in found
        }

    def set_configs(self, name: str, configs: Mapping[str, str]) -> None:
        self._ask("alter_configs", [ConfigResource("TOPIC", name, dict(configs))])

    def partitions(self, topic: str) -> int:
        (answer,) = self._ask("describe_topics", [topic])
        return len(answer["partitions"]) if answer["error_code"] == 0 else 0

    def start_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return self._offsets(partitions, OffsetSpec.EARLIEST, IsolationLevel.READ_UNCOMMITTED)

    def end_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return self._offsets(partitions, OffsetSpec.LATEST, IsolationLevel.READ_UNCOMMITTED)

    def stable_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return self._offsets(partitions, OffsetSpec.LATEST, IsolationLevel.READ_COMMITTED)

    def committed(self, group: str) -> Mapping[TopicPartition, int]:
        offsets = self._ask("list_group_offsets", group)[group]
        return {TopicPartition(*partition): each.offset for partition, each in offsets.items() if each.offset >= 0}

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):
                within(5.0, client.close)

    def _offsets(
        self, partitions: Collection[TopicPartition], spec: OffsetSpec, isolation: IsolationLevel
    ) -> Mapping[TopicPartition, int]:
        if not partitions:
            return {}
        asked = {NativePartition(*partition): spec for partition in partitions}
        found = self._ask("list_partition_offsets", asked, isolation)
        return {TopicPartition(*partition): each.offset for partition, each in found.items()}

    def _ask(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        if self._client is None:
            self._client = made(self._settings, KafkaAdminClient, request_timeout_ms=10_000)
        try:
            return within(QUERY_SECONDS * 2, getattr(self._client, verb), *args, **kwargs)
        except errors.TopicAlreadyExistsError:
            raise
        except Exception as exc:
            self.close()
            raise failed(exc, self._settings) from exc
