"""Comparison: whether a value says what is asked, in Kleene's logic: true, false, or None for unknown.

A part the department left blank, and a code no list knows, say nothing: they neither meet a comparison nor fail it.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from approval.civil import month_in, month_of
from approval.evidence import Code, Fact, Part
from approval.items.predicates import Comparison, Day
from schemas.text import alike

# Of a last day or month that is not there they say that it goes on.
_OPEN: Final = frozenset({"not_before", "month_not_before"})


def holds(asked: Comparison, part: Part, on: date) -> bool | None:
    """Whether the value says it; dates that an item calls `evidence_date` are `on`."""
    name = asked.comparison
    if name in {"present", "absent"}:
        return (part is not None) == (name == "present")
    if part is None:
        return True if name in _OPEN else None
    if isinstance(part, date):
        return _compare_day(asked, part, on)
    text = part.canonical if isinstance(part, Code) else part
    if text is None:
        return None
    return _compare_month(asked, month_of(text), on) if name.startswith("month_") else _compare_text(asked, alike(text))


def _compare_day(asked: Comparison, day: date, on: date) -> bool:
    first, last = asked.on_or_after or asked.not_before, asked.on_or_before
    return (first is None or day >= _day(first, on)) and (last is None or day <= _day(last, on))


def _compare_month(asked: Comparison, month: int | None, on: date) -> bool | None:
    if month is None:
        return None
    first, last = asked.month_not_before, asked.month_on_or_before
    return (first is None or month >= month_in(_day(first, on))) and (last is None or month <= month_in(_day(last, on)))


def _compare_text(asked: Comparison, text: str) -> bool:
    match asked.comparison:
        case "equals":
            return text == alike(asked.equals or "")
        case "one_of":
            return text in {alike(each) for each in asked.one_of or ()}
        case "contains_any":
            return any(alike(each) in text for each in asked.contains_any or ())
    return text.startswith(tuple(alike(each) for each in asked.starts_with or ()))


def _day(asked: Day, on: date) -> date:
    return asked if isinstance(asked, date) else on


def meets(element: Fact, terms: Mapping[str, Comparison], on: date) -> bool | None:
    """Whether an element says all that is asked of its parts."""
    return every(holds(asked, element.parts.get(part), on) for part, asked in terms.items())


def every(truths: Iterable[bool | None]) -> bool | None:
    """Kleene's and: one that is false denies, else one that is unknown leaves it open."""
    told = set(truths)
    return False if False in told else None if None in told else True


def same(one: Part, other: Part) -> bool:
    """Whether two values say the same, as departments vary what they write."""
    if isinstance(one, date) or isinstance(other, date):
        return one == other
    return alike(_text(one)) == alike(_text(other))


def _text(part: str | Code | None) -> str:
    return (part.canonical or part.raw) if isinstance(part, Code) else part or ""
