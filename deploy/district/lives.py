"""What the police and social security hold of a block's people, from their homes, their work and their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from deploy.district import public_security, social_security, synthetic
from deploy.district.people import ADULT, NaturalPerson, Numbers
from deploy.district.persons import IN_15_DIGITS_UNTIL, LegalPerson
from deploy.district.rows import Row
from deploy.district.stays import Stay, permits, stays
from deploy.district.work import Job, jobs, month_of, payments

RETIRED_AT = 60
INSURED_SINCE = month_of(date(1995, 1, 1))
_WORKS, _DRAWS_PENSION = 0.62, 0.35
_SPOKEN_OF = ("name", "sex", "birth_date")


class Older(NamedTuple):
    """A number the person was known under before; `certified_on` where the police wrote down the change."""

    document: str
    kind: str
    reason: str
    certified_on: date | None


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Where people of a block may work, whose numbers they may have been given by mistake, and which day it is."""

    units: Sequence[LegalPerson]
    people: Sequence[NaturalPerson]
    numbers: Numbers
    today: date


def rows_about(around: Neighbourhood, random: Random) -> Iterator[Row]:
    """Every clean row about the people, family by family."""
    lived: dict[int, list[Stay]] = {}
    for person in around.people:
        if person.is_registered:
            yield public_security.resident_row(person, random, around.today)
        if person.lives_here_from_elsewhere:
            if person.family not in lived:
                lived[person.family] = list(stays(random, around.today))
            yield from _residences(person, lived[person.family], random, around.today)
        yield from _insured(person, around, random)


def _residences(person: NaturalPerson, lived: list[Stay], random: Random, today: date) -> Iterator[Row]:
    """The family's stays; of those who came before they were born, the later ones."""
    own = [stay for stay in lived if stay.first >= person.born]
    holds = person.age(today) >= ADULT - 2 and random.random() < 0.8
    held = list(permits(random, own, today)) if holds else []
    yield from public_security.residence_rows(person, own, held, random, today)


def _insured(person: NaturalPerson, around: Neighbourhood, random: Random) -> Iterator[Row]:
    age, units = person.age(around.today), around.units
    if person.state == "DECEASED":
        if age > ADULT and random.random() < _DRAWS_PENSION:
            yield _still_insured(person, random.choice(units), random)
    elif age > RETIRED_AT and person.standing == "resident":
        if random.random() < _DRAWS_PENSION:
            yield _pension(person, random.choice(units))
    elif ADULT + 4 <= age <= RETIRED_AT and person.standing != "outside" and random.random() < _WORKS:
        held = jobs(random, units, around.today)
        yield from work_rows(person, held, _older(person, around, random), random, around.today)


def _pension(person: NaturalPerson, unit: LegalPerson) -> Row:
    """Retired from the unit."""
    first = max(month_of(unit.established_on), month_of(person.born) + RETIRED_AT * 12)
    return social_security.relation_row(person, 0, Job(unit, first, None), "PENSION", person.document, retired=True)


def _still_insured(person: NaturalPerson, unit: LegalPerson, random: Random) -> Row:
    """Of some of the dead nobody has told the insurance."""
    last = month_of(person.ended_on or person.born)
    begun = month_of(person.born) + (ADULT + random.randrange(40)) * 12
    job = Job(unit, min(last, max(begun, INSURED_SINCE)), None)
    row = social_security.relation_row(person, 0, job, "PENSION", person.document)
    return row.plant("deceased_but_insured", "insurances")


def work_rows(
    person: NaturalPerson, held: Sequence[Job], older: Older | None, random: Random, today: date
) -> Iterator[Row]:
    """Relations and contributions of all jobs; of the first of several under an older number, where there is one."""
    kinds, now = ("PENSION", "INJURY") if person.number % 10 == 3 else ("PENSION",), month_of(today)
    before = list(held[:1]) if older is not None and len(held) > 1 else []
    if older is not None and before:
        paid = payments(random, before[0], now)
        rows = social_security.insured_rows(person, older.document, kinds, before, paid)
        yield from (_told_by(row, older) for row in rows)
        if older.certified_on is not None:
            yield public_security.change_row(person, older.document, person.document, older.reason, older.certified_on)
    after = held[len(before) :]
    paid = [each for job in after for each in payments(random, job, now)]
    yield from social_security.insured_rows(person, person.document, kinds, after, paid, len(before))


def _told_by(row: Row, older: Older) -> Row:
    """The row noted as one under an older number; under another's number it speaks of that one."""
    if older.reason != "DUPLICATE":
        return row.plant(older.kind)
    for attribute in _SPOKEN_OF:
        if attribute in row.says:
            row = row.plant(older.kind, attribute)
    return row.plant(older.kind) if row.element is None else row.plant(older.kind, row.element.attribute)


def _older(person: NaturalPerson, around: Neighbourhood, random: Random) -> Older | None:
    """Some were first insured under 15 digits, a few under a wrong number or another's."""
    certified = around.today - timedelta(days=random.randrange(200, 2000)) if random.random() < 0.5 else None
    case = random.random()
    if person.born.year < IN_15_DIGITS_UNTIL and case < 0.06:
        return Older(synthetic.shortened(person.document), "fifteen_digits_before", "UPGRADED", certified)
    if case > 0.997:
        born = around.numbers.born(person.born - timedelta(days=370), person.sex)
        return Older(around.numbers.document(born, person.sex), "wrong_number_before", "WRONG", certified)
    if case > 0.993:
        other = random.choice(around.people)
        if other.family != person.family:
            return Older(other.document, "anothers_number_before", "DUPLICATE", certified)
    return None
