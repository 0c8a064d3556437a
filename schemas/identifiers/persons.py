"""Numbers of people that carry a birthday: citizens', and the cards of residents who are none.

Three cards share one form and one check (GB 11643-1999, MOD 11-2): the citizen's, the residence permit of
people from Hong Kong, Macao and Taiwan (since 2018), and the permanent residence card of foreigners (since
2023-12-01). Columns mix them, so the number says which it is: 81, 82, 83 and four zeros are the permit's,
and citizens' numbers begin with 1 to 8, so that 9 in a column of people is a foreigner's. In a column of
companies 91 is an enterprise, and its checks decide.
"""

import re
from typing import Final

from schemas.identifiers.checked import (
    AMBIGUOUS,
    BAD_FORM,
    FOREIGNER_CARD,
    FOREIGNER_CARD_15,
    HMT_RESIDENCE_PERMIT,
    OK,
    RESIDENT_NUMBER,
    RESIDENT_NUMBER_15,
    STRUCTURE_ONLY,
    UNCHECKED,
    Checked,
    canonical,
    is_day,
    is_placeholder,
    is_short_day,
)
from schemas.identifiers.divisions import is_division

_W_RESIDENT = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
_CENTENARIANS: Final = {"996", "997", "998", "999"}  # given to people born in the 1800s: the century cannot be told
_HMT_ADDRESSES: Final = {"810000", "820000", "830000"}


def resident_number(raw: str) -> Checked:
    """18 digits: OK, STRUCTURE_ONLY (check wrong); 15 digits: OK, AMBIGUOUS (century unknown); else BAD_FORM.

    The first six digits say where the number was first issued, often decades ago: they are not looked up. The
    scheme of 18 digits is that of the card they belong to.

    >>> resident_number("110105491231002").scheme
    'resident_number_15'
    """
    value = canonical(raw).replace("\N{MULTIPLICATION SIGN}", "X")
    if is_placeholder(value):
        return Checked(RESIDENT_NUMBER, value, BAD_FORM, personal=True)
    if _EIGHTEEN.fullmatch(value) and is_day(value[6:14]):
        return Checked(_card(value), value, OK if _is_right(value) else STRUCTURE_ONLY, personal=True)
    if re.fullmatch(r"[0-9]{15}", value) and (is_day("19" + value[6:12]) or is_day("18" + value[6:12])):
        verdict = AMBIGUOUS if value[12:] in _CENTENARIANS else OK
        return Checked(RESIDENT_NUMBER_15, value, verdict, personal=True)
    return Checked(RESIDENT_NUMBER, value, BAD_FORM, personal=True)


def _card(value: str) -> str:
    if value[:6] in _HMT_ADDRESSES:
        return HMT_RESIDENCE_PERMIT
    return FOREIGNER_CARD if value[0] == "9" else RESIDENT_NUMBER


def _is_right(value: str) -> bool:
    return _check_digit(value) == value[17]


def _check_digit(value: str) -> str:
    return "10X98765432"[sum(int(c) * w for c, w in zip(value, _W_RESIDENT, strict=False)) % 11]


def other_length(number: Checked) -> Checked | None:
    """The same citizen's number with 18 digits where this has 15, or with 15 where it has 18; None: there is none.

    For asking whether both stand in a register, never for joining them: some 15 digits were given twice, and those
    that end in 996 to 999 may be of the century before.

    >>> other_length(resident_number("110105491231002")) == resident_number("11010519491231002X")
    True
    """
    value, other = number.value, ""
    if number.scheme == RESIDENT_NUMBER_15:
        bare = f"{value[:6]}19{value[6:]}"
        other = bare + _check_digit(bare)
    elif number.scheme == RESIDENT_NUMBER and number.verdict == OK and value[6:8] == "19":
        other = value[:6] + value[8:17]
    found = resident_number(other)
    return found if found.scheme in {RESIDENT_NUMBER, RESIDENT_NUMBER_15} and found.verdict != BAD_FORM else None


def hmt_residence_permit(raw: str) -> Checked:
    """港澳台居民居住证. Verdicts OK, STRUCTURE_ONLY, BAD_FORM; births of any year, before 1997 too."""
    return _only(HMT_RESIDENCE_PERMIT, resident_number(raw))


_FOREIGNER_15 = re.compile(r"[A-Z]{3}[0-9]{12}")


def foreigner_card(raw: str) -> Checked:
    """外国人永久居留身份证. 18 digits: OK, STRUCTURE_ONLY; 15 characters (until 2023): UNCHECKED; else BAD_FORM.

    Both forms stay valid side by side and are two numbers. The last digit of the old form is a check whose
    rule is not published.

    >>> foreigner_card("UTO350280010111").verdict
    'UNCHECKED'
    """
    value = canonical(raw)
    if _FOREIGNER_15.fullmatch(value) and is_short_day(value[7:13]):
        return Checked(FOREIGNER_CARD_15, value, UNCHECKED, personal=True)
    return _only(FOREIGNER_CARD, resident_number(raw))


def _only(scheme: str, checked: Checked) -> Checked:
    return checked if checked.scheme == scheme else Checked(scheme, checked.value, BAD_FORM, personal=True)


def is_resident_form(value: str) -> bool:
    """Whether the whole could be a person's number of 15 or 18 digits."""
    return resident_number(value).verdict != BAD_FORM


def resembles_resident(value: str) -> bool:
    """Whether 18 characters are a person's number, or one mistyped: the place is right where the day is not."""
    mistyped = _EIGHTEEN.fullmatch(value) and (is_division(value[:6]) or value[:6] in _HMT_ADDRESSES)
    return is_resident_form(value) or bool(mistyped)


_INSIDE = (re.compile(r"(?=([0-9]{17}[0-9X]))"), re.compile(r"(?=([0-9]{15}))"))


def embeds_resident(value: str) -> bool:
    """Whether a person's number of 18 or 15 digits may stand anywhere inside: better hidden once too often."""
    return any(is_resident_form(found) for form in _INSIDE for found in form.findall(value))
