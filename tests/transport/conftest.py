"""Every client library must pass the same tests: a second one is one more name here."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from transport.broker import Broker
from transport.client import Client, NewTopic, TopicPartition, connect
from transport.settings import Kafka

CLIENTS = ["kafka-python"]


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, broker: Broker) -> Client:
    return connect(Kafka.model_validate({"brokers": broker.bootstrap, "client": request.param}))


@pytest.fixture
def name() -> str:
    """A word no other test has used."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def make_topic(client: Client, name: str) -> Iterator[Callable[..., TopicPartition]]:
    """Makes a topic and gives its first partition."""
    admin = client.admin()

    def make(suffix: str = "topic", partitions: int = 1, **configs: str) -> TopicPartition:
        settings = {key.replace("_", "."): value for key, value in configs.items()}
        admin.create_topics([NewTopic(f"{name}.{suffix}", partitions, 1, settings)])
        return TopicPartition(f"{name}.{suffix}", 0)

    yield make
    admin.close()
