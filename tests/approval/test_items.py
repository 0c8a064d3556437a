"""Items as data: what ships can be read, and what could never be decided is refused with its place."""

from pathlib import Path

import pytest

from approval.items import SHIPPED, every, find, read
from process.errors import SettingsError

GOOD = (SHIPPED / "food_business_licence.yaml").read_text("utf-8")
LISTS = (SHIPPED / "primary_school_points.yaml").read_text("utf-8")


def test_every_shipped_item_is_named_like_its_file() -> None:
    items = {file.stem: read(file).id for file in SHIPPED.glob("*.yaml")}

    assert items
    assert all(stem == item for stem, item in items.items())


def test_every_material_says_what_it_rests_on_or_that_nobody_has_confirmed_it() -> None:
    materials = [material for file in SHIPPED.glob("*.yaml") for material in read(file).materials]

    assert all(material.legal_basis.source or material.legal_basis.unconfirmed for material in materials)


def test_an_unknown_item_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="food_business_licence"):
        find("food_licence")


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("attribute: status,", "attribute: state,", "no attribute state"),
        ("in: [ACTIVE]", "on_or_after: 2020-01-01", "on_or_after does not fit status"),
        ("in: [ACTIVE]", "in: [ACTIVE], present: true", "exactly one of"),
        ("authorities: [market_supervision]", "authorities: [local_tax]", "none of its authorities"),
        ("discloses: [name,", "discloses: [owner,", "no attribute owner"),
        ("    max_age: P1D\n", "", "needs authorities and max_age"),
        ("max_age: P1D", "max_age: P0D", "max_age must be > 0"),
        ("max_age: P1D", "max_ages: P1D", "Was max_age meant"),
        ("unconfirmed: true}", "}", "mark it unconfirmed"),
        ("applicant: legal_person", "applicants: legal_person", "names no role applicant"),
    ],
)
def test_an_item_that_could_not_be_decided_is_refused_with_its_place(
    tmp_path: Path, written: str, instead: str, told: str
) -> None:
    file = tmp_path / "item.yaml"
    file.write_text(GOOD.replace(written, instead, 1), "utf-8")

    with pytest.raises(SettingsError, match=rf"item\.yaml:\d+: (.|\n)*{told}"):
        read(file)


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("kind: {in: [PERMIT]}", "sort: {in: [PERMIT]}", "residences has no part sort"),
        ("status: {in: [VALID]}", "status: {on_or_before: 2026-01-01}", r"does not fit residences\.status"),
        ("status: {in: [VALID]}", "status: {in: [VALID], present: true}", "exactly one of"),
        ("attribute: residences", "attribute: register_status", "register_status: ask one comparison"),
        ("attribute: card_valid_to, on_or_after", "attribute: residences, on_or_after", "residences: ask some, none"),
        ("from: from, to: to, goes_on", "from: from, to: status, goes_on", "without_gap does not fit"),
        ("attribute: contributions\n", "attribute: insurances\n", "insurances has no part year"),
        ("at_least: 1", "at_least: 0", "at_least must be > 0"),
        ("role: employer\n", "role: boss\n", "found names no role boss"),
        ("{attribute: insured_status, in: [INSURED]}", "{attribute: permits, present: true}", "permits is a list"),
        ("same_as: parent", "same_as: employer", "same_as names no other natural_person"),
        ("{subject: parent, attribute: household_relation", "{subject: uncle, attribute: household_relation",
         "subjects names no role uncle"),
        ("evidence_date: 04-30", "evidence_date: 02-29", "a day that every year has"),
        ("[public_security.residence]", "[residence]", "sources"),
        ("residences.kind, residences.status", "residences.sort, residences.status", "residences has no part sort"),
        ("contributions.count]", "residences.count]", "residences has no part months"),
        ("discloses: [name, card_valid_to]", "discloses: [parent.name, card_valid_to]", r"write name for parent\.name"),
        ("  employer: legal_person", "  permits: legal_person", "called like an attribute"),
        ("  insurances: [social", "  insurance: [social", "the catalogue has no attribute insurance"),
        ("  child: natural_person", "  employer: natural_person", "in subjects and in found"),
    ],
)  # fmt: skip
def test_a_question_to_a_list_that_could_not_be_decided_is_refused(
    tmp_path: Path, written: str, instead: str, told: str
) -> None:
    file = tmp_path / "item.yaml"
    assert written in LISTS
    file.write_text(LISTS.replace(written, instead, 1), "utf-8")

    with pytest.raises(SettingsError, match=rf"item\.yaml:\d+: (.|\n)*({told})"):
        read(file)


def test_no_shipped_item_shows_numbers_or_keys_of_anybody() -> None:
    shown = {name.rpartition(".")[2] for item in every().values() for each in item.materials for name in each.discloses}

    assert shown.isdisjoint({"number", "person", "unit", "company", "household_number", "taxpayer_number"})


def test_every_list_an_item_asks_names_a_source_that_must_have_been_heard() -> None:
    for item in every().values():
        asked = {p.attribute for material in item.materials for p in material.predicates if p.question}
        assert asked <= set(item.sources)
