"""Every client library must pass the same tests: a further one is one more name in the settings."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import get_args

import pytest

from transport.broker import Broker
from transport.client import Client, NewTopic, TopicPartition, connect
from transport.settings import Kafka, Library


@pytest.fixture(params=get_args(Library))
def library(request: pytest.FixtureRequest) -> Library:
    chosen: Library = request.param
    return chosen


@pytest.fixture
def client(library: Library, broker: Broker) -> Client:
    return connect(Kafka(brokers=broker.bootstrap, client=library))


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
