"""Every scheme of official numbers: whose it is, what its check can say, and one door to all the checks."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from schemas.identifiers import checked, companies, documents, persons, social
from schemas.identifiers.checked import (
    AMBIGUOUS,
    BAD_FORM,
    GB_OK,
    IRREGULAR,
    OK,
    PILOT_OK,
    STRUCTURE_ONLY,
    UNCHECKED,
    Checked,
)

Kind = Literal["legal_person", "natural_person"]


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of number.

    `personal`: every number of it is a person's, to be seen as a pseudonym only; of the others some are, and
    `Checked.personal` tells. `verdicts` are those of numbers that keep this scheme; `others` are the schemes
    that a column of it also holds, so that `check` may answer with them.
    """

    subject: Kind
    personal: bool
    verdicts: frozenset[str]
    others: frozenset[str] = frozenset()


def check(scheme: str, raw: str, divisions: Collection[str] = ()) -> Checked:
    """The number by the rules of its scheme; KeyError for an unknown scheme, and never for a text.

    >>> check("credit_code", "91350299xx00000009").verdict
    'GB_OK'
    """
    return companies.tax_number(raw, divisions) if scheme == checked.TAX_NUMBER else _CHECKS[scheme](raw)


_CHECKS: Mapping[str, Callable[[str], Checked]] = {
    checked.CREDIT_CODE: companies.credit_code,
    checked.ORGANISATION_CODE: companies.organisation_code,
    checked.REGISTRATION_NUMBER: companies.registration_number,
    checked.TAX_NUMBER: companies.tax_number,
    checked.SOCIAL_REGISTRATION: social.social_registration,
    checked.SOCIAL_UNIT: social.social_unit,
    checked.RESIDENT_NUMBER: persons.resident_number,
    checked.RESIDENT_NUMBER_15: persons.resident_number,
    checked.HMT_RESIDENCE_PERMIT: persons.hmt_residence_permit,
    checked.FOREIGNER_CARD: persons.foreigner_card,
    checked.FOREIGNER_CARD_15: persons.foreigner_card,
    checked.HK_MACAO_TRAVEL_PERMIT: documents.hk_macao_travel_permit,
    checked.TAIWAN_TRAVEL_PERMIT: documents.taiwan_travel_permit,
    checked.PASSPORT: documents.passport,
    checked.RESIDENCE_PERMIT: documents.residence_permit,
    checked.SOCIAL_PERSON: social.social_person,
    checked.SOCIAL_SECURITY_NUMBER: social.social_security_number,
}


def _legal(*verdicts: str, others: Collection[str] = ()) -> Scheme:
    return Scheme("legal_person", False, frozenset({*verdicts, BAD_FORM}), frozenset(others))


def _natural(*verdicts: str, others: Collection[str] = ()) -> Scheme:
    return Scheme("natural_person", True, frozenset({*verdicts, BAD_FORM}), frozenset(others))


_EIGHTEEN = frozenset({checked.RESIDENT_NUMBER, checked.HMT_RESIDENCE_PERMIT, checked.FOREIGNER_CARD})

SCHEMES: Final[Mapping[str, Scheme]] = MappingProxyType(
    {
        checked.CREDIT_CODE: _legal(GB_OK, PILOT_OK, STRUCTURE_ONLY),
        checked.ORGANISATION_CODE: _legal(OK, STRUCTURE_ONLY),
        checked.REGISTRATION_NUMBER: _legal(OK, STRUCTURE_ONLY, IRREGULAR),
        checked.TAX_NUMBER: _legal(OK, STRUCTURE_ONLY, IRREGULAR, others={checked.CREDIT_CODE}),
        checked.SOCIAL_REGISTRATION: _legal(UNCHECKED, IRREGULAR, others={checked.CREDIT_CODE}),
        checked.SOCIAL_UNIT: _legal(UNCHECKED, IRREGULAR),
        checked.RESIDENT_NUMBER: _natural(OK, STRUCTURE_ONLY, others={*_EIGHTEEN, checked.RESIDENT_NUMBER_15}),
        checked.RESIDENT_NUMBER_15: _natural(OK, AMBIGUOUS, others=_EIGHTEEN),
        checked.HMT_RESIDENCE_PERMIT: _natural(OK, STRUCTURE_ONLY),
        checked.FOREIGNER_CARD: _natural(OK, STRUCTURE_ONLY, others={checked.FOREIGNER_CARD_15}),
        checked.FOREIGNER_CARD_15: _natural(UNCHECKED, others={checked.FOREIGNER_CARD}),
        checked.HK_MACAO_TRAVEL_PERMIT: _natural(UNCHECKED, IRREGULAR),
        checked.TAIWAN_TRAVEL_PERMIT: _natural(UNCHECKED),
        checked.PASSPORT: _natural(UNCHECKED, IRREGULAR),
        checked.RESIDENCE_PERMIT: _natural(UNCHECKED, IRREGULAR, others=_EIGHTEEN),
        checked.SOCIAL_PERSON: _natural(UNCHECKED, IRREGULAR, others=_EIGHTEEN),
        checked.SOCIAL_SECURITY_NUMBER: _natural(IRREGULAR, others={*_EIGHTEEN, checked.RESIDENT_NUMBER_15}),
    }
)
