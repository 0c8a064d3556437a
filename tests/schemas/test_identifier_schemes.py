"""What the checks say of residents' other cards, documents and social numbers, and what each scheme can answer.

Every number is a specimen, or can never have been issued: numbers.py says why.
"""

from __future__ import annotations

import pytest

from schemas.identifiers import (
    AMBIGUOUS,
    BAD_FORM,
    CREDIT_CODE,
    CREDIT_CODE_KINDS,
    FOREIGNER_CARD,
    FOREIGNER_CARD_15,
    GB_OK,
    HMT_RESIDENCE_PERMIT,
    IRREGULAR,
    OK,
    PILOT_OK,
    RESIDENCE_PERMIT,
    RESIDENT_NUMBER,
    RESIDENT_NUMBER_15,
    SCHEMES,
    SOCIAL_PERSON,
    STRUCTURE_ONLY,
    UNCHECKED,
    Checked,
    check,
    credit_code,
    credit_code_kind,
    foreigner_card,
    hk_macao_travel_permit,
    hmt_residence_permit,
    passport,
    registration_number,
    residence_permit,
    resident_number,
    social_person,
    social_registration,
    social_security_number,
    social_unit,
    taiwan_travel_permit,
    tax_number,
)
from schemas.subjects import DistrictKey, legal_subjects
from tests.schemas import numbers

CREDIT = numbers.credit_code("91", "XX0000019")
CITIZEN, CITIZEN_15 = "11010519491231002X", "110105491231002"
PERMIT = numbers.resident_number("18800101", "001", "830000")
CARD = numbers.foreigner_card("18800101", "001")
CARD_15 = numbers.foreigner_card_15("19800101", "11")

# For each scheme and verdict a text that gets it: what the table promises can happen.
SAID = [
    ("credit_code", GB_OK, CREDIT),
    ("credit_code", PILOT_OK, "91350299M00000019V"),
    ("credit_code", STRUCTURE_ONLY, CREDIT[:17] + "A"),
    ("organisation_code", OK, "XX000001-9"),
    ("organisation_code", STRUCTURE_ONLY, "XX0000018"),
    ("registration_number", OK, numbers.registration_number("00000012")),
    ("registration_number", STRUCTURE_ONLY, "350299000000121"),
    ("registration_number", IRREGULAR, "35029900N000123"),
    ("tax_number", OK, CITIZEN + "00"),
    ("tax_number", STRUCTURE_ONLY, "350299XX0000018"),
    ("tax_number", IRREGULAR, "3502990000001"),
    ("social_registration", UNCHECKED, "3502990012"),
    ("social_registration", IRREGULAR, "350299001"[:8]),
    ("social_unit", UNCHECKED, "00350299"),
    ("social_unit", IRREGULAR, "XM350299"),
    ("resident_number", OK, CITIZEN),
    ("resident_number", STRUCTURE_ONLY, "110105194912310021"),
    ("resident_number_15", OK, CITIZEN_15),
    ("resident_number_15", AMBIGUOUS, "350299900101996"),
    ("hmt_residence_permit", OK, PERMIT),
    ("hmt_residence_permit", STRUCTURE_ONLY, PERMIT[:17] + "0"),
    ("foreigner_card", OK, CARD),
    ("foreigner_card", STRUCTURE_ONLY, CARD[:17] + "0"),
    ("foreigner_card_15", UNCHECKED, CARD_15),
    ("hk_macao_travel_permit", UNCHECKED, "H99999990"),
    ("hk_macao_travel_permit", IRREGULAR, "HA999999"),
    ("taiwan_travel_permit", UNCHECKED, "99999990"),
    ("passport", UNCHECKED, "D99999998"),
    ("passport", IRREGULAR, "L898902C3"),
    ("residence_permit", UNCHECKED, "3502990000002016000001"),
    ("residence_permit", IRREGULAR, "厦沪字第000001号"),
    ("social_person", UNCHECKED, "0000012345"),
    ("social_person", IRREGULAR, "FJ0000012345"),
    ("social_security_number", IRREGULAR, "UTOP0L898902C3"),
]


