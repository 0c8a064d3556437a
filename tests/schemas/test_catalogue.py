"""The attribute catalogue is whole, and says for any day who may speak and in which place."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.catalogue import KINDS, Attribute, Authority, Catalogue, catalogues, departments
from schemas.topics import KINDS as TOPIC_KINDS

MERGER = date(2018, 7, 1)
ATTRIBUTE: dict[str, Any] = {
    "name": "tax_status",
    "doc": "Taxpayer status",
    "type": "code",
    "equal": "code",
    "sensitivity": "internal",
    "share": "conditional",
    "authority": [
        {"department": "local_tax", "tier": 1, "to": MERGER},
        {"department": "state_tax", "tier": 1, "from": MERGER},
        {"department": "market_supervision", "tier": 2},
    ],
}
PART = {"name": "year", "doc": "Year", "type": "text", "sensitivity": "public"}
STATUS = Attribute.model_validate(ATTRIBUTE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_shipped_catalogue_is_of_its_kind_and_feeds_a_topic_there_is(kind: str) -> None:
    catalogue = catalogues()[kind]

    assert catalogue.kind == kind
    assert catalogue.topic in TOPIC_KINDS
    assert catalogue.topic == kind.replace("_", "-")


@pytest.mark.parametrize("kind", KINDS)
def test_somebody_speaks_first_for_every_attribute_on_every_day(kind: str) -> None:
    for attribute in catalogues()[kind].attributes:
        for day in (None, date(1949, 10, 1), date(2016, 3, 1), date(2099, 12, 31)):
            tiers = {attribute.tier(authority.department, day) for authority in attribute.authority}

            assert 1 in tiers, (attribute.name, day)


@pytest.mark.parametrize("kind", KINDS)
def test_no_department_has_two_tiers_on_one_day(kind: str) -> None:
    for attribute in catalogues()[kind].attributes:
        speaking = [a.department for a in attribute.authority if a.holds(date(2016, 3, 1))]

        assert len(speaking) == len(set(speaking)), attribute.name


def test_departments_are_named_once() -> None:
    found = departments(catalogues().values())

    assert found == sorted(set(found))
    assert {"local_tax", "market_supervision"} <= set(found)


def test_an_authority_speaks_from_its_first_day_until_the_day_before_its_last() -> None:
    eve = date(2018, 6, 30)

    assert (STATUS.tier("local_tax", eve), STATUS.tier("local_tax", MERGER)) == (1, None)
    assert (STATUS.tier("state_tax", eve), STATUS.tier("state_tax", MERGER)) == (None, 1)
    assert (STATUS.tier("market_supervision", eve), STATUS.tier("police", eve)) == (2, None)


def test_a_claim_of_no_day_is_earlier_than_every_beginning() -> None:
    assert STATUS.tier("local_tax", None) == 1
    assert STATUS.tier("state_tax", None) is None
    assert STATUS.tier("market_supervision", None) == 2


@given(st.dates())
def test_a_merger_leaves_no_day_without_an_authority_and_none_with_two(day: date) -> None:
    first = [a.department for a in STATUS.authority if a.tier == 1 and a.holds(day)]

    assert len(first) == 1


def test_a_department_stands_where_it_is_written_and_a_stranger_last() -> None:
    assert [STATUS.place(name) for name in ("local_tax", "state_tax", "market_supervision", "police")] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"name": "Tax Status"}, "name"),
        ({"type": "number"}, "type"),
        ({"equal": "roughly"}, "equal"),
        ({"sensitivity": "secret"}, "sensitivity"),
        ({"share": "maybe"}, "share"),
        ({"authority": []}, "authority"),
        ({"on_authority_loss": "ignore"}, "on_authority_loss"),
        ({"cardinality": "several"}, "cardinality"),
        ({"authority": [{"department": "local_tax", "tier": 0}]}, "tier"),
        ({"authority": [{"department": "local_tax", "tier": 1, "since_when": None}]}, "since_when"),
        ({"note": "of our own"}, "note"),
    ],
)
def test_a_wrong_word_in_a_catalogue_is_refused_by_its_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Attribute.model_validate(ATTRIBUTE | change)

    assert named in {str(part) for error in refusal.value.errors() for part in error["loc"]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"equal": None}, "everything else says how it is equal"),
        ({"type": "record", "equal": None}, "a record has fields"),
        ({"type": "record", "equal": None, "fields": [PART, PART]}, "fields stand once each"),
        ({"type": "record", "equal": None, "fields": [PART], "key": ["other"]}, "the key is of them"),
        ({"cardinality": "many"}, "many is for records"),
    ],
)
def test_an_attribute_that_is_not_whole_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Attribute.model_validate(ATTRIBUTE | change)


def test_an_attribute_stands_once() -> None:
    with pytest.raises(ValidationError, match="an attribute stands twice"):
        Catalogue.model_validate(
            {"kind": "legal_person", "topic": "legal-person", "attributes": [ATTRIBUTE, ATTRIBUTE]}
        )


def test_a_catalogue_once_read_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        STATUS.authority[0].tier = 2  # type: ignore[misc]


def test_a_period_may_be_open_at_either_end() -> None:
    always = Authority.model_validate({"department": "local_tax", "tier": 1})

    assert all(always.holds(day) for day in (None, date.min, date.max))
