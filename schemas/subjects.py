"""Subject keys: the names under which departments meet, and the partition each belongs to.

Departments number the same company differently, but the nine-character organisation code stands inside
every unified credit code, so most meet without a look-up. A person's number never leaves: its key is a
keyed pseudonym. The grammar is fixed for life.

    legal:org:<organisation code>       legal:reg:<registration number>     legal:tax:<pseudonym>
    person:<pseudonym>                  row:<source>:<pseudonym of the record id>

A pseudonym is the version letter of the district's key and 26 base32 characters (130 bits) of an HMAC over
the length-prefixed scheme and canonical number.
"""

import base64
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from schemas.identifiers import (
    AMBIGUOUS,
    CREDIT_CODE,
    FOREIGNER_CARD,
    FOREIGNER_CARD_15,
    GB_OK,
    HK_MACAO_TRAVEL_PERMIT,
    HMT_RESIDENCE_PERMIT,
    OK,
    ORGANISATION_CODE,
    PASSPORT,
    PILOT_OK,
    REGISTRATION_NUMBER,
    RESIDENT_NUMBER,
    RESIDENT_NUMBER_15,
    TAIWAN_TRAVEL_PERMIT,
    TAX_NUMBER,
    UNCHECKED,
    Checked,
)

GRAMMAR: Final = 1
HASHES: Final = {"HMAC-SHA256": "sha256", "HMAC-SM3": "sm3"}


@dataclass(frozen=True, slots=True)
class DistrictKey:
    """The district's key for pseudonyms: its bytes, its version letter, and the function it is used with."""

    secret: bytes = field(repr=False)
    letter: str = "A"
    function: str = "HMAC-SHA256"

    @property
    def fingerprint(self) -> str:
        """What may be shown and compared: it says nothing about the key."""
        return hmac.new(self.secret, b"tongban key fingerprint", HASHES[self.function]).hexdigest()[:16]

    def pseudonym(self, scheme: str, number: str) -> str:
        """Letter and 26 base32 characters; the same for the same scheme and canonical number."""
        mac = hmac.new(self.secret, _prefixed(scheme, number), HASHES[self.function]).digest()
        return self.letter + base64.b32encode(mac)[:26].decode()


def _prefixed(*parts: str) -> bytes:
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def legal_subjects(numbers: Iterable[Checked], key: DistrictKey) -> list[str]:
    """Every subject key the row's numbers name, by the strongest kind that names any; none: no readable number.

    More than one key is a row about two companies at once: ambiguous, for the caller to refuse.
    """
    numbers = list(numbers)
    organisations = {number.organisation for number in numbers if _carries_organisation(number)}
    registrations = {n.value for n in numbers if n.scheme == REGISTRATION_NUMBER and n.verdict == OK}
    persons = {
        key.pseudonym(n.scheme, n.value) for n in numbers if n.scheme == TAX_NUMBER and n.personal and n.verdict == OK
    }
    for prefix, found in (("legal:org:", organisations), ("legal:reg:", registrations), ("legal:tax:", persons)):
        if found:
            return sorted(f"{prefix}{value}" for value in found)
    return []


def _carries_organisation(number: Checked) -> bool:
    right = {CREDIT_CODE: {GB_OK, PILOT_OK}, ORGANISATION_CODE: {OK}, TAX_NUMBER: {OK}}.get(number.scheme, set())
    return number.organisation is not None and number.verdict in right


# The strongest first. Cards with a check of their own and given once for life go before the 15 digits, of which
# some were given twice; permits and passports have no check that anyone can see. A residence permit changes with
# the district and a number of social insurance means nothing outside its system: neither names a person.
PERSON_SCHEMES: Final = (
    RESIDENT_NUMBER,
    HMT_RESIDENCE_PERMIT,
    FOREIGNER_CARD,
    FOREIGNER_CARD_15,
    RESIDENT_NUMBER_15,
    HK_MACAO_TRAVEL_PERMIT,
    TAIWAN_TRAVEL_PERMIT,
    PASSPORT,
)
# AMBIGUOUS too: of 15 digits that end in 996 to 999 the century of birth is unknown, not whose they are. They are a
# number as it was issued, and keyed as it is; it is their 18 digits that cannot be computed.
_NAMES_A_PERSON: Final = {OK, AMBIGUOUS, UNCHECKED}


def person_subjects(numbers: Iterable[Checked], key: DistrictKey) -> list[str]:
    """Every subject key the row's numbers name, by the strongest scheme of `PERSON_SCHEMES` that names any.

    More than one key is a row about two people, or about one with two numbers: ambiguous, for the caller to
    refuse. Weaker numbers of the row are identifiers only; whether they are the same person's is for an
    authority to say. None: no number in the row names a person.
    """
    right = [number for number in numbers if number.verdict in _NAMES_A_PERSON]
    for scheme in PERSON_SCHEMES:
        found = {person_subject(number, key) for number in right if number.scheme == scheme}
        if found:
            return sorted(found)
    return []


def person_subject(number: Checked, key: DistrictKey) -> str:
    """The key of a person by this number; 15 and 18 digits stay two keys until an authority joins them."""
    return "person:" + key.pseudonym(number.scheme, number.value)


def row_subject(source: str, record_id: str, key: DistrictKey) -> str:
    """The key of a row in which no official number can be read; of two parts of it the second adds its name."""
    return f"row:{source}:{key.pseudonym(source, record_id)}"


def partition(subject: str, partitions: int) -> int:
    """Kafka's own murmur2 of the UTF-8 key, so that stock clients find a subject where it lies."""
    return (_murmur2(subject.encode()) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    """MurmurHash2 as Kafka's Java client uses it (org.apache.kafka.common.utils.Utils.murmur2), unsigned."""
    multiplier, length = 0x5BD1E995, len(data)
    state = 0x9747B28C ^ length
    whole = length & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * multiplier & 0xFFFFFFFF
        word = (word ^ word >> 24) * multiplier & 0xFFFFFFFF
        state = state * multiplier & 0xFFFFFFFF ^ word
    if whole != length:
        state = (state ^ int.from_bytes(data[whole:], "little")) * multiplier & 0xFFFFFFFF
    state = (state ^ state >> 13) * multiplier & 0xFFFFFFFF
    return state ^ state >> 15
