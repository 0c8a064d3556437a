"""The whole district: the same for a seed and a day, whole in itself, odd in known ways only, and nobody's."""

from __future__ import annotations

import io
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.district import sample, synthetic, truth_file, work
from deploy.district.people import Numbers
from deploy.district.rows import LEGAL, Row, Said, Subject
from deploy.district.sample import District, whole
from deploy.district.sources import (
    ABNORMAL_LISTING,
    CONTRIBUTION,
    CREDIT_RATING,
    ENTERPRISE,
    IDENTITY_CHANGE,
    INSURED_UNIT,
    KEY_PERSON,
    LOCAL_ARREARS,
    LOCAL_TAXPAYER,
    PERMIT,
    RELATION,
    RESIDENCE,
    RESIDENT,
    SOURCES,
    STATE_ARREARS,
    STATE_TAXPAYER,
)
from deploy.district.truth import personal_values, truth_of
from schemas.identifiers import Checked, check
from schemas.subjects import DistrictKey, legal_subjects, person_subjects

KEY = DistrictKey(b"for this test alone, 32 bytes ..")
DOCUMENTS = {"10": "resident_number", "20": "passport", "50": "foreigner_card"}
# Which number of a row is of which kind, by source: those of its company, and those of its person.
COMPANY = {
    ENTERPRISE: {"UNISCID": "credit_code", "REGNO": "registration_number"},
    KEY_PERSON: {"UNISCID": "credit_code", "REGNO": "registration_number"},
    ABNORMAL_LISTING: {"UNISCID": "credit_code", "REGNO": "registration_number"},
    PERMIT: {"XK_XDR_SHXYM": "credit_code", "XK_XDR_GSZC": "registration_number"},
    STATE_TAXPAYER: {"nsrsbh": "tax_number", "shxydm": "credit_code", "zzjg_dm": "organisation_code"},
    STATE_ARREARS: {"nsrsbh": "tax_number", "shxydm": "credit_code"},
    CREDIT_RATING: {"nsrsbh": "tax_number", "shxydm": "credit_code"},
    LOCAL_TAXPAYER: {"NSRSBH": "tax_number", "SHXYDM": "credit_code", "ZZJG_DM": "organisation_code"},
    LOCAL_ARREARS: {"NSRSBH": "tax_number", "SHXYDM": "credit_code"},
    INSURED_UNIT: {"SHXYDM": "credit_code", "AAB003": "organisation_code", "ZCH": "registration_number"},
    RELATION: {"SHXYDM": "credit_code", "AAB003": "organisation_code"},
}
PERSON = {
    KEY_PERSON: "CERNO", RESIDENT: "czrkgmsfhm", RESIDENCE: "sfzh", IDENTITY_CHANGE: "新号码", RELATION: "AAC002",
    CONTRIBUTION: "AAC002",
}  # fmt: skip


def plain(number: str | None) -> str:
    return unicodedata.normalize("NFKC", number or "").replace("-", "").replace("\N{MULTIPLICATION SIGN}", "X").upper()


def truth_text(district: District) -> str:
    file = io.StringIO()
    truth_file.write(district, file)
    return file.getvalue()


def company_keys(row: Row, columns: dict[str, str | None]) -> list[str]:
    told = COMPANY[row.source].items()
    read = [check(scheme, number, ["350299"]) for column, scheme in told if (number := columns[column])]
    return legal_subjects(read, KEY)


def person_keys(row: Row, columns: dict[str, str | None]) -> list[str]:
    number = columns[PERSON[row.source]]
    scheme = DOCUMENTS[str(columns["CERTYPE"])] if row.source == KEY_PERSON else "resident_number"
    read: list[Checked] = [check(scheme, number)] if number else []
    return person_subjects(read, KEY)


def key_of(subject: Subject) -> list[str]:
    """The product's key of a subject that numbers name; none for one that is told by its row."""
    if subject.is_row:
        return []
    prefix = "legal:tax:" if subject.scheme == "tax_number" else "person:"
    return [subject.key() or prefix + KEY.pseudonym(subject.scheme, subject.value)]


def values(district: District, source: str, column: str) -> set[str]:
    return {str(image[column]) for row in district.at(source) for image in row.as_mappings() if image[column]}


def test_the_same_seed_and_day_give_the_same_bytes_and_others_do_not() -> None:
    once, again, other, later = (
        truth_text(whole(seed, 300, day))
        for seed, day in ((3, sample.TODAY), (3, sample.TODAY), (4, sample.TODAY), (3, date(2025, 6, 30)))
    )

    assert once == again
    assert len({once, other, later}) == 3


