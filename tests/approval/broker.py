"""An installation on the real broker, as far as a reader of the registry sees it."""

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from threading import Thread

from approval.reader import Registry
from schemas import topics
from schemas.codec import contract
from tests.approval.registry import PARTITIONS, generation
from transport.client import NewTopic, Outgoing, connect
from transport.settings import Kafka

FOLLOWED = ("registry.legal-person", "registry.natural-person", "registry.history", "exchange.control")


def install(kafka: Kafka) -> None:
    """The topics a reader needs, and the generation."""
    planned = [topic for topic in topics.all_topics(kafka.prefix, PARTITIONS, []) if topic.name in _followed(kafka)]
    with closing(connect(kafka).admin()) as admin:
        admin.create_topics([NewTopic(topic.name, topic.partitions, 1, topic.configs) for topic in planned])
    publish(kafka, generation(kafka.prefix))


def followed(kafka: Kafka) -> Registry:
    """The registry as a reader of what is shipped follows it."""
    return Registry(connect(kafka), kafka.prefix, contract())


def publish(kafka: Kafka, records: Iterable[Outgoing], *, commit: bool = True) -> None:
    """One transaction, committed or given up."""
    with closing(connect(kafka).transactions(f"{kafka.prefix}exchange")) as sender:
        sender.begin()
        for record in records:
            sender.send(record)
        sender.seal()
        if commit:
            sender.commit()
        else:
            sender.abort()


def wait(done: Callable[[], bool], working: Thread) -> None:
    """Wait until it is done, as long as somebody works on it."""
    while not done():
        assert working.is_alive()
        time.sleep(0.02)


def _followed(kafka: Kafka) -> set[str]:
    return {kafka.prefix + name for name in FOLLOWED}
