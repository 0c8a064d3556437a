"""What the checks promise for every number, and that others who read the same standards agree."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_11_10

from schemas.identifiers import (
    AMBIGUOUS,
    BAD_FORM,
    FOREIGNER_CARD,
    FOREIGNER_CARD_15,
    GB_OK,
    HMT_RESIDENCE_PERMIT,
    OK,
    PILOT_OK,
    SCHEMES,
    UNCHECKED,
    check,
    credit_code,
    foreigner_card,
    hk_macao_travel_permit,
    hmt_residence_permit,
    organisation_code,
    passport,
    registration_number,
    resident_number,
    social_person,
    social_security_number,
    social_unit,
    taiwan_travel_permit,
    tax_number,
)
from schemas.subjects import DistrictKey, legal_subjects, person_subjects
from tests.schemas import numbers

# Lone surrogates too: a driver that decodes badly hands them over.
ANY_TEXT = (
    st.text(st.characters(), max_size=24)
    | st.text(numbers.LETTERS_36 + "xlf -—　Ｘ×*()/字第号", max_size=42)
    | st.text(string.digits, max_size=24)
)
EVERY_NUMBER = st.one_of(
    numbers.credit_codes,
    numbers.pilot_codes,
    numbers.organisation_codes,
    numbers.registration_numbers,
    numbers.resident_numbers,
    numbers.resident_numbers.map(lambda number: number[:6] + number[8:17]),
    numbers.hmt_residence_permits,
    numbers.foreigner_cards,
    numbers.foreigner_cards_15,
    numbers.hk_macao_travel_permits,
    numbers.permit_holders,
    numbers.passports,
)
KEY = DistrictKey(bytes(32))
# A number as it is, or with something typed before or behind it.
TYPED = st.builds(
    "".join, st.tuples(st.sampled_from(["", "L", " ", "350299/"]), EVERY_NUMBER, st.sampled_from(["", "00", "(B)"]))
)


@given(numbers.credit_codes)
def test_every_right_credit_code_is_ok_and_names_its_organisation(code: str) -> None:
    checked = credit_code(code)

    assert (checked.verdict, checked.organisation) == (GB_OK, code[8:17])


@given(numbers.pilot_codes)
def test_every_right_pilot_code_is_accepted(code: str) -> None:
    assert credit_code(code).verdict in {PILOT_OK, GB_OK}


@given(numbers.resident_numbers)
def test_every_right_resident_number_is_ok(number: str) -> None:
    assert resident_number(number).verdict == OK


@given(numbers.resident_numbers.filter(lambda number: number[6:8] != "20"))  # 15 digits ended in 1999
def test_the_old_form_of_a_number_is_readable(number: str) -> None:
    old = number[:6] + number[8:17]

    assert resident_number(old).verdict == (AMBIGUOUS if old[12:] in {"996", "997", "998", "999"} else OK)


@given(numbers.registration_numbers)
def test_every_right_registration_number_is_ok(number: str) -> None:
    assert registration_number(number).verdict == OK


@given(numbers.with_one_wrong(numbers.credit_codes, numbers.LETTERS_31))
def test_one_wrong_character_of_a_credit_code_is_always_noticed(pair: tuple[str, str]) -> None:
    assert credit_code(pair[1]).verdict != GB_OK


@given(numbers.with_one_wrong(numbers.pilot_codes, numbers.LETTERS_36))
def test_one_wrong_character_of_a_pilot_code_is_always_noticed_by_its_own_check(pair: tuple[str, str]) -> None:
    assert credit_code(pair[1]).verdict != PILOT_OK


@given(
    numbers.with_one_wrong(st.text(string.digits, min_size=8, max_size=8).map(numbers.organisation_code), string.digits)
)
def test_one_wrong_digit_of_an_organisation_code_is_always_noticed(pair: tuple[str, str]) -> None:
    assert organisation_code(pair[1]).verdict != OK


@given(numbers.with_one_wrong(numbers.resident_numbers, string.digits))
def test_one_wrong_digit_of_a_resident_number_is_always_noticed(pair: tuple[str, str]) -> None:
    assert resident_number(pair[1]).verdict != OK


@given(numbers.with_one_wrong(numbers.registration_numbers, string.digits))
def test_one_wrong_digit_of_a_registration_number_is_always_noticed(pair: tuple[str, str]) -> None:
    assert registration_number(pair[1]).verdict != OK


@given(numbers.with_one_wrong(numbers.credit_codes, numbers.LETTERS_36).flatmap(st.sampled_from))
def test_where_the_first_eight_are_digits_stdnum_agrees_on_credit_codes(code: str) -> None:
    if not code[:8].isdigit() or len(set(code)) == 1:
        return

    assert (credit_code(code).verdict == GB_OK) == uscc.is_valid(code)


@given(numbers.with_one_wrong(numbers.resident_numbers, string.digits).flatmap(st.sampled_from))
def test_stdnum_agrees_on_the_check_of_resident_numbers(number: str) -> None:
    checked = resident_number(number)
    if checked.verdict == BAD_FORM:
        return

    assert (checked.verdict == OK) == (ric.calc_check_digit(number) == number[17])


@given(numbers.with_one_wrong(numbers.registration_numbers, string.digits).flatmap(st.sampled_from))
def test_stdnum_agrees_on_registration_numbers(number: str) -> None:
    assert (registration_number(number).verdict == OK) == mod_11_10.is_valid(number)


@given(numbers.hmt_residence_permits)
def test_every_right_residence_permit_is_ok_in_either_column(number: str) -> None:
    checked = hmt_residence_permit(number)

    assert (checked.scheme, checked.verdict, checked.personal) == (HMT_RESIDENCE_PERMIT, OK, True)
    assert resident_number(number) == checked


@given(numbers.with_one_wrong(numbers.hmt_residence_permits, string.digits))
def test_one_wrong_digit_of_a_residence_permit_is_always_noticed(pair: tuple[str, str]) -> None:
    assert hmt_residence_permit(pair[1]).verdict != OK


@given(numbers.foreigner_cards)
def test_every_right_foreigners_card_is_ok_in_either_column(number: str) -> None:
    checked = foreigner_card(number)

    assert (checked.scheme, checked.verdict, checked.personal) == (FOREIGNER_CARD, OK, True)
    assert resident_number(number) == checked


@given(numbers.with_one_wrong(numbers.foreigner_cards, string.digits))
def test_one_wrong_digit_of_a_foreigners_card_is_always_noticed(pair: tuple[str, str]) -> None:
    assert foreigner_card(pair[1]).verdict != OK


@given(numbers.foreigner_cards_15)
def test_every_older_foreigners_card_is_readable_as_far_as_its_rule_is_known(number: str) -> None:
    checked = foreigner_card(number)

    assert (checked.scheme, checked.verdict) == (FOREIGNER_CARD_15, UNCHECKED)


@given(numbers.foreigner_cards | numbers.hmt_residence_permits)
def test_no_card_of_a_resident_is_taken_for_a_company(number: str) -> None:
    for checked in (credit_code(number), tax_number(number)):
        assert checked.personal
        assert checked.organisation is None
        assert legal_subjects([credit_code(number)], KEY) == []


@given(numbers.hk_macao_travel_permits, st.integers(0, 99))
def test_a_renewed_permit_of_hong_kong_or_macao_is_the_same_number(number: str, renewals: int) -> None:
    assert hk_macao_travel_permit(f"{number}{renewals:02}") == hk_macao_travel_permit(number)
    assert hk_macao_travel_permit(number).verdict == UNCHECKED


@given(numbers.permit_holders, st.integers(0, 99), st.sampled_from(["", "(B)", "（1）", "B"]))
def test_a_permit_of_taiwan_is_the_same_number_in_its_older_forms(holder: str, issues: int, office: str) -> None:
    assert taiwan_travel_permit(f"{holder}{issues:02}{office}") == taiwan_travel_permit(holder)
    assert taiwan_travel_permit(holder).verdict == UNCHECKED


@given(numbers.passports)
def test_every_passport_of_an_official_is_readable(number: str) -> None:
    assert passport(number).verdict == UNCHECKED


@given(st.text(string.digits, max_size=4), numbers.resident_numbers, st.text(string.digits, max_size=4))
def test_a_citizens_number_inside_a_social_number_makes_it_a_persons(before: str, number: str, behind: str) -> None:
    assert social_unit(before + number + behind).personal
    assert social_person(before + number + behind).personal


@given(numbers.resident_numbers | numbers.hmt_residence_permits | numbers.foreigner_cards)
def test_a_social_security_number_is_a_citizens_number_by_its_own_rules(number: str) -> None:
    assert social_security_number(number) == resident_number(number)


@given(st.sampled_from(sorted(SCHEMES)), ANY_TEXT | TYPED)
def test_any_text_gets_a_verdict_that_its_scheme_can_give(scheme: str, text: str) -> None:
    checked = check(scheme, text)

    assert checked.scheme in {scheme} | SCHEMES[scheme].others
    assert checked.verdict in SCHEMES[checked.scheme].verdicts
    assert checked.personal or not SCHEMES[checked.scheme].personal


@given(st.sampled_from(sorted(SCHEMES)), ANY_TEXT | TYPED)
def test_the_canonical_form_of_a_number_is_read_as_the_number(scheme: str, text: str) -> None:
    checked = check(scheme, text)
    if checked.verdict == BAD_FORM:
        return

    assert check(checked.scheme, checked.value) == checked
    assert check(scheme, checked.value) == checked


@given(st.sampled_from(sorted(SCHEMES)), TYPED)
def test_a_persons_number_is_in_no_printed_form(scheme: str, text: str) -> None:
    checked = check(scheme, text)
    if checked.personal:
        assert checked.value not in f"{checked!r} {checked}"


@given(st.lists(st.tuples(st.sampled_from(sorted(SCHEMES)), ANY_TEXT | TYPED), max_size=4))
def test_whatever_stands_in_the_columns_no_personal_number_is_in_a_key(columns: list[tuple[str, str]]) -> None:
    row = [check(scheme, text) for scheme, text in columns]

    for subject in legal_subjects(row, KEY) + person_subjects(row, KEY):
        assert not any(number.value in subject for number in row if number.personal and len(number.value) >= 8)


@given(
    numbers.with_one_wrong(numbers.resident_numbers, string.digits).flatmap(st.sampled_from),
    st.sampled_from(["", "00", "L"]),
)
def test_no_resident_number_leaves_a_tax_column_as_anything_but_a_persons(number: str, how: str) -> None:
    checked = tax_number("L" + number if how == "L" else number + how)

    assert checked.personal or checked.organisation or resident_number(number).verdict == BAD_FORM
