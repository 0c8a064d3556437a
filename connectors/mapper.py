"""Map: a row becomes records of the department's schema, or a refusal with a reason.

Pure, and total: whatever stands in a row, something comes out. A row is refused as a whole, under every
subject key that can be read in it, so that nobody takes its subject for one on whom nothing is known. Where
the source says so, the rows of one record id are one record, which stands for all of them.

No number of a person enters a record (`connectors.numbers`).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from connectors import numbers
from connectors.columns import Columns, Refused, Row
from connectors.content import Reading, Rules
from connectors.fields import kinds_of
from connectors.mapping import Part, Source
from connectors.record_ids import RecordIds
from schemas.audit import AuditKey
from schemas.codec import MAX_VALUE_BYTES, NO_HASH, Contract
from schemas.identifiers import BAD_FORM, Checked
from schemas.subjects import DistrictKey

# Room for the frame and for what a version adds to the record.
MAX_CONTENT_BYTES = MAX_VALUE_BYTES - 2_000
_REFUSAL = "quarantine/refusal-1"


class Target(NamedTuple):
    """A statement of a row: which part, of which type, about whom."""

    part: str
    type: str
    subject: str


@dataclass(frozen=True, slots=True)
class Record:
    """A full image of one part of a row or group; its meta has no version yet."""

    target: Target
    row_hash: bytes
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row cannot be used, and under whom it can be read."""

    reason: str
    fields: tuple[str, ...]
    readable: tuple[Target, ...]
    fallback: Target
    unreadable_rows: int
    row_hash: bytes
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a row (or the rows of one record id) came to: records, or a refusal, or nothing where it is gone."""

    record_id: str
    rows: int = 1
    gone: bool = False
    records: tuple[Record, ...] = ()
    refusal: Refusal | None = None
    defects: tuple[str, ...] = ()


class Mapper:
    """Maps the rows of one source."""

    def __init__(self, source: Source, contract: Contract, district: DistrictKey, audit: AuditKey) -> None:
        self._source, self._mapping = source, source.mapping
        self._contract, self._district, self._audit = contract, district, audit
        self._columns = Columns(self._mapping)
        self._ids = RecordIds(self._mapping, self._columns, district)
        self._names = self._mapping.columns()
        kinds = {part.type: kinds_of(contract, part.type) for part in self._mapping.records}
        self._rules = Rules(self._mapping, kinds, self._columns, district)

    def record_id(self, row: Row) -> str | None:
        """The row's id as it travels; None where it has none. An unusable one is replaced by its pseudonym."""
        return self._ids.of(row)[0]

    def map(self, row: Row) -> Mapped:
        """What one row comes to."""
        return self._map([row])

    def map_all(self, rows: Sequence[Row]) -> Mapped:
        """What all rows of one record id come to: in a group one record, else one row where they are the same.

        Else they are refused: a row flagged as deleted beside one that holds is a contradiction too, for nothing
        says which is newer. In a group it is one row less.
        """
        if self._mapping.group:
            return self._map(sorted(rows, key=self._written))
        if len({self._written(row) for row in rows}) == 1:
            return self._map(rows[:1])
        there = [row for row in rows if not self._map([row]).gone]
        if not there:
            return self._map(rows[:1])
        return self._refusal(self._map(there[:1]).record_id, there, self._rules.contradiction())

    def _map(self, rows: Sequence[Row]) -> Mapped:
        record_id, refused = self._ids.of(rows[0])
        if record_id is None:
            # Two such rows are told apart by what stands in them.
            record_id = "?" + self._ids.pseudonym(self._body(rows).decode())
        if refused:
            return self._refusal(record_id, rows, refused)
        there = [row for row in rows if not self._gone(row)]
        if not there:
            return Mapped(record_id, rows=0, gone=True)
        try:
            return self._live(record_id, there)
        except Refused as exc:
            return self._refusal(record_id, there, exc)

    def _gone(self, row: Row) -> bool:
        try:
            return self._operation(row) == "DELETE"
        except Refused:
            return False

    def _operation(self, row: Row) -> str:
        operation = self._mapping.operation
        if operation is None:
            return "UPSERT"
        flag = self._columns.text(row, operation.column) or ""
        for flags, name in ((operation.upsert, "UPSERT"), (operation.end, "END"), (operation.delete, "DELETE")):
            if flag in flags:
                return name
        raise Refused("unknown_operation", operation.column)

    # -- records

    def _live(self, record_id: str, rows: Sequence[Row]) -> Mapped:
        operation, *others = {self._operation(row) for row in rows}
        if others:
            raise self._rules.contradiction()
        records: list[Record] = []
        defects: list[str] = []
        for part in self._present(rows):
            reading = Reading(self._rules, part, rows, defects)
            head = self._meta(record_id, part, operation, reading)
            head["rows"] = 0 if records else len(rows)
            records.append(self._record(part, self._subject(rows, part, record_id), head, reading.fields()))
        if not records:
            raise Refused("no_part", *(part.when.column for part in self._mapping.records if part.when))
        return Mapped(record_id, len(rows), records=tuple(records), defects=tuple(dict.fromkeys(defects)))

    def _present(self, rows: Sequence[Row]) -> list[Part]:
        """The parts there are: all rows have to say so, or none."""
        found = []
        for part in self._mapping.records:
            there = {part.when is None or self._columns.holds(row, part.when) for row in rows}
            if len(there) > 1:
                raise self._rules.contradiction()
            if there.pop():
                found.append(part)
        return found

    def _subject(self, rows: Sequence[Row], part: Part, record_id: str) -> str:
        found = self._columns.numbers(rows, part.key)
        subjects = self._subjects(part, found)
        columns = [number.column for number in part.key]
        if len(subjects) > 1:
            raise Refused("subject_ambiguous", *columns)
        if not subjects and any(number.verdict == BAD_FORM for number in found):
            raise Refused("subject_unreadable", *columns)
        return subjects[0] if subjects else self._ids.nobody(record_id, part.part)

    def _subjects(self, part: Part, found: Iterable[Checked]) -> list[str]:
        return numbers.subjects(part.subject, found, self._district)

    def _meta(self, record_id: str, part: Part, operation: str, reading: Reading) -> dict[str, Any]:
        return {
            **meta(self._mapping.source, record_id, part.part, operation),
            "source_token": reading.token(),
            "effective_from": reading.day("effective_from"),
            "effective_to": reading.day("effective_to"),
            "identifiers": reading.identifiers(),
        }

    def _record(self, part: Part, subject: str, head: dict[str, Any], fields: dict[str, Any]) -> Record:
        value = {"meta": head, **dict.fromkeys(self._rules.kinds[part.type]), **fields}
        content = self._contract.content(part.type, value)
        if len(content) > MAX_CONTENT_BYTES:
            raise Refused("record_too_large")
        return Record(Target(part.part, part.type, subject), self._audit.row_hash(part.type, content), value)

    # -- refusals

    def _refusal(self, record_id: str, rows: Sequence[Row], why: Refused) -> Mapped:
        readable = [self._readable(row) for row in rows]
        first = self._mapping.records[0]
        body = self._body(rows)
        said = json.dumps([self._source.fingerprint, why.reason, why.columns, len(rows)]).encode()
        refusal = Refusal(
            why.reason,
            why.columns,
            readable=tuple(sorted({target for targets in readable for target in targets})),
            fallback=Target(first.part, first.type, self._ids.nobody(record_id, first.part)),
            unreadable_rows=sum(not targets for targets in readable),
            row_hash=self._audit.row_hash(_REFUSAL, said + b"\0" + body),
            body=body if len(body) < MAX_CONTENT_BYTES else None,
        )
        return Mapped(record_id, rows=len(rows), refusal=refusal)

    def _readable(self, row: Row) -> list[Target]:
        return [
            Target(part.part, part.type, subject)
            for part in self._perhaps_present(row)
            for subject in self._subjects_or_none(row, part)
        ]

    def _perhaps_present(self, row: Row) -> Sequence[Part]:
        try:
            return self._present([row])
        except Refused:
            return self._mapping.records

    def _subjects_or_none(self, row: Row, part: Part) -> list[str]:
        try:
            return self._subjects(part, self._columns.numbers([row], part.key))
        except Refused:
            return []

    def _written(self, row: Row) -> tuple[str, ...]:
        return tuple(self._columns.written(row, name) for name in self._names)

    def _body(self, rows: Sequence[Row]) -> bytes:
        """The rows as canonical JSON, whatever is in them."""
        told = [dict(zip(self._names, self._written(row), strict=True)) for row in rows]
        told.sort(key=lambda each: json.dumps(each, sort_keys=True))
        text = json.dumps(told[0] if len(told) == 1 else told, ensure_ascii=False, sort_keys=True)
        return text.encode("utf-8", "surrogatepass")


def meta(source: str, record_id: str, part: str, operation: str) -> dict[str, Any]:
    """The head of a record without a version."""
    return {
        "source": source,
        "record_id": record_id,
        "part": part,
        "operation": operation,
        "epoch": 0,
        "cycle": 0,
        "source_token": None,
        "moved_to": None,
        "row_hash": NO_HASH,
        "rows": 1,
        "observed_at": 0,
        "effective_from": None,
        "effective_to": None,
        "identifiers": [],
    }
