"""The safe loop: every message's effect once, whatever happens to the broker, the partitions or a twin."""

from __future__ import annotations

import contextlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from process import logs
from process.errors import FencedError, SettingsError
from transport.broker import LocalBroker
from transport.client import (
    Admin,
    Client,
    Doubt,
    Group,
    Message,
    NewTopic,
    Outgoing,
    Polled,
    Reader,
    TopicPartition,
    Transactions,
    connect,
)
from transport.loop import Limits, Staged, Tally, run
from transport.settings import Kafka, Library

MakeTopic = Callable[..., TopicPartition]


class Copy:
    """Copies every message to a topic, and remembers what the loop told it."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.held: list[set[TopicPartition]] = []
        self.starts: list[Mapping[TopicPartition, int]] = []
        self.batches: list[int] = []
        self.kept: list[object] = []
        self.positions: Mapping[TopicPartition, int] = {}
        self.written: dict[TopicPartition, int] = {}

    def assigned(self, positions: Mapping[TopicPartition, int]) -> None:
        self.held.append(set(positions))
        self.starts.append(positions)

    def process(self, messages: Sequence[Message]) -> Staged:
        self.batches.append(len(messages))
        out = [Outgoing(self.target, each.partition, each.key, each.value) for each in messages]
        return out, [each.value for each in messages]

    def idle(self) -> Staged | None:
        return None

    def committed(
        self, staged: object, positions: Mapping[TopicPartition, int], written: Mapping[TopicPartition, int]
    ) -> None:
        assert isinstance(staged, list)
        self.kept.extend(staged)
        self.positions = positions
        self.written.update(written)


class Running:
    """A loop in a thread of its own."""

    def __init__(
        self, client: Client, name: str, topics: Sequence[str], work: Copy, instance: str, limits: Limits
    ) -> None:
        self.stop = threading.Event()
        self.tally = Tally()
        self.raised: list[BaseException] = []
        self._client = client
        self._name = name
        self._limits = limits
        self._thread = threading.Thread(target=self._run, args=(topics, work, f"{name}-{instance}"))
        self._thread.start()

    def end(self) -> None:
        self.stop.set()
        self._thread.join()

    def ended(self) -> bool:
        return not self._thread.is_alive()

    def _run(self, topics: Sequence[str], work: Copy, instance: str) -> None:
        try:
            run(self._client, self._name, instance, topics, work, self.stop, limits=self._limits, tally=self.tally)
        except Exception as exc:  # noqa: BLE001 - shown to the test
            self.raised.append(exc)


QUICK = Limits(poll_seconds=0.1, idle_seconds=0.2, apart_seconds=3, stall_seconds=2)


def test_every_message_is_answered_once_and_what_was_staged_is_handed_back_when_it_is_committed(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    source, target = make_topic("source", partitions=2), make_topic("target", partitions=2)
    sent = fill(client, name, source, 50)
    work = Copy(target.topic)
    with running(client, name, [source.topic], work):
        wait_until(lambda: len(work.kept) == 50)

    assert sorted(read(client, target, 2)) == sorted(sent)
    assert sorted(work.kept, key=str) == sorted(sent, key=str)
    assert work.positions == {source: 25, TopicPartition(source.topic, 1): 25}
    assert sum(work.written.values()) >= 50
    # A broker that has just begun may give cause for a doubt, and so for a second start.
    assert work.starts[0] == {source: 0, TopicPartition(source.topic, 1): 0}


def test_two_workers_share_a_group_and_each_message_is_answered_once(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    sources = [make_topic(suffix, partitions=4) for suffix in ("a", "b")]
    target = make_topic("target", partitions=4)
    topics = [each.topic for each in sources]
    sent = fill(client, name, sources[0], 40, partitions=4)
    one, two = Copy(target.topic), Copy(target.topic)
    with running(client, name, topics, one, "one"):
        wait_until(lambda: len(one.kept) == 40)
        with running(client, name, topics, two, "two"):
            wait_until(lambda: len(one.held[-1]) == len(two.held[-1] if two.held else ()) == 4)
            sent += fill(client, name, sources[1], 40, partitions=4, first=40)
            wait_until(lambda: len(one.kept) + len(two.kept) == 80)

    assert sorted(read(client, target, 4)) == sorted(sent)
    assert {partition for _, partition in one.held[-1]} == {0, 1}
    assert {partition for _, partition in two.held[-1]} == {2, 3}


def test_a_batch_that_ends_in_doubt_comes_again_after_what_is_committed_is_read_again(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    class Unsure(Copy):
        def process(self, messages: Sequence[Message]) -> Staged:
            staged = super().process(messages)
            if len(self.batches) == 1:
                raise Doubt("unsure")
            return staged

    source, target = make_topic("source"), make_topic("target")
    sent = fill(client, name, source, 5, partitions=1)
    work = Unsure(target.topic)
    with running(client, name, [source.topic], work) as loop:
        wait_until(lambda: len(work.kept) == 5)

    assert work.starts == [{source: 0}, {source: 0}]
    assert work.kept == sent == read(client, target, 1)
    assert loop.tally.doubts == {"unsure": 1}
    assert loop.tally.rebuilds == {"start": 1, "unsure": 1}


def test_no_batch_carries_more_bytes_than_one_transaction_should(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    source, target = make_topic("source"), make_topic("target")
    sent = fill(client, name, source, 7, partitions=1, padding=1000)
    work = Copy(target.topic)
    with running(client, name, [source.topic], work, limits=Limits(bytes=2500, poll_seconds=0.1)):
        wait_until(lambda: len(work.kept) == 7)

    assert max(work.batches) == 2
    assert work.kept == sent == read(client, target, 1)


def test_what_idling_gives_is_written_without_a_message(client: Client, name: str, make_topic: MakeTopic) -> None:
    class Ticking(Copy):
        def idle(self) -> Staged | None:
            return None if self.kept else ([Outgoing(self.target, 0, b"tick", b"tock")], ["tick"])

    source, target = make_topic("source"), make_topic("target")
    work = Ticking(target.topic)
    with running(client, name, [source.topic], work):
        wait_until(lambda: bool(work.kept))

    assert read(client, target, 1) == [b"tock"]
    assert work.positions == {source: 0}


def test_a_worker_whose_name_is_taken_over_stops_and_the_other_goes_on(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    source, target = make_topic("source"), make_topic("target")
    works = Copy(target.topic), Copy(target.topic)
    sent: list[bytes] = []
    with running(client, name, [source.topic], works[0]) as one, running(client, name, [source.topic], works[1]) as two:
        while not (one.ended() or two.ended()):
            sent += fill(client, name, source, 1, partitions=1, first=len(sent))
        stopped = one if one.ended() else two
        sent += fill(client, name, source, 1, partitions=1, first=len(sent))
        wait_until(lambda: len(read(client, target, 1)) >= len(sent))

    assert [type(each) for each in stopped.raised] == [FencedError]
    assert len(one.raised) + len(two.raised) == 1
    assert read(client, target, 1) == sent


def test_one_takeover_that_takes_both_producer_and_membership_does_not_stop_the_worker(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    class TakenOver(Copy):
        def process(self, messages: Sequence[Message]) -> Staged:
            staged = super().process(messages)
            reasons = {1: "fenced", 2: "instance_fenced"}
            if len(self.batches) in reasons:
                raise Doubt(reasons[len(self.batches)])
            return staged

    source, target = make_topic("source"), make_topic("target")
    sent = fill(client, name, source, 5, partitions=1)
    work = TakenOver(target.topic)
    with running(client, name, [source.topic], work) as loop:
        wait_until(lambda: len(work.kept) == 5 or loop.ended())

    assert not loop.raised
    assert work.kept == sent == read(client, target, 1)


@pytest.mark.parametrize(("other", "said"), [(3, "must have equally many"), (0, "There is no topic")])
def test_topics_that_cannot_be_shared_evenly_stop_the_start(
    client: Client, name: str, make_topic: MakeTopic, other: int, said: str
) -> None:
    topics = [make_topic("a", partitions=2).topic, f"{name}.b"]
    if other:
        make_topic("b", partitions=other)

    with pytest.raises(SettingsError, match=said):
        run(client, name, f"{name}-one", topics, Copy("nowhere"), threading.Event())


def test_members_with_other_topics_tear_equal_partitions_apart_which_stops_the_worker(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    topics = [make_topic(suffix, partitions=2).topic for suffix in ("a", "b")]
    work = Copy("nowhere")
    with (
        running(client, name, topics[:1], Copy("nowhere"), "a-only"),
        running(client, name, topics, work, "both") as it,
    ):
        wait_until(it.ended)

    assert [type(each) for each in it.raised] == [SettingsError]
    assert "went to another member" in str(it.raised[0])


def test_a_worker_that_comes_back_at_once_with_a_topic_more_reads_that_too(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    first, second = make_topic("first", partitions=2), make_topic("second", partitions=2)
    target = make_topic("target", partitions=2)
    before = Copy(target.topic)
    sent = fill(client, name, first, 6)
    with running(client, name, [first.topic], before):
        wait_until(lambda: len(before.kept) == 6)
    further = fill(client, name, second, 4, first=6)
    after = Copy(target.topic)
    with running(client, name, [first.topic, second.topic], after) as loop:
        wait_until(lambda: len(after.kept) == 4 or loop.ended())

    assert not loop.raised
    assert sorted(before.kept, key=str) == sent
    assert sorted(after.kept, key=str) == further


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A broker that may be killed, and is started again by whoever does it."""
    with LocalBroker(tmp_path_factory.mktemp("mortal") / "data") as broker:
        yield broker


