"""What the checks say of official numbers as people type them, and never of a real company or person.

Every number is a specimen printed in a standard or lies in division 350299, which no edition lists.
"""

from __future__ import annotations

import pytest
from hypothesis import given

from schemas.identifiers import (
    AMBIGUOUS,
    BAD_FORM,
    CREDIT_CODE,
    GB_OK,
    IRREGULAR,
    OK,
    PILOT_OK,
    RESIDENT_NUMBER,
    RESIDENT_NUMBER_15,
    STRUCTURE_ONLY,
    SYNTHETIC_DIVISION,
    TAX_NUMBER,
    credit_code,
    is_division,
    organisation_code,
    other_length,
    registration_number,
    resident_number,
    tax_number,
)
from tests.schemas import numbers

ORGANISATION = "XX0000019"
CREDIT = numbers.credit_code("91", ORGANISATION)
PILOT = "91350299M00000019V"
SPECIMEN_18, SPECIMEN_1880, SPECIMEN_15 = "11010519491231002X", "440524188001010014", "110105491231002"


def test_a_credit_code_with_both_checks_right_names_its_organisation() -> None:
    checked = credit_code(CREDIT)

    assert (checked.scheme, checked.verdict, checked.organisation) == (CREDIT_CODE, GB_OK, ORGANISATION)


@pytest.mark.parametrize("kind", ["11", "A1", "G1", "J1", "N2", "Y1", "ZZ"])
def test_departments_beyond_the_list_pass_when_their_letters_exist(kind: str) -> None:
    code = numbers.credit_code(kind, ORGANISATION) if "Z" not in kind else "ZZ" + CREDIT[2:]

    assert credit_code(code).verdict == (GB_OK if "Z" not in kind else BAD_FORM)


def test_a_pilot_code_that_fails_the_national_check_has_a_verdict_of_its_own() -> None:
    checked = credit_code(PILOT)

    assert (checked.verdict, checked.organisation) == (PILOT_OK, "M00000019")


def test_a_pilot_code_may_use_letters_that_the_national_alphabet_leaves_out() -> None:
    code = numbers.pilot_code("91", numbers.organisation_code("M0SIOVZ0"))

    assert code is not None
    assert credit_code(code).verdict == PILOT_OK


@pytest.mark.parametrize(
    ("spoilt", "guard"),
    [
        ("91" + "360299" + PILOT[8:17], "not in Fujian"),
        ("91" + "350299" + numbers.organisation_code("N0000001"), "not of the pilot's range"),
        ("91" + "350299" + "M00000010", "embedded check wrong"),
    ],
)
def test_the_pilot_check_means_nothing_without_its_guard(spoilt: str, guard: str) -> None:
    total = sum(numbers.LETTERS_36.index(c) * 2**i for i, c in enumerate(spoilt))
    right_by_37 = [spoilt + c for value, c in enumerate(numbers.LETTERS_36) if (total + value) % 37 == 0]

    assert right_by_37, "the check has a sign"
    assert credit_code(right_by_37[0]).verdict in {STRUCTURE_ONLY, BAD_FORM}, guard


def test_a_code_with_a_wrong_check_is_kept_and_flagged() -> None:
    wrong = CREDIT[:17] + next(c for c in "0123456789" if c != CREDIT[17])

    checked = credit_code(wrong)

    assert (checked.verdict, checked.value) == (STRUCTURE_ONLY, wrong)


def test_an_embedded_code_with_a_wrong_check_names_no_organisation() -> None:
    code = numbers.credit_code("91", "XX0000010")

    checked = credit_code(code)

    assert (checked.verdict, checked.organisation) == (GB_OK, None)


@pytest.mark.parametrize(
    "raw",
    ["", " ", CREDIT[:17], CREDIT + "0", "I" + CREDIT[1:], CREDIT[:17] + "Z", CREDIT[:2] + "35O299" + CREDIT[8:], "无"],
)
def test_what_has_not_the_form_of_a_credit_code_is_bad_form(raw: str) -> None:
    assert credit_code(raw).verdict == BAD_FORM


@pytest.mark.parametrize(
    "typed",
    [
        CREDIT.lower(),
        f" {CREDIT}\t",
        f"\u3000{CREDIT}\u200b",
        CREDIT[:8] + "-" + CREDIT[8:16] + "-" + CREDIT[16:],
        f"{CREDIT[:2]} {CREDIT[2:8]} {CREDIT[8:]}",
        "".join(chr(ord(c) + 0xFEE0) for c in CREDIT),
        "".join(chr(ord(c) + 0xFEE0) for c in CREDIT.lower()),
    ],
)
def test_width_case_spaces_and_hyphens_do_not_change_a_code(typed: str) -> None:
    assert credit_code(typed) == credit_code(CREDIT)


def test_a_resident_number_in_the_column_of_credit_codes_is_known_to_be_a_persons() -> None:
    misplaced = next(n for n in residents() if credit_code(n).verdict == STRUCTURE_ONLY)
    passing_one_check = next(
        n for n in residents() if credit_code(n).verdict == GB_OK and not credit_code(n).organisation
    )

    assert credit_code(misplaced).personal
    assert credit_code(passing_one_check).personal
    assert not credit_code(CREDIT).personal


