"""Decide: a verdict for every material of an item, from evidence and a time alone.

Touches nothing and remembers nothing, so the same item version, evidence and time give the same verdicts years
later. A waiver needs every predicate of one alternative to be true; what is not known never counts as true.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from approval.absence import silence
from approval.evidence import DISPUTED, IN_QUESTION, UNKNOWN, Evidence, Fact, Watermark, department
from approval.items import Item, Material, Predicate
from approval.verdicts import Decision, Finding, Reason, Verdict, all_of, any_of
from schemas.text import alike

CIVIL_TIME: Final = ZoneInfo("Asia/Shanghai")


def decide(item: Item, subjects: Mapping[str, Evidence], at: datetime) -> tuple[Decision, ...]:
    """A decision per material, in the item's order; `subjects` gives the evidence for every role of the item."""
    known = {role: _known_at(evidence, at) for role, evidence in subjects.items()}
    return tuple(_decision(material, known[material.subject], at) for material in item.materials)


# A source's clock may run ahead of ours by this much; a watermark from further ahead is of a later time.
SKEW: Final = timedelta(minutes=5)


def _known_at(evidence: Evidence, at: datetime) -> Evidence:
    """The evidence without watermarks of a later time: what they confirm was not yet known."""
    earlier = {source: mark for source, mark in evidence.watermarks.items() if mark.snapshot_at <= at + SKEW}
    return replace(evidence, watermarks=earlier, sources=evidence.sources | set(evidence.watermarks))


def _decision(material: Material, evidence: Evidence, at: datetime) -> Decision:
    if material.not_shared is not None:
        return Decision(material, Verdict.NOT_SHARED, Reason("nobody_shares", {"said": material.not_shared}))
    alternatives = [
        [_finding(predicate, material, evidence, at) for predicate in alternative.all_of]
        for alternative in material.any_of
    ]
    findings = any_of(alternatives)
    spokesman = all_of(findings)
    return Decision(material, spokesman.verdict, spokesman.reason, tuple(findings), spokesman.as_of)


def _finding(predicate: Predicate, material: Material, evidence: Evidence, at: datetime) -> Finding:
    name = predicate.attribute
    fact = evidence.facts.get(name)
    if evidence.unclear is not None:
        return Finding(Verdict.IDENTITY_UNCLEAR, Reason(evidence.unclear), name, fact)
    if not evidence.caught_up:
        return Finding(Verdict.SOURCE_BEHIND, Reason("view_behind"), name, fact)
    if fact is None or fact.state == UNKNOWN:
        return _unsaid(predicate, fact, material, evidence, at)
    return _doubt(fact, material, at) or _aged(predicate, fact, material, evidence, at)


def _unsaid(predicate: Predicate, fact: Fact | None, material: Material, evidence: Evidence, at: datetime) -> Finding:
    """What follows when no value is on record: only what the sources' completeness allows."""
    name = predicate.attribute
    if fact is not None and fact.reason == "ineligible":
        return Finding(Verdict.NOT_SHARED, Reason("nobody_may_say", {"attribute": name}), name, fact)
    known = silence(name, material, evidence, at)
    if known.verdict is not Verdict.ABSENT:
        return Finding(known.verdict, known.reason, name, fact, known.until)
    if predicate.absent:
        return Finding(Verdict.PROVED, Reason("absence_known", known.reason.fields), name, fact, known.until)
    return Finding(Verdict.ABSENT, known.reason, name, fact, known.until)


def _doubt(fact: Fact, material: Material, at: datetime) -> Finding | None:
    """What keeps a stated fact from being used whatever its value; None: nothing does."""
    today = at.astimezone(CIVIL_TIME).date()
    doubts = (
        (fact.state == DISPUTED, Verdict.DISPUTED, "disputed"),
        (fact.state == IN_QUESTION, Verdict.IN_QUESTION, "newest_refused"),
        (fact.department not in material.authorities, Verdict.NOT_SHARED, "other_authority"),
        (fact.value is None, Verdict.IN_QUESTION, "code_unknown"),
        (fact.effective_from is not None and fact.effective_from > today, Verdict.IN_QUESTION, "not_yet"),
        (fact.effective_to is not None and fact.effective_to < today, Verdict.IN_QUESTION, "ended"),
    )
    for applies, verdict, code in doubts:
        if applies:
            return Finding(verdict, Reason(code, _doubted(fact, material)), fact.attribute, fact)
    return None


def _doubted(fact: Fact, material: Material) -> Mapping[str, object]:
    return {
        "attribute": fact.attribute,
        "department": fact.department,
        "against": sorted({department(dissent.source) for dissent in fact.dissent}),
        "accepted": list(material.authorities),
        "since": fact.effective_from,
        "until": fact.effective_to,
    }


def _aged(predicate: Predicate, fact: Fact, material: Material, evidence: Evidence, at: datetime) -> Finding:
    """The comparison, where the fact is confirmed recently enough for it to count."""
    name, fields = fact.attribute, {"attribute": fact.attribute, "department": fact.department}
    watermark = evidence.watermarks.get(fact.source or "")
    if watermark is None:
        return Finding(Verdict.SOURCE_BEHIND, Reason("no_watermark", fields), name, fact)
    confirmed = min(_confirmed(fact, watermark), at)
    if confirmed < at - (material.max_age or timedelta(0)):
        return Finding(Verdict.STALE, _why_stale(watermark, fields, confirmed), name, fact, confirmed)
    if _holds(predicate, fact):
        return Finding(Verdict.PROVED, Reason("holds", fields), name, fact, confirmed)
    return Finding(Verdict.DISPROVED, Reason(_denial(predicate), _asked(predicate, fields)), name, fact, confirmed)


_NEVER: Final = datetime.min.replace(tzinfo=UTC)


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


def _holds(predicate: Predicate, fact: Fact) -> bool:
    value = fact.value
    if isinstance(value, date):
        after = predicate.on_or_after is None or value >= predicate.on_or_after
        before = predicate.on_or_before is None or value <= predicate.on_or_before
        return after and before and not predicate.absent
    text = alike(str(value))
    match predicate.comparison:
        case "equals":
            return text == alike(predicate.equals or "")
        case "one_of":
            return text in {alike(each) for each in predicate.one_of or ()}
        case "contains_any":
            return any(alike(each) in text for each in predicate.contains_any or ())
    return predicate.comparison == "present"


def _denial(predicate: Predicate) -> str:
    return {"absent": "on_record", "contains_any": "contains_none"}.get(predicate.comparison, "other_value")


def _asked(predicate: Predicate, fields: Mapping[str, object]) -> Mapping[str, object]:
    return {**fields, "asked": list(predicate.contains_any or predicate.one_of or ())}
