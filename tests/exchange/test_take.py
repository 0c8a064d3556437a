"""Taking: whatever stands in a department's topic is opened or refused with a reason, and speaks for itself only."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.take import Mark, Marker, Record, RefusedError, opened, source_of, verify
from schemas import topics
from schemas.audit import Sum
from schemas.codec import UnknownSchemaError, contract
from schemas.subjects import partition
from tests.exchange.examples import many
from tests.exchange.memory import PREFIX, Exchange
from tests.exchange.publishing import AUDIT, Department, record, watermark
from tests.schemas.values import values
from transport.client import Message, Outgoing

MARKET, TAX = "market_supervision", "local_tax"
SUBJECT = "legal:org:XX0000001"
PARTITIONS = 3
HERE = partition(SUBJECT, PARTITIONS)
REASONS = {
    "no_key",
    "no_value",
    "bad_key",
    "bad_identity",
    "bad_version",
    "not_framed",
    "too_large",
    "malformed",
    "not_canonical",
    "not_a_record",
    "not_a_watermark",
    "wrong_department",
    "wrong_source",
    "wrong_partition",
}


def message(
    key: bytes | None, value: bytes | None, source: bytes | None = b"market_supervision.main", **at: Any
) -> Message:
    headers = () if source is None else (("source", source),)
    place = {"topic": topics.dept(PREFIX, MARKET), "partition": HERE, "offset": 7, **at}
    return Message(key=key, value=value, headers=headers, timestamp_ms=0, **place)


def market(subject: str = SUBJECT, record_id: str = "r1", **content: Any) -> Message:
    """A record of market supervision as it should be, but for what is changed."""
    _, value = record(MARKET, subject, record_id, **content)
    return message(subject.encode(), value)


def mark(source: str = "market_supervision.main", number: int = HERE, **changed: Any) -> Message:
    value = contract().encode("registry/watermark-1", watermark(source, changed.pop("cycle", 1), number, {}, changed))
    return message(f"~watermark:{source}:{number}".encode(), value, source.encode(), partition=number)


def take(message: Message, department: str = MARKET) -> Record | Mark | Marker:
    taken = opened(message, department, contract(), PARTITIONS)
    if isinstance(taken, Record):
        verify(taken, contract(), AUDIT)
    return taken


def reason(message: Message, department: str = MARKET) -> str:
    with pytest.raises(RefusedError) as refused:
        take(message, department)
    return refused.value.reason


# --- any bytes -------------------------------------------------------------------------------------------------------
NAMES = contract().names()


@st.composite
def spoilt(draw: st.DrawFn) -> bytes | None:
    """A value of any of the published schemas, mostly with something wrong in it."""
    name = draw(st.sampled_from([*NAMES, "market_supervision/enterprise-1", "registry/watermark-1"]))
    value = bytearray(contract().encode(name, draw(values(name))))
    match draw(st.sampled_from(["whole", "cut", "longer", "flipped", "id", "null", "empty"])):
        case "cut":
            del value[draw(st.integers(0, len(value))) :]
        case "longer":
            value += draw(st.binary(min_size=1, max_size=4))
        case "flipped":
            value[draw(st.integers(0, len(value) - 1))] ^= draw(st.integers(1, 255))
        case "id":
            value[1:5] = draw(st.binary(min_size=4, max_size=4))
        case "null":
            return None
        case "empty":
            return b""
    return bytes(value)


keys = st.one_of(
    st.none(),
    st.binary(max_size=6),
    st.sampled_from([SUBJECT.encode(), b"person:A", b"row:x", b"legal:\0", b"legal:" + b"x" * 300, b"~watermark:"]),
    st.sampled_from([f"~watermark:market_supervision.main:{n}".encode() for n in range(PARTITIONS)]),
)
sources = st.one_of(st.none(), st.binary(max_size=6), st.sampled_from([b"market_supervision.main", b"local_tax.main"]))


@many
@given(keys, spoilt(), sources)
def test_any_message_is_a_record_a_watermark_a_refusal_with_a_known_reason_or_waits_for_its_schema(
    key: bytes | None, value: bytes | None, source: bytes | None
) -> None:
    assert outcome(message(key, value, source)) in {"Record", "Mark", "unknown_schema", *REASONS}


def outcome(message: Message) -> str:
    try:
        return type(take(message)).__name__
    except RefusedError as exc:
        return exc.reason
    except UnknownSchemaError as exc:
        return exc.reason


@many
@given(keys, spoilt(), sources)
def test_any_message_can_be_taken_by_an_owner_and_the_next_one_after_it(
    key: bytes | None, value: bytes | None, source: bytes | None
) -> None:
    exchange = Exchange(PARTITIONS)
    hostile = message(key, value, source)
    try:
        exchange.take([Outgoing(hostile.topic, HERE, key, value, hostile.headers)])
    except UnknownSchemaError:
        return

    good = market(record_id="another", name="甲", cycle=9)
    exchange.take([Outgoing(good.topic, HERE, good.key, good.value, good.headers)])

    assert SUBJECT in exchange.entries()


# --- who may say what ------------------------------------------------------------------------------------------------
def test_a_record_as_it_should_be_is_taken_with_its_body_closed() -> None:
    sent = market(name="甲")

    taken = take(sent)

    assert isinstance(taken, Record)
    assert (taken.subject, taken.kind, taken.value) == (SUBJECT, "legal_person", sent.value)
    assert taken.meta["record_id"] == "r1"


def test_a_departments_record_type_in_anothers_topic_is_refused() -> None:
    assert reason(market(), TAX) == "wrong_department"


def test_a_record_is_refused_whose_head_and_header_name_different_sources() -> None:
    assert reason(market()._replace(headers=(("source", b"market_supervision.other"),))) == "wrong_source"
    assert reason(market()._replace(headers=(("source", b"local_tax.main"),))) == "wrong_source"


@pytest.mark.parametrize(
    "source", [None, b"", b"market_supervision", b"market_supervision.", b"market_supervision.\xff"]
)
def test_a_record_without_a_sources_name_is_refused_and_counted_apart(source: bytes | None) -> None:
    nameless = market()._replace(headers=() if source is None else (("source", source),))

    assert reason(nameless) == "wrong_source"
    assert source_of(nameless, MARKET) == "market_supervision.?"


def test_the_name_that_stands_for_no_source_cannot_be_taken_as_ones_own() -> None:
    told = {**contract().decode(market().value or b"")[1]}
    told["meta"] = {**told["meta"], "source": "market_supervision.?"}
    value = contract().encode("market_supervision/enterprise-1", told)

    assert reason(message(SUBJECT.encode(), value, b"market_supervision.?")) == "wrong_source"
    assert reason(message(SUBJECT.encode(), value, None)) == "wrong_source"
    assert reason(mark("market_supervision.?")) == "wrong_source"


def test_a_message_that_names_anothers_source_is_not_counted_into_its_sum() -> None:
    forged = market()._replace(headers=(("source", b"local_tax.main"),))
    exchange = Exchange(PARTITIONS)

    exchange.take([Outgoing(forged.topic, HERE, forged.key, forged.value, forged.headers)])

    assert set(exchange.rows()) == {"market_supervision.?"}


def test_a_watermark_of_anothers_source_is_refused() -> None:
    assert reason(mark("local_tax.main")) == "wrong_source"
    assert reason(mark("local_tax.main")._replace(headers=(("source", b"market_supervision.main"),))) == "wrong_source"


def test_a_watermark_made_for_another_partition_is_refused() -> None:
    elsewhere = (HERE + 1) % PARTITIONS

    assert reason(mark(number=elsewhere)._replace(partition=HERE)) == "wrong_partition"
    assert reason(mark(partition=elsewhere)) == "wrong_partition"


def test_a_record_in_another_partition_than_its_subjects_is_refused() -> None:
    assert reason(market()._replace(partition=(HERE + 1) % PARTITIONS)) == "wrong_partition"


@pytest.mark.parametrize("subject", ["person:A", "legal", "", "x" * 20, "legal:" + "x" * 300, "legal:a\0b"])
def test_a_key_that_is_no_subject_of_that_record_type_is_refused(subject: str) -> None:
    assert reason(market(subject)._replace(partition=partition(subject, PARTITIONS))) == "bad_key"


def test_a_key_that_is_no_text_is_refused() -> None:
    assert reason(market()._replace(key=b"legal:\xff")) == "bad_key"


@pytest.mark.parametrize("changed", [{"cycle": 0}, {"cycle": -1}, {"epoch": 0}, {"rows": -1}])
def test_a_record_with_an_impossible_version_or_count_is_refused(changed: dict[str, Any]) -> None:
    assert reason(market(**changed)) == "bad_version"


@pytest.mark.parametrize("changed", [{"cycle": 0}, {"epoch": 0}, {"sum_count": -(2**63)}, {"sum_count": -1}])
def test_a_watermark_with_an_impossible_version_or_count_is_refused(changed: dict[str, Any]) -> None:
    assert reason(mark(**changed)) == "bad_version"


def test_a_record_id_with_a_null_in_it_is_refused_for_it_separates_the_parts_of_a_key() -> None:
    assert reason(market(record_id="a\0b")) == "bad_identity"
    assert reason(market(part="\0")) == "bad_identity"


def test_a_body_that_is_not_the_one_way_to_write_it_is_refused() -> None:
    whole = market(name="甲")

    assert reason(whole._replace(value=(whole.value or b"") + b"\0")) == "not_canonical"


def test_an_entry_in_a_departments_topic_is_no_record() -> None:
    value = contract().encode("control/policy-1", {"policy": "p", "activated_by": "x"})

    assert reason(message(SUBJECT.encode(), value)) == "not_a_record"


def test_a_record_under_a_watermarks_key_is_refused_and_not_counted_as_one() -> None:
    assert reason(market()._replace(key=f"~watermark:market_supervision.main:{HERE}".encode())) == "not_a_watermark"


# --- what is set aside -----------------------------------------------------------------------------------------------
def test_a_refused_message_goes_to_quarantine_as_it_came_and_counts_in_the_sum() -> None:
    exchange = Exchange(PARTITIONS)
    odd = Outgoing(
        topics.dept(PREFIX, MARKET), HERE, b"\xff", b"not avro", (("source", b"market_supervision.main"), ("x", b"\0"))
    )

    exchange.take([odd])

    told = contract().decode(exchange.published("quarantine.market_supervision")[0].value or b"")[1]
    assert (told["key"], told["body"], told["reason"]) == (odd.key, odd.value, "bad_key")
    assert told["headers"] == [{"name": name, "value": value} for name, value in odd.headers]
    assert (told["topic"], told["partition"], told["offset"]) == (odd.topic, HERE, 1)
    assert exchange.tally[0].outcomes == {(MARKET, "refused"): 1}


def test_what_was_refused_breaks_no_sum_for_both_sides_count_it() -> None:
    sender = Department(MARKET, PREFIX, PARTITIONS)
    exchange = Exchange(PARTITIONS)
    odd = b"not avro"
    sender.sums[HERE] = Sum().plus(AUDIT.of_message(SUBJECT.encode(), odd))

    header = (("source", sender.source.encode()),)
    exchange.take([Outgoing(topics.dept(PREFIX, MARKET), HERE, SUBJECT.encode(), odd, header), *sender.watermarks(1)])

    marks = [contract().decode(each.value or b"")[1] for each in exchange.published()]
    assert [each["break_kind"] for each in marks] == [None] * PARTITIONS


def test_a_schema_nobody_knows_yet_is_said_so_that_it_can_be_waited_for() -> None:
    whole = market().value or b""

    with pytest.raises(UnknownSchemaError):
        take(message(SUBJECT.encode(), b"\0\0\0\0\x07" + whole[5:]))
