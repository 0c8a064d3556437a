"""What every client library behind the verbs must do, on a real broker."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from process.errors import FencedError, PermanentError, TransientError
from transport.broker import Broker
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
from transport.kafka_python.library import KafkaProducer, NativePartition, OffsetAndMetadata
from transport.settings import Kafka, Library

MakeTopic = Callable[..., TopicPartition]
BEGINNING = -2


def test_only_what_was_committed_is_read(client: Client, name: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    with sending(client, name) as sender, sending(client, f"{name}-open") as other:
        publish(sender, topic, b"one")
        sender.begin()
        sender.send(record(topic, b"given up"))
        sender.seal()
        sender.abort()
        publish(sender, topic, b"two")
        other.begin()
        other.send(record(topic, b"open"))
        other.seal()
        reader = client.reader({topic: BEGINNING})
        read = values(reader.poll(5))
        reader.close()

        assert read == [b"one", b"two"]


def test_sealing_tells_the_next_offset_of_every_partition_written(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    topic = make_topic(partitions=3)
    with sending(client, name) as sender:
        sender.begin()
        for partition, value in [(0, b"a"), (2, b"b"), (2, b"c")]:
            sender.send(Outgoing(topic.topic, partition, b"key", value))
        sealed = sender.seal()
        sender.commit()

    assert sealed == {TopicPartition(topic.topic, 0): 1, TopicPartition(topic.topic, 2): 2}


def test_keys_values_headers_and_partitions_arrive_as_they_were_sent(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    topic = make_topic(partitions=2)
    sent = [
        Outgoing(topic.topic, 1, b"\x00\xff", None, (("why", b"gone"),)),
        Outgoing(topic.topic, 1, b"", b"", (("twice", b"1"), ("twice", b""), ("名", "值".encode()))),
        Outgoing(topic.topic, 1, None, b"no key"),
        Outgoing(topic.topic, 1, b"big", bytes(range(256)) * 3000),
    ]
    with sending(client, name) as sender:
        sender.begin()
        for each in sent:
            sender.send(each)
        sender.commit()
    arrived = read_all(client, [topic, TopicPartition(topic.topic, 1)])

    assert [Outgoing(each.topic, each.partition, each.key, each.value, each.headers) for each in arrived] == sent
    assert [each.offset for each in arrived] == [0, 1, 2, 3]
    assert all(abs(each.timestamp_ms / 1000 - time.time()) < 600 for each in arrived)


def test_more_bytes_than_may_be_under_way_at_once_all_arrive(client: Client, name: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    value = b"x" * 900_000
    with sending(client, name) as sender:
        sender.begin()
        for number in range(40):
            sender.send(Outgoing(topic.topic, 0, str(number).encode(), value))
        sender.commit()

    assert [each.key for each in read_all(client, [topic])] == [str(number).encode() for number in range(40)]


def test_a_record_too_large_for_its_topic_is_refused_for_good(client: Client, name: str, make_topic: MakeTopic) -> None:
    topic = make_topic(max_message_bytes="10000")
    with sending(client, name) as sender:
        sender.begin()
        sender.send(record(topic, random.Random(1).randbytes(200_000)))
        with pytest.raises(PermanentError, match=topic.topic):
            sender.commit()


def test_a_record_for_a_topic_nobody_made_is_a_doubt_that_names_the_topic(client: Client, name: str) -> None:
    with sending(client, name) as sender, pytest.raises(Doubt, match=rf"{name}\.nobody\.made"):
        publish(sender, TopicPartition(f"{name}.nobody.made", 0), b"value")


def test_records_and_offsets_are_committed_together(client: Client, name: str, make_topic: MakeTopic) -> None:
    source, target = make_topic("source"), make_topic("target")
    with sending(client, name) as sender, joined(client, name, [source.topic]) as member:
        publish(sender, source, b"one", b"two")
        start = settle(member)
        messages, membership = take(member, 2)
        sender.begin()
        sender.send(record(target, b"sum"))
        sender.commit({source: messages[-1].offset + 1}, membership)

        assert start == {source: 0}
        assert committed(client, name) == {source: 2}
        assert values(read_all(client, [target])) == [b"sum"]


def test_offsets_of_a_transaction_given_up_are_not_committed(client: Client, name: str, make_topic: MakeTopic) -> None:
    source, target = make_topic("source"), make_topic("target")
    with sending(client, name) as sender, joined(client, name, [source.topic]) as member:
        publish(sender, source, b"one")
        settle(member)
        take(member, 1)
        sender.begin()
        sender.send(record(target, b"never"))
        sender.seal()
        sender.abort()

        assert committed(client, name) == {}
        assert settle(member) == {source: 0}
        assert read_all(client, [target]) == []


def test_a_membership_that_no_longer_holds_cannot_commit(client: Client, name: str, make_topic: MakeTopic) -> None:
    source = make_topic("source")
    with sending(client, name) as sender, joined(client, name, [source.topic]) as member:
        settle(member)
        before = polled_membership(member)
        with joined(client, name, [source.topic], "two") as other:
            generation = before.generation
            while generation == before.generation:
                other.poll(0.1)
                membership = member.poll(0.1).membership
                generation = membership.generation if membership else generation
        for stale in (before, before._replace(generation=-1, member="")):
            sender.begin()
            with pytest.raises(Doubt) as caught:
                sender.commit({source: 7}, stale)
            assert caught.value.reason == "stale"
            sender.rebuild()

        assert committed(client, name) == {}


def test_an_offset_that_may_yet_be_committed_is_waited_for(
    client: Client, name: str, make_topic: MakeTopic, broker: Broker
) -> None:
    source = make_topic("source")
    other = KafkaProducer(bootstrap_servers=broker.bootstrap, transactional_id=f"{name}-other")
    other.init_transactions()
    other.begin_transaction()
    other.send_offsets_to_transaction({NativePartition(*source): OffsetAndMetadata(7, "", -1)}, name)
    commit_soon = threading.Timer(1.5, other.commit_transaction)
    commit_soon.start()
    with joined(client, name, [source.topic]) as member:
        start = settle(member)
    commit_soon.join()
    other.close()

    assert start == {source: 7}


def test_a_new_owner_of_a_name_fences_the_old_one_and_settles_its_transaction(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    topic = make_topic()
    with sending(client, name) as old, sending(client, name) as new:
        old.begin()
        old.send(record(topic, b"old"))
        old.seal()
        publish(new, topic, b"new")
        with pytest.raises(Doubt, match="fenced"):
            old.commit()

        assert values(read_all(client, [topic])) == [b"new"]


def test_the_second_fence_without_a_success_between_is_a_rival(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    topic = make_topic()
    with sending(client, name) as ours, sending(client, name) as rival:
        publish(ours, topic, b"first")
        publish(rival, topic, b"theirs")
        with pytest.raises(Doubt, match="fenced"):
            publish(ours, topic, b"lost")
        ours.rebuild()
        rival.rebuild()

        with pytest.raises(FencedError, match=name):
            publish(ours, topic, b"lost again")


def test_a_fence_is_forgiven_after_a_success(client: Client, name: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    with sending(client, name) as ours, sending(client, name) as late:
        publish(ours, topic, b"1")
        for value in (b"2", b"3"):
            late.rebuild()
            with pytest.raises(Doubt, match="fenced"):
                publish(ours, topic, b"lost")
            ours.rebuild()
            publish(ours, topic, value)

    assert values(read_all(client, [topic])) == [b"1", b"2", b"3"]


def test_nothing_is_begun_on_a_transaction_in_doubt_before_a_rebuild(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    topic = make_topic()
    with sending(client, name) as sender, sending(client, name) as other:
        sender.begin()
        sender.send(record(topic, b"lost"))
        other.rebuild()
        with pytest.raises(Doubt):
            sender.commit()
        with pytest.raises(Doubt, match="not_rebuilt"):
            sender.begin()
        sender.rebuild()
        publish(sender, topic, b"again")

    assert values(read_all(client, [topic])) == [b"again"]


def test_after_doubt_a_rebuild_shows_what_is_committed_and_the_repeat_is_seen_once(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    source, target = make_topic("source"), make_topic("target")
    with sending(client, name) as sender, joined(client, name, [source.topic]) as member:
        publish(sender, source, b"one")
        settle(member)
        messages, membership = take(member, 1)
        sender.begin()
        sender.send(record(target, b"out"))
        sender.seal()
        with sending(client, name) as disturber:
            disturber.rebuild()
        with pytest.raises(Doubt):
            sender.commit({source: 1}, membership)
        sender.rebuild()
        again = settle(member)
        repeated, membership = take(member, 1)
        sender.begin()
        sender.send(record(target, b"out"))
        sender.commit({source: 1}, membership)

        assert again == {source: 0}
        assert repeated == messages
        assert values(read_all(client, [target])) == [b"out"]


def test_reading_to_the_end_waits_for_a_transaction_that_is_open(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    topic = make_topic()
    with sending(client, name) as sender, sending(client, f"{name}-other") as other:
        sender.begin()
        sender.send(record(topic, b"open at the call"))
        sender.seal()
        publish(other, topic, b"behind it")
        reader = client.reader({topic: BEGINNING})
        commit_soon = threading.Timer(1.0, sender.commit)
        commit_soon.start()
        read = values(list(reader.to_end()))
        commit_soon.join()
        reader.close()

    assert read == [b"open at the call", b"behind it"]


def test_reading_to_the_end_waits_for_one_that_is_given_up_too(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    topic = make_topic()
    with sending(client, name) as sender:
        publish(sender, topic, b"kept")
        sender.begin()
        sender.send(record(topic, b"given up"))
        sender.seal()
        reader = client.reader({topic: BEGINNING})
        abort_soon = threading.Timer(0.5, sender.abort)
        abort_soon.start()
        read = values(list(reader.to_end()))
        abort_soon.join()
        at = reader.positions()[topic]
        reader.close()

    assert read == [b"kept"]
    assert at == 4  # behind the record, its marker, the record given up and the marker that says so


def test_the_end_is_where_it_was_at_the_call(client: Client, name: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    with sending(client, name) as sender:
        publish(sender, topic, b"before")
        reader = client.reader({topic: BEGINNING})
        reading = reader.to_end()
        publish(sender, topic, b"after")
        first = values(list(reading))
        then = values(list(reader.to_end()))
        reader.close()

    assert first[0] == b"before"
    assert first + then == [b"before", b"after"]


def test_a_reader_goes_on_where_it_was_and_starts_where_it_is_told(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    topic = make_topic(partitions=2)
    other = TopicPartition(topic.topic, 1)
    with sending(client, name) as sender:
        publish(sender, topic, b"0", b"1", b"2")
        publish(sender, other, b"a")
    first = client.reader({topic: 1, other: BEGINNING})
    reading = first.to_end()
    one = next(reading)
    rest = list(first.to_end())
    nothing_more = list(first.to_end())
    second = client.reader(first.positions())
    seen = list(second.to_end())
    first.close()
    second.close()

    assert sorted(filter(None, values([one, *rest]))) == [b"1", b"2", b"a"]
    assert nothing_more == seen == []


def test_following_brings_what_is_written_later(client: Client, name: str, make_topic: MakeTopic) -> None:
    topic = make_topic()
    with sending(client, name) as sender:
        publish(sender, topic, b"early")
        reader = client.reader({topic: BEGINNING})
        early = values(list(reader.to_end()))
        publish(sender, topic, b"late")
        late: list[bytes | None] = []
        while not late:
            late = values(reader.poll(1))
        at = reader.positions()
        reader.close()

    assert (early, late) == ([b"early"], [b"late"])
    assert at == {topic: 3}


def test_a_position_behind_the_end_is_told_not_guessed(client: Client, make_topic: MakeTopic) -> None:
    topic = make_topic()
    reader = client.reader({topic: 10})

    with contextlib.closing(reader), pytest.raises(PermanentError, match=topic.topic):
        list(reader.to_end())


def test_messages_of_one_partition_come_together_and_in_order(client: Client, name: str, make_topic: MakeTopic) -> None:
    source = make_topic("source", partitions=3)
    with sending(client, name) as sender, joined(client, name, [source.topic]) as member:
        for number in range(60):
            publish(sender, source._replace(partition=number % 3), b"value")
        settle(member)
        batches: list[list[tuple[int, int]]] = []
        while sum(len(batch) for batch in batches) < 60:
            batches.append([(each.partition, each.offset) for each in member.poll(0.2).messages])

    assert [batch for batch in batches if _runs(batch) > len({partition for partition, _ in batch})] == []
    assert [at for batch in batches for at in batch if at[0] == 1] == [(1, number * 2) for number in range(20)]


def test_two_members_share_by_range_and_keep_equal_partitions_together(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    topics = [make_topic(suffix, partitions=4).topic for suffix in ("a", "b", "c")]
    with joined(client, name, topics, "one") as one:
        alone = settle(one)
        with joined(client, name, topics, "two") as two:
            shares = shared(one, two, 6)

    assert len(alone) == 12
    assert [{partition for _, partition in share} for share in shares] == [{0, 1}, {2, 3}]


def test_a_member_that_comes_back_under_its_name_takes_the_place_of_the_first(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    source = make_topic("source", partitions=2)
    with sending(client, name) as sender, joined(client, name, [source.topic], "one") as one:
        settle(one)
        with joined(client, name, [source.topic], "one") as again:
            share = settle(again)
            with pytest.raises(Doubt, match="instance_fenced"):
                commit_offset(sender, one, source)

    assert share == {source: 0, TopicPartition(source.topic, 1): 0}


def test_what_is_ahead_of_a_member_counts_committed_data(client: Client, name: str, make_topic: MakeTopic) -> None:
    source = make_topic("source")
    with sending(client, name) as sender, joined(client, name, [source.topic]) as member:
        settle(member)
        publish(sender, source, b"one", b"two")
        take(member, 2)
        member.seek({source: 0})
        ahead = member.behind()
        counts = member.partition_counts()
        # The last of the three is a marker: a member that never got past it would look as if it had stopped.
        while any(member.behind().values()):
            member.poll(0.1)

    assert ahead == {source: 3}
    assert counts == {source.topic: 1}


def test_what_is_ahead_of_a_member_ends_before_an_open_transaction(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    source = make_topic("source")
    with sending(client, name) as sender, joined(client, name, [source.topic]) as member:
        publish(sender, source, b"one")
        sender.begin()
        sender.send(record(source, b"open"))
        sender.seal()
        settle(member)
        take(member, 1)
        while any(member.behind().values()):
            member.poll(0.1)

        assert member.behind() == {source: 0}


def test_topics_are_made_described_and_changed(client: Client, name: str) -> None:
    admin = client.admin()
    admin.create_topics([NewTopic(f"{name}.one", 3, 1, {"cleanup.policy": "compact", "compression.type": "lz4"})])
    admin.set_configs(f"{name}.one", {"delete.retention.ms": "12345"})
    while admin.describe_topics([f"{name}.one"])[f"{name}.one"].configs["delete.retention.ms"] != "12345":
        time.sleep(0.05)
    found = admin.describe_topics([f"{name}.one", f"{name}.none"])
    with pytest.raises(PermanentError, match=f"{name}.one"):
        admin.create_topics([NewTopic(f"{name}.one", 3, 1)])
    counts = (admin.partitions(f"{name}.one"), admin.partitions(f"{name}.none"))
    everything = set(admin.describe_topics())
    admin.delete_topics([f"{name}.one"])
    admin.close()

    assert set(found) == {f"{name}.one"}
    assert found[f"{name}.one"][:2] == (3, 1)
    assert found[f"{name}.one"].configs["cleanup.policy"] == "compact"
    assert f"{name}.one" in everything
    assert counts == (3, 0)


def test_the_last_stable_offset_stops_before_an_open_transaction(
    client: Client, name: str, make_topic: MakeTopic
) -> None:
    topic = make_topic()
    admin = client.admin()
    with sending(client, name) as sender:
        publish(sender, topic, b"one")
        sender.begin()
        sender.send(record(topic, b"open"))
        sender.seal()
        offsets = [of([topic])[topic] for of in (admin.start_offsets, admin.stable_offsets, admin.end_offsets)]
    admin.close()

    assert offsets == [0, 2, 3]


def test_a_broker_that_is_not_there_is_a_reason_to_try_later(library: Library, name: str) -> None:
    client = connect(Kafka(brokers="127.0.0.1:9", client=library))
    sender, reader, admin = client.transactions(name), client.reader({TopicPartition(name, 0): 0}), client.admin()
    before = threading.active_count()
    for attempt in (sender.rebuild, sender.begin, lambda: reader.poll(1), lambda: admin.partitions(name)):
        with pytest.raises(TransientError, match=r"127\.0\.0\.1:9"):
            attempt()
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:9"):
        client.group(name, "one", [name])

    assert threading.active_count() == before


@contextlib.contextmanager
def sending(client: Client, name: str) -> Iterator[Transactions]:
    sender = client.transactions(name)
    try:
        yield sender
    finally:
        sender.close()


@contextlib.contextmanager
def joined(client: Client, name: str, topics: Sequence[str], instance: str = "one") -> Iterator[Group]:
    member = client.group(name, f"{name}-{instance}", topics)
    try:
        yield member
    finally:
        member.close()


def record(topic: TopicPartition, value: bytes) -> Outgoing:
    return Outgoing(topic.topic, topic.partition, b"key", value)


def publish(sender: Transactions, topic: TopicPartition, *contents: bytes) -> None:
    sender.begin()
    for each in contents:
        sender.send(record(topic, each))
    sender.commit()


def settle(member: Group) -> Mapping[TopicPartition, int]:
    while True:
        member.poll(0.1)
        if (positions := member.settle()) is not None and positions:
            return positions


def polled_membership(member: Group) -> Membership:
    while (membership := member.poll(0.1).membership) is None:
        pass
    return membership


def commit_offset(sender: Transactions, member: Group, partition: TopicPartition) -> None:
    membership = polled_membership(member)
    sender.begin()
    sender.commit({partition: 1}, membership)


def take(member: Group, count: int) -> tuple[list[Message], Membership]:
    messages: list[Message] = []
    while len(messages) < count:
        polled = member.poll(0.2)
        messages.extend(polled.messages)
    assert polled.membership is not None
    return messages, polled.membership


def shared(one: Group, two: Group, each: int) -> list[set[TopicPartition]]:
    """What the two hold once each has its share."""
    while True:
        held = []
        for member in (one, two):
            member.poll(0.1)
            held.append(set(member.settle() or {}))
        if all(len(share) == each for share in held):
            return held


def _runs(batch: Sequence[tuple[int, int]]) -> int:
    """How often a batch goes over to a partition."""
    return sum(1 for _ in itertools.groupby(batch, key=lambda at: at[0]))


def committed(client: Client, group: str) -> Mapping[TopicPartition, int]:
    admin = client.admin()
    try:
        return admin.committed(group)
    finally:
        admin.close()


def read_all(client: Client, partitions: Sequence[TopicPartition]) -> list[Message]:
    reader = client.reader(dict.fromkeys(partitions, BEGINNING))
    try:
        return list(reader.to_end())
    finally:
        reader.close()


def values(messages: Sequence[Message]) -> list[bytes | None]:
    return [each.value for each in messages]
