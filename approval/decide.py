"""Decide: a verdict for every material of an item, from evidence and a time alone.

Touches nothing and remembers nothing, so the same item version, evidence and time give the same verdicts years
later. A waiver needs every predicate of one alternative to be true; what is not known never counts as true.

Where a fact names another subject and that one's evidence is not given, the decision says so (`wanted`) and is none
yet: whoever asks looks it up and asks again. So only those are looked up on whom a verdict depends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final

from approval.civil import day_of
from approval.elements import Others, none, some
from approval.evidence import Evidence
from approval.intervals import without_gap
from approval.items import Item, Material, Predicate
from approval.items.item import APPLICATION
from approval.months import months_on_time
from approval.single import compared, like, usable, value_of
from approval.trust import Asked, barred
from approval.verdicts import Decision, Finding, Reason, Verdict, all_of, any_of

NOBODY: Final[Others] = MappingProxyType({})


def decide(item: Item, subjects: Mapping[str, Evidence], at: datetime, others: Others = NOBODY) -> tuple[Decision, ...]:
    """A decision per material, in the item's order; `subjects` gives the evidence for every role of the item.

    `others` gives that of subjects whom facts name, by key.
    """
    known = {role: _known_at(evidence, at) for role, evidence in subjects.items()}
    named = {subject: _known_at(evidence, at) for subject, evidence in others.items()}
    return tuple(_decision(item, material, known, named, at) for material in item.materials)


# A source's clock may run ahead of ours by this much; a watermark from further ahead is of a later time.
SKEW: Final = timedelta(minutes=5)


def _known_at(evidence: Evidence, at: datetime) -> Evidence:
    """The evidence without watermarks of a later time: what they confirm was not yet known."""
    earlier = {source: mark for source, mark in evidence.watermarks.items() if mark.snapshot_at <= at + SKEW}
    return replace(evidence, watermarks=earlier, sources=evidence.sources | set(evidence.watermarks))


def _decision(
    item: Item, material: Material, subjects: Mapping[str, Evidence], others: Others, at: datetime
) -> Decision:
    if material.not_shared is not None:
        return Decision(material, Verdict.NOT_SHARED, Reason("nobody_shares", {"said": material.not_shared}))
    asked = Asked(material, at, _evidence_date(material, at), item.sources, item.catalogues)
    if asked.on > day_of(at):
        return Decision(material, Verdict.SOURCE_BEHIND, Reason("day_ahead", {"since": asked.on}))
    findings = _first_that_proves(material, subjects, others, asked)
    spokesman = all_of(findings)
    return Decision(material, spokesman.verdict, spokesman.reason, tuple(findings), spokesman.as_of)


def _evidence_date(material: Material, at: datetime) -> date:
    """The day on which facts must hold: the day of the question, or the fixed one of its year."""
    today = day_of(at)
    if material.evidence_date == APPLICATION:
        return today
    return date.fromisoformat(f"{today.year}-{material.evidence_date}")


def _first_that_proves(
    material: Material, subjects: Mapping[str, Evidence], others: Others, asked: Asked
) -> Sequence[Finding]:
    """The alternative that speaks for the material; those behind one that proves, or that waits, are not looked at."""
    tried: list[list[Finding]] = []
    for alternative in material.any_of:
        findings = [each for predicate in alternative.all_of for each in _findings(predicate, subjects, others, asked)]
        denied = any(finding.truth is False for finding in findings)
        if denied:
            findings = [replace(finding, wanted=False) for finding in findings]
        if all_of(findings).truth or any(finding.wanted for finding in findings):
            return findings
        tried.append(findings)
    return any_of(tried)


def _findings(predicate: Predicate, subjects: Mapping[str, Evidence], others: Others, asked: Asked) -> list[Finding]:
    """What a predicate comes to; several findings where it looks at several subjects."""
    role = asked.material.role_of(predicate)
    if predicate.same_as is not None:
        return _alike(predicate.attribute, (role, predicate.same_as), subjects, asked)
    found = _answered(predicate, subjects[role], others, asked)
    return [_placed(finding, role, asked.material) for finding in found]


def _alike(attribute: str, roles: tuple[str, str], subjects: Mapping[str, Evidence], asked: Asked) -> list[Finding]:
    """Whether two roles have the same value of an attribute."""
    own, other = (usable(attribute, subjects[role], asked) for role in roles)
    if own.truth and other.fact is not None and other.truth:
        own = like(attribute, value_of(other.fact), subjects[roles[0]], asked)
    return [replace(own, role=roles[0]), replace(other, role=roles[1])]


def _answered(predicate: Predicate, evidence: Evidence, others: Others, asked: Asked) -> list[Finding]:
    if predicate.question and (unusable := barred(predicate.attribute, evidence)) is not None:
        return [unusable]
    if predicate.some is not None:
        return some(predicate, evidence, asked, others)
    if predicate.none is not None:
        return [none(predicate, evidence, asked)]
    if predicate.without_gap is not None:
        return [without_gap(predicate, predicate.without_gap, evidence, asked)]
    if predicate.months_on_time is not None:
        return [months_on_time(predicate, predicate.months_on_time, evidence, asked)]
    return [compared(predicate.attribute, predicate, evidence, asked)]


def _placed(finding: Finding, role: str, material: Material) -> Finding:
    """The finding with whose it is, and what its reason tells by the names the material discloses."""
    role = finding.role or role
    tells = tuple(material.name_of(role, finding.attribute, part) for part in finding.reason.tells)
    return replace(finding, role=role, reason=replace(finding.reason, tells=tells))
