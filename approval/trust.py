"""Trust: whether a fact can be used at all, and up to when its source has confirmed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from approval.evidence import DISPUTED, IN_QUESTION, Evidence, Fact, Watermark, department
from approval.items import Material
from approval.verdicts import Finding, Reason, Verdict
from schemas.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Asked:
    """On which terms facts are asked for: a material's, at a moment, to hold on a day.

    `stating`: by attribute, sources that must have been heard of before silence means anything. `catalogues`: by kind
    of subject, who may state what.
    """

    material: Material
    at: datetime
    on: date
    stating: Mapping[str, tuple[str, ...]]
    catalogues: Mapping[str, Catalogue]

    @property
    def oldest(self) -> datetime:
        """What was confirmed before this moment is stale."""
        return self.at - (self.material.max_age or timedelta(0))


def barred(attribute: str, evidence: Evidence) -> Finding | None:
    """What keeps everything about the subject from being used; None: nothing does."""
    if evidence.unclear is not None:
        return Finding(Verdict.IDENTITY_UNCLEAR, Reason(evidence.unclear), attribute)
    if not evidence.caught_up:
        return Finding(Verdict.SOURCE_BEHIND, Reason("view_behind"), attribute)
    return None


def standing(fact: Fact, evidence: Evidence, asked: Asked) -> Finding:
    """PROVED: the fact stands as it is stated, confirmed until `as_of`; else what keeps it from being used."""
    return _doubt(fact, asked.material) or _confirmation(fact, evidence, asked)


def in_force(fact: Fact, on: date) -> bool:
    """Whether a fact holds in the world on that day, as far as its source says."""
    begun = fact.effective_from is None or fact.effective_from <= on
    return begun and (fact.effective_to is None or on <= fact.effective_to)


def doubted(fact: Fact, material: Material) -> Mapping[str, object]:
    """What fills the text of a reason for not using a fact."""
    return {
        "attribute": fact.attribute,
        "department": fact.department,
        "against": sorted({department(dissent.source) for dissent in fact.dissent}),
        "accepted": list(material.authorities),
        "since": fact.effective_from,
        "until": fact.effective_to,
    }


def _doubt(fact: Fact, material: Material) -> Finding | None:
    doubts = (
        (fact.state == DISPUTED, Verdict.DISPUTED, "disputed"),
        (fact.state == IN_QUESTION, Verdict.IN_QUESTION, "newest_refused"),
        (fact.department not in material.authorities, Verdict.NOT_SHARED, "other_authority"),
    )
    for applies, verdict, code in doubts:
        if applies:
            return Finding(verdict, Reason(code, doubted(fact, material)), fact.attribute)
    return None


_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def _confirmation(fact: Fact, evidence: Evidence, asked: Asked) -> Finding:
    name, fields = fact.attribute, {"attribute": fact.attribute, "department": fact.department}
    watermark = evidence.watermarks.get(fact.source or "")
    if watermark is None:
        return Finding(Verdict.SOURCE_BEHIND, Reason("no_watermark", fields), name)
    confirmed = min(_confirmed(fact, watermark), asked.at)
    if confirmed < asked.oldest:
        return Finding(Verdict.STALE, _why_stale(watermark, fields, confirmed), name, as_of=confirmed)
    return Finding(Verdict.PROVED, Reason("holds", fields), name, as_of=confirmed)


def _confirmed(fact: Fact, watermark: Watermark) -> datetime:
    """Up to when the source is known to have said so: its last complete look, or the one that brought the fact."""
    looks = [fact.observed_at or _NEVER]
    if watermark.complete_until is not None and watermark.present_until is not None:
        looks.append(min(watermark.complete_until, watermark.present_until))
    return max(looks)


def _why_stale(watermark: Watermark, fields: Mapping[str, object], confirmed: datetime) -> Reason:
    if watermark.broken_since is not None:
        return Reason("stale_broken", {**fields, "until": confirmed, "cycle": watermark.broken_since})
    if watermark.held:
        return Reason("stale_held", {**fields, "until": confirmed, "count": watermark.held})
    return Reason("stale", {**fields, "until": confirmed})
