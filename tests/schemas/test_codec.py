"""What is written is read, and what was never written by us is refused with a reason, at once."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.audit import AuditKey
from schemas.codec import MAX_VALUE_BYTES, UndecodableError, UnknownSchemaError, contract
from tests.schemas.values import RECORD_TYPES, document, field, values

CONTRACT = contract()
KEY = AuditKey(bytes(range(32)))
VERSION = {"source", "record_id", "epoch", "cycle", "source_token", "moved_to", "row_hash", "observed_at"}
REASONS = {"not_framed", "too_large", "unknown_schema", "malformed", "not_canonical", "not_a_record"}
HEAD = [f["name"] for f in document(RECORD_TYPES[0])["fields"][0]["type"]["fields"]]

record_types = st.sampled_from(RECORD_TYPES)
records = record_types.flatmap(lambda name: st.tuples(st.just(name), values(name)))
messages = st.sampled_from(CONTRACT.names()).flatmap(lambda name: st.tuples(st.just(name), values(name)))


def number(value: int) -> bytes:
    """An Avro int or long."""
    zigzag, out = (value << 1) ^ (value >> 63), b""
    while zigzag >> 7:
        out, zigzag = out + bytes([zigzag & 0x7F | 0x80]), zigzag >> 7
    return out + bytes([zigzag])


def framed(name: str, *body: bytes) -> bytes:
    return CONTRACT[name].frame + b"".join(body)


def refused(value: bytes) -> str:
    """Why a message from outside is refused."""
    with pytest.raises(UndecodableError) as refusal:
        CONTRACT.decode_strictly(value)
    return refusal.value.reason


def opened(reading: Callable[[bytes], Any], value: bytes) -> Any:
    """What is read, or the text of the refusal; any other exception is a defect."""
    try:
        return reading(value)
    except UndecodableError as refusal:
        return str(refusal)


@pytest.mark.parametrize("name", CONTRACT.names())
def test_what_is_written_is_read(name: str) -> None:
    @given(values(name))
    @settings(max_examples=25)
    def whatever_it_says(value: dict[str, Any]) -> None:
        framed_value = CONTRACT.encode(name, value)

        assert CONTRACT.decode(framed_value) == (name, value)
        assert CONTRACT.decode_strictly(framed_value) == (name, value)

    whatever_it_says()


@given(messages)
def test_the_same_value_is_the_same_bytes(message: tuple[str, dict[str, Any]]) -> None:
    name, value = message

    assert CONTRACT.encode(name, value) == CONTRACT.encode(name, dict(reversed(copy.deepcopy(value).items())))


@given(messages)
def test_a_message_begins_with_zero_and_the_id_in_the_lock(message: tuple[str, dict[str, Any]]) -> None:
    name, value = message

    assert CONTRACT.encode(name, value)[:5] == b"\0" + CONTRACT[name].id.to_bytes(4, "big")


@pytest.mark.parametrize("name", RECORD_TYPES)
def test_a_value_that_does_not_fit_is_a_defect_here_and_not_sent(name: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        CONTRACT.encode(name, {"meta": None})


@given(records)
def test_the_head_is_what_the_record_says(record: tuple[str, dict[str, Any]]) -> None:
    name, value = record

    assert CONTRACT.head(CONTRACT.encode(name, value)) == (name, value["meta"])


@given(records, st.binary(max_size=60))
def test_the_head_never_looks_at_the_body(record: tuple[str, dict[str, Any]], garbage: bytes) -> None:
    name, value = record
    empty = {field["name"]: None for field in document(name)["fields"]} | {"meta": value["meta"]}
    head = CONTRACT.encode(name, empty)[: 1 - len(empty)]

    assert CONTRACT.head(head + garbage) == (name, value["meta"])


@pytest.mark.parametrize("name", sorted(set(CONTRACT.names()) - set(RECORD_TYPES)))
def test_what_is_no_record_has_no_head(name: str) -> None:
    with pytest.raises(UndecodableError) as refusal:
        CONTRACT.head(framed(name, bytes(64)))

    assert refusal.value.reason == "not_a_record"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "not_framed"),
        (b"\0", "not_framed"),
        (CONTRACT["control/tick-1"].frame, "not_framed"),
        (b"\x01" + CONTRACT["control/tick-1"].frame[1:] + number(1), "not_framed"),
        (b'{"day": "2024-05-01"}', "not_framed"),
        (b"\0\0\0\0\0" + number(1), "unknown_schema"),
        (b"\0\xff\xff\xff\xff" + number(1), "unknown_schema"),
        (framed("control/tick-1", bytes(MAX_VALUE_BYTES)), "too_large"),
        (framed("control/tick-1", number(1), b"\0"), "not_canonical"),
        (framed("control/tick-1", b"\x80" * 9 + b"\0"), "not_canonical"),
        (framed("control/tick-1", b"\x80\0"), "not_canonical"),
        (framed("control/tick-1", number((1 << 31) - 1)), "malformed"),
        (framed("control/tick-1", number(-(1 << 31))), "malformed"),
        (framed("control/tick-1", b"\x80" * 200), "malformed"),
        (framed("identity/resolution-1", number(-1), number(1), b"A", number(1)), "not_canonical"),
        (framed("identity/resolution-1", number(2), number(1), b"A", number(1)), "malformed"),
        (framed("identity/resolution-1", number(1), number(2), b"\xff\xfe", number(1)), "malformed"),
        (framed("identity/resolution-1", number(1), number(3), b"\xed\xa0\x80", number(1)), "malformed"),
        (framed("identity/resolution-1", number(1), number(1 << 40), b"A"), "malformed"),
        (framed("identity/resolution-1", number(1), number(-1), b"A"), "malformed"),
        (framed("journal/transaction-1", number(1), bytes(16), number(1 << 40)), "malformed"),
        (framed("journal/transaction-1", number(1), bytes(16), number((1 << 62) - 1), number(0)), "malformed"),
        (framed("journal/transaction-1", number(1), bytes(16), number(-(1 << 40)), number(1)), "malformed"),
    ],
)
def test_a_hostile_message_is_refused_with_its_reason(value: bytes, reason: str) -> None:
    assert refused(value) == reason


def test_a_schema_that_is_not_known_yet_can_be_waited_for() -> None:
    with pytest.raises(UnknownSchemaError) as refusal:
        CONTRACT.schema_of(b"\0\0\0\0\x07" + b"body")

    assert refusal.value.schema_id == 7


def test_a_boolean_that_is_neither_is_refused() -> None:
    held = {"record_id": "1", "part": "", "subject": "s", "epoch": 0, "cycle": 1, "row_hash": bytes(16)}
    value = {"source": "a.b", "request": "r", "partition": 0, "bucket": 0, "statements": [held | {"refused": False}]}
    framed_value = CONTRACT.encode("reconciliation/held-1", value)

    assert framed_value[-2:] == b"\0\0"
    assert refused(framed_value[:-2] + b"\x07\0") == "not_canonical"


def test_a_list_in_two_blocks_is_refused_for_it_has_other_bytes() -> None:
    one = CONTRACT.encode("reconciliation/resend-1", {"source": "", "request": "", "inventory": 0, "buckets": [1, 2]})

    assert one.endswith(number(2) + number(1) + number(2) + b"\0")
    assert refused(one[:-4] + number(1) + number(1) + number(1) + number(2) + b"\0") == "not_canonical"


@given(messages, st.data())
def test_a_message_cut_short_is_refused(message: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    value = CONTRACT.encode(*message)
    cut = value[: data.draw(st.integers(0, len(value) - 1))]

    assert refused(cut) in {"not_framed", "malformed"}


@given(messages, st.binary(min_size=1, max_size=20))
def test_a_message_with_something_behind_it_is_refused(message: tuple[str, dict[str, Any]], more: bytes) -> None:
    assert refused(CONTRACT.encode(*message) + more) == "not_canonical"


@given(messages, st.data())
def test_a_damaged_message_is_read_as_the_very_bytes_it_is_or_refused(
    message: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    value = CONTRACT.encode(*message)
    at = data.draw(st.integers(0, len(value) - 1))
    damaged = value[:at] + data.draw(st.binary(max_size=12)) + value[at + data.draw(st.integers(0, 3)) :]

    outcome = opened(CONTRACT.decode_strictly, damaged)

    assert CONTRACT.encode(*outcome) == damaged if isinstance(outcome, tuple) else outcome in REASONS


@given(st.sampled_from(CONTRACT.names()), st.binary(max_size=300))
def test_any_bytes_behind_a_frame_are_read_or_refused(name: str, body: bytes) -> None:
    outcomes = [
        opened(reading, framed(name, body)) for reading in (CONTRACT.decode, CONTRACT.decode_strictly, CONTRACT.head)
    ]

    assert all(isinstance(outcome, tuple) or outcome in REASONS for outcome in outcomes)


@given(st.binary(max_size=40))
def test_a_refusal_shows_nothing_of_the_message(value: bytes) -> None:
    outcome = opened(CONTRACT.decode_strictly, b"\0" + value)

    assert isinstance(outcome, tuple) or outcome in REASONS


@pytest.mark.parametrize("name", RECORD_TYPES)
@pytest.mark.parametrize("word", HEAD)
def test_the_content_of_a_record_is_all_of_its_head_but_the_version(name: str, word: str) -> None:
    @given(values(name), field(name, "meta", word))
    @settings(max_examples=10)
    def whatever_it_says(value: dict[str, Any], said: object) -> None:
        other = value | {"meta": value["meta"] | {word: said}}

        same = CONTRACT.content(name, other) == CONTRACT.content(name, value)

        assert same == (word in VERSION or other == value)

    whatever_it_says()


@pytest.mark.parametrize(
    ("name", "word"), [(name, f["name"]) for name in RECORD_TYPES for f in document(name)["fields"][1:]]
)
def test_the_content_of_a_record_is_all_of_its_body(name: str, word: str) -> None:
    @given(values(name), field(name, word))
    @settings(max_examples=10)
    def whatever_it_says(value: dict[str, Any], said: object) -> None:
        other = value | {word: said}

        assert (CONTRACT.content(name, other) == CONTRACT.content(name, value)) == (other == value)

    whatever_it_says()


@given(records)
def test_taking_the_content_leaves_the_record_alone(record: tuple[str, dict[str, Any]]) -> None:
    name, value = record
    before = copy.deepcopy(value)

    CONTRACT.content(name, value)

    assert value == before


@given(records, st.sampled_from(RECORD_TYPES))
def test_a_row_hash_tells_schemas_and_contents_and_keys_apart(record: tuple[str, dict[str, Any]], other: str) -> None:
    name, value = record
    content = CONTRACT.content(name, value)

    assert len(KEY.row_hash(name, content)) == 16
    assert (KEY.row_hash(name, content) == KEY.row_hash(other, content)) == (name == other)
    assert KEY.row_hash(name, content) != KEY.row_hash(name, content + b"\0")
    assert KEY.row_hash(name, content) != AuditKey(bytes(32)).row_hash(name, content)


def test_a_row_hash_is_the_one_that_stores_hold_already() -> None:
    plain = hashlib.blake2b(b"\0\x01a" + b"content", key=KEY.secret, digest_size=16, person=b"row")

    assert KEY.row_hash("a", b"content") == plain.digest()


def test_a_hash_is_taken_where_the_name_ends() -> None:
    assert KEY.row_hash("ab", b"c") != KEY.row_hash("a", b"bc")


def test_the_newest_word_on_a_department_and_a_kind_is_in_the_name() -> None:
    assert CONTRACT["local_tax/taxpayer-1"].department == "local_tax"
    assert CONTRACT["local_tax/taxpayer-1"].subject == "legal_person"
    assert CONTRACT["control/tick-1"].subject is None
