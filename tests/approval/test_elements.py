"""Some and none: what is asked of a list's elements, against a plain model of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approval.comparison import every, holds
from approval.decide import decide
from approval.evidence import Code, Evidence, Fact, Part
from approval.items import Item
from approval.items.predicates import PartComparison
from approval.verdicts import Verdict
from tests.approval.lists import (
    FRESH,
    NOW,
    TODAY,
    Told,
    code,
    conclusive,
    decided,
    element,
    item,
    outcome,
    person,
    tellings,
)

PERMIT = {"of": {"kind": {"in": ["PERMIT"]}}}
VALID = {"status": {"in": ["VALID"]}, "endorsed_until": {"on_or_after": "evidence_date"}}


class Permit(NamedTuple):
    """A residence as the model sees it; None is a blank, or a code no list knows."""

    kind: str | None
    status: str | None
    endorsed_until: date | None
    told: Told


permits = st.builds(
    Permit,
    st.sampled_from(["PERMIT", "PERMIT", "REGISTRATION", None]),
    st.sampled_from(["VALID", "VALID", "EXPIRED", None]),
    st.sampled_from([date(2026, 3, 15), date(2026, 3, 16), date(2030, 1, 1), None]),
    tellings,
)


def says(permit: Permit) -> bool | None:
    """Whether a permit is what is asked for: by hand, in three values."""
    told = [
        None if permit.kind is None else permit.kind == "PERMIT",
        None if permit.status is None else permit.status == "VALID",
        None if permit.endorsed_until is None else permit.endorsed_until >= TODAY,
    ]
    return False if False in told else None if None in told else True


def unknown(permit: Permit) -> bool:
    return permit.told.unsure or says(permit) is None or (says(permit) is True and not permit.told.sound)


def on_record(permits_: list[Permit]) -> Any:
    parts: list[dict[str, Part]] = [
        {"kind": code(each.kind), "status": code(each.status), "endorsed_until": each.endorsed_until}
        for each in permits_
    ]
    return person(
        "residences", [element("residences", part, each.told) for part, each in zip(parts, permits_, strict=True)]
    )


@given(st.lists(permits, max_size=5))
@settings(max_examples=400)
def test_some_element_is_what_is_asked_for(found: list[Permit]) -> None:
    decision = decided(item({"attribute": "residences", **PERMIT, "some": VALID}), on_record(found))

    if any(each.told.sound and says(each) for each in found):
        expected = "proved"
    elif any(unknown(each) for each in found) or not conclusive([each.told for each in found]):
        expected = "unknown"
    else:
        expected = "denied" if any(each.kind == "PERMIT" for each in found) else "absent"
    assert outcome(decision.verdict) == expected


@given(st.lists(permits, max_size=5))
@settings(max_examples=400)
def test_no_element_is_what_may_not_be(found: list[Permit]) -> None:
    decision = decided(item({"attribute": "residences", **PERMIT, "none": VALID}), on_record(found))

    if any(each.told.sound and says(each) for each in found):
        expected = "denied"
    elif any(unknown(each) for each in found) or not conclusive([each.told for each in found]):
        expected = "unknown"
    else:
        expected = "proved"
    assert outcome(decision.verdict) == expected


@given(st.lists(permits, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_elements_does_not_matter(found: list[Permit], random: Any) -> None:
    asked = item({"attribute": "residences", **PERMIT, "some": VALID})
    shuffled = random.sample(found, len(found))

    assert decided(asked, on_record(shuffled)).verdict is decided(asked, on_record(found)).verdict


@given(st.lists(permits, max_size=4), permits)
def test_a_further_element_never_takes_a_proof_away(found: list[Permit], further: Permit) -> None:
    asked = item({"attribute": "residences", **PERMIT, "some": VALID})

    if outcome(decided(asked, on_record(found)).verdict) == "proved":
        assert outcome(decided(asked, on_record([*found, further])).verdict) == "proved"


def test_the_element_that_proves_is_the_one_that_is_shown() -> None:
    valid = Permit("PERMIT", "VALID", date(2030, 1, 1), Told("public_security.residence", "known"))
    decision = decided(
        item({"attribute": "residences", **PERMIT, "some": VALID}),
        on_record([valid._replace(status="EXPIRED"), valid, valid._replace(kind="REGISTRATION")]),
    )

    (finding,) = decision.findings
    assert [each.parts["status"] for each in finding.elements] == [Code("VALID", "VALID")]
    assert finding.as_of is not None
    assert finding.as_of < NOW


@pytest.mark.parametrize(
    ("asked", "value", "told"),
    [
        ({"present": True}, "x", True),
        ({"present": True}, None, False),
        ({"absent": True}, None, True),
        ({"absent": True}, date(2020, 1, 1), False),
        ({"equals": "A B"}, "ａｂ", True),
        ({"in": ["ACTIVE"]}, Code("ACTIVE", "1"), True),
        ({"in": ["ACTIVE"]}, Code(None, "77"), None),
        ({"present": True}, Code(None, "77"), True),
        ({"contains_any": ["食品"]}, "食 品销售", True),
        ({"starts_with": ["350299"]}, Code("350299001", "350299001"), True),
        ({"starts_with": ["350299"]}, Code("350203001", "350203001"), False),
        ({"starts_with": ["350299"]}, None, None),
        ({"on_or_before": "evidence_date"}, TODAY, True),
        ({"on_or_after": "evidence_date"}, date(2026, 3, 15), False),
        ({"on_or_after": "2026-03-01"}, date(2026, 3, 15), True),
        ({"on_or_after": "evidence_date"}, None, None),
        ({"not_before": "evidence_date"}, None, True),
        ({"not_before": "evidence_date"}, date(2026, 3, 15), False),
        ({"month_on_or_before": "evidence_date"}, "202603", True),
        ({"month_on_or_before": "evidence_date"}, "202604", False),
        ({"month_on_or_before": "evidence_date"}, "2026", None),
        ({"month_on_or_before": "evidence_date"}, None, None),
        ({"month_not_before": "evidence_date"}, None, True),
        ({"month_not_before": "evidence_date"}, "202602", False),
        ({"month_not_before": "evidence_date"}, "202613", None),
    ],
)
def test_a_comparison_says_true_false_or_that_it_cannot_tell(
    asked: dict[str, Any], value: Part, told: bool | None
) -> None:
    assert holds(PartComparison.model_validate(asked), value, TODAY) is told


@given(st.lists(st.sampled_from([True, False, None])))
def test_one_denial_is_enough_and_one_doubt_spoils_a_proof(truths: list[bool | None]) -> None:
    worst = min((0 if truth is False else 1 if truth is None else 2 for truth in truths), default=2)

    assert every(truths) is (False, None, True)[worst]


WORKS = {
    "attribute": "roles",
    "some": {},
    "whose": {"part": "company", "role": "company", "all_of": [{"attribute": "status", "in": ["ACTIVE"]}]},
}


def working(*companies: str) -> Evidence:
    offices: list[dict[str, Part]] = [{"company": each, "role": code("OWNER")} for each in companies]
    return replace(
        person("roles", [element("roles", each, Told(FRESH, "known")) for each in offices]),
        facts={"register_status": Fact("register_status", "DECEASED", source=FRESH, raw="2", observed_at=NOW)},
    )


def company(status: str | None) -> Evidence:
    stated = {} if status is None else {"status": Fact("status", status, source=FRESH, raw="1", observed_at=NOW)}
    return replace(person("permits", []), kind="legal_person", facts=stated)


def owning(*predicates: Mapping[str, Any]) -> Item:
    return item(*predicates, authorities=["public_security", "market_supervision"], found={"company": "legal_person"})


@given(st.dictionaries(st.sampled_from("ABCD"), st.sampled_from(["ACTIVE", "REVOKED"]), min_size=1))
def test_those_whom_facts_name_are_looked_up_one_by_one_until_one_proves(companies: dict[str, str]) -> None:
    asked, found, others = owning(WORKS), working(*companies), dict[str, Evidence]()
    (decision,) = decide(asked, {"applicant": found}, NOW, others)
    while decision.wanted:
        ((role, subject),) = decision.wanted
        assert (role, subject in others) == ("company", False)
        others[subject] = company(companies[subject])
        (decision,) = decide(asked, {"applicant": found}, NOW, others)

    active = [subject for subject in others if companies[subject] == "ACTIVE"]
    assert len(active) == min(1, sum(status == "ACTIVE" for status in companies.values()))
    assert active or set(others) == set(companies)
    assert outcome(decision.verdict) == ("proved" if active else "unknown")


def test_nobody_is_looked_up_where_another_predicate_has_denied() -> None:
    alive = {"attribute": "register_status", "in": ["ACTIVE"]}
    (decision,) = decide(owning(WORKS, alive), {"applicant": working("A")}, NOW)

    assert (decision.wanted, decision.verdict) == (frozenset(), Verdict.DISPROVED)
