"""Absence: when silence of the registry means that there is nothing, and up to when.

"Nothing on record" is said as of the earliest time up to which every source that could have stated the
attribute is complete. Where one of them is behind, has a refused record of the subject, or has refused rows
whose subject nobody could read, silence means nothing yet; nor does it while another subject carries one of
the same numbers.
"""

from datetime import datetime
from typing import NamedTuple

from approval.evidence import Evidence, Newest, Watermark, department
from approval.items import Material
from approval.trust import Asked
from approval.verdicts import Reason, Verdict
from schemas.catalogue import Catalogue


class Silence(NamedTuple):
    """What silence means: ABSENT as of `until`, or why nothing can be concluded from it."""

    verdict: Verdict
    reason: Reason
    until: datetime | None = None


def silence(attribute: str, evidence: Evidence, asked: Asked) -> Silence:
    """What it means that no value of the attribute, or no other element of a list, is on record."""
    material = asked.material
    if evidence.apart:
        return Silence(Verdict.IDENTITY_UNCLEAR, Reason("number_elsewhere", {"attribute": attribute}))
    authorities = _authorities(attribute, asked.catalogues[evidence.kind])
    sources = sorted(s for s in evidence.sources | set(evidence.watermarks) if department(s) in authorities)
    unheard = authorities.intersection(material.authorities) - {department(source) for source in sources}
    unheard |= {department(source) for source in asked.stating.get(attribute, ()) if source not in sources}
    if unheard:
        fields = {"attribute": attribute, "department": min(unheard)}
        return Silence(Verdict.SOURCE_BEHIND, Reason("no_watermark", fields))
    kept = [kept for source in sources if (kept := _keeps_open(source, attribute, material, evidence))]
    # What a person has to look at comes before what only takes time.
    for found in sorted(kept, key=lambda silence: silence.verdict is not Verdict.IN_QUESTION):
        return found
    return _as_of(attribute, [evidence.watermarks[source] for source in sources], asked)


def _authorities(attribute: str, catalogue: Catalogue) -> set[str]:
    """The departments that have, or once had, a say on the attribute."""
    described = next(each for each in catalogue.attributes if each.name == attribute)
    return {authority.department for authority in described.authority}


def _keeps_open(source: str, attribute: str, material: Material, evidence: Evidence) -> Silence | None:
    """Why this source's silence means nothing yet; None when it does."""
    watermark, newest = evidence.watermarks.get(source), evidence.newest.get(source)
    fields = {"attribute": attribute, "department": department(source)}
    if newest is not None and newest.refused:
        return Silence(Verdict.IN_QUESTION, Reason("row_refused", fields))
    if watermark is None or watermark.complete_until is None or watermark.identity_until is None:
        return Silence(Verdict.SOURCE_BEHIND, Reason("no_watermark", fields))
    if newest is not None and _later(newest, watermark):
        return Silence(Verdict.SOURCE_BEHIND, Reason("cycle_open", fields))
    if watermark.refused_unreadable > material.unreadable_allowed:
        return Silence(
            Verdict.SOURCE_BEHIND, Reason("rows_unreadable", {**fields, "count": watermark.refused_unreadable})
        )
    return None


def _later(newest: Newest, watermark: Watermark) -> bool:
    """Whether a record is of a later cycle than the one the watermark's completeness comes from."""
    complete = watermark.cycle if watermark.complete_cycle is None else watermark.complete_cycle
    return newest.epoch > watermark.epoch or newest.cycle > complete


def _as_of(attribute: str, watermarks: list[Watermark], asked: Asked) -> Silence:
    times = [time for w in watermarks for time in (w.complete_until, w.identity_until) if time is not None]
    until = min([*times, asked.at])
    fields = {"attribute": attribute, "department": department(watermarks[0].source), "until": until}
    if until < asked.oldest:
        return Silence(Verdict.STALE, Reason("absence_stale", fields), until)
    return Silence(Verdict.ABSENT, Reason("absent", fields), until)