def residents() -> list[str]:
    return [numbers.resident_number("19490101", f"{i:03}") for i in range(996)]


@pytest.mark.parametrize("sign", "0123456789X")
def test_one_character_over_and_over_is_no_number_whatever_its_checks_say(sign: str) -> None:
    checks = (credit_code, organisation_code, registration_number, resident_number, tax_number)

    verdicts = {check(sign * length).verdict for check in checks for length in (9, 13, 15, 17, 18, 20)}

    assert verdicts == {BAD_FORM}


def test_a_placeholder_inside_a_code_names_no_organisation() -> None:
    assert credit_code(numbers.credit_code("91", "000000000")).organisation is None
    assert tax_number(SYNTHETIC_DIVISION + "000000000", [SYNTHETIC_DIVISION]).organisation is None


@pytest.mark.parametrize("typed", ["XX000001-9", "xx000001-9", "ＸＸ０００００１－９", " XX0000019 "])
def test_an_organisation_code_is_stored_without_its_printed_hyphen(typed: str) -> None:
    checked = organisation_code(typed)

    assert (checked.value, checked.verdict, checked.organisation) == (ORGANISATION, OK, ORGANISATION)


def test_a_check_of_ten_is_written_x_and_one_of_eleven_0() -> None:
    assert organisation_code("M0000006x").verdict == OK
    assert organisation_code("XX0000000").verdict == OK


def test_a_wrong_organisation_check_is_kept_and_names_no_organisation() -> None:
    checked = organisation_code("XX0000018")

    assert (checked.verdict, checked.organisation) == (STRUCTURE_ONLY, None)


@pytest.mark.parametrize("raw", ["", "XX000001", "XX00000190", "XX000001A", "XX00*0019"])
def test_what_has_not_nine_characters_is_no_organisation_code(raw: str) -> None:
    assert organisation_code(raw).verdict == BAD_FORM


def test_a_registration_number_with_a_right_check_is_ok() -> None:
    assert registration_number(numbers.registration_number("00000012")).verdict == OK


def test_a_registration_number_with_a_wrong_check_is_kept() -> None:
    right = numbers.registration_number("00000012")
    wrong = right[:14] + str((int(right[14]) + 1) % 10)

    assert registration_number(wrong).verdict == STRUCTURE_ONLY


@pytest.mark.parametrize(
    "older",
    [
        "3502990000001",
        "35029900000012",
        "35029900N000123",
        "350299NA0000001X",
        "350299" + ORGANISATION + "1",
        "(分)350299",
    ],
)
def test_older_and_local_forms_are_irregular_and_never_thrown_away(older: str) -> None:
    verdict = registration_number(older).verdict

    assert verdict == (BAD_FORM if "分" in older else IRREGULAR)


def test_a_resident_number_in_the_column_of_registration_numbers_is_known_to_be_a_persons() -> None:
    assert registration_number(SPECIMEN_18).personal
    assert registration_number("350299900101003").personal
    assert not registration_number(numbers.registration_number("00000012")).personal


@pytest.mark.parametrize("number", [SPECIMEN_18, SPECIMEN_1880])
def test_the_examples_of_the_standard_are_right(number: str) -> None:
    checked = resident_number(number)

    assert (checked.scheme, checked.verdict, checked.personal) == (RESIDENT_NUMBER, OK, True)


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        "11010519491231002Ｘ",
        "11010519491231002ｘ",
        "11010519491231002×",
        "１１０１０５１９４９１２３１００２Ｘ",
        " 110105 19491231 002X ",
    ],
)
def test_an_x_is_an_x_however_it_is_typed(typed: str) -> None:
    assert resident_number(typed) == resident_number(SPECIMEN_18)


def test_fifteen_digits_stay_fifteen_digits() -> None:
    checked = resident_number(SPECIMEN_15)

    assert (checked.scheme, checked.value, checked.verdict) == (RESIDENT_NUMBER_15, SPECIMEN_15, OK)


@pytest.mark.parametrize(
    ("sequence", "verdict"),
    [("995", OK), ("996", AMBIGUOUS), ("997", AMBIGUOUS), ("998", AMBIGUOUS), ("999", AMBIGUOUS)],
)
def test_the_century_of_the_last_four_sequences_cannot_be_told(sequence: str, verdict: str) -> None:
    assert resident_number("350299" + "900101" + sequence).verdict == verdict


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "35029919900230001X",
        "350299900230001",
        "350299179912310013",
        "350299210001010013",
        "35029919491231",
        "X" + SPECIMEN_18[1:],
        "35029919******001X",
    ],
)
def test_what_names_no_day_or_is_masked_is_bad_form(raw: str) -> None:
    assert resident_number(raw).verdict == BAD_FORM


def test_a_wrong_check_is_kept_and_flagged() -> None:
    assert resident_number("110105194912310021").verdict == STRUCTURE_ONLY