def test_a_broker_that_goes_away_is_waited_for_and_told_once(library: Library, name: str, mortal: LocalBroker) -> None:
    client = connect(Kafka(brokers=mortal.bootstrap, client=library))
    with told() as lines:
        admin = client.admin()
        admin.create_topics([NewTopic(f"{name}.source", 1, 1), NewTopic(f"{name}.target", 1, 1)])
        admin.close()
        source, target = TopicPartition(f"{name}.source", 0), TopicPartition(f"{name}.target", 0)
        work = Copy(target.topic)
        sent = fill(client, name, source, 5, partitions=1)
        with running(client, name, [source.topic], work) as loop:
            wait_until(lambda: len(work.kept) == 5)
            mortal.kill()
            wait_until(lambda: sum(loop.tally.doubts.values()) >= 3)
            mortal.start()
            sent += fill(client, name, source, 5, partitions=1, first=5)
            wait_until(lambda: len(work.kept) == 10)
        copied = read(client, target, 1)

    assert copied == sent
    assert not loop.raised
    events = [line["event"] for line in lines() if line["event"].startswith("loop.")]
    assert len(events) == len(set(events))


def test_a_consumer_that_stopped_fetching_is_made_anew(client: Client, name: str, make_topic: MakeTopic) -> None:
    source, target = make_topic("source"), make_topic("target")
    sent = fill(client, name, source, 3, partitions=1)
    work = Copy(target.topic)
    deaf = DeafAtFirst(client)
    with running(deaf, name, [source.topic], work) as loop:
        wait_until(lambda: len(work.kept) == 3)

    assert work.kept == sent
    assert loop.tally.doubts == {"stalled": 1}
    assert deaf.joined == 2


