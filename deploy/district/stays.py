"""Where people from elsewhere lived in the district: stays one after another, with gaps, and permits endorsed yearly.

A permit is given after half a year of registered residence, is replaced when its holder moves, and holds only
as long as it is endorsed: one more year each year.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from deploy.district.invention import place

HALF_A_YEAR = timedelta(days=183)
ONE_DAY = timedelta(days=1)
DAYS_OF_A_YEAR = 365


class Stay(NamedTuple):
    """Where someone is registered as living; `last` is the day the registration was struck off, None while it holds."""

    address: str
    first: date
    last: date | None
    status: str


class Permit(NamedTuple):
    """A residence permit, and until when it is endorsed; `last` is the day it was replaced or given back."""

    address: str
    first: date
    last: date | None
    endorsed_until: date
    status: str


def stays(random: Random, today: date) -> Iterator[Stay]:
    """The stays of a family, oldest first; most still live here."""
    first = today - timedelta(days=random.randrange(20, 4200))
    for _ in range(random.choices((1, 2, 3, 4), (45, 32, 15, 8))[0]):
        length = timedelta(days=random.randrange(120, 1600))
        if first + length >= today:
            break
        last = first + length
        yield Stay(place(random), first, last, random.choice(("CANCELLED", "CANCELLED", "EXPIRED")))
        first = last + ONE_DAY + timedelta(days=_away(random))
        if first >= today:
            return
    if random.random() < 0.86:
        yield Stay(place(random), first, None, "VALID")


def _away(random: Random) -> int:
    """Who moves within the district registers the next day; some were away, some did not sign off at once."""
    case = random.random()
    if case < 0.85:
        return 0
    return random.randrange(1, 400) if case < 0.96 else -random.randrange(5, 90)


def permits(random: Random, lived: Sequence[Stay], today: date) -> Iterator[Permit]:
    """The permits that follow from the stays."""
    if not lived:
        return
    first = lived[0].first + HALF_A_YEAR + timedelta(days=random.randrange(200))
    for stay in lived:
        begins = max(first, stay.first)
        if begins < (stay.last or today):
            yield permit(stay, begins, today, lapsed=random.random() < 0.12)


def permit(stay: Stay, begins: date, today: date, *, lapsed: bool = False) -> Permit:
    """The permit for a stay, endorsed each year, but for the last time where it lapsed."""
    if stay.last is not None:
        return Permit(stay.address, begins, stay.last, _anniversary(begins, stay.last), "REPLACED")
    until = _anniversary(begins, today)
    if lapsed and until - timedelta(days=DAYS_OF_A_YEAR) > begins:
        return Permit(stay.address, begins, None, until - timedelta(days=DAYS_OF_A_YEAR), "EXPIRED")
    return Permit(stay.address, begins, None, until, "VALID")


def _anniversary(begins: date, day: date) -> date:
    """The first anniversary after the day, a year being 365 days."""
    years = (day - begins).days // DAYS_OF_A_YEAR + 1
    return begins + timedelta(days=years * DAYS_OF_A_YEAR)
