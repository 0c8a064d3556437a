"""The legal persons of the sample district: the same for a seed, odd in known ways only, and nobody's."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from deploy.district import kinds, named, spellings, synthetic
from deploy.district.rows import TAX_NUMBER, Row, Subject
from deploy.district.sample import District, generate
from deploy.district.sources import ENTERPRISE, LOCAL_TAXPAYER, SOURCES
from deploy.district.truth import alike, personal_values, truth_of
from schemas.identifiers import Checked, credit_code, organisation_code, registration_number, tax_number
from schemas.subjects import DistrictKey, legal_subjects

NUMBER_COLUMNS = ("UNISCID", "REGNO", "CERNO", "NSRSBH", "SHXYDM", "ZZJG_DM", "FDDBRSFZJHM")
DAY = re.compile(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})")
CHECKED: dict[str, Callable[[str], Checked]] = {
    "UNISCID": credit_code,
    "REGNO": registration_number,
    "SHXYDM": credit_code,
    "ZZJG_DM": organisation_code,
    "NSRSBH": partial(tax_number, divisions=["350299"]),
}


@pytest.fixture(scope="module")
def district() -> District:
    return generate(seed=11, count=3_000)


def plain(number: str | None) -> str:
    return unicodedata.normalize("NFKC", number or "").replace("-", "").upper()


def organisation_inside(code: str) -> str | None:
    right = synthetic.is_credit_code(code) or synthetic.is_pilot_code(code)
    return code[8:17] if right and synthetic.is_organisation_code(code[8:17]) else None


def organisation_in_tax_number(number: str) -> str | None:
    if synthetic.is_registration_number(number) or synthetic.might_be_resident_number_15(number):
        return None
    fits = re.fullmatch(r"350299[0-9A-Z]{8}[0-9X]", number) and synthetic.is_organisation_code(number[6:])
    return number[6:] if fits else None


def read_back(row: Row) -> Subject | None:
    """Whom a careful reader of the columns takes the row to be about; None where its numbers contradict."""
    column = {name: plain(row.columns.get(name)) for name in NUMBER_COLUMNS}
    organisations = {organisation_inside(column[name]) for name in ("UNISCID", "SHXYDM", "NSRSBH")}
    organisations.add(organisation_in_tax_number(column["NSRSBH"]))
    if synthetic.is_organisation_code(column["ZZJG_DM"]):
        organisations.add(column["ZZJG_DM"])
    organisations.discard(None)
    if len(organisations) > 1:
        return None
    if organisations:
        return Subject("organisation_code", str(organisations.pop()))
    if synthetic.is_registration_number(column["REGNO"]):
        return Subject("registration_number", column["REGNO"])
    if len(column["NSRSBH"]) in {17, 20}:
        return Subject("tax_number", column["NSRSBH"])
    return Subject("row", f"{row.source}/{row.record_id}")


def same_day(spelt: str | None) -> str:
    parts = DAY.match(spelt or "")
    return "-".join([parts[1], f"{int(parts[2]):02d}", f"{int(parts[3]):02d}"]) if parts else ""


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    once, again, other = (generate(seed, 60) for seed in (3, 3, 4))

    assert once == again
    assert once != other


def test_every_generated_number_lies_where_no_real_one_can(district: District) -> None:
    held = [row.columns.get(column) for row in district.rows for column in NUMBER_COLUMNS]

    assert [number for number in held if number and not synthetic.is_synthetic(plain(number))] == []


def test_every_name_and_address_says_that_it_is_a_specimen(district: District) -> None:
    names = [row.columns[SOURCES[row.source].states["name"]] for row in district.rows]
    addresses = [
        row.says[name].value for row in district.rows for name in ("address", "business_address") if name in row.says
    ]

    assert all("示例" in str(name) for name in names)
    assert all(address.startswith("示例市") for address in addresses)


def test_a_row_is_about_whom_its_columns_say_read_by_a_second_hand(district: District) -> None:
    wrong = [row.record_id for row in district.rows if read_back(row) not in {row.subject, None}]
    contradicting = {row.reason for row in district.rows if read_back(row) is None}

    assert wrong == []
    assert contradicting == {"subject_ambiguous"}


def test_the_products_own_identifiers_read_the_same_subjects(district: District) -> None:
    key = DistrictKey(b"for this test alone, 32 bytes ..")
    for row in (row for row in district.rows if row.reason != "subject_ambiguous"):
        read = [check(value) for column, check in CHECKED.items() if (value := row.columns.get(column))]
        pseudonym = "legal:tax:" + key.pseudonym(TAX_NUMBER, row.subject.value)
        own = {"row": [], "tax_number": [pseudonym]}.get(row.subject.scheme, [row.subject.key()])
        assert legal_subjects(read, key) == own


def test_no_two_legal_persons_share_a_number(district: District) -> None:
    for number in ("organisation", "credit_code", "registration_number"):
        counts = Counter(getattr(person, number) for person in district.persons.values())
        del counts[None]

        assert set(counts.values()) == {1}


def test_what_a_text_column_says_is_what_stands_in_it_but_for_padding_and_private_use(district: District) -> None:
    for row in (row for row in district.rows if row.outcome == "live"):
        for attribute in ("name", "address", "business_address", "legal_representative", "scope"):
            if attribute in row.says:
                stored = str(row.columns[SOURCES[row.source].states[attribute]])
                trimmed = stored.strip("".join(spellings.PADDING))
                assert (
                    trimmed.translate({ord(private): to for private, to in spellings.PRIVATE_USE.items()})
                    == row.says[attribute].value
                )


def test_what_a_date_column_says_is_the_day_in_it(district: District) -> None:
    for row in (row for row in district.rows if "established_on" in row.says):
        assert same_day(row.columns[SOURCES[row.source].states["established_on"]]) == row.says["established_on"].value


def test_what_is_blank_says_nothing(district: District) -> None:
    for row in district.rows:
        for attribute, column in SOURCES[row.source].states.items():
            assert (attribute in row.says) or row.columns[column] in {
                *spellings.NULLS, spellings.IMPOSSIBLE_DAY, spellings.PLACEHOLDER_DAY,
            }  # fmt: skip


def test_every_kind_of_dirt_is_planted_even_in_a_small_district() -> None:
    planted = {(row.source, kind) for row in generate(1, 400).rows for kind, _ in row.planted}
    registers = [kind for kind in kinds.KINDS if kind.source in {ENTERPRISE, LOCAL_TAXPAYER}]

    assert {(kind.source, kind.name) for kind in registers} <= planted


def test_every_difference_from_the_true_world_is_a_planted_one(district: District) -> None:
    told = truth_of(district)
    planted = {(plant.person, plant.attribute) for plant in told.planted}
    person_of = {(row.source, row.record_id): row.person for row in told.rows}
    shown = [(name, fact) for facts in told.facts.values() for name, fact in facts.items() if fact.source]
    surprising = [
        (person, name)
        for name, fact in shown
        for person in [person_of[str(fact.source), str(fact.row)]]
        if fact.dissent or alike(str(fact.value)) != alike(district.persons[person].truth()[name])
        if (person, name) not in planted
    ]

    # A mistyped credit code is what the tax office holds as tax number: planted as a number, not as a value.
    assert {name for _, name in surprising} <= {"taxpayer_number"}


def test_every_planted_difference_of_two_departments_shows_in_the_facts(district: District) -> None:
    told = truth_of(district)
    named_kinds = {"name_changed_at_registry", "address_differs", "representative_differs", "industry_differs"}
    plants = [plant for plant in told.planted if plant.kind in named_kinds and plant.outcome == "live"]
    seen = [told.facts[plant.subject][str(plant.attribute)] for plant in plants]

    assert plants
    assert all(
        fact.row == plant.row or plant.row in {d.row for d in fact.dissent}
        for plant, fact in zip(plants, seen, strict=True)
    )


def test_two_tax_registrations_that_differ_are_disputed_and_the_later_is_shown(district: District) -> None:
    told = truth_of(district)
    plants = [p for p in told.planted if p.kind == "two_tax_registrations" and p.attribute]

    assert plants
    for plant in plants:
        fact = told.facts[plant.subject][str(plant.attribute)]
        assert (fact.state, fact.row) == ("disputed", plant.row)


def test_named_legal_persons_are_the_same_in_every_district() -> None:
    one, other = (generate(seed, 40) for seed in (1, 2))
    codes = [
        named.CLEAN_FOOD_COMPANY,
        named.DISPUTED_CATERER,
        named.REVOKED_TRADER,
        named.RARE_NAME_SHOP,
        named.PRIVATE_USE_SHOP,
    ]
    held = [[row for row in district.rows if row.person <= len(codes)] for district in (one, other)]

    assert held[0] == held[1]
    assert [row.columns["UNISCID"] for row in held[0] if row.source == ENTERPRISE] == codes


def test_the_named_food_company_is_clean_and_active_in_both_departments(district: District) -> None:
    facts = truth_of(district).facts[Subject("organisation_code", named.CLEAN_FOOD_COMPANY[8:17])]

    of_registers = {name: fact for name, fact in facts.items() if not name.startswith("insured")}
    assert {fact.state for fact in of_registers.values()} == {"known"}
    assert not any(fact.dissent for fact in facts.values())
    assert facts["status"].value == "ACTIVE"
    assert "食品销售" in str(facts["scope"].value)


def test_columns_are_the_departments_own_and_all_are_text(district: District) -> None:
    for row in district.rows:
        assert tuple(row.columns) == SOURCES[row.source].columns
        assert all(value is None or isinstance(value, str) for value in row.columns.values())


def test_person_numbers_are_listed_so_that_a_canary_can_look_for_them(district: District) -> None:
    listed = personal_values(district)
    held = {str(row.columns.get("CERNO") or row.columns.get("FDDBRSFZJHM")) for row in district.rows}

    assert held <= listed


def test_both_departments_know_somebody_the_other_does_not(district: District) -> None:
    registered, taxed = ({row.person for row in district.at(source)} for source in (ENTERPRISE, LOCAL_TAXPAYER))

    assert taxed - registered
    assert registered - taxed


def test_a_district_too_small_for_its_dirt_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 20"):
        generate(1, 5)


def test_the_readme_names_every_kind_of_dirt() -> None:
    page = Path(named.__file__).with_name("README.md").read_text(encoding="utf-8")

    assert [kind.name for kind in kinds.KINDS if f"`{kind.name}`" not in page] == []


def test_the_readme_names_every_named_legal_person() -> None:
    page = Path(named.__file__).with_name("README.md").read_text(encoding="utf-8")

    assert all(f"`{person.credit_code}` | {person.name}" in page for person in named.named_persons())
