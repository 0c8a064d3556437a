"""The sample district: its companies, its people, and what five departments hold of them.

The whole district is made in blocks of a thousand people and a hundred legal persons. Nothing leads from one block
into another, so a block's rows and truth are complete by themselves, and a district of a million needs no more memory
than one of a thousand. Everything here is a function of its arguments: the same seed and day give the same rows and
the same truth, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import NamedTuple

from deploy.district import companies, lives, named, named_people
from deploy.district.dirt import Sower
from deploy.district.named_people import NAMED_PEOPLE
from deploy.district.people import NaturalPerson, Numbers, families
from deploy.district.persons import LegalPerson, persons
from deploy.district.rows import Row
from deploy.district.sources import SOURCES

FEWEST, FEWEST_PEOPLE = 20, 200
NAMED = 5
TODAY = date(2024, 6, 30)
BLOCK, LEGAL_SHARE = 1_000, 10
_ORDER = {name: place for place, name in enumerate(SOURCES)}


@dataclass(frozen=True, slots=True)
class District:
    """Legal and natural persons by number; the rows departments hold now; the rows they once held and no longer do."""

    seed: int
    persons: Mapping[int, LegalPerson]
    rows: tuple[Row, ...]
    former: tuple[Row, ...] = ()
    people: Mapping[int, NaturalPerson] = field(default_factory=dict)
    today: date = TODAY

    def at(self, name: str) -> list[Row]:
        """Rows of a source, or of all of a department's."""
        return [row for row in self.rows if name in {row.source, row.department}]

    def find(self, source: str, record_id: str) -> Row:
        return next(row for row in self.rows if (row.source, row.record_id) == (source, record_id))


def generate(seed: int, count: int = 2_000) -> District:
    """`count` legal persons, the five named ones among them, at market supervision and the local tax office only."""
    if count < FEWEST:
        raise ValueError(f"a district has at least {FEWEST} legal persons")
    random = Random(f"district {seed}")
    drawn = [companies.with_rare_name(person) for person in persons(random, count - NAMED, NAMED + 1)]
    everyone = {person.number: person for person in (*named.named_persons(), *drawn)}
    rows = [row for person in drawn for row in companies.rows_of(person, random)]
    sown = Sower(Random(f"dirt {seed}")).sow(rows, everyone)
    return District(seed, everyone, tuple(in_table_order((*named.named_rows(), *sown))))


def whole(seed: int, people: int = 5_000, today: date = TODAY) -> District:
    """All five departments and `people` people, in memory."""
    made = list(blocks(seed, people, today))
    return District(
        seed,
        {number: person for block in made for number, person in block.persons.items()},
        tuple(in_table_order(row for block in made for row in block.rows)),
        people={number: person for block in made for number, person in block.people.items()},
        today=today,
    )


def blocks(seed: int, people: int, today: date = TODAY) -> Iterator[District]:
    """The same district block by block; the named people and companies are in the first."""
    if people < FEWEST_PEOPLE:
        raise ValueError(f"a whole district has at least {FEWEST_PEOPLE} people")
    sower = Sower(Random(f"dirt {seed}"))
    for place in _places(people):
        block = _block(seed, place, today)
        sown = sower.sow(block.rows, block.persons)
        yield _with_named(block, sown) if place.number == 0 else replace(block, rows=tuple(sown))


class _Place(NamedTuple):
    """Which numbers a block gives to its people and its legal persons; those below are taken by the named."""

    number: int
    first: int
    people: int
    first_legal: int
    legal: int


def _places(people: int) -> Iterator[_Place]:
    """Blocks of about the same size."""
    count = max(1, round(people / BLOCK))
    first, first_legal = 1, 1
    for number in range(count):
        size = people // count + (number < people % count)
        legal = size // LEGAL_SHARE
        taken = NAMED_PEOPLE if number == 0 else 0
        named_legal = NAMED if number == 0 else 0
        yield _Place(number, first + taken, size - taken, first_legal + named_legal, legal - named_legal)
        first, first_legal = first + size, first_legal + legal


def _block(seed: int, place: _Place, today: date) -> District:
    """The clean rows of a block."""
    random, numbers = Random(f"district {seed} block {place.number}"), Numbers(place.number)
    people = list(families(random, numbers, place.first, place.people, today))
    legal = companies.founded(random, place.first_legal, place.legal, people, today)
    persons = {person.number: person for person in legal}
    around = lives.Neighbourhood(companies.employers(legal), people, numbers, today)
    rows = [row for person in legal for row in companies.rows_of(person, random)]
    rows += [row for person in legal for row in companies.further_rows(person, people, random, today)]
    rows += lives.rows_about(around, random)
    return District(seed, persons, tuple(rows), people={person.number: person for person in people}, today=today)


def _with_named(block: District, sown: Iterable[Row]) -> District:
    """The first block with the named in front."""
    legal = {person.number: person for person in named.named_persons()}
    people = {person.number: person for person in named_people.named_people()}
    rows = (*named.named_rows(), *named.further_rows(block.today), *named_people.named_rows(block.today), *sown)
    return replace(block, persons={**legal, **block.persons}, people={**people, **block.people}, rows=rows)


def in_table_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (_ORDER[row.source], row.person, row.record_id))
