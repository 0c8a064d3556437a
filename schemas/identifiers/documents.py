"""Travel permits, passports and local residence permits: documents whose numbers have no visible check.

The form is all there is to judge, so a right one is UNCHECKED. A serial of one digit over and over is typed
in where no number is known: it stays an identifier (IRREGULAR), for it may be real, and names nobody.

>>> hk_macao_travel_permit("H9999999001").value  # issued for the second time: the holder keeps the first nine
'H99999990'
>>> taiwan_travel_permit("9999999002(B)").value
'99999990'
"""

import re

from schemas.identifiers.checked import (
    BAD_FORM,
    HK_MACAO_TRAVEL_PERMIT,
    IRREGULAR,
    OK,
    PASSPORT,
    RESIDENCE_PERMIT,
    TAIWAN_TRAVEL_PERMIT,
    UNCHECKED,
    Checked,
    canonical,
    is_placeholder,
)
from schemas.identifiers.persons import resident_number

_HK_MACAO = re.compile(r"(?P<holder>[HM][0-9]{8})([0-9]{2})?")
_HK_MACAO_OLD = re.compile(r"[HM][A-Z][0-9]{6,7}")


def hk_macao_travel_permit(raw: str) -> Checked:
    """港澳居民来往内地通行证. Verdicts UNCHECKED, IRREGULAR (before 1999), BAD_FORM.

    The tenth and eleventh character count the renewals (notice of the exit and entry administration of
    2010-03-10) and are left out: a renewed permit is the same holder's.
    """
    value = canonical(raw)
    found = _HK_MACAO.fullmatch(value)
    if found:
        holder = found["holder"]
        return _document(HK_MACAO_TRAVEL_PERMIT, holder, IRREGULAR if is_placeholder(holder[1:]) else UNCHECKED)
    return _document(HK_MACAO_TRAVEL_PERMIT, value, IRREGULAR if _HK_MACAO_OLD.fullmatch(value) else BAD_FORM)


_TAIWAN = re.compile(r"(?P<holder>[0-9]{8})([0-9]{2}(\([0-9A-Z]\)|[A-Z])?)?")


def taiwan_travel_permit(raw: str) -> Checked:
    """台湾居民来往大陆通行证. Verdicts UNCHECKED, BAD_FORM.

    Eight digits for life; permits of before 2008-09-25 add two that count the issues and the office in
    brackets, which are left out.
    """
    value = canonical(raw)
    found = _TAIWAN.fullmatch(value)
    if found is None or is_placeholder(found["holder"]):
        return _document(TAIWAN_TRAVEL_PERMIT, value, BAD_FORM)
    return _document(TAIWAN_TRAVEL_PERMIT, found["holder"], UNCHECKED)


# Ordinary, and with D diplomatic, S service, P public affairs; no I and O after E.
_CHINESE_PASSPORT = re.compile(r"[EGDSP](?P<serial>[0-9]{8})|(E[A-HJ-NP-Z]|DE|SE|PE)[0-9]{7}")
_PASSPORT = re.compile(r"[0-9A-Z]{5,12}")


def passport(raw: str) -> Checked:
    """护照. Verdicts UNCHECKED (forms of today's Chinese passports), IRREGULAR (any other), BAD_FORM.

    Two states may give the same number, and it does not say whose it is: so other forms name nobody. The
    check digits stand in the machine-readable zone, not in the number.
    """
    value = canonical(raw)
    if not _PASSPORT.fullmatch(value) or not _has_digits(value) or is_placeholder(value):
        return _document(PASSPORT, value, BAD_FORM)
    chinese = _CHINESE_PASSPORT.fullmatch(value)
    right = chinese and not is_placeholder(chinese["serial"] or "")
    return _document(PASSPORT, value, UNCHECKED if right else IRREGULAR)


# Twelve digits of the issuing police office, year, six digits of sequence: one police system's form.
_POLICE_FORM = re.compile(r"[0-9]{12}(19|20)[0-9]{8}")
_OPAQUE = re.compile(r"((?P<station>[0-9A-Z()\u4e00-\u9fff]{2,40})/)?(?P<number>[0-9A-Z()\u4e00-\u9fff]{4,40})")


def residence_permit(raw: str, station: str = "") -> Checked:
    """居住证、暂住证. Verdicts UNCHECKED (it is known who issued it), IRREGULAR (it is not), BAD_FORM.

    No national form is known, and two stations may give one number: the canonical form is station, slash,
    number. Where the number is a right citizen's, it is that, for many places print it on the permit.

    >>> residence_permit("厦沪字第000001号", "350299").value
    '350299/厦沪字第000001号'
    """
    value = canonical(f"{station}/{raw}" if station.strip() else raw)
    found = _OPAQUE.fullmatch(value)
    if found is None or not _has_digits(found["number"]) or is_placeholder(found["number"]):
        return _document(RESIDENCE_PERMIT, value, BAD_FORM)
    citizen = resident_number(found["number"])
    if citizen.verdict == OK and len(citizen.value) == 18:
        return citizen
    issued_by = found["station"] or _POLICE_FORM.fullmatch(found["number"])
    return _document(RESIDENCE_PERMIT, value, UNCHECKED if issued_by else IRREGULAR)


def _has_digits(value: str) -> bool:
    """Whether it is a number at all, and not what somebody wrote about there being none."""
    return sum(character in "0123456789" for character in value) >= 4


def _document(scheme: str, value: str, verdict: str) -> Checked:
    return Checked(scheme, value, verdict, personal=True)
