"""Synthetic official numbers with right check digits, and their own checks.

Every number carries division 350299, which stands in no edition of GB/T 2260, so none can
be a company's or a person's. Organisation codes that stand alone begin with ``XX``.

The arithmetic is written here from the standards and shares nothing with the product's own
identifiers: each is a check on the other.

>>> credit_code("91", organisation_code("XXDEM001"))
'91350299XXDEM00151'
>>> registration_number(1)
'350299000000015'
>>> is_credit_code("91350299XXDEM0015A")
False
"""

from __future__ import annotations

import re
from datetime import date

DIVISION = "350299"
LETTERS_31 = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LETTERS_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ZEROS = "0" * 18
NOWHERE = "UTO"  # no state: the standard for travel documents keeps it for specimens

_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECKS = "10X98765432"


def organisation_code(body: str) -> str:
    return body + organisation_check(body)


def credit_code(kind: str, organisation: str) -> str:
    """A unified credit code (GB 32100) around a nine-character organisation code."""
    body = kind + DIVISION + organisation
    return body + credit_check(body)


def pilot_code(kind: str, organisation: str) -> str | None:
    """A Fujian pilot code, or None where its check value has no known sign."""
    if not organisation.startswith("M0"):
        raise ValueError("a pilot code holds an organisation code beginning with M0")
    body = kind + DIVISION + organisation
    check = pilot_check(body)
    return None if check is None else body + check


def registration_number(sequence: int) -> str:
    body = f"{DIVISION}{sequence:08d}"
    return body + registration_check(body)


def resident_number(birth: date, sequence: int) -> str:
    body = f"{DIVISION}{birth:%Y%m%d}{sequence:03d}"
    return body + resident_check(body)


def resident_number_15(birth: date, sequence: int) -> str:
    return f"{DIVISION}{birth:%y%m%d}{sequence:03d}"


def foreigner_card_15(birth: date, sequence: int) -> str:
    """A permanent residence card as issued until 2023, of a state that is none; its last digit is not published."""
    return f"{NOWHERE}{DIVISION[:4]}{birth:%y%m%d}{sequence:02d}"


def foreign_passport(sequence: int) -> str:
    return f"{NOWHERE}{DIVISION}{sequence:03d}"


def residence_permit(year: int, sequence: int) -> str:
    """Police office of twelve digits, year, six digits of sequence."""
    return f"{DIVISION}000000{year}{sequence:06d}"


def shortened(resident: str) -> str:
    """The 15 digits under which the holder of an 18-digit number was known before.

    >>> shortened("350299198003079934")
    '350299800307993'
    """
    return resident[:6] + resident[8:17]


def organisation_tax_number(organisation: str) -> str:
    return DIVISION + organisation


def person_tax_number(document: str, nth: int) -> str:
    return f"{document}{nth:02d}"


def credit_check(body: str) -> str:
    total = sum(LETTERS_31.index(letter) * pow(3, i, 31) for i, letter in enumerate(body))
    return LETTERS_31[-total % 31]


def pilot_check(body: str) -> str | None:
    total = sum(LETTERS_36.index(letter) * pow(2, i, 37) for i, letter in enumerate(body))
    value = -total % 37
    return LETTERS_36[value] if value < len(LETTERS_36) else None


def organisation_check(body: str) -> str:
    pairs = zip(body, _ORGANISATION_WEIGHTS, strict=True)
    value = 11 - sum(LETTERS_36.index(letter) * weight for letter, weight in pairs) % 11
    return {10: "X", 11: "0"}.get(value, str(value))


def registration_check(body: str) -> str:
    rest = 10
    for digit in body:
        rest = ((rest + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - rest) % 10)


def resident_check(body: str) -> str:
    pairs = zip(body, _RESIDENT_WEIGHTS, strict=True)
    return _RESIDENT_CHECKS[sum(int(digit) * weight for digit, weight in pairs) % 11]


def is_organisation_code(code: str) -> bool:
    return bool(re.fullmatch(r"[0-9A-Z]{8}[0-9X]", code)) and code[8] == organisation_check(code[:8])


def is_credit_code(code: str) -> bool:
    if code == ZEROS or not re.fullmatch(rf"[{LETTERS_31}]{{2}}[0-9]{{6}}[{LETTERS_31}]{{10}}", code):
        return False
    return code[17] == credit_check(code[:17])


def is_pilot_code(code: str) -> bool:
    if not re.fullmatch(r"[0-9A-Z]{2}35[0-9]{4}M0[0-9A-Z]{8}", code):
        return False
    return is_organisation_code(code[8:17]) and code[17] == pilot_check(code[:17])


def is_registration_number(number: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{15}", number)) and number[14] == registration_check(number[:14])


def is_resident_number(number: str) -> bool:
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number) or not _is_day(number[6:14]):
        return False
    return number[17] == resident_check(number[:17])


def might_be_resident_number_15(number: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{15}", number)) and _is_day("19" + number[6:12])


def is_synthetic(number: str) -> bool:
    """Whether a number, as a department may hold it, lies where no real number can.

    >>> is_synthetic("350299199001010017"), is_synthetic("XXDEM001-0"), is_synthetic(ZEROS)
    (True, True, True)
    >>> is_synthetic("11010519491231002X")
    False
    """
    number = number.replace("-", "").upper()
    if number == ZEROS or number.startswith((DIVISION, NOWHERE)):
        return True
    if len(number) == 18:
        return number[2:8] == DIVISION
    return bool(re.fullmatch(r"XX[0-9A-Z]{7}", number))


def _is_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True
