"""Elements: whether a list has one that says what is asked, or is known to have none.

An element that is in question may be anything, so nothing is denied beside it; another that is sound still proves.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from approval.absence import silence
from approval.comparison import every, meets
from approval.evidence import DISPUTED, IN_QUESTION, Code, Evidence, Fact
from approval.items.predicates import Predicate, Terms, Whose, WhosePredicate
from approval.single import compared, like
from approval.trust import Asked, in_force, standing
from approval.verdicts import Finding, Reason, Verdict, all_of, any_of, gravest

# Subjects that facts name, by key.
Others = Mapping[str, Evidence]


class Chosen(NamedTuple):
    """An element of a list, whether it is one of those meant, and how it stands."""

    element: Fact
    meant: bool | None
    standing: Finding

    @property
    def unsure(self) -> bool:
        """Whether it may be something else than it says."""
        return self.element.state in {DISPUTED, IN_QUESTION}


def chosen(predicate: Predicate, evidence: Evidence, asked: Asked) -> list[Chosen]:
    """The elements of the list that are meant, or may be."""
    return [each for each in _judged(predicate, evidence, asked) if each.meant is not False or each.unsure]


def _judged(predicate: Predicate, evidence: Evidence, asked: Asked) -> Iterator[Chosen]:
    for element in evidence.lists.get(predicate.attribute, ()):
        yield Chosen(element, meets(element, predicate.of, asked.on), standing(element, evidence, asked))


def beyond(elements: Sequence[Chosen], predicate: Predicate, evidence: Evidence, asked: Asked) -> Finding:
    """What the list's silence beyond these elements means; ABSENT: there are no others."""
    known = silence(predicate.attribute, evidence, asked)
    reason = replace(known.reason, code=_OF_KIND.get(known.reason.code, known.reason.code))
    shown = tuple(each.element for each in elements if each.meant)
    return Finding(known.verdict, reason, predicate.attribute, as_of=known.until, elements=shown)


# There may well be elements of the list that are not meant.
_OF_KIND: Final = {"absent": "absent_of_kind", "absence_stale": "absence_stale_of_kind"}


def blank(element: Fact, parts: Collection[str]) -> Finding:
    """That an element does not say enough to be judged: a part is blank, or no list knows its code."""
    silent = [f"{element.attribute}.{part}" for part in parts if _says_nothing(element, part)]
    fields = {"attribute": element.attribute, "department": element.department, "part": silent}
    return Finding(Verdict.IN_QUESTION, Reason("part_unknown", fields), element.attribute, elements=(element,))


def _says_nothing(element: Fact, part: str) -> bool:
    value = element.parts.get(part)
    return value is None or (isinstance(value, Code) and value.canonical is None)


def none(predicate: Predicate, evidence: Evidence, asked: Asked) -> Finding:
    """It is known that no element says all that is asked."""
    elements = chosen(predicate, evidence, asked)
    findings = [_speaking(each, predicate.of, predicate.none or {}, asked) for each in elements]
    found = [finding for finding in findings if finding.truth]
    if found:
        against = max(found, key=_latest)
        fields = against.reason.fields
        return replace(against, verdict=Verdict.DISPROVED, reason=Reason("element_on_record", fields))
    unknown = [finding for finding in findings if finding.truth is None]
    if unknown:
        return gravest(unknown)
    known = beyond([], predicate, evidence, asked)
    if known.verdict is Verdict.ABSENT:
        known = replace(known, verdict=Verdict.PROVED, reason=Reason("absence_known_of_kind", known.reason.fields))
    return known


def some(predicate: Predicate, evidence: Evidence, asked: Asked, others: Others) -> list[Finding]:
    """One element says all that is asked, and so does the subject it names; with the findings on that one."""
    elements = chosen(predicate, evidence, asked)
    findings = [_speaking(each, predicate.of, predicate.some or {}, asked) for each in elements]
    groups = [[finding] for finding in findings if finding.truth is None]
    for finding in sorted((finding for finding in findings if finding.truth), key=_latest, reverse=True):
        group = [finding, *_of_whom(predicate.whose, finding, asked, others)]
        if all_of(group).truth or any(each.wanted for each in group):
            return group
        groups.append(group)
    undecided = [group for group in groups if all_of(group).truth is None]
    if undecided:
        return list(any_of(undecided))
    known = beyond(elements, predicate, evidence, asked)
    if known.verdict is not Verdict.ABSENT or not known.elements:
        return [known]
    return groups[0] if groups else [_denied(known)]


def _latest(finding: Finding) -> float:
    return finding.as_of.timestamp() if finding.as_of else 0.0


def _speaking(each: Chosen, of: Terms, terms: Terms, asked: Asked) -> Finding:
    """Whether an element says it: PROVED, DISPROVED, or why that cannot be told."""
    element, found = each.element, replace(each.standing, elements=(each.element,))
    if each.unsure:
        return found
    says = every((each.meant, in_force(element, asked.on), meets(element, terms, asked.on)))
    if says is False:
        return replace(found, verdict=Verdict.DISPROVED)
    if says is None and found.verdict is not Verdict.NOT_SHARED:
        return blank(element, {**of, **terms})
    return found


def _denied(known: Finding) -> Finding:
    """That those on record are not what is asked for."""
    departments = sorted({str(element.department) for element in known.elements})
    fields = {"attribute": known.attribute, "department": departments}
    return replace(known, verdict=Verdict.DISPROVED, reason=Reason("other_elements", fields))


def _of_whom(whose: Whose | None, finding: Finding, asked: Asked, others: Others) -> Iterator[Finding]:
    """What has to hold of the subject that an element names."""
    if whose is None:
        return
    (element,) = finding.elements
    subject = element.parts.get(whose.part)
    if not isinstance(subject, str):
        fields = {"attribute": element.attribute, "department": element.department, "role": whose.role}
        yield Finding(Verdict.NOT_SHARED, Reason("nobody_named", fields), element.attribute, elements=(element,))
        return
    for predicate in whose.all_of:
        yield replace(_named(predicate, element, subject, asked, others), role=whose.role, subject=subject)


def _named(predicate: WhosePredicate, element: Fact, subject: str, asked: Asked, others: Others) -> Finding:
    evidence = others.get(subject)
    if evidence is None:
        reason = Reason("not_looked_up", {"attribute": predicate.attribute})
        return Finding(Verdict.SOURCE_BEHIND, reason, predicate.attribute, wanted=True)
    if predicate.same_as_part is None:
        return compared(predicate.attribute, predicate, evidence, asked)
    named = element.parts.get(predicate.same_as_part)
    if named is None:
        return blank(element, (predicate.same_as_part,))
    return like(predicate.attribute, named, evidence, asked)