@pytest.mark.parametrize(("scheme", "verdict", "text"), SAID, ids=lambda part: part if part in SCHEMES else None)
def test_a_scheme_gives_this_verdict(scheme: str, verdict: str, text: str) -> None:
    checked = check(scheme, text)

    assert (checked.scheme, checked.verdict) == (scheme, verdict)
    assert check(scheme, "无").verdict == BAD_FORM


def test_every_verdict_of_the_table_can_be_reached_and_no_other() -> None:
    reached = {(scheme, verdict) for scheme, verdict, _ in SAID} | {(scheme, BAD_FORM) for scheme in SCHEMES}

    assert reached == {(name, verdict) for name, scheme in SCHEMES.items() for verdict in scheme.verdicts}


def test_every_number_of_a_natural_person_is_personal() -> None:
    assert {scheme.subject == "natural_person" for scheme in SCHEMES.values() if scheme.personal} == {True}
    assert {scheme.personal for scheme in SCHEMES.values() if scheme.subject == "natural_person"} == {True}


def test_an_unknown_scheme_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError, match="library_card"):
        check("library_card", CREDIT)


def test_a_tax_number_is_checked_with_the_sites_own_divisions() -> None:
    number = "350299XX0000019"

    assert check("tax_number", number, ["350299"]) == tax_number(number, ["350299"])
    assert check("tax_number", number).verdict == STRUCTURE_ONLY


@pytest.mark.parametrize("address", ["810000", "820000", "830000"])
@pytest.mark.parametrize("birth", ["18000101", "18991231"])
def test_a_residence_permit_is_told_by_its_address_whatever_the_year_of_birth(address: str, birth: str) -> None:
    number = numbers.resident_number(birth, "001", address)

    checked = hmt_residence_permit(number)

    assert (checked.scheme, checked.verdict) == (HMT_RESIDENCE_PERMIT, OK)


@pytest.mark.parametrize("other", [CITIZEN, CITIZEN_15, CARD, CARD_15, CREDIT, "H99999990", "810000"])
def test_what_is_no_residence_permit_is_bad_form_in_its_column(other: str) -> None:
    checked = hmt_residence_permit(other)

    assert (checked.scheme, checked.verdict, checked.personal) == (HMT_RESIDENCE_PERMIT, BAD_FORM, True)


def test_a_column_of_citizens_numbers_holds_three_cards_and_the_number_tells_which() -> None:
    schemes = [resident_number(number).scheme for number in (CITIZEN, PERMIT, CARD, CITIZEN_15)]

    assert schemes == [RESIDENT_NUMBER, HMT_RESIDENCE_PERMIT, FOREIGNER_CARD, RESIDENT_NUMBER_15]


@pytest.mark.parametrize("raw", [CITIZEN, PERMIT, CREDIT, "UTO350280023011", "UT0350280010111", CARD_15 + "1"])
def test_what_is_no_foreigners_card_is_bad_form_in_its_column(raw: str) -> None:
    assert foreigner_card(raw).verdict == BAD_FORM


@pytest.mark.parametrize("typed", [CARD_15.lower(), "UTO 3502 800101 11", "ＵＴＯ３５０２８００１０１１１"])
def test_the_older_card_is_read_however_it_is_typed(typed: str) -> None:
    assert foreigner_card(typed) == Checked(FOREIGNER_CARD_15, CARD_15, UNCHECKED, personal=True)


def test_91_is_a_company_in_one_column_and_a_person_in_another() -> None:
    foreigner = numbers.resident_number("18800101", "001", "911000")

    assert credit_code(CREDIT).verdict == GB_OK
    assert foreigner_card(CREDIT).verdict == BAD_FORM
    assert foreigner_card(foreigner).verdict == OK
    assert credit_code(foreigner).personal


