"""The sample district: its legal persons, and what two departments hold of them.

`generate` is a function of its arguments: the same seed gives the same rows and the same truth, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from random import Random

from deploy.district import dirt, named, spellings
from deploy.district.persons import DEPARTMENTS, MARKET, TAX, LegalPerson, persons
from deploy.district.rows import Row, market_row, tax_row

FEWEST = 20
NAMED = 5


@dataclass(frozen=True, slots=True)
class District:
    """Legal persons by number; the rows departments hold now; the rows they once held and no longer do."""

    seed: int
    persons: Mapping[int, LegalPerson]
    rows: tuple[Row, ...]
    former: tuple[Row, ...] = ()

    def at(self, department: str) -> list[Row]:
        return [row for row in self.rows if row.department == department]

    def find(self, department: str, record_id: str) -> Row:
        return next(row for row in self.rows if (row.department, row.record_id) == (department, record_id))


def generate(seed: int, count: int = 2_000) -> District:
    """A district of `count` legal persons, the five named ones among them."""
    if count < FEWEST:
        raise ValueError(f"a district has at least {FEWEST} legal persons")
    random = Random(f"district {seed}")
    drawn = [_with_rare_name(person) for person in persons(random, count - NAMED, NAMED + 1)]
    everyone = {person.number: person for person in (*named.named_persons(), *drawn)}
    rows = [row for person in drawn for row in rows_of(person, random)]
    sown = dirt.sow(rows, everyone, random)
    return District(seed, everyone, tuple(in_table_order((*named.named_rows(), *sown))))


def rows_of(person: LegalPerson, random: Random) -> list[Row]:
    """The person's clean rows, one per department that knows it, with what is odd about the person itself noted."""
    write = {MARKET: market_row, TAX: tax_row}
    rows = [write[department](person, random) for department in person.departments]
    return [_noted(row, person, rows) for row in rows]


def in_table_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (DEPARTMENTS.index(row.department), row.person, row.record_id))


def _noted(row: Row, person: LegalPerson, rows: list[Row]) -> Row:
    if len(rows) < len(DEPARTMENTS):
        return row.plant("unknown_to_registry" if row.department == TAX else "unknown_to_tax")
    if rows[0].subject != rows[1].subject:
        row = row.plant("known_under_two_numbers")
    if row.department == TAX and person.status == "REVOKED" and person.tax_status == "NORMAL":
        row = row.plant("revoked_but_normal_at_tax", "tax_status")
    if row.department == MARKET and (person.organisation or "").startswith("M0"):
        row = row.plant("pilot_code")
    return row


def _with_rare_name(person: LegalPerson) -> LegalPerson:
    """Some names hold a character few systems could write, or one that had a private-use point only."""
    if person.number % 97 == 13:
        return replace(person, name=person.name.replace("示例", "示例" + spellings.RARE, 1))
    if person.number % 211 == 17:
        once_private = list(spellings.PRIVATE_USE.values())[person.number % len(spellings.PRIVATE_USE)]
        return replace(person, name=person.name.replace("示例", "示例" + once_private, 1))
    return person
