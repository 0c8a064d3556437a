"""What a check of an official number says, and the forms all of them share."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from schemas.text import code_form

GB_OK: Final = "GB_OK"
PILOT_OK: Final = "PILOT_OK"
OK: Final = "OK"
UNCHECKED: Final = "UNCHECKED"  # the form is right, and the kind of number has no published check
STRUCTURE_ONLY: Final = "STRUCTURE_ONLY"  # the form is right, the check is wrong
IRREGULAR: Final = "IRREGULAR"  # an older, local or foreign form: kept, but it names nobody by itself
AMBIGUOUS: Final = "AMBIGUOUS"  # right as issued, but it can be read in two ways
BAD_FORM: Final = "BAD_FORM"

CREDIT_CODE: Final = "credit_code"
ORGANISATION_CODE: Final = "organisation_code"
REGISTRATION_NUMBER: Final = "registration_number"
TAX_NUMBER: Final = "tax_number"
SOCIAL_REGISTRATION: Final = "social_registration"
SOCIAL_UNIT: Final = "social_unit"
RESIDENT_NUMBER: Final = "resident_number"
RESIDENT_NUMBER_15: Final = "resident_number_15"
HMT_RESIDENCE_PERMIT: Final = "hmt_residence_permit"
FOREIGNER_CARD: Final = "foreigner_card"
FOREIGNER_CARD_15: Final = "foreigner_card_15"
HK_MACAO_TRAVEL_PERMIT: Final = "hk_macao_travel_permit"
TAIWAN_TRAVEL_PERMIT: Final = "taiwan_travel_permit"
PASSPORT: Final = "passport"
RESIDENCE_PERMIT: Final = "residence_permit"
SOCIAL_PERSON: Final = "social_person"
SOCIAL_SECURITY_NUMBER: Final = "social_security_number"


@dataclass(frozen=True, slots=True)
class Checked:
    """A number in canonical form, and what its check says.

    `organisation` is the organisation code that stands inside, when its own check is right; `personal` says
    that the number is, or embeds, a person's.

    >>> Checked(RESIDENT_NUMBER, "11010519491231002X", OK, personal=True)
    Checked(scheme='resident_number', value=<hidden>, verdict='OK', organisation=None, personal=True)
    """

    scheme: str
    value: str
    verdict: str
    organisation: str | None = None
    personal: bool = False

    def __repr__(self) -> str:
        """Without a person's number, nor one of no known form: a log or a failed assertion may print it."""
        shown = "<hidden>" if self.personal or self.verdict == BAD_FORM else repr(self.value)
        return (
            f"Checked(scheme={self.scheme!r}, value={shown}, verdict={self.verdict!r},"
            f" organisation={self.organisation!r}, personal={self.personal!r})"
        )


_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))


def canonical(raw: str) -> str:
    """The form that is compared and stored: narrow, upper case, without spaces and whatever was typed as a hyphen."""
    return code_form(raw.translate(_DASHES))


def is_placeholder(value: str) -> bool:
    """One character over and over: some pass their checks, and all are typed in where no number is known."""
    return len(set(value)) == 1


def is_day(text: str) -> bool:
    """Whether eight digits are a day somebody in a register can have been born on."""
    try:
        return 1800 <= date(int(text[:4]), int(text[4:6]), int(text[6:])).year < 2100
    except ValueError:
        return False


def is_short_day(text: str) -> bool:
    """Whether six digits are a day of a year whose century is not told."""
    return bool(re.fullmatch("[0-9]{6}", text)) and any(is_day(century + text) for century in ("18", "19", "20"))
