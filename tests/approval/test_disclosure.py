"""Disclosure: of lists and of those whom facts name, no more leaves than the item and the grant allow."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from approval.answer import answer, text
from approval.evaluation import Evaluation
from approval.grants import Sensitivity, granted, labels
from approval.items import Item
from approval.page import page
from process.yaml_lines import load_yaml
from schemas.catalogue import catalogues
from schemas.plain import to_json
from tests.approval.small_district import District

LABELS = {kind: labels(catalogue) for kind, catalogue in catalogues().items()}

SCENARIOS = Path(__file__).with_name("scenarios")


def evaluated(item: str, **changed: Mapping[str, Any]) -> Evaluation:
    told, _ = load_yaml(SCENARIOS / f"{item}.yaml")
    subjects = {name: {**each, **changed.get(name, {})} for name, each in told["subjects"].items()}
    district = District(datetime.fromisoformat(told["today"]), subjects, {})
    found = district.evaluated(item, told["asks"])
    district.close()
    return found


def written(found: Evaluation) -> str:
    """Everything that leaves: JSON, text and page."""
    told = answer(found.item, found.subjects, found.decisions, found.at, found.others)
    return to_json(told) + "".join(text(told, lang) + page(told, lang) for lang in ("zh", "en"))


def disclosing(found: Evaluation, *names: str) -> Evaluation:
    """The evaluation of an item whose materials disclose just this."""
    materials = tuple(each.model_copy(update={"discloses": names}) for each in found.item.materials)
    decisions = tuple(
        type(decision)(material, decision.verdict, decision.reason, decision.findings, decision.as_of)
        for decision, material in zip(found.decisions, materials, strict=True)
    )
    item: Item = found.item.model_copy(update={"materials": materials})
    return type(found)(item, found.at, found.subjects, decisions, found.seen, found.others)


def elements(found: Evaluation) -> Iterator[Mapping[str, Any]]:
    told = answer(found.item, found.subjects, found.decisions, found.at, found.others)
    for material in told["materials"]:
        for fact in material["facts"]:
            yield from fact["elements"]


GAP: Any = {
    "residences": [
        {"kind": "REGISTRATION", "division": "350299", "status": "CANCELLED", "from": "2023-02-03", "to": "2026-04-05"},
        {"kind": "REGISTRATION", "division": "350299002", "status": "VALID", "from": "2026-06-12"},
    ]
}  # fmt: skip


def test_the_dates_of_a_gap_are_told_only_with_the_dates_they_come_from() -> None:
    found = evaluated("primary_school_points", parent=GAP)
    without = disclosing(found, "residences.kind")

    assert "2026-04-06至2026-06-11" in written(found)
    assert "有间断" in written(without)
    assert not any(day in written(without) for day in ("2026-04-06", "2026-06-11", "2026-06-12", "2023-02-03"))


def test_how_many_months_were_paid_is_told_by_its_own_name_and_never_which() -> None:
    found = evaluated("primary_school_points")
    without = disclosing(found, "contributions.year")

    assert "按时缴费24个月" in written(found)
    assert "24个月" not in written(without)
    assert all(letters not in written(found) + written(without) for letters in ("TTTTBBTTTTTT", "NNTTTTTTTTTT"))


def test_of_an_element_only_the_parts_that_are_named_are_shown() -> None:
    shown = {part["part"] for each in elements(evaluated("food_business_licence")) for part in each["parts"]}

    assert shown == {"role", "name"}


def test_a_whole_list_is_shown_by_its_name() -> None:
    found = disclosing(evaluated("food_business_licence"), "key_persons")

    assert {part["part"] for each in elements(found) for part in each["parts"]} == {
        "role",
        "position",
        "name",
        "person",
    }


def test_where_a_list_is_shown_whole_a_part_above_the_grant_is_not() -> None:
    found = disclosing(evaluated("food_business_licence"), "key_persons")
    cut = granted(found, Sensitivity.INTERNAL, LABELS)

    assert {part["part"] for each in elements(cut) for part in each["parts"]} <= {"role", "position", "name"}
    assert all("person" not in each.parts for each in cut.subjects["applicant"].lists["key_persons"])


@pytest.mark.parametrize("item", ["primary_school_points", "residence_permit_endorsement"])
@pytest.mark.parametrize("grant", [Sensitivity.PUBLIC, Sensitivity.INTERNAL])
def test_below_a_grant_for_personal_facts_nothing_of_a_person_is_left(item: str, grant: Sensitivity) -> None:
    found = granted(evaluated(item), grant, LABELS)
    told = written(found)

    assert all(not evidence.facts and not evidence.lists for evidence in found.subjects.values())
    assert not any(each in told for each in ("示例甲", "示例电子", "2024-02-01", "2036-01-01", "按时缴费24"))
    assert found.decisions[0].reason.code in {"withheld", "nobody_shares"}


def test_the_verdicts_are_the_same_at_every_grant() -> None:
    found = evaluated("primary_school_points", parent=GAP)
    verdicts = [[each.verdict for each in granted(found, grant, LABELS).decisions] for grant in Sensitivity]

    assert verdicts == [[each.verdict for each in found.decisions]] * len(Sensitivity)


def test_what_another_whom_a_fact_names_is_said_to_be_is_cut_by_that_ones_own_labels() -> None:
    public = granted(evaluated("residence_permit_endorsement"), Sensitivity.PUBLIC, LABELS)
    internal = granted(evaluated("residence_permit_endorsement"), Sensitivity.INTERNAL, LABELS)

    # Whether a unit takes part in social insurance is internal; who insures the applicant is personal.
    assert "参保" not in _values(public)
    assert _values(internal) == {"参保"}


def _values(found: Evaluation) -> set[str]:
    told = answer(found.item, found.subjects, found.decisions, found.at, found.others)
    facts = [fact for material in told["materials"] for fact in material["facts"]]
    return {fact["value_zh"] for fact in facts if fact["value_zh"] not in {None, "None"}}
