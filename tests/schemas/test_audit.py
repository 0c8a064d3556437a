"""Two sides that count alike hold alike: in any order, in any parts, with the same key."""

from __future__ import annotations

import hashlib
from functools import reduce
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from schemas.audit import MODULUS, AuditKey, Sum

KEY = AuditKey(bytes(range(32)))
messages = st.tuples(st.binary(max_size=12), st.none() | st.binary(max_size=12))
sums = st.builds(Sum, st.integers(0, 1 << 60), st.integers(0, MODULUS - 1))


def total(of: list[tuple[bytes, bytes | None]], key: AuditKey = KEY) -> Sum:
    return reduce(Sum.plus, (key.of_message(*message) for message in of), Sum())


@given(st.lists(messages, max_size=8), st.randoms(use_true_random=False))
def test_order_does_not_matter(sent: list[tuple[bytes, bytes | None]], random: Random) -> None:
    shuffled = list(sent)
    random.shuffle(shuffled)

    assert total(shuffled) == total(sent)


@given(st.lists(messages, max_size=6), st.lists(messages, max_size=6))
def test_parts_add_up_to_the_whole(
    one: list[tuple[bytes, bytes | None]], other: list[tuple[bytes, bytes | None]]
) -> None:
    assert total(one).plus(total(other)) == total(one + other)


@given(sums, sums, sums)
def test_adding_can_be_undone_and_grouped_at_will(one: Sum, other: Sum, third: Sum) -> None:
    assert one.plus(other).minus(other) == one
    assert one.plus(other) == other.plus(one)
    assert one.plus(other).plus(third) == one.plus(other.plus(third))
    assert one.minus(one) == Sum()


@given(sums)
def test_a_sum_travels_in_sixteen_bytes(one: Sum) -> None:
    assert len(one.digest_bytes) == 16
    assert Sum.of(one.count, one.digest_bytes) == one


@given(st.lists(messages, min_size=1, max_size=6, unique=True), st.data())
def test_a_message_lost_or_repeated_or_changed_is_noticed(
    sent: list[tuple[bytes, bytes | None]], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(sent) - 1))
    other = data.draw(messages.filter(lambda message: message != sent[at]))

    assert total(sent[:at] + sent[at + 1 :]) != total(sent)
    assert total([*sent, sent[at]]) != total(sent)
    assert total([*sent[:at], other, *sent[at + 1 :]]).digest != total(sent).digest


@given(messages, messages)
def test_where_the_key_ends_and_whether_there_is_a_value_is_counted_too(
    one: tuple[bytes, bytes | None], other: tuple[bytes, bytes | None]
) -> None:
    assert (KEY.of_message(*one) == KEY.of_message(*other)) == (one == other)
    assert KEY.of_message(b"k", None) != KEY.of_message(b"k", b"")
    assert KEY.of_message(b"a\1b", b"c") != KEY.of_message(b"a", b"b\1c")


@given(messages, st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_another_key_counts_otherwise(message: tuple[bytes, bytes | None], one: bytes, other: bytes) -> None:
    mine, theirs = AuditKey(one), AuditKey(other)

    assert (mine.of_message(*message) == theirs.of_message(*message)) == (one == other)
    assert (mine.fingerprint == theirs.fingerprint) == (one == other)
    assert one.hex() not in mine.fingerprint + repr(mine)


def test_a_sum_is_the_one_the_other_side_counts() -> None:
    plain = hashlib.blake2b(b"\0\0\0\x01k" + b"\x01v", key=KEY.secret, digest_size=16, person=b"message")

    assert KEY.of_message(b"k", b"v") == Sum.of(1, plain.digest())


def test_a_sum_begins_at_nothing() -> None:
    assert Sum() == Sum(0, 0)
    assert Sum().digest_bytes == bytes(16)
