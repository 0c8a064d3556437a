"""Dirt in the rows about companies that stand beside the register: state tax, permits, listings, ratings, units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random

from deploy.district import spellings
from deploy.district.persons import LegalPerson
from deploy.district.rows import Row, Said


def small_letters(*columns: str) -> Callable[[Row], Row | None]:
    """Codes in lower case: the same subject."""

    def soil(row: Row) -> Row | None:
        codes = {column: code.lower() for column in columns if (code := row.columns[column]) and code != code.lower()}
        return row.changed(codes) if codes else None

    return soil


def unlimited(row: Row, random: Random) -> Row:
    """A permit without an end, in one of the words for it."""
    spelt = random.choice(("长期", "9999-12-31", "9999-9-9", "永久"))
    return row.changed(
        {"XK_YXQZI": spelt, "XK_ZT": "1"}, parts={"valid_to": Said(spellings.NO_END), "status": Said("VALID", "1")}
    )


def other_days(column: str) -> Callable[[Row, Random], Row | None]:
    """The same day in another spelling."""

    def soil(row: Row, random: Random) -> Row | None:
        day = _day(row.columns[column])
        return None if day is None else row.changed({column: random.choice(tuple(spellings.other_days(day)))})

    return soil


def impossible_day(column: str, part: str) -> Callable[[Row], Row]:
    def soil(row: Row) -> Row:
        return row.without(column, spellings.IMPOSSIBLE_DAY, part)

    return soil


def rated_twice(row: Row) -> list[Row]:
    """A second rating of the same year that differs, and nothing says which one holds."""
    record_id = f"PK{row.record_id[2:]}"
    level = "C" if row.columns["pjjg"] != "C" else "B"
    second = row.changed({"pjxh": record_id, "pjjg": level}, parts={"level": Said(level, level)})
    second = replace(second, record_id=record_id)
    return [row, second]


def small_level(row: Row) -> Row:
    level = str(row.columns["pjjg"])
    return row.changed({"pjjg": level.lower()}, parts={"level": Said(level, level.lower())})


def former_name(column: str) -> Callable[[Row, LegalPerson, Random], Row]:
    def soil(row: Row, person: LegalPerson, _random: Random) -> Row:
        return row.changed({column: person.former_name}, {"name": Said(person.former_name)})

    return soil


def number_only(*others: str) -> Callable[[Row], Row | None]:
    """Only the first number column is filled, where it names the company by itself."""

    def soil(row: Row) -> Row | None:
        if row.subject.scheme != "organisation_code" or not row.columns["SHXYDM"]:
            return None
        return row.changed(dict.fromkeys(others))

    return soil


def _day(spelt: str | None) -> date | None:
    if not spelt:
        return None
    if spelt.isdigit():
        return date.fromisoformat(spelt)
    year, month, day = spelt.split(" ", 1)[0].split("-")
    return date(int(year), int(month), int(day))
