"""Numbers of legal persons: credit code, organisation code, registration number, taxpayer number.

>>> credit_code("91350299xx00000009").verdict, credit_code("91350299M00000019V").verdict
('GB_OK', 'PILOT_OK')
"""

import re
from collections.abc import Collection

from schemas.identifiers.checked import (
    BAD_FORM,
    CREDIT_CODE,
    GB_OK,
    IRREGULAR,
    OK,
    ORGANISATION_CODE,
    PILOT_OK,
    REGISTRATION_NUMBER,
    STRUCTURE_ONLY,
    TAX_NUMBER,
    Checked,
    canonical,
    is_placeholder,
)
from schemas.identifiers.divisions import is_division
from schemas.identifiers.persons import embeds_resident, is_resident_form, resembles_resident, resident_number

# Unified social credit code: GB 32100-2015.
_A31 = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_W31 = [pow(3, i, 31) for i in range(17)]
_W37 = [pow(2, i, 37) for i in range(17)]
_A36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CREDIT_FORM = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
# One ordinary code in 36 satisfies the pilot check too: never without this guard. All 36 letters, from the ninth on.
_PILOT_FORM = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}35[0-9]{4}M0[0-9A-Z]{6}[0-9X][0-9A-Z]")


def credit_code(raw: str) -> Checked:
    """Verdicts GB_OK, PILOT_OK, STRUCTURE_ONLY, BAD_FORM; a person's number in disguise names no organisation.

    >>> credit_code("0" * 18).verdict
    'BAD_FORM'
    """
    value = canonical(raw)
    if not (_CREDIT_FORM.fullmatch(value) or _PILOT_FORM.fullmatch(value)) or is_placeholder(value):
        return Checked(CREDIT_CODE, value, BAD_FORM)
    organisation = organisation_code(value[8:17]).organisation
    verdict = _credit_verdict(value, organisation)
    if _is_persons(value, verdict, organisation):
        return Checked(CREDIT_CODE, value, verdict, personal=True)
    return Checked(CREDIT_CODE, value, verdict, organisation)


def _credit_verdict(value: str, organisation: str | None) -> str:
    if _CREDIT_FORM.fullmatch(value) and _credit_check(value) == value[17]:
        return GB_OK
    if _PILOT_FORM.fullmatch(value) and organisation and _pilot_check(value) == value[17]:
        return PILOT_OK
    return STRUCTURE_ONLY


def _is_persons(value: str, verdict: str, organisation: str | None) -> bool:
    """A person's number in the wrong column passes one of the two checks by chance, one in 341 passes both.

    Where the registrar's division would stand, such a number has two digits of a county and a century.
    """
    if verdict == STRUCTURE_ONLY or organisation is None:
        return resembles_resident(value)
    return resident_number(value).verdict == OK and not is_division(value[2:8])


def _credit_check(value: str) -> str:
    return _A31[-sum(_A31.index(c) * w for c, w in zip(value, _W31, strict=False)) % 31]


def _pilot_check(value: str) -> str | None:
    """Check character of the codes Xiamen, Pingtan and Fuzhou issued in 2015; None where its sign is unknown.

    The rule was derived from such codes (mod 37, weights 2^(i-1)); no public document states it.
    """
    remainder = -sum(_A36.index(c) * w for c, w in zip(value, _W37, strict=False)) % 37
    return _A36[remainder] if remainder < len(_A36) else None


# Organisation code: GB 11714-1997.
_ORGANISATION_FORM = re.compile(r"[0-9A-Z]{8}[0-9X]")
_W11 = (3, 7, 9, 10, 5, 8, 4, 2)


def organisation_code(raw: str) -> Checked:
    """Verdicts OK, STRUCTURE_ONLY, BAD_FORM; stored without the printed hyphen."""
    value = canonical(raw)
    if not _ORGANISATION_FORM.fullmatch(value) or is_placeholder(value):
        return Checked(ORGANISATION_CODE, value, BAD_FORM)
    remainder = 11 - sum(_A36.index(c) * w for c, w in zip(value, _W11, strict=False)) % 11
    right = {10: "X", 11: "0"}.get(remainder, str(remainder)) == value[8]
    return Checked(ORGANISATION_CODE, value, OK if right else STRUCTURE_ONLY, value if right else None)


# Registration number: GS 15-2006.
IRREGULAR_FORM = re.compile(r"[0-9A-Z()]{4,20}")


def registration_number(raw: str) -> Checked:
    """Verdicts OK, STRUCTURE_ONLY (15 digits, check wrong), IRREGULAR (older and local forms), BAD_FORM."""
    value = canonical(raw)
    if not IRREGULAR_FORM.fullmatch(value) or is_placeholder(value):
        return Checked(REGISTRATION_NUMBER, value, BAD_FORM)
    verdict = _registration_verdict(value)
    return Checked(REGISTRATION_NUMBER, value, verdict, personal=verdict != OK and embeds_resident(value))


def _registration_verdict(value: str) -> str:
    if not re.fullmatch(r"[0-9]{15}", value):
        return IRREGULAR
    return OK if _mod_11_10(value) == 1 else STRUCTURE_ONLY


def _mod_11_10(digits: str) -> int:
    """ISO 7064 MOD 11,10 over a number with its check digit: 1 when right."""
    check = 5
    for digit in digits:
        check = ((check or 10) * 2 % 11 + int(digit)) % 10
    return check


# Taxpayer number: announcement 2015 No. 66 of the tax administration.
_PERSON_TAX_FORMS = (
    re.compile(r"L?(?P<document>[0-9]{17}[0-9X])([0-9]{2})?"),
    re.compile(r"L?(?P<document>[0-9]{15})[0-9]{2}"),
    re.compile(r"L(?P<document>[0-9]{15})"),
)
_FOREIGN_PERSON = re.compile(r"F[0-9]{6}[A-Z]{3}[0-9]{5}")


def tax_number(raw: str, divisions: Collection[str] = ()) -> Checked:
    """A taxpayer number by the kind of number it is made of.

    A credit code keeps that scheme; 15 characters carry an organisation code when the division is known
    (`divisions` adds to the national ones), the embedded check is right, and the whole is neither a valid
    registration number nor a plausible resident number: one random number in eleven passes the check alone.
    What has no form of a company's is a document number with a sequence, so somebody's: `personal`.
    """
    value = canonical(raw)
    whole = credit_code(value.removeprefix("L"))
    if whole.verdict != BAD_FORM and not whole.personal:
        return whole
    if _is_personal(value):
        return Checked(TAX_NUMBER, value, OK, personal=True)
    if not IRREGULAR_FORM.fullmatch(value) or is_placeholder(value):
        return Checked(TAX_NUMBER, value, BAD_FORM, personal=True)
    if re.fullmatch(r"[0-9]{6}[0-9A-Z]{9}", value):
        embedded = _embedded_organisation(value, divisions)
        verdict = OK if embedded else STRUCTURE_ONLY
        return Checked(TAX_NUMBER, value, verdict, embedded, personal=is_resident_form(value))
    return Checked(TAX_NUMBER, value, IRREGULAR, personal=True)


def _is_personal(value: str) -> bool:
    if _FOREIGN_PERSON.fullmatch(value):
        return True
    forms = (form.fullmatch(value) for form in _PERSON_TAX_FORMS)
    return any(found and is_resident_form(found["document"]) for found in forms)


def _embedded_organisation(value: str, divisions: Collection[str]) -> str | None:
    if not is_division(value[:6], divisions):
        return None
    if registration_number(value).verdict == OK or is_resident_form(value):
        return None
    return organisation_code(value[6:]).organisation
