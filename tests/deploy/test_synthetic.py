"""Synthetic numbers, against the specimens printed in the standards."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.district import synthetic

BODIES = st.text(synthetic.LETTERS_31, min_size=6, max_size=6)


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        ("91350100M000100Y43", synthetic.is_credit_code),
        ("11010519491231002X", synthetic.is_resident_number),
        ("440524188001010014", synthetic.is_resident_number),
        ("D2143569X", synthetic.is_organisation_code),
    ],
)
def test_specimens_of_the_standards_are_right(number: str, verdict: Callable[[str], bool]) -> None:
    assert verdict(number)


@given(BODIES, st.sampled_from(["91", "92", "93", "J1", "N2"]))
def test_a_credit_code_is_right_and_wrong_with_any_other_last_character(body: str, kind: str) -> None:
    code = synthetic.credit_code(kind, synthetic.organisation_code("XX" + body))
    others = [code[:17] + letter for letter in synthetic.LETTERS_31 if letter != code[17]]

    assert synthetic.is_credit_code(code)
    assert not any(synthetic.is_credit_code(other) for other in others)


@given(BODIES)
def test_a_pilot_code_passes_the_pilot_check_or_has_no_sign_for_its_check(body: str) -> None:
    code = synthetic.pilot_code("91", synthetic.organisation_code("M0" + body))

    assert code is None or synthetic.is_pilot_code(code)


@given(st.integers(0, 99_999_999))
def test_a_registration_number_is_right_with_one_last_digit_only(sequence: int) -> None:
    number = synthetic.registration_number(sequence)

    assert [d for d in "0123456789" if synthetic.is_registration_number(number[:14] + d)] == [number[14]]


@given(st.dates(date(1900, 1, 1), date(2020, 1, 1)), st.integers(1, 995))
def test_a_resident_number_is_right_and_lies_in_the_synthetic_range(birth: date, sequence: int) -> None:
    number = synthetic.resident_number(birth, sequence)

    assert synthetic.is_resident_number(number)
    assert synthetic.is_synthetic(number)


def test_eighteen_zeros_are_no_credit_code_although_their_check_is_right() -> None:
    assert synthetic.credit_check("0" * 17) == "0"
    assert not synthetic.is_credit_code(synthetic.ZEROS)


@pytest.mark.parametrize("number", ["91350100M000100Y43", "11010519491231002X", "D2143569X", "350205199001010017"])
def test_numbers_that_could_be_somebodys_are_not_called_synthetic(number: str) -> None:
    assert not synthetic.is_synthetic(number)
