"""Dirt in contributions: months twice, months that contradict each other, received months without a date."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from deploy.district.rows import Element, Row, Said

_MONTH, _RECEIVED, _WHEN, _VALID = 3, 4, 5, 6


def month_twice(row: Row, random: Random) -> Row:
    """The same row once more: it says nothing new."""
    return replace(row, lines=(*row.lines, random.choice(row.lines)))


def month_contradicts(row: Row, random: Random) -> Row:
    """A month that was received and was not: the whole year is refused."""
    line = random.choice(row.lines)
    paid = line[_RECEIVED] == "1"
    other = (*line[:_RECEIVED], "0" if paid else "1", None if paid else line[_MONTH], line[_VALID])
    return replace(row, lines=(*row.lines, other), outcome="refused", reason="duplicate_key")


def received_without_month(row: Row, random: Random) -> Row | None:
    """Received, but nobody wrote down when: whether in time cannot be told, and the whole year is refused."""
    paid = [line for line in row.lines if line[_RECEIVED] == "1"]
    if not paid:
        return None
    unclear = random.choice(paid)
    lines = tuple((*line[:_WHEN], None, line[_VALID]) if line == unclear else line for line in row.lines)
    return replace(row, lines=lines, outcome="refused", reason="month_unclear")


def flagged_month(row: Row, random: Random) -> Row | None:
    """One month's row counts as deleted: as if there were none."""
    element = row.element
    if len(row.lines) < 2 or element is None or not isinstance(months := element.parts["months"], Said):
        return None
    gone = random.choice(row.lines)
    place = int(str(gone[_MONTH])[4:]) - 1
    letters = f"{months.value[:place]}N{months.value[place + 1 :]}"
    lines = tuple((*line[:_VALID], "0") if line == gone else line for line in row.lines)
    return replace(row, lines=lines, element=Element(element.attribute, {**element.parts, "months": Said(letters)}))


def other_x(row: Row) -> Row | None:
    """The number with a small x in every line."""
    lines = tuple((line[0], str(line[1]).lower(), *line[2:]) for line in row.lines)
    return None if lines == row.lines else replace(row, lines=lines)
