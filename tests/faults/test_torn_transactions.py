"""Transactions that reach only one of two partitions: replicas are missing, and the records of one cannot be written.

The plain kafka-python commits what is left of such a transaction and calls it a success. Through our verbs it is a
Doubt, and after a rebuild and a repeat every record is there exactly once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event, Thread

import pytest

from process.errors import TransientError
from tests.faults.transactions import (
    QUICK_FIRST,
    begin_with,
    make_topics,
    outcome,
    position_of,
    publish,
    publish_surely,
    publish_with,
    read,
    rebuild,
    settle,
    settled,
    wait_until,
    warm_up,
)
from transport.broker import LocalBroker
from transport.client import Client, Doubt, Group, Membership, Message, Outgoing, TopicPartition, Transactions, connect
from transport.loop import Limits, Staged, Tally, run
from transport.settings import Kafka, Library
from transport.wire import describe_cluster

SOURCE, SAFE, THIN = (TopicPartition(name, 0) for name in ("source", "safe", "thin"))


class Pair:
    """Two brokers; the topic `thin` takes writes only while both are there, the others need the first alone."""

    def __init__(self, folder: Path) -> None:
        self.first = LocalBroker(folder / "first")
        self.first.start()
        self.second = LocalBroker(folder / "second", joins=self.first)
        make_topics(self.client(), SOURCE.topic, SAFE.topic)
        # The coordinators' topics too are made now, on the first broker, which stays.
        warm_up(self.client(), SOURCE)
        self.second.start()
        make_topics(self.client(), THIN.topic, replication=2, min_insync_replicas="2")

    def client(self, library: Library = "kafka-python") -> Client:
        return connect(Kafka(brokers=self.first.bootstrap, client=library))

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


@pytest.mark.parametrize("library", QUICK_FIRST)
@pytest.mark.parametrize("sealed_first", [False, True], ids=["T1: commit", "T2: flush, then commit"])
def test_t1_t2_a_transaction_that_reaches_only_one_of_two_partitions_is_not_committed(
    pair: Pair, library: Library, sealed_first: bool
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
    begin_with(sender, out)
    with pytest.raises(Doubt):
        _finish(sender, {SOURCE: position}, membership, sealed_first=sealed_first)
    pair.second.start()
    rebuild(sender)
    stood_at = position_of(member, SOURCE)
    _repeat(sender, member, out, position)
    stands_at = position_of(member, SOURCE)
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


def _repeat(sender: Transactions, member: Group, out: Sequence[Outgoing], position: int) -> None:
    while position_of(member, SOURCE) < position:
        try:
            membership = settle(member)
            begin_with(sender, out)
            sender.commit({SOURCE: position}, membership)
        except Doubt:
            rebuild(sender)


@pytest.mark.parametrize("library", QUICK_FIRST)
def test_t1_the_loop_loses_and_repeats_nothing_while_replicas_are_missing(pair: Pair, library: Library) -> None:
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


@pytest.mark.slow
@pytest.mark.parametrize("library", ["kafka-python", "confluent-kafka"])
def test_t2b_while_replicas_are_missing_a_doubtful_transaction_is_given_up_and_nobody_waits_for_ever(
    pair: Pair, library: Library
) -> None:
    client = pair.client(library)
    before = {each: len(read(client, each)) for each in (SAFE, THIN)}
    sender = client.transactions(f"t2b-{library}")
    out = [Outgoing(*each, b"key", library.encode()) for each in (SAFE, THIN)]
    publish_with(sender, out[:1])
    pair.thin_out()
    begin_with(sender, out)
    told = outcome(sender.seal)
    sender.abort()
    # The marker that ends it cannot be written either.
    with pytest.raises((TransientError, Doubt)):
        sender.rebuild()
    pair.second.start()
    rebuild(sender)
    after_doubt = [len(read(client, each)) - before[each] for each in (SAFE, THIN)]
    publish_surely(sender, out, lambda: len(read(client, THIN)) > before[THIN])
    sender.close()

    assert told == "doubt"
    assert after_doubt == [1, 0]
    assert [len(read(client, each)) - before[each] for each in (SAFE, THIN)] == [2, 1]