def passing_both_checks() -> list[str]:
    """Numbers that nobody has, right as a foreigner's card and by both checks of a credit code."""
    days = [f"18{year:02}{month:02}{day:02}" for year in range(80, 99) for month in range(1, 13) for day in (1, 2, 3)]
    candidates = (numbers.resident_number(day, f"{serial:03}", "911000") for day in days for serial in range(20))
    return [
        number
        for number in candidates
        if number == numbers.credit_code_of(number[:17]) and number[8:17] == numbers.organisation_code(number[8:16])
    ]


def test_a_persons_number_that_passes_both_checks_of_a_credit_code_still_names_no_company() -> None:
    found = passing_both_checks()
    key = DistrictKey(bytes(32))

    assert found
    for number in found:
        checked = credit_code(number)
        assert (checked.verdict, checked.personal, checked.organisation) == (GB_OK, True, None)
        assert legal_subjects([checked], key) == []
        assert tax_number(number).personal


def test_a_persons_number_with_a_wrong_day_is_hidden_in_the_column_of_credit_codes() -> None:
    mistyped = next(n for n in ("1101051949133100" + f"{i:02}" for i in range(99)) if credit_code(n).verdict != GB_OK)

    assert credit_code(mistyped).personal
    assert tax_number(mistyped).personal


def test_a_persons_tax_number_in_the_column_of_registration_numbers_is_a_persons() -> None:
    assert registration_number(CITIZEN + "00").personal
    assert registration_number(CITIZEN_15 + "00").personal


@pytest.mark.parametrize("raw", ["H9999999", "X99999990", "H999999900", "H9999999-9999", "99999990", "M", CITIZEN])
def test_what_has_not_the_form_of_a_travel_permit_is_bad_form(raw: str) -> None:
    assert hk_macao_travel_permit(raw).verdict == BAD_FORM


@pytest.mark.parametrize(
    "raw", ["9999999", "999999900", "99999990B", "9999999001(BB)", "00000000", "0000000001", CITIZEN]
)
def test_what_has_not_the_form_of_a_permit_of_taiwan_is_bad_form(raw: str) -> None:
    assert taiwan_travel_permit(raw).verdict == BAD_FORM


@pytest.mark.parametrize("number", ["D99999998", "S99999998", "P99999998", "DE9999998", "SE9999998", "PE9999998"])
def test_a_chinese_passport_is_told_by_its_form(number: str) -> None:
    assert passport(number) == passport(number.lower())
    assert passport(number).verdict == UNCHECKED


@pytest.mark.parametrize("number", ["L898902C3", "EI9999998", "EO9999998", "D9999998", "149999998"])
def test_any_other_passport_is_kept_but_may_be_of_two_states(number: str) -> None:
    assert passport(number).verdict == IRREGULAR


@pytest.mark.parametrize("number", ["E00000000", "G00000000", "D11111111"])
def test_a_serial_of_one_digit_is_kept_and_names_nobody(number: str) -> None:
    assert passport(number).verdict == IRREGULAR
    assert hk_macao_travel_permit("H" + number[1:]).verdict == IRREGULAR


@pytest.mark.parametrize("raw", ["", "护照", "PASSPORT", "D123", "D*****998", CITIZEN, CITIZEN_15])
def test_what_has_not_the_form_of_a_passport_is_bad_form(raw: str) -> None:
    assert passport(raw).verdict == BAD_FORM


def test_a_local_residence_permit_is_its_station_and_its_number() -> None:
    checked = residence_permit("厦沪字第 000001 号", "350299000000")

    assert (checked.scheme, checked.value, checked.verdict) == (
        RESIDENCE_PERMIT,
        "350299000000/厦沪字第000001号",
        UNCHECKED,
    )
    assert residence_permit("350299000000／厦沪字第000001号") == checked
    assert residence_permit("厦沪字第000001号", "350299000001") != checked
    assert residence_permit("厦沪字第000001号", " ").verdict == IRREGULAR