@contextlib.contextmanager
def running(
    client: Client, name: str, topics: Sequence[str], work: Copy, instance: str = "one", limits: Limits = QUICK
) -> Iterator[Running]:
    loop = Running(client, name, topics, work, instance, limits)
    try:
        yield loop
    finally:
        loop.end()


@contextlib.contextmanager
def told() -> Iterator[Callable[[], list[dict[str, str]]]]:
    stream = io.StringIO()
    logs.configure(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logs.configure()


def fill(
    client: Client,
    name: str,
    source: TopicPartition,
    count: int,
    *,
    partitions: int = 2,
    first: int = 0,
    padding: int = 0,
) -> list[bytes]:
    values = [f"{number:06}".encode().ljust(padding, b".") for number in range(first, first + count)]
    sender = client.transactions(f"{name}-filling")
    sender.begin()
    for number, value in enumerate(values):
        sender.send(Outgoing(source.topic, number % partitions, b"key", value))
    sender.commit()
    sender.close()
    return values


def read(client: Client, target: TopicPartition, partitions: int) -> list[bytes]:
    reader = client.reader({TopicPartition(target.topic, number): -2 for number in range(partitions)})
    try:
        return [each.value or b"" for each in reader.to_end()]
    finally:
        reader.close()


def wait_until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class DeafAtFirst:
    """A client whose first consumer says that there is more and brings nothing; a member that is made anew hears."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.joined = 0

    def transactions(self, transactional_id: str) -> Transactions:
        return self._client.transactions(transactional_id)

    def group(self, group: str, instance: str, topics: Sequence[str]) -> Group:
        self.joined += 1
        member = self._client.group(group, instance, topics)
        return DeafMember(member) if self.joined == 1 else member

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        return self._client.reader(positions)

    def admin(self) -> Admin:
        return self._client.admin()


class DeafMember:
    def __init__(self, member: Group) -> None:
        self._member = member
        self.moved = member.moved
        self.settle = member.settle
        self.seek = member.seek
        self.behind = member.behind
        self.partition_counts = member.partition_counts
        self.close = member.close

    def poll(self, seconds: float, max_messages: int = 2000) -> Polled:
        polled = self._member.poll(seconds, max_messages)
        self._member.seek({TopicPartition(each.topic, each.partition): each.offset for each in polled.messages[:1]})
        return Polled([], polled.membership)
