"""Dirt that decides over a whole row: refused, deleted by a flag, twice there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from deploy.district import spellings, synthetic, vocabulary
from deploy.district.invention import another, place
from deploy.district.persons import LegalPerson
from deploy.district.rows import Row, Said
from deploy.district.sources import SOURCES

_LATER = date(2021, 7, 1)


def twice(row: Row, _person: LegalPerson, random: Random) -> list[Row]:
    """The same record id twice with different content: nobody can say which is right, so neither is taken."""
    column = SOURCES[row.source].states["address"]
    other = another(str(row.columns[column]), place, random)
    refused = replace(row, outcome="refused", reason="duplicate_key")
    return [refused, refused.changed({column: other}, {"address": Said(other)})]


def unmapped_private_use(row: Row, person: LegalPerson, _random: Random) -> Row:
    """A character of some typist's own in the name: what it stood for is not known."""
    name = person.name[:3] + spellings.UNMAPPED + person.name[3:]
    misspelt = row.changed({SOURCES[row.source].states["name"]: name})
    return replace(misspelt, outcome="refused", reason="unmapped_character")


def flagged(row: Row) -> Row:
    """Deleted the department's way: the row stays, with a flag."""
    flag = SOURCES[row.source].flag
    if flag is None:
        raise ValueError(f"{row.source} has no column that says a row is deleted")
    return replace(row.changed({flag.column: flag.deleted}), outcome="deleted")


def twice_with(column: str, other: str) -> Callable[[Row], list[Row]]:
    """A kind that leaves the same record id twice, the second time with other content."""

    def soil(row: Row) -> list[Row]:
        refused = replace(row, outcome="refused", reason="duplicate_key")
        return [refused, refused.changed({column: other})]

    return soil


def unmapped_in(column: str) -> Callable[[Row], Row]:
    def soil(row: Row) -> Row:
        name = f"{row.columns[column]}{spellings.UNMAPPED}"
        return replace(row.changed({column: name}), outcome="refused", reason="unmapped_character")

    return soil


def contradicting_numbers(row: Row, person: LegalPerson, _random: Random) -> Row | None:
    """A credit code of one company and the organisation code of another: nobody can say whose row it is."""
    if person.credit_code is None or row.columns["SHXYDM"] is None:
        return None
    other = synthetic.organisation_code(f"XXTTXX{person.number % 90 + 10:02d}")
    return replace(row.changed({"ZZJG_DM": other}), outcome="refused", reason="subject_ambiguous")


def two_registrations(row: Row, person: LegalPerson, random: Random) -> list[Row] | None:
    """A second DJXH of the same taxpayer, later in every date and lower in its key, with other words in it."""
    if row.subject.scheme != "organisation_code":
        return None
    record_id = f"{row.record_id[:10]}{int(row.record_id[10:]) - 400_000_000:010d}"
    status = "ABNORMAL" if person.tax_status == "NORMAL" else "NORMAL"
    state = vocabulary.TAX_STATES[status][0]
    elsewhere = another(person.business_address, place, random)
    later = _LATER + timedelta(days=random.randrange(180))
    stamp = spellings.moment(later, random)
    columns: dict[str, str | None] = {
        "DJXH": record_id, "NSRZT_DM": state, "SCJYDZ": elsewhere, "DJRQ": spellings.day_and_midnight(later),
        "LRRQ": stamp, "XGRQ": stamp,
    }  # fmt: skip
    second = row.changed(columns, {"tax_status": Said(status, state), "business_address": Said(elsewhere)})
    second = replace(second, record_id=record_id, effective_from=later.isoformat())
    return [row, second.plant("two_tax_registrations", "tax_status").plant("two_tax_registrations", "business_address")]