def test_a_residence_permit_that_bears_a_citizens_number_is_that_number() -> None:
    assert residence_permit(CITIZEN) == resident_number(CITIZEN)
    assert residence_permit(CITIZEN, "350299000000") == resident_number(CITIZEN)
    assert residence_permit("110105194912310021").scheme == RESIDENCE_PERMIT


@pytest.mark.parametrize("raw", ["", "无", "办理中", "0000", "a/b/1234", "12345678#"])
def test_what_names_no_permit_is_bad_form(raw: str) -> None:
    assert residence_permit(raw).verdict == BAD_FORM


def test_the_credit_code_took_the_place_of_the_social_registration_number() -> None:
    assert social_registration(CREDIT) == credit_code(CREDIT)
    assert social_registration(CREDIT).scheme == CREDIT_CODE


def test_a_citizens_number_inside_a_social_number_is_hidden() -> None:
    assert social_registration(CITIZEN).personal
    assert social_unit("35" + CITIZEN).personal
    assert social_unit(CITIZEN_15 + "01").personal
    assert not social_unit("00350299").personal
    assert social_person("35" + CITIZEN) == Checked(SOCIAL_PERSON, "35" + CITIZEN, IRREGULAR, personal=True)
    assert social_person(CITIZEN) == resident_number(CITIZEN)


@pytest.mark.parametrize("raw", ["12345.0", "1.2345E+15", "", "0", "0000", "9999999999", "-1."])
def test_what_became_a_number_somewhere_or_stands_for_none_is_bad_form(raw: str) -> None:
    assert social_unit(raw).verdict == BAD_FORM
    assert social_person(raw).verdict == BAD_FORM


@pytest.mark.parametrize("raw", ["7", "22", "007"])
def test_a_system_may_count_from_one(raw: str) -> None:
    assert social_unit(raw).verdict == UNCHECKED
    assert social_unit(raw).value == raw


def test_a_social_security_number_is_a_citizens_number() -> None:
    assert social_security_number(CITIZEN) == resident_number(CITIZEN)
    assert social_security_number(CITIZEN_15) == resident_number(CITIZEN_15)
    assert social_security_number(CREDIT).verdict == BAD_FORM


@pytest.mark.parametrize(
    ("pair", "by"),
    [("11", "机构编制"), ("91", "市场监督管理"), ("A1", "中央军委"), ("G1", "公安"), ("J1", "住房和城乡建设")]
    + [(pair, "农业") for pair in ("N1", "N2", "N3")]
    + [("Y1", "其他"), ("Q1", "侨联"), ("36", "司法行政")],
)
def test_the_first_two_characters_say_who_registered_whom(pair: str, by: str) -> None:
    code = numbers.credit_code(pair, "XX0000019")

    assert credit_code(code).verdict == GB_OK
    assert (credit_code_kind(code) or "").startswith(by)


@pytest.mark.parametrize("pair", ["10", "97", "B1", "N8", "W9"])
def test_an_unknown_pair_is_a_warning_and_never_a_rejection(pair: str) -> None:
    code = numbers.credit_code(pair, "XX0000019")

    assert credit_code_kind(code) is None
    assert credit_code(code).verdict == GB_OK


def test_every_listed_pair_can_begin_a_credit_code() -> None:
    verdicts = {credit_code(numbers.credit_code(pair, "XX0000019")).verdict for pair in CREDIT_CODE_KINDS}

    assert verdicts == {GB_OK}


@pytest.mark.parametrize("typed", ["XX000001‐9", "XX000001–9", "XX000001—9", "XX000001−9"])
def test_whatever_is_typed_as_a_hyphen_is_one(typed: str) -> None:
    assert check("organisation_code", typed) == check("organisation_code", "XX000001-9")


def test_a_number_of_a_person_or_of_no_known_form_is_not_printed() -> None:
    shown = repr([resident_number(CITIZEN), credit_code("*" + CITIZEN), passport("D99999998"), credit_code(CREDIT)])

    assert CITIZEN not in shown
    assert "D99999998" not in shown
    assert CREDIT in shown
