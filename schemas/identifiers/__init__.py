"""Official numbers of legal and natural persons, and what their check digits say.

General validators refuse lawful codes of this very district (its pilot codes follow a check of their own),
so the rules stand here. A number is never thrown away for being odd: it gets a verdict.

>>> credit_code("91350299xx00000009").verdict, credit_code("91350299M00000019V").verdict
('GB_OK', 'PILOT_OK')
>>> resident_number("11010519491231002x").value
'11010519491231002X'
>>> check("resident_number", "110105491231002").verdict
'OK'
"""

from schemas.identifiers.checked import (
    AMBIGUOUS,
    BAD_FORM,
    CREDIT_CODE,
    FOREIGNER_CARD,
    FOREIGNER_CARD_15,
    GB_OK,
    HK_MACAO_TRAVEL_PERMIT,
    HMT_RESIDENCE_PERMIT,
    IRREGULAR,
    OK,
    ORGANISATION_CODE,
    PASSPORT,
    PILOT_OK,
    REGISTRATION_NUMBER,
    RESIDENCE_PERMIT,
    RESIDENT_NUMBER,
    RESIDENT_NUMBER_15,
    SOCIAL_PERSON,
    SOCIAL_REGISTRATION,
    SOCIAL_SECURITY_NUMBER,
    SOCIAL_UNIT,
    STRUCTURE_ONLY,
    TAIWAN_TRAVEL_PERMIT,
    TAX_NUMBER,
    UNCHECKED,
    Checked,
)
from schemas.identifiers.companies import credit_code, organisation_code, registration_number, tax_number
from schemas.identifiers.divisions import SYNTHETIC_DIVISION, is_division
from schemas.identifiers.documents import hk_macao_travel_permit, passport, residence_permit, taiwan_travel_permit
from schemas.identifiers.kinds import CREDIT_CODE_KINDS, credit_code_kind
from schemas.identifiers.persons import foreigner_card, hmt_residence_permit, other_length, resident_number
from schemas.identifiers.schemes import SCHEMES, Scheme, check
from schemas.identifiers.social import social_person, social_registration, social_security_number, social_unit

__all__ = [
    "AMBIGUOUS",
    "BAD_FORM",
    "CREDIT_CODE",
    "CREDIT_CODE_KINDS",
    "FOREIGNER_CARD",
    "FOREIGNER_CARD_15",
    "GB_OK",
    "HK_MACAO_TRAVEL_PERMIT",
    "HMT_RESIDENCE_PERMIT",
    "IRREGULAR",
    "OK",
    "ORGANISATION_CODE",
    "PASSPORT",
    "PILOT_OK",
    "REGISTRATION_NUMBER",
    "RESIDENCE_PERMIT",
    "RESIDENT_NUMBER",
    "RESIDENT_NUMBER_15",
    "SCHEMES",
    "SOCIAL_PERSON",
    "SOCIAL_REGISTRATION",
    "SOCIAL_SECURITY_NUMBER",
    "SOCIAL_UNIT",
    "STRUCTURE_ONLY",
    "SYNTHETIC_DIVISION",
    "TAIWAN_TRAVEL_PERMIT",
    "TAX_NUMBER",
    "UNCHECKED",
    "Checked",
    "Scheme",
    "check",
    "credit_code",
    "credit_code_kind",
    "foreigner_card",
    "hk_macao_travel_permit",
    "hmt_residence_permit",
    "is_division",
    "organisation_code",
    "other_length",
    "passport",
    "registration_number",
    "residence_permit",
    "resident_number",
    "social_person",
    "social_registration",
    "social_security_number",
    "social_unit",
    "taiwan_travel_permit",
    "tax_number",
]
