"""The checker itself: a right registry passes, and a fault in any direction is reported."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

import pytest

from deploy.district import changes, named, people_changes, truth_file
from deploy.district.named_people import DECEASED, PARENT, TWO_NAMES
from deploy.district.rows import LEGAL, NATURAL, Columns, Subject, person_subject
from deploy.district.sample import District, whole
from deploy.district.sources import CONTRIBUTION, ENTERPRISE, RESIDENT, SOURCES
from deploy.district.truth import truth_of
from tests.end_to_end.right import KEY, PSEUDONYMS, Entries, key_of, right_entries
from tests.end_to_end.truth import Report, compare

FOOD = key_of(Subject("organisation_code", named.CLEAN_FOOD_COMPANY[8:17]))
CATERER = key_of(Subject("organisation_code", named.DISPUTED_CATERER[8:17]))
MOTHER = key_of(person_subject(PARENT.document))


@cache
def made() -> tuple[District, list[str], dict[str, list[Columns]], Entries]:
    """The district, its truth, what its departments hold, and the registry as it must be."""
    district = whole(4, 300)
    return district, lines(district), tables(district), right_entries(district)


@pytest.fixture
def district() -> District:
    return made()[0]


@pytest.fixture
def entries() -> Entries:
    return copy.deepcopy(made()[3])


def lines(district: District) -> list[str]:
    file = io.StringIO()
    truth_file.write(district, file)
    return file.getvalue().splitlines()


def tables(district: District) -> dict[str, list[Columns]]:
    return {source: [m for row in district.at(source) for m in row.as_mappings()] for source in SOURCES}


def check(entries: Entries) -> Report:
    _, told, held, _ = made()
    return compare(entries, told, held, KEY)


def wrong_value(entries: Entries) -> None:
    entries[LEGAL][FOOD]["facts"]["name"]["value"] = "示例别的有限公司"


def wrong_code(entries: Entries) -> None:
    entries[LEGAL][FOOD]["facts"]["status"]["value"]["canonical"] = "REVOKED"


def wrong_raw_code(entries: Entries) -> None:
    entries[LEGAL][FOOD]["facts"]["status"]["value"]["raw"] = "0012"


def wrong_day(entries: Entries) -> None:
    entries[LEGAL][FOOD]["facts"]["established_on"]["value"] = date(2001, 1, 1)


def fact_lost(entries: Entries) -> None:
    entries[LEGAL][FOOD]["facts"]["scope"] = None


def fact_in_question(entries: Entries) -> None:
    entries[LEGAL][FOOD]["facts"]["name"]["state"] = "in_question"


def other_department(entries: Entries) -> None:
    entries[LEGAL][FOOD]["facts"]["name"]["member"] = 1 - entries[LEGAL][FOOD]["facts"]["name"]["member"]


def invented_dissent(entries: Entries) -> None:
    entries[LEGAL][FOOD]["facts"]["name"]["dissent"] = [{"value": "示例别的有限公司", "member": 1}]


def conflict_not_listed(entries: Entries) -> None:
    entries[LEGAL][CATERER]["conflicts"] = []


def entry_lost(entries: Entries) -> None:
    del entries[LEGAL][FOOD]


def row_lost(entries: Entries) -> None:
    entries[LEGAL][FOOD] = {**entries[LEGAL][FOOD], "members": entries[LEGAL][FOOD]["members"][:1], "facts": {}}


def entry_invented(entries: Entries) -> None:
    entries[LEGAL]["legal:org:XXNOBODY1"] = copy.deepcopy(entries[LEGAL][FOOD])


def row_left_behind(entries: Entries) -> None:
    entries[LEGAL][CATERER]["members"].append(entries[LEGAL][FOOD]["members"][0])


def facts_without_a_row(entries: Entries) -> None:
    entries[LEGAL]["legal:org:XXNOBODY1"] = {**entries[LEGAL][FOOD], "members": []}


def person_number_shown(entries: Entries) -> None:
    key, number = next(
        (key_of(row.subject), row.subject.value)
        for row in made()[0].rows
        if row.subject.scheme == "tax_number" and row.outcome == "live" and "taxpayer_number" in row.says
    )
    entries[LEGAL][key]["facts"]["taxpayer_number"]["value"] = number


def value_where_none_is_known(entries: Entries) -> None:
    unknown = next(entry for entry in entries[LEGAL].values() if entry["members"] and entry["facts"]["scope"] is None)
    unknown["facts"]["scope"] = {"state": "known", "value": "示例", "member": 0, "dissent": []}


def mother(entries: Entries) -> Any:
    return entries[NATURAL][MOTHER]["facts"]


def person_lost(entries: Entries) -> None:
    del entries[NATURAL][MOTHER]


def person_under_another_key(entries: Entries) -> None:
    entries[NATURAL]["person:A" + "B" * 26] = entries[NATURAL].pop(MOTHER)


def person_told_as_a_company(entries: Entries) -> None:
    entries[LEGAL][MOTHER] = entries[NATURAL].pop(MOTHER)


def wrong_birth(entries: Entries) -> None:
    mother(entries)["birth_date"]["value"] = date(1986, 11, 4)


def element_lost(entries: Entries) -> None:
    mother(entries)["residences"].pop()


def element_twice(entries: Entries) -> None:
    mother(entries)["contributions"].append(mother(entries)["contributions"][0])


def element_of_another_row(entries: Entries) -> None:
    first, second, *_ = mother(entries)["residences"]
    first["member"] = second["member"]


def other_letters(entries: Entries) -> None:
    year = mother(entries)["contributions"][0]["value"]
    year["months"] = year["months"].replace("T", "B", 1)


def end_of_a_stay_lost(entries: Entries) -> None:
    for element in mother(entries)["residences"]:
        element["value"]["to"] = None


def other_code_in_an_element(entries: Entries) -> None:
    mother(entries)["insurances"][0]["value"]["status"]["canonical"] = "ENDED"


def other_unit(entries: Entries) -> None:
    mother(entries)["insurances"][0]["value"]["unit"] = CATERER


def permit_number_shown(entries: Entries) -> None:
    permit = next(e for e in mother(entries)["residences"] if "number" in e["value"])
    permit["value"]["number"] = "3502990000002019000014"


def element_in_question(entries: Entries) -> None:
    mother(entries)["insurances"][0]["state"] = "in_question"


def rating_disputed(entries: Entries) -> None:
    first, second, *_ = entries[LEGAL][FOOD]["facts"]["tax_credit_ratings"]
    first["dissent"] = [second]


FAULTS = [
    wrong_value, wrong_code, wrong_raw_code, wrong_day, fact_lost, fact_in_question, other_department, invented_dissent,
    conflict_not_listed, entry_lost, row_lost, entry_invented, row_left_behind, facts_without_a_row,
    person_number_shown, value_where_none_is_known, person_lost, person_under_another_key, person_told_as_a_company,
    wrong_birth, element_lost, element_twice, element_of_another_row, other_letters, end_of_a_stay_lost,
    other_code_in_an_element, other_unit, permit_number_shown, element_in_question, rating_disputed,
]  # fmt: skip


def test_a_registry_that_is_right_has_no_difference_and_every_planted_one(district: District, entries: Entries) -> None:
    report = check(entries)

    assert report.clean, str(report)
    assert len(report.planted_found) == len(truth_of(district).planted)
    assert sum(sum(counts.values()) for counts in report.rows.values()) == sum(row.times for row in district.rows)


def test_rows_that_travel_under_pseudonyms_of_their_ids_are_the_same_rows(entries: Entries) -> None:
    for of_kind in entries.values():
        for entry in of_kind.values():
            for member in entry["members"]:
                if member["source"] in {RESIDENT, CONTRIBUTION}:
                    member["record_id"] = PSEUDONYMS.of(member["source"], member["record_id"])

    assert check(entries).clean


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_registry_is_reported(entries: Entries, fault: Callable[[Entries], None]) -> None:
    fault(entries)

    assert check(entries).unexpected


def test_a_planted_dissent_that_the_registry_lost_is_missed(entries: Entries) -> None:
    entries[LEGAL][CATERER]["facts"]["name"]["dissent"] = []

    assert "name_changed_at_registry" in {plant["kind"] for plant in check(entries).planted_missed}


@pytest.mark.parametrize("kind", ["two_tax_registrations", "registered_twice", "two_names", "name_differs_from_police"])
def test_a_difference_shown_as_settled_is_missed(district: District, entries: Entries, kind: str) -> None:
    told = truth_of(district)
    plants = [plant for plant in told.planted if plant.kind == kind and plant.attribute and plant.outcome == "live"]
    plant = next(plant for plant in plants if told.facts[plant.subject][str(plant.attribute)].dissent)
    fact = entries[plant.subject.kind][key_of(plant.subject)]["facts"][str(plant.attribute)]
    fact.update(state="known", dissent=[])

    assert kind in {plant["kind"] for plant in check(entries).planted_missed}


def test_an_oddity_in_a_list_that_the_registry_put_right_is_missed(entries: Entries) -> None:
    dead = entries[NATURAL][key_of(person_subject(DECEASED.document))]
    dead["facts"]["insurances"] = []

    assert "deceased_but_insured" in {plant["kind"] for plant in check(entries).planted_missed}


@pytest.mark.parametrize("outcome", ["refused", "deleted"])
@pytest.mark.parametrize("kind", [LEGAL, NATURAL])
def test_a_row_that_must_not_count_and_does_is_missed_and_reported(
    district: District, entries: Entries, outcome: str, kind: str
) -> None:
    row = next(row for row in district.rows if row.outcome == outcome and row.subject.kind == kind)
    member = {"source": row.source, "record_id": row.record_id, "part": ""}
    entry = next(entry for entry in entries[kind].values() if entry["members"])
    entry["members"].append(member)
    report = check(entries)

    assert row.record_id in {plant["row"] for plant in report.planted_missed}
    assert report.unexpected


def test_a_row_at_the_source_that_the_truth_does_not_know_is_reported(district: District, entries: Entries) -> None:
    held = tables(district)
    held[ENTERPRISE].append({**held[ENTERPRISE][0], "PRIPID": "3502999999999999"})

    assert compare(entries, lines(district), held, KEY).unexpected


@pytest.mark.parametrize("source", SOURCES)
def test_a_row_of_the_truth_that_the_source_lost_is_reported(district: District, entries: Entries, source: str) -> None:
    held = tables(district)
    held[source].pop()

    assert compare(entries, lines(district), held, KEY).unexpected


def test_refusals_are_compared_when_they_are_given(district: District, entries: Entries) -> None:
    rows = [row for row in district.rows if row.outcome == "refused"]
    refused = {(row.source, row.record_id, str(row.reason)) for row in rows}
    hidden = {(source, PSEUDONYMS.of(source, record_id), reason) for source, record_id, reason in refused}
    live = (ENTERPRISE, "3502990000000001", "duplicate_key")
    other_reason = {(source, record_id, "undecodable") for source, record_id, _ in refused}

    assert compare(entries, lines(district), tables(district), KEY, refused).clean
    assert compare(entries, lines(district), tables(district), KEY, hidden).clean
    assert compare(entries, lines(district), tables(district), KEY, list(refused)[1:]).unexpected
    assert compare(entries, lines(district), tables(district), KEY, {*refused, live}).unexpected
    assert compare(entries, lines(district), tables(district), KEY, other_reason).unexpected


def test_a_registry_that_slept_through_changes_differs(district: District, entries: Entries) -> None:
    of_companies, _ = changes.churn(district, 3, 60)
    of_people, _ = people_changes.churn(district, 3, 60, date(2024, 7, 15))

    for later in (of_companies, of_people):
        assert compare(right_entries(later), lines(later), tables(later), KEY).clean
        assert len(compare(entries, lines(later), tables(later), KEY).unexpected) > 20


def test_a_row_moved_to_another_subject_must_leave_the_first(district: District) -> None:
    rows = {row.person: row for row in district.at(ENTERPRISE)}
    later = changes.after(district, changes.move(district, ENTERPRISE, rows[1].record_id, rows[2], date(2024, 1, 1)))
    entries, told, held = right_entries(later), lines(later), tables(later)
    assert compare(entries, told, held, KEY).clean
    member = {"source": ENTERPRISE, "record_id": rows[1].record_id, "part": ""}
    entries[LEGAL][FOOD]["members"].append(member)

    assert compare(entries, told, held, KEY).unexpected


def test_a_truth_that_was_cut_short_is_not_compared(district: District, entries: Entries) -> None:
    told = lines(district)
    for cut in (told[:-1], [*told[:-2], told[-1]]):
        with pytest.raises(ValueError, match="not whole"):
            compare(entries, cut, tables(district), KEY)


def test_no_report_prints_a_persons_number(district: District, entries: Entries) -> None:
    person_number_shown(entries)
    rows = [row for row in district.rows if row.subject.scheme == "tax_number" and row.outcome == "live"]
    del entries[LEGAL][key_of(rows[0].subject)]
    for person in (PARENT, TWO_NAMES):
        del entries[NATURAL][key_of(person_subject(person.document))]
    report = check(entries)

    assert len(report.unexpected) > 5
    assert not any(number in str(report) for number in (rows[0].subject.value, PARENT.document, TWO_NAMES.document))
