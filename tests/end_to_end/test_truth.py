"""The checker itself: a right registry passes, and a fault in any direction is reported."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from deploy.district import changes, named
from deploy.district.persons import MARKET, TAX
from deploy.district.rows import Row, Subject
from deploy.district.sample import District, generate
from deploy.district.truth import ATTRIBUTES, Fact, lines, truth_of
from tests.end_to_end.truth import Report, compare

Entries = dict[str, dict[str, Any]]
FOOD = "legal:org:" + named.CLEAN_FOOD_COMPANY[8:17]
CATERER = "legal:org:" + named.DISPUTED_CATERER[8:17]
CODES = {"status", "industry", "tax_status"}


@pytest.fixture(scope="module")
def district() -> District:
    return generate(4, 400)


@pytest.fixture
def entries(district: District) -> Entries:
    return right_entries(district)


def right_entries(district: District) -> Entries:
    """The registry as it must be, written down from the truth."""
    told = truth_of(district)
    live: dict[Subject, list[Row]] = {subject: [] for subject in told.facts}
    for row in district.rows:
        if row.counts:
            live[row.subject].append(row)
    return {key_of(subject): entry_of(facts, live[subject]) for subject, facts in told.facts.items()}


def key_of(subject: Subject) -> str:
    prefix = {"tax_number": "legal:tax:", "row": "row:"}.get(subject.scheme, "")
    return subject.key() or f"{prefix}pseudonym-{abs(hash(subject.value))}"


def entry_of(facts: Any, rows: list[Row]) -> dict[str, Any]:
    members = [{"source": f"{row.department}.table", "record_id": row.record_id, "part": ""} for row in rows]
    places = {(row.department, row.record_id): place for place, row in enumerate(rows)}
    shown = {name: shown_of(name, facts[name], rows, places) for name in ATTRIBUTES}
    conflicts = [{"attribute": name} for name, fact in shown.items() if fact and fact["dissent"]]
    return {"members": members, "facts": shown, "conflicts": conflicts, "condition": "live" if rows else "gone"}


def shown_of(name: str, fact: Fact, rows: list[Row], places: dict[Any, int]) -> dict[str, Any] | None:
    if fact.state == "unknown":
        return None
    others = [(value_of(name, each.value, None), places[each.department, each.row]) for each in fact.dissent]
    dissent = [{"value": value, "member": member} for value, member in others]
    value = "pseudonym" if fact.personal else value_of(name, str(fact.value), fact.raw)
    return {"state": fact.state, "value": value, "member": places[fact.department, fact.row], "dissent": dissent}


def value_of(name: str, value: str, raw: str | None) -> Any:
    if name in CODES:
        return {"raw": raw, "canonical": value, "list": "some-1"}
    return date.fromisoformat(value) if name == "established_on" else value


def tables(district: District) -> dict[str, list[dict[str, str | None]]]:
    return {department: [row.columns for row in district.at(department)] for department in (MARKET, TAX)}


def check(district: District, entries: Entries) -> Report:
    return compare(entries, lines(district), tables(district))


def wrong_value(entries: Entries) -> None:
    entries[FOOD]["facts"]["name"]["value"] = "示例别的有限公司"


def wrong_code(entries: Entries) -> None:
    entries[FOOD]["facts"]["status"]["value"]["canonical"] = "REVOKED"


def wrong_raw_code(entries: Entries) -> None:
    entries[FOOD]["facts"]["status"]["value"]["raw"] = "0012"


def wrong_day(entries: Entries) -> None:
    entries[FOOD]["facts"]["established_on"]["value"] = date(2001, 1, 1)


def fact_lost(entries: Entries) -> None:
    entries[FOOD]["facts"]["scope"] = None


def fact_in_question(entries: Entries) -> None:
    entries[FOOD]["facts"]["name"]["state"] = "in_question"


def other_department(entries: Entries) -> None:
    entries[FOOD]["facts"]["name"]["member"] = 1 - entries[FOOD]["facts"]["name"]["member"]


def invented_dissent(entries: Entries) -> None:
    entries[FOOD]["facts"]["name"]["dissent"] = [{"value": "示例别的有限公司", "member": 1}]


def conflict_not_listed(entries: Entries) -> None:
    entries[CATERER]["conflicts"] = []


def entry_lost(entries: Entries) -> None:
    del entries[FOOD]


def row_lost(entries: Entries) -> None:
    entries[FOOD] = {**entries[FOOD], "members": entries[FOOD]["members"][:1], "facts": {}}


def entry_invented(entries: Entries) -> None:
    entries["legal:org:XXNOBODY1"] = copy.deepcopy(entries[FOOD])


def row_left_behind(entries: Entries) -> None:
    entries[CATERER]["members"].append(entries[FOOD]["members"][0])


def facts_without_a_row(entries: Entries) -> None:
    entries["legal:org:XXNOBODY1"] = {**entries[FOOD], "members": []}


def person_number_shown(entries: Entries) -> None:
    district = generate(4, 400)
    subject = next(row.subject for row in district.rows if row.subject.scheme == "tax_number" and row.outcome == "live")
    entries[key_of(subject)]["facts"]["taxpayer_number"]["value"] = subject.value


def value_where_none_is_known(entries: Entries) -> None:
    unknown = next(entry for entry in entries.values() if entry["members"] and entry["facts"]["scope"] is None)
    unknown["facts"]["scope"] = {"state": "known", "value": "示例", "member": 0, "dissent": []}


FAULTS = [
    wrong_value, wrong_code, wrong_raw_code, wrong_day, fact_lost, fact_in_question, other_department, invented_dissent,
    conflict_not_listed, entry_lost, row_lost, entry_invented, row_left_behind, facts_without_a_row,
    person_number_shown, value_where_none_is_known,
]  # fmt: skip


def test_a_registry_that_is_right_has_no_difference_and_every_planted_one(district: District, entries: Entries) -> None:
    report = check(district, entries)

    assert report.clean, str(report)
    assert len(report.planted_found) == len(truth_of(district).planted)
    assert sum(sum(counts.values()) for counts in report.rows.values()) == len(district.rows)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_registry_is_reported(
    district: District, entries: Entries, fault: Callable[[Entries], None]
) -> None:
    fault(entries)

    assert check(district, entries).unexpected


def test_a_planted_dissent_that_the_registry_lost_is_missed(district: District, entries: Entries) -> None:
    entries[CATERER]["facts"]["name"]["dissent"] = []

    assert "name_changed_at_registry" in {plant["kind"] for plant in check(district, entries).planted_missed}


def test_a_dispute_shown_as_settled_is_missed(district: District, entries: Entries) -> None:
    plant = next(p for p in truth_of(district).planted if p.kind == "two_tax_registrations" and p.attribute)
    entries[key_of(plant.subject)]["facts"][str(plant.attribute)]["state"] = "known"

    assert "two_tax_registrations" in {plant["kind"] for plant in check(district, entries).planted_missed}


@pytest.mark.parametrize("outcome", ["refused", "deleted"])
def test_a_row_that_must_not_count_and_does_is_missed_and_reported(
    district: District, entries: Entries, outcome: str
) -> None:
    row = next(row for row in district.rows if row.outcome == outcome)
    member = {"source": f"{row.department}.table", "record_id": row.record_id, "part": ""}
    entries[key_of(row.subject)]["members"].append(member)
    report = check(district, entries)

    assert row.record_id in {plant["row"] for plant in report.planted_missed}
    assert report.unexpected


def test_a_row_at_the_source_that_the_truth_does_not_know_is_reported(district: District, entries: Entries) -> None:
    held = tables(district)
    held[MARKET].append({**held[MARKET][0], "PRIPID": "3502999999999999"})

    assert compare(entries, lines(district), held).unexpected


def test_a_row_of_the_truth_that_the_source_lost_is_reported(district: District, entries: Entries) -> None:
    held = tables(district)
    held[TAX].pop()

    assert compare(entries, lines(district), held).unexpected


def test_refusals_are_compared_when_they_are_given(district: District, entries: Entries) -> None:
    rows = [row for row in district.rows if row.outcome == "refused"]
    refused = {(row.department, row.record_id, str(row.reason)) for row in rows}
    live = (MARKET, "3502990000000001", "duplicate_key")
    other_reason = {(department, record_id, "undecodable") for department, record_id, _ in refused}

    assert compare(entries, lines(district), tables(district), refused).clean
    assert compare(entries, lines(district), tables(district), list(refused)[1:]).unexpected
    assert compare(entries, lines(district), tables(district), {*refused, live}).unexpected
    assert compare(entries, lines(district), tables(district), other_reason).unexpected


def test_a_registry_that_slept_through_changes_differs(district: District, entries: Entries) -> None:
    later, _ = changes.churn(district, 3, 60)

    assert check(later, right_entries(later)).clean
    assert len(check(later, entries).unexpected) > 20


def test_a_row_moved_to_another_subject_must_leave_the_first(district: District) -> None:
    rows = {row.person: row for row in district.at(MARKET)}
    later = changes.after(district, changes.move(district, MARKET, rows[1].record_id, rows[2], date(2024, 1, 1)))
    entries = right_entries(later)
    assert check(later, entries).clean
    entries[FOOD]["members"].append({"source": "market_supervision.table", "record_id": rows[1].record_id, "part": ""})

    assert check(later, entries).unexpected


def test_a_truth_that_was_cut_short_is_not_compared(district: District, entries: Entries) -> None:
    with pytest.raises(ValueError, match="not whole"):
        compare(entries, list(lines(district))[:-1], tables(district))


def test_no_report_prints_a_persons_number(district: District, entries: Entries) -> None:
    person_number_shown(entries)
    row = next(row for row in district.rows if row.subject.scheme == "tax_number" and row.outcome == "live")
    del entries[key_of(row.subject)]

    assert row.subject.value not in str(check(district, entries))
