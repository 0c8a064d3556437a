"""Months: how many were paid on time, out of elements that hold a year and a letter for each of its months.

T was paid on time, B later, M not yet, N was not due. A month that was not paid can still be paid in time until the
month after it has ended; before the source's silence reaches as far, it is not missing but not yet known.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from approval.civil import month_begins, month_in
from approval.elements import Chosen, beyond, blank, chosen
from approval.evidence import Evidence, Fact
from approval.items.checking import MONTHS, YEAR
from approval.items.item import COUNT
from approval.items.predicates import MonthsOnTime, Predicate
from approval.trust import Asked
from approval.verdicts import Finding, Reason, Verdict, gravest

_ON_TIME: Final = "T"
_BACK_PAID: Final = "B"


def months_on_time(predicate: Predicate, wanted: MonthsOnTime, evidence: Evidence, asked: Asked) -> Finding:
    """So many months of the period were paid on time."""
    elements = chosen(predicate, evidence, asked)
    years = sorted((_year(each, predicate) for each in elements), key=lambda year: min(year.letters, default=0))
    period = _period(years, wanted, asked)
    within = [year for year in years if not year.letters or not period.isdisjoint(year.letters)]
    known = beyond(elements, predicate, evidence, asked)
    tally = _tally(within, period, known)
    unsure = [year.finding for year in within if year.finding.truth is None]
    if _number(tally.on_time, wanted) >= wanted.at_least and not (wanted.all_known and (unsure or tally.open)):
        return _enough(predicate, wanted, within, tally, known)
    if unsure:
        return gravest(unsure)
    if known.verdict is not Verdict.ABSENT or not known.elements:
        return known
    if _number(tally.on_time | tally.open, wanted) >= wanted.at_least:
        fields = {"attribute": predicate.attribute, "open": len(tally.open), "until": _settled(max(tally.open))}
        return replace(known, verdict=Verdict.SOURCE_BEHIND, reason=Reason("months_open", fields, tells=(COUNT,)))
    return _told(replace(known, verdict=Verdict.DISPROVED), "too_few_months", wanted, tally)


class _Year(NamedTuple):
    """What an element says of the months of its year; of months that nobody can rely on, nothing."""

    finding: Finding
    letters: Mapping[int, str]


class _Tally(NamedTuple):
    """The months of the period by what is known of them; `open`: those that may still be paid on time."""

    on_time: frozenset[int]
    back_paid: frozenset[int]
    open: frozenset[int]


def _year(each: Chosen, predicate: Predicate) -> _Year:
    found, letters = replace(each.standing, elements=(each.element,)), _letters(each.element)
    if each.unsure:
        return _Year(found, {})
    if found.truth and (each.meant is None or not letters):
        found = blank(each.element, [*predicate.of, YEAR, MONTHS])
    return _Year(found, letters)


def _letters(element: Fact) -> Mapping[int, str]:
    year, months = element.parts.get(YEAR), element.parts.get(MONTHS)
    if not (isinstance(year, str) and re.fullmatch(r"[0-9]{4}", year)):
        return {}
    if not (isinstance(months, str) and re.fullmatch(r"[TBMN]{12}", months)):
        return {}
    return {int(year) * 12 + number: letter for number, letter in enumerate(months)}


def _period(years: Iterable[_Year], wanted: MonthsOnTime, asked: Asked) -> frozenset[int]:
    last = month_in(asked.on + timedelta(days=1)) - 1  # the last month over by the evidence date
    begin = min((min(year.letters) for year in years if year.letters), default=last + 1)
    return frozenset(range(begin if wanted.last is None else last - wanted.last + 1, last + 1))


def _tally(years: Iterable[_Year], period: frozenset[int], known: Finding) -> _Tally:
    letters = {(month, letter) for year in years if year.finding.truth for month, letter in year.letters.items()}
    on_time = frozenset(month for month in period if (month, _ON_TIME) in letters)
    back_paid = frozenset(month for month in period - on_time if (month, _BACK_PAID) in letters)
    until = known.as_of if known.verdict is Verdict.ABSENT else None
    unpaid = period - on_time - back_paid
    return _Tally(on_time, back_paid, frozenset(m for m in unpaid if until is None or until < _settled(m)))


def _settled(month: int) -> datetime:
    """From when a month that was not paid was not paid on time: the month after it is over."""
    return month_begins(month + 2)


def _number(months: Collection[int], wanted: MonthsOnTime) -> int:
    """How many months these are; of consecutive ones, the longest run."""
    return _longest_run(sorted(months)) if wanted.consecutive else len(months)


def _longest_run(months: Sequence[int]) -> int:
    longest = run = 0
    for place, month in enumerate(months):
        run = run + 1 if place and months[place - 1] == month - 1 else 1
        longest = max(longest, run)
    return longest


def _enough(
    predicate: Predicate, wanted: MonthsOnTime, years: Iterable[_Year], tally: _Tally, known: Finding
) -> Finding:
    proving = [year.finding for year in years if year.finding.truth]
    times = [finding.as_of for finding in proving] + ([known.as_of] if wanted.all_known else [])
    elements = tuple(element for finding in proving for element in finding.elements)
    as_of = min(time for time in times if time is not None)
    found = Finding(Verdict.PROVED, Reason(""), predicate.attribute, as_of=as_of, elements=elements)
    return _told(found, "months_on_time", wanted, tally)


def _told(found: Finding, code: str, wanted: MonthsOnTime, tally: _Tally) -> Finding:
    counts = {"on_time": len(tally.on_time), "back_paid": len(tally.back_paid), "open": len(tally.open)}
    fields = {"attribute": found.attribute, "needed": wanted.at_least, **counts}
    return replace(found, reason=Reason(code, fields, tells=(COUNT,)), counts=counts)