def test_blocks_are_whole_in_themselves() -> None:
    seen: dict[Subject, int] = {}
    for number, block in enumerate(sample.blocks(5, 4_000)):
        for subject in truth_of(block).subjects:
            assert seen.setdefault(subject, number) == number

    assert len(set(seen.values())) == 4


def test_the_whole_district_is_its_blocks(district: District) -> None:
    rows = Counter(str(row) for block in sample.blocks(11, 3_000) for row in block.rows)

    assert rows == Counter(map(str, district.rows))


def test_a_district_has_as_many_people_as_asked_for_and_a_tenth_as_many_legal_persons() -> None:
    for people in (200, 1_499, 2_501):
        made = list(sample.blocks(1, people))
        assert sum(len(block.people) for block in made) == people
        assert abs(sum(len(block.persons) for block in made) - people / 10) < len(made)


def test_a_district_too_small_for_its_dirt_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 200"):
        whole(1, 50)


def test_every_generated_number_lies_where_no_real_one_can(district: District) -> None:
    held = [number for source in SOURCES.values() for column in source.numbers
            for number in values(district, source.name, column)]  # fmt: skip

    assert len(held) > 10_000
    assert [number for number in held if not synthetic.is_synthetic(plain(number))] == []


def test_numbers_hidden_in_other_columns_are_named_as_numbers(district: District) -> None:
    for name, source in SOURCES.items():
        for column in set(source.columns) - set(source.numbers):
            assert not [value for value in values(district, name, column) if synthetic.is_resident_number(plain(value))]


@given(
    st.lists(st.tuples(st.sampled_from(["MALE", "FEMALE"]), st.dates(date(1930, 1, 1), date(2024, 1, 1))), max_size=40)
)
def test_no_two_people_get_one_number_in_whatever_block_they_are(births: list[tuple[str, date]]) -> None:
    given_ = []
    for block in (0, 1, 495, 496, 992, 1_487):
        numbers = Numbers(block)
        given_ += [numbers.document(numbers.born(day, sex), sex) for sex, day in births]

    assert len(set(given_)) == len(given_)
    assert all(synthetic.is_resident_number(number) for number in given_)


def test_a_persons_number_tells_birth_and_sex(district: District) -> None:
    for person in district.people.values():
        assert person.document[6:14] == f"{person.born:%Y%m%d}"
        assert (int(person.document[16]) % 2 == 1) == (person.sex == "MALE")


def test_every_name_and_address_says_that_it_is_a_specimen(district: District) -> None:
    names = {
        ENTERPRISE: ["ENTNAME", "NAME"], KEY_PERSON: ["ENTNAME", "NAME"], LOCAL_TAXPAYER: ["NSRMC", "FDDBRXM"],
        STATE_TAXPAYER: ["nsrmc", "zcdz"], PERMIT: ["XK_XDR_MC", "XK_WSH", "XK_XKJG"], RESIDENT: ["czrkxm"],
        RESIDENCE: ["xm", "zzdz"], INSURED_UNIT: ["AAB004"], RELATION: ["AAC003", "AAB004"],
    }  # fmt: skip
    told = [
        value for source, columns in names.items() for column in columns for value in values(district, source, column)
    ]

    assert [name for name in told if "示例" not in name and len(name) > 3] == []


def test_every_number_of_a_person_is_listed_so_that_a_canary_can_look_for_it(district: District) -> None:
    listed = personal_values(district)
    held = {
        v for source in SOURCES.values() for column in source.personal for v in values(district, source.name, column)
    }

    assert held <= listed
    assert {plain(number) for number in held} <= listed


def test_columns_are_the_departments_own_and_all_are_text(district: District) -> None:
    for row in district.rows:
        for image in row.images():
            assert len(image) == len(SOURCES[row.source].columns)
            assert all(value is None or isinstance(value, str) for value in image)
        assert row.lines or tuple(row.columns) == SOURCES[row.source].columns


def test_the_products_own_identifiers_read_the_subjects_that_the_truth_says(district: District) -> None:
    for row in district.rows:
        if row.outcome == "refused":
            continue
        for columns in row.as_mappings():
            legal = company_keys(row, columns) if row.source in COMPANY else []
            natural = person_keys(row, columns) if row.source in PERSON else []
            for word in row.words():
                assert (legal if word.subject.kind == LEGAL else natural) == key_of(word.subject)
            if row.source == RELATION:
                assert row.element is not None
                unit = row.element.parts["unit"]
                assert isinstance(unit, Subject)
                assert legal == key_of(unit)


