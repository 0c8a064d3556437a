"""Rows as departments hold them, and beside the columns what each *says*: what a correct reader takes from it.

Both are written by the hand that knows; nothing here is found by reading a column back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple

from deploy.district.sources import SOURCES

# In question: refused as it now is, while what it last said still counts.
Outcome = Literal["live", "in_question", "refused", "deleted"]
Columns = dict[str, str | None]

LEGAL, NATURAL = "legal_person", "natural_person"
Scheme = Literal[
    "organisation_code", "registration_number", "tax_number", "row",
    "resident_number", "resident_number_15", "foreigner_card_15", "person_row",
]  # fmt: skip
_PERSONS: Final = frozenset({"resident_number", "resident_number_15", "foreigner_card_15", "person_row"})


class Subject(NamedTuple):
    """Whom a row is about, by the number it can be told by.

    `tax_number` stands for the keyed pseudonym of a person-based tax number, `row` and `person_row` for a row in
    which no number names a company or a person.
    """

    scheme: Scheme
    value: str

    @property
    def kind(self) -> str:
        return NATURAL if self.scheme in _PERSONS else LEGAL

    def key(self) -> str | None:
        """The registry's subject key; None where only a holder of the district's key can compute it."""
        prefix = {"organisation_code": "legal:org:", "registration_number": "legal:reg:"}.get(self.scheme)
        return None if prefix is None else prefix + self.value

    @property
    def is_row(self) -> bool:
        return self.scheme in {"row", "person_row"}


class Said(NamedTuple):
    """A value as a correct reader takes it; of a code also what stood in the column.

    A value with a scheme is, or may be, a person's number: the registry must know it and show a pseudonym only,
    made of the scheme and the number.
    """

    value: str
    raw: str | None = None
    scheme: str | None = None


Parts = Mapping[str, Said | Subject]
TAX_NUMBER, RESIDENCE_PERMIT = "tax_number", "residence_permit"


class Element(NamedTuple):
    """One element of an attribute that is a list: its parts; a part that is a subject is shown as that one's key."""

    attribute: str
    parts: Parts


class Word(NamedTuple):
    """What a row says of one subject."""

    subject: Subject
    says: Mapping[str, Said]
    element: Element | None
    part: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row at a department, or the rows that make one record there; and what must become of it.

    `person` is the number of the legal person it was written for, or of the natural one where the source is about
    people. `other` is what a row with two subjects says of the second. `lines` are the rows of a grouped record.
    """

    source: str
    record_id: str
    person: int
    subject: Subject
    columns: Columns
    says: dict[str, Said]
    effective_from: str | None = None
    element: Element | None = None
    other: Word | None = None
    lines: tuple[tuple[str | None, ...], ...] = ()
    outcome: Outcome = "live"
    reason: str | None = None
    planted: tuple[tuple[str, str | None], ...] = field(default=())

    @property
    def department(self) -> str:
        return self.source.split(".", 1)[0]

    @property
    def counts(self) -> bool:
        """Whether the registry rests on it."""
        return self.outcome in {"live", "in_question"}

    @property
    def times(self) -> int:
        """How many rows it is at the source."""
        return len(self.lines) or 1

    def words(self) -> Iterator[Word]:
        """What it says, of one subject or of two."""
        yield Word(self.subject, self.says, self.element, "")
        if self.other is not None:
            yield self.other

    def images(self) -> tuple[tuple[str | None, ...], ...]:
        """Its rows as they stand at the source, in the order of the source's columns."""
        return self.lines or (tuple(self.columns.values()),)

    def as_mappings(self) -> list[Columns]:
        return [dict(zip(SOURCES[self.source].columns, image, strict=True)) for image in self.images()]

    def changed(
        self,
        columns: Mapping[str, str | None],
        says: Mapping[str, Said | None] | None = None,
        parts: Parts | None = None,
    ) -> Row:
        """This row with some columns rewritten; what is said as None is no longer stated."""
        said = {name: value for name, value in {**self.says, **(says or {})}.items() if value is not None}
        element = self.element
        if parts is not None and element is not None:
            element = Element(element.attribute, {**element.parts, **parts})
        return replace(self, columns={**self.columns, **columns}, says=said, element=element)

    def without(self, column: str, value: str | None, part: str) -> Row:
        """This row with a column rewritten so that its element lacks a part."""
        if self.element is None:
            raise ValueError("the row states no element")
        parts = {name: said for name, said in self.element.parts.items() if name != part}
        element = Element(self.element.attribute, parts)
        return replace(self, columns={**self.columns, column: value}, element=element)

    def plant(self, kind: str, attribute: str | None = None) -> Row:
        return replace(self, planted=(*self.planted, (kind, attribute)))


def row_subject(source: str, record_id: str) -> Subject:
    return Subject("row", f"{source}/{record_id}")


def nobody(source: str, record_id: str, part: str = "") -> Subject:
    """The person a row is about in which no number names one; a part of a row has a person of its own."""
    return Subject("person_row", f"{source}/{composite(record_id, part) if part else record_id}")


def composite(*parts: str) -> str:
    """The record id of rows that are told by several columns: each part with its length before it.

    >>> composite("3500000017", "110", "2019")
    '10:3500000017,3:110,4:2019'
    """
    return ",".join(f"{len(part)}:{part}" for part in parts)


def company_subject(organisation: str | None, registered: str | None, tax_number: str = "") -> Subject:
    if organisation:
        return Subject("organisation_code", organisation)
    if registered:
        return Subject("registration_number", registered)
    return Subject("tax_number", tax_number)


def person_subject(document: str) -> Subject:
    """The subject of a resident's number, by its length."""
    return Subject("resident_number" if len(document) == 18 else "resident_number_15", document)
