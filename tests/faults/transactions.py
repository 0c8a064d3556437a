"""What the fault tests do with transactions, and the brokers they may break."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from threading import Timer
from typing import NamedTuple

import pytest

from process.errors import TransientError
from transport.broker import LocalBroker
from transport.client import (
    Client,
    Doubt,
    Group,
    Membership,
    Message,
    NewTopic,
    Outgoing,
    TopicPartition,
    Transactions,
    connect,
)
from transport.settings import Kafka, Library

# A minute of one client's faults in each `make test`; those of the other, and the longer ones, in `make faults`.
QUICK_FIRST = [pytest.param("kafka-python"), pytest.param("confluent-kafka", marks=pytest.mark.slow)]


class Setting(NamedTuple):
    """A client, a broker that may be broken and mended, and two topics of the test's own."""

    broker: LocalBroker
    client: Client
    name: str
    records: TopicPartition
    position: TopicPartition

    def sender(self) -> Transactions:
        return self.client.transactions(self.name)

    def written(self) -> list[bytes]:
        return contents(self.client, self.records)

    def happened(self) -> bool:
        """Whether the transaction is committed. The position travels in it: it is the one witness."""
        return contents(self.client, self.position) != []


def setting(broker: LocalBroker, library: Library) -> Setting:
    name = f"t{uuid.uuid4().hex[:10]}"
    client = connect(Kafka(brokers=broker.bootstrap, client=library))
    make_topics(client, f"{name}.records", f"{name}.position")
    return Setting(broker, client, name, TopicPartition(f"{name}.records", 0), TopicPartition(f"{name}.position", 0))


def make_topics(client: Client, *names: str, replication: int = 1, **configs: str) -> None:
    with contextlib.closing(client.admin()) as admin:
        settings = {key.replace("_", "."): value for key, value in configs.items()}
        admin.create_topics([NewTopic(name, 1, replication, settings) for name in names])


def warm_up(client: Client, topic: TopicPartition) -> None:
    member = client.group("warm-up", "warm-up", [topic.topic])
    settle(member)
    member.close()
    publish(client, "warm-up", [Outgoing(*topic, b"key", b"warm")])


def publish(client: Client, name: str, records: Sequence[Outgoing]) -> None:
    sender = client.transactions(name)
    publish_with(sender, records)
    sender.close()


def publish_with(sender: Transactions, records: Sequence[Outgoing]) -> None:
    begin_with(sender, records)
    sender.commit()


def publish_surely(sender: Transactions, records: Sequence[Outgoing], happened: Callable[[], bool]) -> bool:
    """Do what a caller does after a Doubt: rebuild, look what is committed, and send again only what is not.

    Again, because a late request of a producer thrown away meanwhile may fence the new one. Whether it had happened.
    """
    rebuild(sender)
    if happened():
        return True
    try:
        publish_with(sender, records)
    except Doubt:
        publish_surely(sender, records, happened)
    return False


def begin_with(sender: Transactions, records: Sequence[Outgoing]) -> None:
    sender.begin()
    for each in records:
        sender.send(each)


def finish(sender: Transactions, *, sent: Sequence[Outgoing], sealed_first: bool = False) -> None:
    for each in sent:
        sender.send(each)
    if sealed_first:
        sender.seal()
    sender.commit()


def outcome(act: Callable[[], object]) -> str:
    """What we are told of a transaction."""
    try:
        act()
    except Doubt:
        return "doubt"
    return "committed"


def rebuild(sender: Transactions) -> None:
    while True:
        try:
            return sender.rebuild()
        except (TransientError, Doubt):
            time.sleep(0.3)


def settle(member: Group) -> Membership:
    """Stand at the committed offset, with a membership that can commit."""
    while True:
        polled = member.poll(0.1)
        try:
            positions = member.settle()
        except TransientError:
            continue
        if positions and polled.membership is not None:
            return polled.membership


def position_of(member: Group, partition: TopicPartition) -> int:
    while not (positions := member.settle()):
        member.poll(0.1)
    return positions[partition]


def read(client: Client, partition: TopicPartition) -> list[Message]:
    with contextlib.closing(client.reader({partition: -2})) as reader:
        return list(reader.to_end())


def contents(client: Client, partition: TopicPartition) -> list[bytes]:
    return [each.value or b"" for each in read(client, partition)]


def settled(client: Client, partitions: Sequence[TopicPartition]) -> None:
    """Wait until every transaction is over and its markers are written."""
    with contextlib.closing(client.admin()) as admin:
        while admin.stable_offsets(partitions) != admin.end_offsets(partitions):
            time.sleep(0.1)


@contextlib.contextmanager
def later(seconds: float, act: Callable[[], None]) -> Iterator[None]:
    """Do something in the midst of what is done here, and wait until it is done."""
    timer = Timer(seconds, act)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def wait_until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
