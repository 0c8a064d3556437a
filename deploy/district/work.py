"""Who worked where, and whether each month's contribution came on time, late or not at all.

Months are counted from year 0: `2024 * 12 + 5` is June 2024. A month's letter is T (paid by the month after),
B (paid back later) or M (not paid); what has no letter was not due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from random import Random
from typing import NamedTuple

from deploy.district.persons import LegalPerson

TEN_YEARS = 120


class Job(NamedTuple):
    """One person's work at one unit; `last` is the month in which it ended, None while it goes on."""

    unit: LegalPerson
    first: int
    last: int | None


class Paid(NamedTuple):
    """What became of the contribution of one month: when it was received, or None."""

    month: int
    received: int | None

    @property
    def letter(self) -> str:
        if self.received is None:
            return "M"
        return "T" if self.received <= self.month + 1 else "B"


Soil = Callable[[Paid, Random, int], Paid]


def month_of(day: date) -> int:
    return day.year * 12 + day.month - 1


def written(month: int) -> str:
    """The month as YYYYMM.

    >>> written(month_of(date(2024, 6, 30)))
    '202406'
    """
    return _WRITTEN[month - _FIRST]


_FIRST, _LAST = 1990 * 12, 2120 * 12
_WRITTEN = [f"{month // 12}{month % 12 + 1:02d}" for month in range(_FIRST, _LAST)]


def jobs(random: Random, units: Sequence[LegalPerson], today: date) -> list[Job]:
    """Three to six insured years within the last ten, at one unit or several, some of them until today."""
    now, months = month_of(today), random.randrange(36, 73)
    end = now if random.random() < 0.75 else now - random.randrange(1, TEN_YEARS - months)
    found: list[Job] = []
    month = end - months
    while month < end:
        length = min(end - month, random.choice((months, random.randrange(10, months))))
        unit = random.choice(units)
        first = max(month, month_of(unit.established_on) + 1)
        if first < month + length:
            found += _until_it_ended(unit, first, month + length, units, now)
        month += length + random.choice((0, 0, 0, 1, 4))
    return found


def _until_it_ended(unit: LegalPerson, first: int, end: int, units: Sequence[LegalPerson], now: int) -> Iterator[Job]:
    """The job, which goes over to the unit's successor where the unit ceased meanwhile."""
    ceased = None if unit.ceased_on is None else month_of(unit.ceased_on)
    if ceased is None or end <= ceased:
        yield Job(unit, first, None if end == now and ceased is None else end - 1)
        return
    if first < ceased:
        yield Job(unit, first, ceased - 1)
    successor = next((each for each in units if each.number == unit.successor), None)
    if successor is not None:
        yield Job(successor, max(first, ceased), None if end == now else end - 1)


def payments(random: Random, job: Job, now: int) -> list[Paid]:
    """Every month of the job up to the last that can be due."""
    last = now - 1 if job.last is None else min(job.last, now - 1)
    after = random.choice((0, 1, 1))
    told = [Paid(month, month + after) for month in range(job.first, last + 1)]
    if told and random.random() < 0.3:
        _soil(told, random, _late, 8, now)
    if told and random.random() < 0.12:
        _soil(told, random, _missing, 3, now)
    return told


def _soil(told: list[Paid], random: Random, soil: Soil, longest: int, now: int) -> None:
    """A run of months paid otherwise."""
    start = random.randrange(len(told))
    end = min(len(told), start + random.randint(1, longest))
    told[start:end] = [soil(paid, random, now) for paid in told[start:end]]


def _late(paid: Paid, random: Random, now: int) -> Paid:
    received = paid.month + 2 + random.randrange(10)
    return Paid(paid.month, received if received <= now else None)


def _missing(paid: Paid, _random: Random, _now: int) -> Paid:
    return Paid(paid.month, None)
