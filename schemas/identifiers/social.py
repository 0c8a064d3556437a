"""Numbers of social insurance: local surrogates without a check, and the citizen's number under another name.

They name nobody outside the system that gave them, so no subject key is made of them. Copies kept as numbers
have lost leading zeros: what shows that (a decimal point, an exponent) is BAD_FORM, the rest cannot be told.
"""

import re

from schemas.identifiers.checked import (
    BAD_FORM,
    GB_OK,
    IRREGULAR,
    OK,
    PILOT_OK,
    SOCIAL_PERSON,
    SOCIAL_REGISTRATION,
    SOCIAL_SECURITY_NUMBER,
    SOCIAL_UNIT,
    UNCHECKED,
    Checked,
    canonical,
    is_placeholder,
)
from schemas.identifiers.companies import IRREGULAR_FORM, credit_code
from schemas.identifiers.persons import embeds_resident, resident_number


def social_registration(raw: str) -> Checked:
    """社会保险登记号. Verdicts UNCHECKED (9 to 12 characters), IRREGULAR, BAD_FORM.

    The certificate was abolished in 2016-10 and the credit code took its place: a right one keeps that scheme.
    """
    value = canonical(raw)
    whole = credit_code(value)
    if whole.verdict in {GB_OK, PILOT_OK} and not whole.personal:
        return whole
    personal = embeds_resident(value)
    if not IRREGULAR_FORM.fullmatch(value) or is_placeholder(value):
        return Checked(SOCIAL_REGISTRATION, value, BAD_FORM, personal=personal)
    usual = re.fullmatch(r"[0-9A-Z]{9,12}", value)
    return Checked(SOCIAL_REGISTRATION, value, UNCHECKED if usual else IRREGULAR, personal=personal)


def social_unit(raw: str) -> Checked:
    """单位编号 (AAB001). Verdicts UNCHECKED (up to 16 digits), IRREGULAR, BAD_FORM."""
    value = canonical(raw)
    return Checked(SOCIAL_UNIT, value, _surrogate_verdict(value), personal=embeds_resident(value))


def social_person(raw: str) -> Checked:
    """个人编号 (AAC001). Verdicts UNCHECKED (up to 16 digits), IRREGULAR, BAD_FORM.

    Some systems take the citizen's number for it: a right one keeps that scheme.
    """
    value = canonical(raw)
    citizen = resident_number(raw)
    if citizen.verdict == OK and len(citizen.value) == 18:
        return citizen
    return Checked(SOCIAL_PERSON, value, _surrogate_verdict(value), personal=True)


def _surrogate_verdict(value: str) -> str:
    """A system that counts from 1 comes by 7 and 22: only zeros, and four of anything, stand for no number."""
    if not re.fullmatch(r"[0-9A-Z]{1,30}", value) or not value.strip("0"):
        return BAD_FORM
    if len(value) > 3 and is_placeholder(value):
        return BAD_FORM
    return UNCHECKED if re.fullmatch(r"[0-9]{1,16}", value) else IRREGULAR


# Foreigners' begin with their country; the rest follows from the document they came with.
_FOREIGNERS = re.compile(r"[A-Z]{3}[0-9A-Z]{6,17}")


def social_security_number(raw: str) -> Checked:
    """社会保障号码: a citizen's number by its own rules; a foreigner's, of no published check, is IRREGULAR."""
    citizen = resident_number(raw)
    if citizen.verdict != BAD_FORM:
        return citizen
    value = canonical(raw)
    verdict = IRREGULAR if _FOREIGNERS.fullmatch(value) and not is_placeholder(value) else BAD_FORM
    return Checked(SOCIAL_SECURITY_NUMBER, value, verdict, personal=True)
