"""What social security writes down: insured units, who is insured by whom, and one row per person, kind and month.

Of the rows of a year one record is made: whether each month was paid on time (T), later (B) or not (M); N where
there is no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from deploy.district import spellings, vocabulary
from deploy.district.people import NaturalPerson
from deploy.district.persons import LegalPerson
from deploy.district.rows import Columns, Element, Row, Said, Subject, composite, person_subject
from deploy.district.rows import company_subject as subject_by
from deploy.district.sources import CONTRIBUTION, INSURED_UNIT, RELATION
from deploy.district.work import Job, Paid, written

OPEN_MONTH = "999912"
VALID = "1"
_UNIT_TYPES = {"company": "10", "sole_trader": "60", "cooperative": "20", "body": "30"}
_KINDS = {raw: Said(kind, raw) for kind, raw in vocabulary.INSURANCES.items()}
_YEARS = {year: Said(str(year)) for year in range(1990, 2120)}


def unit_row(unit: LegalPerson, status: str = "INSURED") -> Row:
    """The legal person as an insured unit."""
    raw = vocabulary.UNIT_STATES[status]
    columns: Columns = {
        "AAB001": unit_number(unit),
        "AAB004": unit.name,
        "SHXYDM": unit.credit_code,
        "AAB003": unit.organisation if unit.stands_alone else None,
        "ZCH": unit.registration_number,
        "AAB019": _UNIT_TYPES[unit.kind],
        "AAB050": spellings.digits(unit.established_on),
        "AAB051": raw,
        "AAE100": VALID,
    }
    says = {
        "name": Said(unit.name),
        "insured_status": Said(status, raw),
        "insured_from": Said(unit.established_on.isoformat()),
    }
    subject = subject_by(_organisation(unit), unit.registration_number)
    return Row(INSURED_UNIT, unit_number(unit), unit.number, subject, columns, says)


def relation_row(person: NaturalPerson, nth: int, job: Job, kind: str, document: str, *, retired: bool = False) -> Row:
    """The person insured by the unit in one kind."""
    raw = vocabulary.INSURANCES[kind]
    status = "RETIRED" if retired else "INSURED" if job.last is None else "ENDED"
    record_id = f"{person.number:08d}{raw}{nth:02d}"
    columns: Columns = {
        "AAZ159": record_id,
        "AAC001": account(person, document),
        "AAC002": document,
        "AAC003": person.name,
        "AAC004": vocabulary.SEXES[person.sex],
        "AAC006": spellings.digits(person.born),
        "AAB001": unit_number(job.unit),
        "AAB004": job.unit.name,
        "SHXYDM": job.unit.credit_code,
        "AAB003": job.unit.organisation if job.unit.stands_alone else None,
        "AAE140": raw,
        "AAC008": vocabulary.INSURANCE_STATES[status],
        "AAE030": written(job.first),
        "AAE031": OPEN_MONTH if job.last is None else written(job.last),
        "AAE100": VALID,
    }
    says = {
        "name": Said(person.name),
        "sex": Said(person.sex, vocabulary.SEXES[person.sex]),
        "birth_date": Said(person.born.isoformat()),
    }
    parts: dict[str, Said | Subject] = {
        "kind": _KINDS[raw],
        "status": Said(status, vocabulary.INSURANCE_STATES[status]),
        "unit": subject_by(_organisation(job.unit), None),
        "unit_name": Said(job.unit.name),
        "from": Said(written(job.first)),
    }
    if job.last is not None:
        parts["to"] = Said(written(job.last))
    element = Element("insurances", parts)
    return Row(RELATION, record_id, person.number, person_subject(document), columns, says, element=element)


def insured_rows(
    person: NaturalPerson,
    document: str,
    kinds: Sequence[str],
    held: Sequence[Job],
    paid: Sequence[Paid],
    first: int = 0,
) -> Iterator[Row]:
    """Of each kind a relation for every job, counted from `first` on, and the contributions of all of them."""
    for kind in kinds:
        for nth, job in enumerate(held, first):
            yield relation_row(person, nth, job, kind, document)
        yield from contribution_rows(person, document, kind, paid)


def contribution_rows(person: NaturalPerson, document: str, kind: str, paid: Iterable[Paid]) -> Iterator[Row]:
    """A record for every year in which a month was due."""
    raw, number, subject = vocabulary.INSURANCES[kind], account(person, document), person_subject(document)
    for year, months in groupby(paid, key=_year):
        letters, lines = ["N"] * 12, []
        for each in months:
            letters[each.month % 12] = each.letter
            lines.append(_line(number, document, raw, each))
        parts = {"kind": _KINDS[raw], "year": _YEARS[year], "months": Said("".join(letters))}
        yield Row(
            CONTRIBUTION, composite(number, raw, _YEARS[year].value), person.number, subject, {}, {},
            element=Element("contributions", parts), lines=tuple(lines),
        )  # fmt: skip


def _year(paid: Paid) -> int:
    return paid.month // 12


def _line(number: str, document: str, raw: str, paid: Paid) -> tuple[str | None, ...]:
    if paid.received is None:
        return number, document, raw, written(paid.month), "0", None, VALID
    return number, document, raw, written(paid.month), "1", written(paid.received), VALID


def account(person: NaturalPerson, document: str) -> str:
    """The person's number in this system; under an older document it was another account."""
    return person.social_number if document == person.document else f"15{person.number:08d}"


def unit_number(unit: LegalPerson) -> str:
    return f"{unit.number:08d}"


def can_insure(unit: LegalPerson) -> bool:
    """Whether a relation can name it: by credit code, or by an organisation code that may stand alone."""
    return unit.credit_code is not None or unit.stands_alone


def _organisation(unit: LegalPerson) -> str | None:
    return unit.organisation if can_insure(unit) else None
