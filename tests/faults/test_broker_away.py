"""A broker that dies or freezes in the midst of a transaction.

Measured on the plain kafka-python: S4a never returns, S4d loses two records of three and calls it a success, S5a says
that records failed which are committed, S5b commits what it says failed. Through our verbs each is a Doubt or the
truth within a deadline, and after a rebuild and a repeat every record is there exactly once.
"""

from __future__ import annotations

import threading
from functools import partial

import pytest

from process.errors import TransientError
from tests.faults.transactions import (
    QUICK_FIRST,
    Setting,
    begin_with,
    finish,
    later,
    outcome,
    publish_surely,
    publish_with,
    rebuild,
    wait_until,
)
from transport.client import Doubt, Outgoing

BOTH = ["kafka-python", "confluent-kafka"]


def records(there: Setting) -> list[Outgoing]:
    out = [Outgoing(*there.records, key, value) for key, value in [(b"1", b"one"), (b"2", b"two"), (b"3", b"three")]]
    return [*out, Outgoing(*there.position, b"position", b"3")]


@pytest.mark.parametrize("library", QUICK_FIRST)
def test_s4a_a_broker_killed_before_the_commit_and_back_after_it_was_asked_for(there: Setting) -> None:
    sender = there.sender()
    begin_with(sender, records(there))
    sender.seal()
    there.broker.kill()
    with later(3, there.broker.start):
        told = outcome(sender.commit)
    happened = publish_surely(sender, records(there), there.happened)
    sender.close()

    assert happened or told == "doubt"
    assert there.written() == [b"one", b"two", b"three"]


@pytest.mark.slow
@pytest.mark.parametrize("library", BOTH)
@pytest.mark.parametrize("milliseconds", [0, 2, 10])
def test_s4b_a_broker_killed_while_it_commits(there: Setting, milliseconds: int) -> None:
    sender = there.sender()
    begin_with(sender, records(there))
    sender.seal()
    with later(milliseconds / 1000, there.broker.kill):
        told = outcome(sender.commit)
    there.broker.start()
    happened = publish_surely(sender, records(there), there.happened)
    sender.close()

    assert happened or told == "doubt"
    assert there.written() == [b"one", b"two", b"three"]


@pytest.mark.slow
@pytest.mark.parametrize("library", BOTH)
def test_s4c_t7_a_broker_that_stays_away_holds_up_neither_the_commit_nor_the_close(there: Setting) -> None:
    before = working()
    sender = there.sender()
    begin_with(sender, records(there)[:1])
    sender.seal()
    there.broker.kill()
    # Of the other topic nothing is known yet, and nobody there to ask.
    for each in records(there)[1:3]:
        sender.send(each)
    with pytest.raises(Doubt):
        sender.commit()
    with pytest.raises(TransientError):
        sender.rebuild()
    sender.close()
    wait_until(lambda: working() <= before)
    there.broker.start()
    happened = publish_surely(sender, records(there), there.happened)
    sender.close()

    assert not happened
    assert there.written() == [b"one", b"two", b"three"]


def working() -> set[int | None]:
    """The threads there are, without those that wait behind a deadline of ours for what never comes."""
    return {each.ident for each in threading.enumerate() if each.name != "within"}


@pytest.mark.parametrize("library", QUICK_FIRST)
def test_s4d_a_broker_that_was_away_while_records_were_sent_does_not_lose_some_of_them(there: Setting) -> None:
    sender = there.sender()
    begin_with(sender, records(there)[:1])
    sender.seal()
    there.broker.kill()
    # Of the other topic nothing is known yet, and nobody there to ask.
    for each in records(there)[1:3]:
        sender.send(each)
    with later(5.5, there.broker.start), pytest.raises(Doubt):
        sender.commit()
    rebuild(sender)
    after_doubt = there.written()
    happened = publish_surely(sender, records(there), there.happened)
    sender.close()

    assert (after_doubt, happened) == ([], False)
    assert there.written() == [b"one", b"two", b"three"]


@pytest.mark.slow
@pytest.mark.parametrize("library", BOTH)
@pytest.mark.parametrize("sealed_first", [True, False], ids=["S5a: flush, commit", "S5a2: commit"])
def test_s5a_records_that_a_frozen_broker_takes_late_are_not_there_twice(there: Setting, sealed_first: bool) -> None:
    sender = there.sender()
    publish_with(sender, [Outgoing(*there.records, b"0", b"nought")])
    begin_with(sender, [])
    there.broker.freeze()
    with later(7, there.broker.thaw):
        told = outcome(partial(finish, sender, sent=records(there), sealed_first=sealed_first))
    happened = publish_surely(sender, records(there), there.happened)
    sender.close()

    assert happened or told == "doubt"
    assert there.written() == [b"nought", b"one", b"two", b"three"]


@pytest.mark.parametrize("library", QUICK_FIRST)
def test_s5b_a_commit_that_failed_or_not_is_decided_by_what_is_there(there: Setting) -> None:
    sender = there.sender()
    begin_with(sender, records(there))
    sender.seal()
    there.broker.freeze()
    with later(7, there.broker.thaw):
        told = outcome(sender.commit)
    happened = publish_surely(sender, records(there), there.happened)
    sender.close()

    assert happened or told == "doubt"
    assert there.written() == [b"one", b"two", b"three"]
