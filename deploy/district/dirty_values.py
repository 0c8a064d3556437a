"""Dirt in single values: differing from the truth, spelt oddly, or blank."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

from deploy.district import spellings, vocabulary
from deploy.district.invention import another, human_name, place
from deploy.district.persons import REGISTERED_AND_TAXED, LegalPerson
from deploy.district.rows import Row, Said
from deploy.district.sources import SOURCES


def blank(attribute: str) -> Callable[[Row, Random], Row | None]:
    """A kind that leaves the attribute out, by one of the many tokens that mean nothing is there."""

    def soil(row: Row, random: Random) -> Row | None:
        if attribute not in row.says:
            return None
        column = SOURCES[row.source].states[attribute]
        return row.changed({column: random.choice(spellings.NULLS)}, {attribute: None})

    return soil


def padded(column: str) -> Callable[[Row, Random], Row]:
    def soil(row: Row, random: Random) -> Row:
        return row.changed({column: f"{row.columns[column]}{random.choice(spellings.PADDING)}"})

    return soil


def wide(attribute: str) -> Callable[[Row], Row | None]:
    """Letters and digits at double width: the same address."""

    def soil(row: Row) -> Row | None:
        if attribute not in row.says:
            return None
        value = spellings.full_width(row.says[attribute].value)
        return row.changed({SOURCES[row.source].states[attribute]: value}, {attribute: Said(value)})

    return soil


def no_day(attribute: str) -> Callable[[Row], Row | None]:
    """A day that no calendar has: as blank."""

    def soil(row: Row) -> Row | None:
        if attribute not in row.says:
            return None
        return row.changed({SOURCES[row.source].states[attribute]: spellings.IMPOSSIBLE_DAY}, {attribute: None})

    return soil


def mapped_private_use(row: Row, person: LegalPerson, _random: Random) -> Row | None:
    """The name as a GB18030-2000 system hands it over; the reader must know the characters again."""
    name = person.name
    for private, character in spellings.PRIVATE_USE.items():
        name = name.replace(character, private)
    return None if name == person.name else row.changed({"ENTNAME": name}, {})


def former_name(row: Row, person: LegalPerson, _random: Random) -> Row | None:
    return _stated(row, person, "name", person.former_name)


def padded_name(row: Row, person: LegalPerson, random: Random) -> Row:
    padded = random.choice(("", "", *spellings.PADDING)) + person.name + random.choice(spellings.PADDING)
    return row.changed({SOURCES[row.source].states["name"]: padded}, {})


def other_brackets(row: Row, person: LegalPerson, _random: Random) -> Row | None:
    name = spellings.other_brackets(person.name)
    return (
        None if name == person.name else row.changed({SOURCES[row.source].states["name"]: name}, {"name": Said(name)})
    )


def inner_space(row: Row, person: LegalPerson, _random: Random) -> Row:
    name = f"{person.name[:4]} {person.name[4:]}"
    return row.changed({SOURCES[row.source].states["name"]: name}, {"name": Said(name)})


def other_address(row: Row, person: LegalPerson, random: Random) -> Row | None:
    return _stated(row, person, "address", another(person.address, place, random))


def full_width_address(row: Row, person: LegalPerson, _random: Random) -> Row:
    wide = spellings.full_width(person.address)
    return row.changed({SOURCES[row.source].states["address"]: wide}, {"address": Said(wide)})


def other_place(row: Row, person: LegalPerson, random: Random) -> Row | None:
    return _stated(row, person, "business_address", another(person.business_address, place, random))


def other_person(row: Row, person: LegalPerson, random: Random) -> Row | None:
    return _stated(row, person, "legal_representative", another(person.legal_representative, human_name, random))


def other_industry(row: Row, person: LegalPerson, random: Random) -> Row | None:
    code = another(person.trade.industry, lambda drawn: drawn.choice(vocabulary.TRADES).industry, random)
    return _stated(row, person, "industry", code, code)


def industry_as_float(row: Row, person: LegalPerson, _random: Random) -> Row:
    """The code went through a spreadsheet."""
    raw = f"{person.trade.industry}.0"
    return row.changed({"HY_DM": raw}, {"industry": Said(person.trade.industry, raw)})


def line_break(row: Row, person: LegalPerson, _random: Random) -> Row:
    scope = person.trade.scope.replace("。", "。\n〓", 1) + "（依法须经批准的项目^经批准后方可开展）"
    return row.changed({"OPSCOPE": scope}, {"scope": Said(scope)})


def other_day(row: Row, person: LegalPerson, random: Random) -> Row | None:
    if not set(person.departments) >= REGISTERED_AND_TAXED:
        return None
    day = person.established_on + timedelta(days=random.randrange(1, 60))
    return row.changed({"KYSLRQ": spellings.day_and_midnight(day)}, {"established_on": Said(day.isoformat())})


def impossible_day(row: Row, _person: LegalPerson, _random: Random) -> Row:
    return row.changed({"ESTDATE": spellings.IMPOSSIBLE_DAY}, {"established_on": None})


def placeholder_day(row: Row, _person: LegalPerson, _random: Random) -> Row:
    return row.changed({"ESTDATE": spellings.PLACEHOLDER_DAY}, {"established_on": None})


def day_spelling(row: Row, person: LegalPerson, random: Random) -> Row:
    column = SOURCES[row.source].states["established_on"]
    return row.changed({column: random.choice(tuple(spellings.other_days(person.established_on)))}, {})


def unknown_status(row: Row, _person: LegalPerson, _random: Random) -> Row:
    return row.changed({"REGSTATE": "0099"}, {"status": Said("OTHER", "0099")})


def unknown_tax_status(row: Row, _person: LegalPerson, _random: Random) -> Row:
    return row.changed({"NSRZT_DM": "88"}, {"tax_status": Said("OTHER", "88")})


def open_end(row: Row, _person: LegalPerson, random: Random) -> Row:
    return row.changed({"OPTO": random.choice(spellings.OPEN_ENDS)}, {})


def capital_spelling(row: Row, person: LegalPerson, random: Random) -> Row:
    capital = random.choice(tuple(spellings.capitals(person.capital)))
    return row.changed({"REGCAP": capital, "REGCAPCUR": random.choice(("156", "人民币元", None))}, {})


def _stated(row: Row, person: LegalPerson, attribute: str, value: str, raw: str | None = None) -> Row | None:
    """The row stating another value; only where both departments state the attribute at all."""
    if not set(person.departments) >= REGISTERED_AND_TAXED or attribute not in row.says:
        return None
    return row.changed({SOURCES[row.source].states[attribute]: value}, {attribute: Said(value, raw)})
