"""Faults in which the client library reports success and a part is lost, or reports failure and all is there.

Each was measured on the plain library: T1 and T2 tear a transaction in two, S4d loses two records of three, S5b
commits what it says failed, S4a never returns. Through our verbs each is a Doubt or the truth, and after a rebuild
and a repeat every record is there exactly once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event, Thread, Timer

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
from transport.loop import Limits, Staged, Tally, run
from transport.settings import Kafka
from transport.wire import describe_cluster

CLIENTS = ["kafka-python"]
SOURCE, SAFE, THIN = (TopicPartition(name, 0) for name in ("source", "safe", "thin"))


class Pair:
    """Two brokers; the topic `thin` takes writes only while both are there, the others need the first alone."""

    def __init__(self, folder: Path) -> None:
        self.first = LocalBroker(folder / "first")
        self.first.start()
        self.second = LocalBroker(folder / "second", joins=self.first)
        admin = self.client().admin()
        admin.create_topics([NewTopic(each.topic, 1, 1) for each in (SOURCE, SAFE)])
        # The coordinators' topics too are made now, on the first broker, which stays.
        warm_up(self.client(), SOURCE)
        self.second.start()
        admin.create_topics([NewTopic(THIN.topic, 1, 2, {"min.insync.replicas": "2"})])
        admin.close()

    def client(self, library: str = CLIENTS[0]) -> Client:
        return connect(Kafka.model_validate({"brokers": self.first.bootstrap, "client": library}))

    def thin_out(self) -> None:
        """Kill the second broker and wait until the first knows; nothing can be written to `thin` then."""
        settled(self.client(), [SOURCE, SAFE, THIN])
        self.second.kill()
        while 2 in describe_cluster("127.0.0.1", self.first.port, 5).nodes:
            time.sleep(0.1)

    def stop(self) -> None:
        self.second.stop()
        self.first.stop()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    both = Pair(tmp_path_factory.mktemp("pair"))
    yield both
    both.stop()


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[LocalBroker]:
    with LocalBroker(tmp_path / "broker") as broker:
        admin = connect(Kafka(brokers=broker.bootstrap)).admin()
        admin.create_topics([NewTopic(each.topic, 1, 1) for each in (SOURCE, SAFE)])
        admin.close()
        yield broker


@pytest.mark.parametrize("library", CLIENTS)
@pytest.mark.parametrize("sealed_first", [False, True], ids=["T1: commit", "T2: flush, then commit"])
def test_t1_t2_a_transaction_that_reaches_only_one_of_two_partitions_is_not_committed(
    pair: Pair, library: str, sealed_first: bool
) -> None:
    client = pair.client(library)
    name = f"{library}-{sealed_first}"
    before = {each: len(read(client, each)) for each in (SOURCE, SAFE, THIN)}
    publish(client, f"{name}-input", [Outgoing(*SOURCE, b"key", b"row")])
    sender, member = client.transactions(name), client.group(name, name, [SOURCE.topic])
    out = [Outgoing(*SAFE, b"key", name.encode()), Outgoing(*THIN, b"key", name.encode())]
    membership = settle(member)
    position = read(client, SOURCE)[-1].offset + 1
    pair.thin_out()
    sender.begin()
    for each in out:
        sender.send(each)
    with pytest.raises(Doubt):
        _finish(sender, {SOURCE: position}, membership, sealed_first=sealed_first)
    pair.second.start()
    rebuild(sender)
    stood_at = position_of(member)
    membership = settle(member)
    sender.begin()
    for each in out:
        sender.send(each)
    sender.commit({SOURCE: position}, membership)
    stands_at = position_of(member)
    sender.close()
    member.close()

    assert stood_at < position == stands_at
    assert [len(read(client, each)) - before[each] for each in (SAFE, THIN)] == [1, 1]


def _finish(
    sender: Transactions, offsets: Mapping[TopicPartition, int], membership: Membership, *, sealed_first: bool
) -> None:
    if sealed_first:
        sender.seal()
    sender.commit(offsets, membership)


@pytest.mark.parametrize("library", CLIENTS)
def test_t1_the_loop_loses_and_repeats_nothing_while_replicas_are_missing(pair: Pair, library: str) -> None:
    class Both:
        """Answers every message in both topics."""

        def __init__(self) -> None:
            self.taken = 0

        def assigned(self, positions: Mapping[TopicPartition, int]) -> None: ...

        def process(self, messages: Sequence[Message]) -> Staged:
            out = [Outgoing(*target, each.key, each.value) for each in messages for target in (SAFE, THIN)]
            return out, len(messages)

        def idle(self) -> Staged | None:
            return None

        def committed(
            self, staged: object, positions: Mapping[TopicPartition, int], written: Mapping[TopicPartition, int]
        ) -> None:
            assert isinstance(staged, int)
            self.taken += staged

    client = pair.client(library)
    already = {each: len(read(client, each)) for each in (SOURCE, SAFE, THIN)}
    work, stop, tally = Both(), Event(), Tally()
    quick = Limits(poll_seconds=0.1)
    loop = Thread(
        target=run,
        args=(client, f"loop-{library}", "one", [SOURCE.topic], work, stop),
        kwargs={"limits": quick, "tally": tally},
    )
    loop.start()
    wait_until(lambda: work.taken == already[SOURCE])
    pair.thin_out()
    publish(client, f"loop-{library}-input", [Outgoing(*SOURCE, b"key", b"%d" % number) for number in range(50)])
    wait_until(lambda: sum(tally.doubts.values()) > 0)
    pair.second.start()
    wait_until(lambda: work.taken == already[SOURCE] + 50)
    stop.set()
    loop.join()
    answers = {each: [message.value for message in read(client, each)][-50:] for each in (SAFE, THIN)}

    assert answers[SAFE] == answers[THIN] == [b"%d" % number for number in range(50)]
    assert [len(read(client, each)) - already[each] for each in (SAFE, THIN)] == [already[SOURCE] + 50] * 2


@pytest.mark.parametrize("library", CLIENTS)
def test_s4d_a_broker_that_was_away_while_records_were_sent_does_not_lose_some_of_them(
    lone: LocalBroker, library: str
) -> None:
    client = connect(Kafka.model_validate({"brokers": lone.bootstrap, "client": library}))
    sender = client.transactions("s4d")
    sender.begin()
    sender.send(Outgoing(*SAFE, b"1", b"one"))
    sender.seal()
    lone.kill()
    sender.send(Outgoing(*SAFE, b"2", b"two"))
    sender.send(Outgoing(*SAFE, b"3", b"three"))
    back = Timer(5.5, lone.start)
    back.start()
    with pytest.raises(Doubt):
        sender.commit()
    back.join()
    rebuild(sender)
    after_doubt = read(client, SAFE)
    publish_with(
        sender, [Outgoing(*SAFE, key, value) for key, value in [(b"1", b"one"), (b"2", b"two"), (b"3", b"three")]]
    )
    sender.close()

    assert after_doubt == []
    assert [each.value for each in read(client, SAFE)] == [b"one", b"two", b"three"]


@pytest.mark.parametrize("library", CLIENTS)
def test_s5b_a_commit_that_failed_or_not_is_decided_by_what_is_there(lone: LocalBroker, library: str) -> None:
    client = connect(Kafka.model_validate({"brokers": lone.bootstrap, "client": library}))
    sender = client.transactions("s5b")
    records = [Outgoing(*SAFE, b"1", b"one"), Outgoing(*SAFE, b"2", b"two"), Outgoing(*SOURCE, b"position", b"2")]
    sender.begin()
    for each in records:
        sender.send(each)
    sender.seal()
    lone.freeze()
    thawing = Timer(7, lone.thaw)
    thawing.start()
    told = outcome(sender)
    thawing.join()
    rebuild(sender)
    # The position travels in the transaction: it is the one witness.
    happened = read(client, SOURCE) != []
    if not happened:
        publish_with(sender, records)
    sender.close()

    assert happened or told == "doubt"
    assert [each.value for each in read(client, SAFE)] == [b"one", b"two"]
    assert [each.value for each in read(client, SOURCE)] == [b"2"]


@pytest.mark.parametrize("library", CLIENTS)
def test_s4a_a_commit_that_would_never_return_ends_in_doubt_and_the_repeat_is_seen_once(
    lone: LocalBroker, library: str
) -> None:
    client = connect(Kafka.model_validate({"brokers": lone.bootstrap, "client": library}))
    sender = client.transactions("s4a")
    record = Outgoing(*SAFE, b"1", b"one")
    sender.begin()
    sender.send(record)
    sender.seal()
    lone.kill()
    back = Timer(3, lone.start)
    back.start()
    told = outcome(sender)
    back.join()
    rebuild(sender)
    happened = read(client, SAFE) != []
    if not happened:
        publish_with(sender, [record])
    sender.close()

    assert happened or told == "doubt"
    assert [each.value for each in read(client, SAFE)] == [b"one"]


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
    sender.begin()
    for each in records:
        sender.send(each)
    sender.commit()


def outcome(sender: Transactions) -> str:
    try:
        sender.commit()
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


def position_of(member: Group) -> int:
    while not (positions := member.settle()):
        member.poll(0.1)
    return positions[SOURCE]


def read(client: Client, partition: TopicPartition) -> list[Message]:
    reader = client.reader({partition: -2})
    try:
        return list(reader.to_end())
    finally:
        reader.close()


def settled(client: Client, partitions: Sequence[TopicPartition]) -> None:
    """Wait until the markers of earlier transactions are written."""
    admin = client.admin()
    while admin.stable_offsets(partitions) != admin.end_offsets(partitions):
        time.sleep(0.1)
    admin.close()


def wait_until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
