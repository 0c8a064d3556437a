"""A transaction that expires, or a topic that is deleted, under a sender that goes on.

Measured on the plain kafka-python: after an expiry flush reports success (S3b), and a commit after a record that
could not be handed over publishes the rest without it (S6b). Through our verbs each is a Doubt or the truth.
"""

from __future__ import annotations

import contextlib
from functools import partial

import pytest

from tests.faults.transactions import (
    Setting,
    begin_with,
    contents,
    finish,
    make_topics,
    outcome,
    publish_surely,
    publish_with,
    rebuild,
    settled,
    wait_until,
)
from transport.client import Doubt, Outgoing, TopicPartition

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("library", ["kafka-python", "confluent-kafka"])]


def test_s3_a_transaction_that_expired_is_a_doubt_however_it_is_gone_on_with(there: Setting) -> None:
    lost = Outgoing(*there.records, b"key", b"lost")
    ways = {
        "S3a: commit": partial(finish, sent=[]),
        "S3b: send, flush, commit": partial(finish, sent=[lost], sealed_first=True),
        "S3c: send, commit": partial(finish, sent=[lost]),
    }
    senders = {way: there.client.transactions(f"{there.name}-{way[:3]}") for way in ways}
    for sender in senders.values():
        begin_with(sender, [lost])
        sender.seal()
    settled(there.client, [there.records])
    told = {way: outcome(partial(ways[way], sender)) for way, sender in senders.items()}
    for way, sender in senders.items():
        # A fence of its own making does not stop a worker.
        rebuild(sender)
        publish_with(sender, [Outgoing(*there.records, b"key", way.encode())])
        sender.close()

    assert told == dict.fromkeys(ways, "doubt")
    assert there.written() == [way.encode() for way in ways]


def test_s6a_a_topic_deleted_before_the_commit_takes_only_its_own_records_along(there: Setting) -> None:
    sender = there.sender()
    out = [Outgoing(*there.records, b"key", b"kept"), Outgoing(*there.position, b"key", b"gone")]
    begin_with(sender, out)
    sender.seal()
    delete(there, there.position)
    told = outcome(sender.commit)
    rebuild(sender)
    sender.close()

    assert there.written() == ([b"kept"] if told == "committed" else [])


def test_s6b_a_topic_deleted_before_its_record_is_sent_leaves_nothing_of_the_transaction(there: Setting) -> None:
    sender = there.sender()
    out = [Outgoing(*there.records, b"key", b"one"), Outgoing(*there.position, b"key", b"two")]
    publish_with(sender, out)
    begin_with(sender, out[:1])
    sender.seal()
    delete(there, there.position)
    with pytest.raises(Doubt):
        finish(sender, sent=out[1:], sealed_first=True)
    # Whoever goes on all the same publishes no half.
    with pytest.raises(Doubt):
        sender.commit()
    rebuild(sender)
    after_doubt = there.written()
    make_topics(there.client, there.position.topic)
    publish_surely(sender, out, there.happened)
    sender.close()

    assert after_doubt == [b"one"]
    assert there.written() == [b"one", b"one"]
    assert contents(there.client, there.position) == [b"two"]


def test_s7_a_topic_made_anew_between_two_transactions_takes_the_second_whole(there: Setting) -> None:
    sender = there.sender()
    publish_with(sender, [Outgoing(*there.position, b"key", b"before")])
    delete(there, there.position)
    make_topics(there.client, there.position.topic)
    out = [Outgoing(*there.records, b"key", b"after"), Outgoing(*there.position, b"key", b"after")]
    told = outcome(lambda: publish_with(sender, out))
    if told == "doubt":
        publish_surely(sender, out, there.happened)
    sender.close()

    assert there.written() == [b"after"]
    assert contents(there.client, there.position) == [b"after"]


def delete(there: Setting, partition: TopicPartition) -> None:
    with contextlib.closing(there.client.admin()) as admin:
        admin.delete_topics([partition.topic])
        wait_until(lambda: admin.partitions(partition.topic) == 0)
