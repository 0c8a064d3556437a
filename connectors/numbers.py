"""Official numbers in a row: whom they name, and in which form they may be seen.

No number of a person leaves: one that is, embeds or could be a person's is carried as its keyed pseudonym.
"""

import re
from collections.abc import Iterable

from connectors.fields import SubjectKind
from schemas.identifiers import AMBIGUOUS, OK, Checked, registration_number, resident_number
from schemas.subjects import DistrictKey, legal_subjects, person_subjects


def subjects(kind: SubjectKind, numbers: Iterable[Checked], district: DistrictKey) -> list[str]:
    """Every subject key the numbers name; more than one is a row about two at once."""
    return (legal_subjects if kind == "legal_person" else person_subjects)(numbers, district)


def shown(number: Checked, district: DistrictKey) -> tuple[str, str, str]:
    """Scheme, value and verdict as they may be seen: a person's number as its pseudonym."""
    value = district.pseudonym(number.scheme, number.value) if number.personal else number.value
    return number.scheme, value, number.verdict


_EIGHTEEN = re.compile(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])")


def holds_resident_number(text: str) -> bool:
    """Whether a resident's number stands in it, though nobody said so: one with a right check, or 15 digits alone."""
    if registration_number(text).verdict == OK:
        return False
    whole = resident_number(text)
    return whole.verdict in {OK, AMBIGUOUS} or any(resident_number(n).verdict == OK for n in _EIGHTEEN.findall(text))