def test_a_refused_row_is_refused_for_what_stands_in_it(district: District) -> None:
    reasons: dict[str, set[str]] = defaultdict(set)
    for row in district.rows:
        if row.outcome == "refused":
            reasons[str(row.reason)].add(row.source)
        if row.reason == "subject_unreadable":
            assert check("resident_number", str(row.columns[PERSON[row.source]])).verdict == "BAD_FORM"
        if row.reason == "month_unclear":
            assert any(line[4] == "1" and line[5] is None for line in row.lines)

    assert reasons.keys() == {
        "duplicate_key", "subject_ambiguous", "subject_unreadable", "unmapped_character", "month_unclear",
    }  # fmt: skip
    assert reasons["subject_unreadable"] == {KEY_PERSON, RESIDENT, RESIDENCE, RELATION}


def test_what_points_to_another_table_finds_it(district: District) -> None:
    points = [
        (KEY_PERSON, "PRIPID", ENTERPRISE, "PRIPID"), (ABNORMAL_LISTING, "PRIPID", ENTERPRISE, "PRIPID"),
        (STATE_ARREARS, "djxh", STATE_TAXPAYER, "djxh"), (CREDIT_RATING, "djxh", STATE_TAXPAYER, "djxh"),
        (LOCAL_ARREARS, "DJXH", LOCAL_TAXPAYER, "DJXH"), (RELATION, "AAB001", INSURED_UNIT, "AAB001"),
        (CONTRIBUTION, "AAC001", RELATION, "AAC001"),
    ]  # fmt: skip
    for source, column, target, found in points:
        assert values(district, source, column) <= values(district, target, found)


def test_every_household_has_a_head_and_its_people_share_an_address(district: District) -> None:
    households = defaultdict(list)
    for person in district.people.values():
        households[person.household.number].append(person)

    assert any(len(members) > 3 for members in households.values())
    for members in households.values():
        assert [person.relation for person in members].count("01") == 1
        assert len({person.household for person in members}) == 1
        (head,) = (person for person in members if person.relation == "01")
        children = [person for person in members if person.relation in {"20", "30"}]
        assert all((child.born - head.born).days > 18 * 365 for child in children)


def test_the_letters_of_a_year_are_those_of_its_months_read_by_a_second_hand(district: District) -> None:
    letters: Counter[str] = Counter()
    for row in district.at(CONTRIBUTION):
        if row.outcome == "live":
            assert row.element is not None
            months = row.element.parts["months"]
            assert months == Said(read_back(row.lines))
            letters.update(months.value)

    assert letters["T"] > 15 * letters["B"] > 0
    assert letters["B"] > letters["M"] > 100


def read_back(lines: Iterable[tuple[str | None, ...]]) -> str:
    told = {}
    for _, _, _, month, received, when, valid in lines:
        if valid == "1" and month:
            due = int(month[:4]) * 12 + int(month[4:])
            paid = int(when[:4]) * 12 + int(when[4:]) if received == "1" and when else None
            told[int(month[4:])] = "M" if paid is None else "T" if paid <= due + 1 else "B"
    return "".join(told.get(month, "N") for month in range(1, 13))


def test_contributions_reach_over_ten_years_and_never_beyond_today(district: District) -> None:
    months = {int(month[:4]) * 12 + int(month[4:]) - 1 for month in values(district, CONTRIBUTION, "AAE003")}
    received = values(district, CONTRIBUTION, "AAE079")

    assert max(months) - min(months) > 100
    assert max(months) < work.month_of(district.today)
    assert max(received) <= f"{district.today:%Y%m}"


def test_about_four_in_ten_are_insured_for_three_to_six_years(district: District) -> None:
    months = Counter(dict.fromkeys(district.people, 0))
    for row in district.at(CONTRIBUTION):
        if row.lines[0][2] == "110":
            months[row.person] += len(row.lines)
    insured = [count for count in months.values() if count]

    assert 0.35 < len(insured) / len(district.people) < 0.45
    assert 30 < sum(insured) / len(insured) < 72


def test_who_took_over_from_whom_stands_in_the_register(district: District) -> None:
    gone = [person for person in district.persons.values() if person.successor is not None]

    assert {person.kind for person in gone} == {"company", "sole_trader"}
    for person in gone:
        assert person.status == "CANCELLED"
        assert person.ceased_on is not None
        assert district.persons[int(str(person.successor))].established_on <= person.ceased_on
    turned = [person for person in gone if person.kind == "sole_trader"]
    assert all(person.name in district.persons[int(str(person.successor))].name for person in turned)


def test_nobody_works_for_a_company_that_has_ceased(district: District) -> None:
    ceased = {f"{p.number:08d}": f"{p.ceased_on:%Y%m}" for p in district.persons.values() if p.ceased_on}
    ends = [(row.columns["AAB001"], str(row.columns["AAE031"])) for row in district.at(RELATION)
            if row.columns["AAB001"] in ceased and row.columns["AAC008"] != "4"]  # fmt: skip

    assert ends
    assert all(end < ceased[str(unit)] for unit, end in ends)
