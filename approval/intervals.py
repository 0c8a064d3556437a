"""Intervals: whether the elements of a list, laid side by side, leave out no day of a period.

An element without a last day goes on for as long as it is confirmed, and that is enough where the confirmation is
recent enough for the material. What is known of the days is kept apart from what is possible: only days that no
element could cover are a gap.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final, NamedTuple

from approval.comparison import meets
from approval.elements import Chosen, beyond, blank, chosen
from approval.evidence import Evidence
from approval.items.predicates import Predicate, WithoutGap
from approval.trust import Asked
from approval.verdicts import Finding, Reason, Verdict, gravest

DAY: Final = timedelta(days=1)


class Span(NamedTuple):
    """Days from first to last, both included, and what says so."""

    first: date
    last: date
    finding: Finding


class Gap(NamedTuple):
    """Days from first to last that nothing covers."""

    first: date
    last: date


def without_gap(predicate: Predicate, wanted: WithoutGap, evidence: Evidence, asked: Asked) -> Finding:
    """The elements together leave out no day of the last `days` before the evidence date."""
    first, last = asked.on - timedelta(days=wanted.days), asked.on - DAY
    elements = chosen(predicate, evidence, asked)
    spans = [_span(each, predicate, wanted, asked) for each in elements]
    used, gap = cover([span for span in spans if span.finding.truth], first, last)
    if gap is None:
        return _covered(predicate, wanted, used)
    perhaps, gap = cover(spans, first, last)
    if gap is None:
        return gravest([span.finding for span in perhaps if span.finding.truth is None])
    known = beyond(elements, predicate, evidence, asked)
    if known.verdict is not Verdict.ABSENT or not known.elements:
        return known
    fields = {"attribute": predicate.attribute, "days": wanted.days, "since": gap.first, "until": gap.last}
    reason = Reason("gap", fields, tells=(wanted.first, wanted.last))
    return replace(known, verdict=Verdict.DISPROVED, reason=reason)


def _covered(predicate: Predicate, wanted: WithoutGap, used: Sequence[Span]) -> Finding:
    oldest = min(span.finding.as_of for span in used if span.finding.as_of)
    elements = tuple(element for span in used for element in span.finding.elements)
    reason = Reason("without_gap", {"attribute": predicate.attribute, "days": wanted.days})
    return Finding(Verdict.PROVED, reason, predicate.attribute, as_of=oldest, elements=elements)


def cover(spans: Sequence[Span], first: date, last: date) -> tuple[list[Span], Gap | None]:
    """Spans that lead from the first day to the last, or to the first gap on the way."""
    used: list[Span] = []
    day = first
    while day <= last:
        reaching = max((span for span in spans if span.first <= day <= span.last), key=_last, default=None)
        if reaching is None:
            later = min((span.first for span in spans if day < span.first <= span.last), default=date.max)
            return used, Gap(day, min(last, later - DAY))
        used.append(reaching)
        if reaching.last >= last:
            break
        day = reaching.last + DAY
    return used, None


def _last(span: Span) -> date:
    return span.last


def _span(each: Chosen, predicate: Predicate, wanted: WithoutGap, asked: Asked) -> Span:
    """The days an element covers; where its finding is not PROVED, those it may cover."""
    begin, end = _day(each, wanted.first), _day(each, wanted.last)
    found = replace(each.standing, elements=(each.element,))
    if each.unsure or found.verdict in {Verdict.STALE, Verdict.SOURCE_BEHIND}:
        return Span(date.min, date.max, found)  # whatever it says of its days may have changed since
    if begin is not None and end is not None and end < begin:
        fields = {"attribute": predicate.attribute, "department": each.element.department}
        reversed_ = replace(found, verdict=Verdict.IN_QUESTION, reason=Reason("dates_reversed", fields))
        return Span(date.min, date.max, reversed_)
    silent = [] if begin is not None else [wanted.first]
    if end is None and not meets(each.element, wanted.goes_on, asked.on):
        silent.append(wanted.last)
    if found.truth and (silent or each.meant is None):
        found = blank(each.element, [*silent, *predicate.of])
    return Span(begin or date.min, end or date.max, found)


def _day(each: Chosen, part: str) -> date | None:
    value = each.element.parts.get(part)
    return value if isinstance(value, date) else None
