"""The ten people for demonstrations: the same in every district, each showing what it is there for."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from deploy.district import named_people, synthetic
from deploy.district.named import CLEAN_FOOD_COMPANY
from deploy.district.named_people import (
    CERTIFIED,
    CHILD,
    DECEASED,
    ENDORSED,
    ONE_DAY_AWAY,
    OWNER,
    PAID_BACK,
    PARENT,
    TWO_NAMES,
    TWO_NUMBERS,
)
from deploy.district.people import NaturalPerson
from deploy.district.rows import Said, Subject, person_subject
from deploy.district.sample import TODAY, District, whole
from deploy.district.sources import IDENTITY_CHANGE, KEY_PERSON
from deploy.district.truth import About, Listed, truth_of

FOOD = Subject("organisation_code", CLEAN_FOOD_COMPANY[8:17])
DAYS = [TODAY, date(2026, 11, 25)]


@pytest.fixture(scope="module", params=DAYS, ids=str)
def district(request: pytest.FixtureRequest) -> District:
    return whole(1, 200, request.param)


def about(district: District, person: NaturalPerson) -> About:
    return truth_of(district).subjects[person_subject(person.document)]


def part(element: Listed, name: str) -> str | None:
    said = element.parts.get(name)
    return said.value if isinstance(said, Said) else None


def day(element: Listed, name: str) -> date | None:
    said = part(element, name)
    return date.fromisoformat(said) if said else None


def gaps(district: District, person: NaturalPerson) -> list[int]:
    """Days between one registration and the next."""
    found = [e for e in about(district, person).lists["residences"] if part(e, "kind") == "REGISTRATION"]
    stays = sorted(found, key=lambda each: str(part(each, "from")))
    ends = [(day(before, "to"), day(after, "from")) for before, after in pairwise(stays)]
    return [(start - end).days - 1 for end, start in ends if start and end]


def permits(district: District, person: NaturalPerson) -> list[Listed]:
    found = about(district, person).lists["residences"]
    return [each for each in found if part(each, "kind") == "PERMIT" and part(each, "status") == "VALID"]


def letters(district: District, person: NaturalPerson, kind: str = "PENSION") -> str:
    years = [e for e in about(district, person).lists["contributions"] if part(e, "kind") == kind]
    return "".join(str(part(year, "months")) for year in sorted(years, key=lambda each: str(part(each, "year"))))


def employers(district: District, person: NaturalPerson) -> set[Subject]:
    held = about(district, person).lists["insurances"]
    return {u for e in held if part(e, "to") is None and isinstance(u := e.parts["unit"], Subject)}


def test_they_are_the_same_in_every_district() -> None:
    one, other = (whole(seed, 200) for seed in (1, 2))
    people = range(1, len(named_people.named_people()) + 1)

    assert [one.people[number] for number in people] == [other.people[number] for number in people]
    for row in named_people.named_rows(TODAY):
        assert row in one.rows
        assert row in other.rows


def test_their_numbers_do_not_move_with_the_day() -> None:
    documents = [person.document for person in named_people.named_people()]

    assert len(set(documents)) == 10
    assert all(synthetic.is_resident_number(number) for number in documents)
    assert all(number[14:17] in {"993", "994"} for number in documents)


def test_the_owner_of_the_food_company_is_a_resident_and_its_legal_representative(district: District) -> None:
    known = about(district, OWNER)

    assert known.facts["register_status"].value == "ACTIVE"
    assert [(part(e, "role"), e.parts["company"]) for e in known.lists["roles"]] == [("LEGAL_REPRESENTATIVE", FOOD)]
    assert [row.subject for row in district.at(KEY_PERSON) if row.columns["CERNO"] == OWNER.document] == [FOOD]


def test_the_parent_lives_here_without_a_gap_works_here_and_has_a_child(district: District) -> None:
    parent, child = about(district, PARENT), about(district, CHILD)
    (permit,) = permits(district, PARENT)

    assert gaps(district, PARENT) == [0]
    assert str(part(permit, "endorsed_until")) > district.today.isoformat()
    assert employers(district, PARENT) == {FOOD}
    assert parent.facts["household_number"].value == child.facts["household_number"].value
    assert (parent.facts["household_relation"].value, child.facts["household_relation"].value) == ("01", "20")
    assert letters(district, PARENT).strip("N")[:30] == "T" * 23 + "BBB" + "T" * 4
    assert {part(e, "kind") for e in parent.lists["insurances"]} == {
        "PENSION", "UNEMPLOYMENT", "MEDICAL", "INJURY", "MATERNITY",
    }  # fmt: skip


def test_nothing_about_the_applicants_is_disputed_or_dissented_from(district: District) -> None:
    for person in (OWNER, PARENT, CHILD, ENDORSED):
        facts = about(district, person).facts.values()
        assert {fact.state for fact in facts} <= {"known", "unknown"}
        assert not any(fact.dissent for fact in facts)


def test_the_permit_to_be_endorsed_lapses_within_a_month(district: District) -> None:
    (permit,) = permits(district, ENDORSED)
    until = day(permit, "endorsed_until")

    assert gaps(district, ENDORSED) == []
    assert until is not None
    assert timedelta(0) < until - district.today < timedelta(days=31)
    assert employers(district, ENDORSED) == {FOOD}
    assert about(district, ENDORSED).facts["household_address"].state == "unknown"


def test_one_was_registered_nowhere_for_a_day_in_the_last_half_year(district: District) -> None:
    assert gaps(district, ONE_DAY_AWAY) == [1]


def test_one_paid_back_the_whole_last_year(district: District) -> None:
    assert letters(district, PAID_BACK).count("B") == 12


def test_one_is_known_by_two_numbers_that_nothing_joins_and_one_by_two_that_the_police_join(district: District) -> None:
    told = truth_of(district).subjects
    changes = {row.columns["原号码"]: row.columns["新号码"] for row in district.at(IDENTITY_CHANGE)}

    for person in (TWO_NUMBERS, CERTIFIED):
        short = person_subject(synthetic.shortened(person.document))
        assert short.scheme == "resident_number_15"
        assert told[short].lists["contributions"]
        assert told[person_subject(person.document)].facts["name"].value == told[short].facts["name"].value
    assert synthetic.shortened(TWO_NUMBERS.document) not in changes
    assert changes[synthetic.shortened(CERTIFIED.document)] == CERTIFIED.document


def test_one_has_died_and_still_draws_a_pension(district: District) -> None:
    known = about(district, DECEASED)

    assert known.facts["death_date"].value == "2023-02-14"
    assert [(part(e, "status"), part(e, "to")) for e in known.lists["insurances"]] == [("RETIRED", None)]


def test_the_name_of_one_is_disputed(district: District) -> None:
    assert about(district, TWO_NAMES).facts["name"].state == "disputed"


def test_the_readme_names_all_of_them() -> None:
    page = Path(named_people.__file__).with_name("README.md").read_text(encoding="utf-8")

    assert all(f"`{person.document}` | {person.name}" in page for person in named_people.named_people())
