"""Single: what the one value of an attribute comes to, when something is asked of it."""

from collections.abc import Mapping
from dataclasses import replace

from approval.absence import silence
from approval.comparison import holds, same
from approval.evidence import UNKNOWN, Evidence, Fact, Part
from approval.items.predicates import Comparison
from approval.trust import Asked, barred, doubted, standing
from approval.verdicts import Finding, Reason, Verdict


def compared(attribute: str, comparison: Comparison, evidence: Evidence, asked: Asked) -> Finding:
    """Whether the attribute's value says what the comparison asks."""
    found = usable(attribute, evidence, asked)
    if found.verdict is Verdict.ABSENT and comparison.absent:
        return replace(found, verdict=Verdict.PROVED, reason=Reason("absence_known", found.reason.fields))
    if found.truth is None or found.fact is None:
        return found
    if holds(comparison, value_of(found.fact), asked.on):
        return found
    return _denied(found, _denial(comparison), asked=list(comparison.contains_any or comparison.one_of or ()))


def like(attribute: str, other: Part, evidence: Evidence, asked: Asked) -> Finding:
    """Whether the attribute's value is the same as another."""
    found = usable(attribute, evidence, asked)
    if found.truth is None or found.fact is None or same(value_of(found.fact), other):
        return found
    return _denied(found, "unlike")


def usable(attribute: str, evidence: Evidence, asked: Asked) -> Finding:
    """PROVED: there is a value that can be used; else why there is none."""
    fact = evidence.facts.get(attribute)
    if (unusable := barred(attribute, evidence)) is not None:
        return replace(unusable, fact=fact)
    if fact is None or fact.state == UNKNOWN:
        return _unsaid(attribute, fact, evidence, asked)
    found = standing(fact, evidence, asked)
    timely = _timely(fact, asked) if found.verdict not in _GRAVER else None
    return replace(timely or found, fact=fact)


# Said before a value's dates and code are looked at: it may be another value altogether, or nobody's to state.
_GRAVER = frozenset({Verdict.DISPUTED, Verdict.IN_QUESTION, Verdict.NOT_SHARED})


def _unsaid(attribute: str, fact: Fact | None, evidence: Evidence, asked: Asked) -> Finding:
    """What follows when no value is on record: only what the sources' completeness allows."""
    if fact is not None and fact.reason == "ineligible":
        return Finding(Verdict.NOT_SHARED, Reason("nobody_may_say", {"attribute": attribute}), attribute, fact)
    known = silence(attribute, evidence, asked)
    return Finding(known.verdict, known.reason, attribute, fact, known.until)


def _timely(fact: Fact, asked: Asked) -> Finding | None:
    """Why the value is none for the day asked about; None: it is."""
    doubts = (
        (fact.value is None, "code_unknown"),
        (fact.effective_from is not None and fact.effective_from > asked.on, "not_yet"),
        (fact.effective_to is not None and fact.effective_to < asked.on, "ended"),
    )
    for applies, code in doubts:
        if applies:
            return Finding(Verdict.IN_QUESTION, Reason(code, doubted(fact, asked.material)), fact.attribute)
    return None


def value_of(fact: Fact) -> Part:
    """What an attribute with one value says."""
    return None if isinstance(fact.value, Mapping) else fact.value


def _denial(comparison: Comparison) -> str:
    return {"absent": "on_record", "contains_any": "contains_none"}.get(comparison.comparison, "other_value")


def _denied(found: Finding, code: str, **further: object) -> Finding:
    return replace(found, verdict=Verdict.DISPROVED, reason=Reason(code, {**found.reason.fields, **further}))
