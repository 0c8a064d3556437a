"""What happens to people afterwards: the truth follows."""

from __future__ import annotations

from datetime import date

import pytest

from deploy.district import changes, named_people, people_changes
from deploy.district.changes import Change
from deploy.district.named_people import ENDORSED, OWNER, PARENT, TWO_NUMBERS
from deploy.district.people import NaturalPerson
from deploy.district.rows import Row, Said, Subject, person_subject
from deploy.district.sample import District, whole
from deploy.district.sources import CONTRIBUTION, IDENTITY_CHANGE, RESIDENCE, RESIDENT
from deploy.district.truth import About, truth_of

ON = date(2024, 7, 15)


@pytest.fixture(scope="module")
def district() -> District:
    return whole(3, 1_000)


def row_of(district: District, source: str, person: NaturalPerson, **columns: str | None) -> Row:
    return next(
        row
        for row in district.at(source)
        if row.person == person.number and all(row.columns[name] == value for name, value in columns.items())
    )


def about(district: District, happened: list[Change], subject: Subject) -> About:
    return truth_of(changes.after(district, happened)).subjects[subject]


def told(element_parts: object) -> object:
    return element_parts.value if isinstance(element_parts, Said) else None


def test_who_moves_is_registered_there_from_that_day_and_no_longer_where_they_were(district: District) -> None:
    stay = row_of(district, RESIDENCE, PARENT, lb="1", zxrq=None)
    happened = people_changes.move(district, stay, ON, "示例市样本区新阳街1号1室")
    found = about(district, happened, stay.subject).lists["residences"]
    registered = [each.parts for each in found if told(each.parts["kind"]) == "REGISTRATION"]

    assert [told(parts.get("to")) for parts in registered] == ["2022-08-31", "2024-07-14", None]
    assert told(registered[-1]["address"]) == "示例市样本区新阳街1号1室"
    assert told(registered[-1]["from"]) == "2024-07-15"


def test_who_dies_is_struck_off_on_that_day(district: District) -> None:
    resident = row_of(district, RESIDENT, OWNER)
    facts = about(district, people_changes.die(resident, ON), resident.subject).facts

    assert (facts["register_status"].value, facts["death_date"].value) == ("DECEASED", "2024-07-15")


def test_a_month_paid_back_is_paid_late_and_no_longer_missing(district: District) -> None:
    year = next(row for row in district.at(CONTRIBUTION) if row.outcome == "live" and "M" in letters(row)[:10])
    (change,) = people_changes.pay_back(year, ON)

    assert change.now is not None
    place = letters(year).index("M")
    assert letters(change.now) == f"{letters(year)[:place]}B{letters(year)[place + 1 :]}"
    assert sum(line[5] == "202407" for line in change.now.lines) == 1


def letters(row: Row) -> str:
    assert row.element is not None
    return str(told(row.element.parts["months"]))


def test_a_permit_is_endorsed_for_one_more_year(district: District) -> None:
    permit = row_of(district, RESIDENCE, ENDORSED, lb="2")
    (before,) = (
        e for e in truth_of(district).subjects[permit.subject].lists["residences"] if e.row == permit.record_id
    )
    (after,) = (
        each
        for each in about(district, people_changes.endorse(permit, ON), permit.subject).lists["residences"]
        if each.row == permit.record_id
    )

    ends = [date.fromisoformat(str(told(each.parts["endorsed_until"]))) for each in (before, after)]
    assert (ends[1] - ends[0]).days == 365


def test_who_gets_another_number_is_another_subject_and_the_certificate_names_both(district: District) -> None:
    resident = row_of(district, RESIDENT, TWO_NUMBERS)
    happened = people_changes.renumber(district, resident, ON)
    certificate = happened[1].now

    assert certificate is not None
    assert certificate.source == IDENTITY_CHANGE
    new = person_subject(str(certificate.columns["新号码"]))
    assert about(district, happened, new).facts["name"].value == TWO_NUMBERS.name
    assert about(district, happened, resident.subject).facts["household_number"].state == "unknown"
    assert certificate.columns["原号码"] == TWO_NUMBERS.document


def test_where_the_register_lost_a_person_the_insurance_does_not_speak_in_its_place(district: District) -> None:
    resident = row_of(district, RESIDENT, PARENT)
    facts = about(district, changes.delete(district, RESIDENT, [resident.record_id]), resident.subject).facts

    assert facts["name"].state == "unknown"


def test_churn_is_the_same_for_a_seed_and_makes_every_kind_of_change(district: District) -> None:
    later, made = people_changes.churn(district, 4, 80, ON)
    again, made_again = people_changes.churn(district, 4, 80, ON)

    assert (later, made) == (again, made_again)
    assert {change.source for change in made} == {RESIDENCE, RESIDENT, CONTRIBUTION, IDENTITY_CHANGE}
    places = [(change.source, change.record_id) for change in made]
    assert len(places) == len(set(places))


def test_churn_leaves_the_named_alone(district: District) -> None:
    later, _ = people_changes.churn(district, 4, 80, ON)
    named = named_people.named_rows(district.today)

    assert [row for row in later.rows if row in named] == [row for row in district.rows if row in named]
