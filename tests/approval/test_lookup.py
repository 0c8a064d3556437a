"""Looking up people: by any number that names one, and never by one that only looks like theirs."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from approval.evidence import Code, Evidence
from approval.lookup import Found, UnreadableNumberError, evidence, find
from approval.rows import rows_of
from approval.view import View, engine_of
from schemas.codec import contract
from schemas.identifiers import Checked, check, resident_number
from schemas.subjects import person_subject
from tests.approval.registry import GENERATION, KEY, PREFIX, as_read, entry, fact, of_alias, of_entry
from tests.schemas import numbers
from transport.client import Outgoing, TopicPartition

EIGHTEEN = resident_number(numbers.resident_number("19900307", "001"))
FIFTEEN = resident_number("350299900307001")


class Shelf:
    """A view in memory that holds people."""

    def __init__(self, *records: Outgoing) -> None:
        self.engine: Engine = engine_of("sqlite://")
        view = View(self.engine)
        view.begin(PREFIX, GENERATION, 0)
        messages = as_read(records)
        ends = {TopicPartition(m.topic, m.partition): m.offset + 1 for m in messages}
        view.apply(rows_of(messages, PREFIX, contract()), ends, 0)

    def found(self, number: str) -> Found:
        with self.engine.begin() as connection:
            return find(connection, "natural_person", number, KEY, ["350299"])

    def known(self, number: str) -> Evidence:
        with self.engine.begin() as connection:
            found = find(connection, "natural_person", number, KEY, ["350299"])
            return evidence(connection, contract(), "natural_person", found)


def person(subject: str, carried: Iterable[Checked] = (), condition: str = "live") -> Outgoing:
    told = [(each.scheme, KEY.pseudonym(each.scheme, each.value)) for each in carried]
    facts = {"name": fact("示例甲")} if condition == "live" else {}
    return of_entry(subject, entry(subject, facts, told, condition, kind="natural_person"), kind="natural-person")


def keyed(number: Checked, condition: str = "live") -> Outgoing:
    return person(person_subject(number, KEY), [number] if condition == "live" else [], condition)


_NUMBERS = st.one_of(
    numbers.resident_numbers.map(lambda number: ("resident_number", number)),
    numbers.hmt_residence_permits.map(lambda number: ("hmt_residence_permit", number)),
    numbers.foreigner_cards.map(lambda number: ("foreigner_card", number)),
    numbers.foreigner_cards_15.map(lambda number: ("foreigner_card_15", number)),
    numbers.hk_macao_travel_permits.map(lambda number: ("hk_macao_travel_permit", number)),
    numbers.permit_holders.map(lambda number: ("taiwan_travel_permit", number)),
    numbers.passports.map(lambda number: ("passport", number)),
)


@given(_NUMBERS)
@settings(max_examples=40, deadline=None)
def test_a_person_is_found_by_whichever_number_names_them(scheme_and_number: tuple[str, str]) -> None:
    number = check(*scheme_and_number)
    shelf = Shelf(keyed(number))

    assert shelf.found(scheme_and_number[1].lower()).subject == person_subject(number, KEY)


@pytest.mark.parametrize(
    ("scheme", "number"), [("social_person", "12345"), ("residence_permit", "350299000000202600000123")]
)
def test_a_local_number_finds_whoever_carries_it(scheme: str, number: str) -> None:
    shelf = Shelf(person(person_subject(EIGHTEEN, KEY), [EIGHTEEN, check(scheme, number)]))

    assert shelf.found(number).subject == person_subject(EIGHTEEN, KEY)


def test_a_number_of_national_form_never_finds_somebody_whose_local_number_is_alike() -> None:
    permit = "99999912"  # of Taiwan, eight digits; some social insurance counts as far
    shelf = Shelf(person(person_subject(EIGHTEEN, KEY), [EIGHTEEN, check("social_person", permit)]))

    assert shelf.found(permit) == Found(person_subject(check("taiwan_travel_permit", permit), KEY))


def test_a_company_whose_row_holds_a_persons_number_is_not_that_person() -> None:
    company = "legal:org:XX0000019"
    carried = [(EIGHTEEN.scheme, KEY.pseudonym(EIGHTEEN.scheme, EIGHTEEN.value))]
    shelf = Shelf(keyed(EIGHTEEN), of_entry(company, entry(company, numbers=carried)))

    assert shelf.found(EIGHTEEN.value) == Found(person_subject(EIGHTEEN, KEY))


def test_colleagues_whose_rows_hold_their_units_number_are_not_one_person() -> None:
    unit = ("social_unit", "4711")
    one, other = person_subject(EIGHTEEN, KEY), person_subject(check("passport", "E99999912"), KEY)
    entries = (entry(each, {"name": fact("示例甲")}, [unit], kind="natural_person") for each in (one, other))
    shelf = Shelf(*(of_entry(s, e, kind="natural-person") for s, e in zip((one, other), entries, strict=True)))

    assert not shelf.known(EIGHTEEN.value).apart


@pytest.mark.parametrize(("asked", "other"), [(EIGHTEEN, FIFTEEN), (FIFTEEN, EIGHTEEN)])
def test_two_lengths_of_one_number_stand_apart_until_they_are_joined(asked: Checked, other: Checked) -> None:
    own, twin = person_subject(asked, KEY), person_subject(other, KEY)
    alone = Shelf(keyed(asked))
    both = Shelf(keyed(asked), keyed(other))
    joined = Shelf(keyed(asked), of_alias(twin, own, kind="natural-person"))
    parted_by_death = Shelf(keyed(asked), keyed(other, condition="gone"))

    assert both.found(asked.value) == Found(own, twins=(twin,))
    assert [shelf.known(asked.value).apart for shelf in (alone, both, joined, parted_by_death)] == [
        False,
        True,
        False,
        False,
    ]


def test_the_other_length_may_be_carried_by_somebody_keyed_by_another_document() -> None:
    holder = person_subject(check("passport", "E99999912"), KEY)
    shelf = Shelf(keyed(EIGHTEEN), person(holder, [FIFTEEN]))

    assert shelf.known(EIGHTEEN.value).apart


def test_the_other_length_stands_apart_also_where_nothing_is_on_record_under_the_number_given() -> None:
    assert Shelf(keyed(FIFTEEN)).known(EIGHTEEN.value).apart


def test_a_number_nobody_could_carry_is_refused_without_being_repeated() -> None:
    wrong = EIGHTEEN.value[:-1] + ("0" if EIGHTEEN.value[-1] != "0" else "1")

    with pytest.raises(UnreadableNumberError) as refused:
        Shelf().found(wrong)

    assert wrong not in str(refused.value)


def test_lists_come_with_their_parts_and_every_element_with_its_own_provenance() -> None:
    value = dict.fromkeys(("kind", "number", "address", "division", "status", "from", "to", "endorsed_until"))
    kind = {"raw": "2", "canonical": "PERMIT", "list": "gajzz-2024"}
    stay = fact({**value, "kind": kind}, dissent=[{"value": {**value, "address": "别处"}, "member": 1, "tier": 1}])
    subject = person_subject(EIGHTEEN, KEY)
    told = entry(subject, {"residences": [stay, fact({**value, "address": "示例路"}, 1)]}, kind="natural_person")
    known = Shelf(of_entry(subject, told, kind="natural-person")).known(EIGHTEEN.value)

    first, second = known.lists["residences"]
    assert (first.parts["kind"], first.dissent[0].value) == (Code("PERMIT", "2"), {**value, "address": "别处"})
    assert [first.department, second.department] == ["market_supervision", "local_tax"]
    assert known.facts == {}