@pytest.mark.parametrize("division", ["350205", "810000", "820000", "830000", "999999"])
def test_where_a_number_was_first_issued_is_not_judged(division: str) -> None:
    number = numbers.resident_number("19490101", "000", division)  # sequence 000 is given to nobody

    assert resident_number(number).verdict == OK


def test_a_company_with_a_credit_code_has_it_for_a_tax_number() -> None:
    assert tax_number(CREDIT) == credit_code(CREDIT)
    assert tax_number(PILOT) == credit_code(PILOT)
    assert tax_number("L" + CREDIT) == credit_code(CREDIT)


def test_a_credit_code_with_a_wrong_check_stays_a_credit_code() -> None:
    wrong = CREDIT[:17] + next(c for c in "0123456789" if c != CREDIT[17])

    assert tax_number(wrong) == credit_code(wrong)


@pytest.mark.parametrize(
    "number",
    [
        SPECIMEN_18 + "00",
        SPECIMEN_18 + "01",
        SPECIMEN_18,
        SPECIMEN_15 + "00",
        "L" + SPECIMEN_18 + "00",
        "L" + SPECIMEN_18,
        "L" + SPECIMEN_15 + "00",
        "L" + SPECIMEN_15,
        "350299900101996" + "00",
        "F350299USA00001",
    ],
)
def test_a_number_made_of_a_document_is_a_persons(number: str) -> None:
    checked = tax_number(number)

    assert (checked.scheme, checked.verdict, checked.organisation, checked.personal) == (TAX_NUMBER, OK, None, True)


def test_a_persons_number_that_passes_the_credit_check_by_chance_stays_a_persons() -> None:
    number = next(n for n in residents() if credit_code(n).verdict == GB_OK and not credit_code(n).organisation)

    checked = tax_number(number)

    assert (checked.scheme, checked.personal) == (TAX_NUMBER, True)


def test_fifteen_characters_of_a_known_division_name_the_organisation() -> None:
    checked = tax_number(SYNTHETIC_DIVISION + ORGANISATION, [SYNTHETIC_DIVISION])

    assert (checked.scheme, checked.verdict, checked.organisation, checked.personal) == (
        TAX_NUMBER,
        OK,
        ORGANISATION,
        False,
    )


def test_without_a_known_division_or_a_right_check_no_organisation_is_read() -> None:
    unknown = tax_number(SYNTHETIC_DIVISION + ORGANISATION)
    wrong = tax_number(SYNTHETIC_DIVISION + "XX0000018", [SYNTHETIC_DIVISION])

    assert (unknown.verdict, unknown.organisation) == (STRUCTURE_ONLY, None)
    assert (wrong.verdict, wrong.organisation) == (STRUCTURE_ONLY, None)


def test_a_valid_registration_number_among_tax_numbers_names_no_organisation() -> None:
    candidates = (numbers.registration_number(f"{i:08}") for i in range(77000000, 77001000))
    number = next(n for n in candidates if organisation_code(n[6:]).verdict == OK)

    assert tax_number(number, [SYNTHETIC_DIVISION]).organisation is None


def test_a_plausible_resident_number_among_tax_numbers_names_no_organisation_and_is_a_persons() -> None:
    candidates = (SYNTHETIC_DIVISION + numbers.organisation_code(f"900101{i:02}") for i in range(99))
    number = next(n for n in candidates if n.isdigit() and registration_number(n).verdict != OK)

    checked = tax_number(number, [SYNTHETIC_DIVISION])

    assert (checked.organisation, checked.personal) == (None, True)


@pytest.mark.parametrize("other", ["E0000000001", "H000000000100", "3502990000001"])
def test_a_form_of_no_company_may_be_any_document_so_it_is_a_persons(other: str) -> None:
    checked = tax_number(other)

    assert (checked.verdict, checked.personal) == (IRREGULAR, True)


@pytest.mark.parametrize("raw", ["", "无", "35029919******001X00", "0" * 21])
def test_what_is_no_number_at_all_is_bad_form(raw: str) -> None:
    assert tax_number(raw).verdict == BAD_FORM


@pytest.mark.parametrize("code", ["350205", "350202", "110105", "440524"])
def test_a_division_of_any_year_is_known(code: str) -> None:
    assert is_division(code)


@pytest.mark.parametrize("code", [SYNTHETIC_DIVISION, "000000", "999999", "", "3502", "35020A"])
def test_what_no_edition_lists_is_no_division(code: str) -> None:
    assert not is_division(code)


def test_a_site_adds_divisions_of_its_own() -> None:
    assert is_division(SYNTHETIC_DIVISION, [SYNTHETIC_DIVISION])


@given(numbers.resident_numbers)
def test_only_a_number_of_the_last_century_has_another_length_and_it_leads_back(number: str) -> None:
    other = other_length(resident_number(number))

    assert (other is not None) == (number[6:8] == "19")
    if other is not None:
        assert other.value == number[:6] + number[8:17]
        assert other_length(other) == resident_number(number)
