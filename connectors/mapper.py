"""Map: a row becomes records of the department's schema, or a refusal with a reason.

Pure, and total: whatever stands in a row, something comes out. A row is refused as a whole, under every
subject key that can be read in it, so that nobody takes its subject for one on whom nothing is known.

No number of a person enters a record (`connectors.numbers`).
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from connectors import numbers, values
from connectors.mapping import CodeList, FieldKind, FieldMap, Part, Source, field_kinds
from connectors.values import Defect, NotTextError, Tokens
from schemas.audit import AuditKey
from schemas.codec import MAX_VALUE_BYTES, NO_HASH, Contract
from schemas.identifiers import BAD_FORM, Checked
from schemas.subjects import DistrictKey, row_subject
from schemas.text import UnmappedCharacterError

Row = Mapping[str, object]
T = TypeVar("T")

# Longer ones are refused; the store keeps them as keys of at most 511 bytes.
RECORD_ID_CHARACTERS = 128
RECORD_ID_BYTES = 500
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
    """A full image of one part of a row; its meta has no version yet."""

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


class _Refused(Exception):
    def __init__(self, reason: str, *fields: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fields = fields


class Mapper:
    """Maps the rows of one source."""

    def __init__(self, source: Source, contract: Contract, district: DistrictKey, audit: AuditKey) -> None:
        self._source, self._mapping = source, source.mapping
        self._contract, self._district, self._audit = contract, district, audit
        self._tokens = Tokens.of(self._mapping.nulls, self._mapping.open_ends)
        self._zone = ZoneInfo(self._mapping.timezone)
        self._columns = self._mapping.columns()
        self._kinds = {part.type: field_kinds(contract, part.type) for part in self._mapping.records}

    def record_id(self, row: Row) -> str | None:
        """The row's id as it travels; None where it has none. An unusable one is replaced by its pseudonym."""
        return self._identified(row)[0]

    def map(self, row: Row) -> Mapped:
        """What one row comes to."""
        record_id, refused = self._identified(row)
        if record_id is None:
            # Two such rows are told apart by what stands in them.
            record_id = "?" + self._pseudonym(self._body([row]).decode())
        if refused:
            return self._refusal(record_id, [row], refused)
        try:
            operation = self._operation(row)
            if operation == "DELETE":
                return Mapped(record_id, rows=0, gone=True)
            return self._live(record_id, row, operation)
        except _Refused as exc:
            return self._refusal(record_id, [row], exc)

    def map_all(self, rows: Sequence[Row]) -> Mapped:
        """What several rows of one record id come to: one row where they are the same, else a refusal.

        A row flagged as deleted beside one that holds is a contradiction too: nothing says which is newer.
        """
        if len({self._body([row]) for row in rows}) == 1:
            return self.map(rows[0])
        there = [row for row in rows if not self.map(row).gone]
        if not there:
            return self.map(rows[0])
        record_id = self.map(there[0]).record_id
        return self._refusal(record_id, there, _Refused("duplicate_key", *self._mapping.record_id.columns))

    # -- the row's own key and flag

    def _identified(self, row: Row) -> tuple[str | None, _Refused | None]:
        columns = self._mapping.record_id.columns
        raw = [self._raw_or_hex(row[column]) for column in columns]
        whole = raw[0] if len(raw) == 1 else ",".join(f"{len(part)}:{part}" for part in raw)
        try:
            parts = [self._text(row, column) for column in columns]
        except _Refused as exc:
            return self._pseudonym(whole), exc
        if any(part is None for part in parts):
            return None, _Refused("record_id_missing", *columns)
        clean = [part for part in parts if part is not None]
        joined = clean[0] if len(clean) == 1 else ",".join(f"{len(part)}:{part}" for part in clean)
        if len(joined) > RECORD_ID_CHARACTERS or len(joined.encode()) > RECORD_ID_BYTES:
            return self._pseudonym(joined), _Refused("record_id_too_long", *columns)
        personal = self._mapping.record_id.personal or numbers.holds_resident_number(joined)
        return (self._pseudonym(joined) if personal else joined), None

    def _pseudonym(self, text: str) -> str:
        return self._district.pseudonym(self._mapping.source, text)

    def _operation(self, row: Row) -> str:
        operation = self._mapping.operation
        if operation is None:
            return "UPSERT"
        flag = self._text(row, operation.column) or ""
        for flags, name in ((operation.upsert, "UPSERT"), (operation.end, "END"), (operation.delete, "DELETE")):
            if flag in flags:
                return name
        raise _Refused("unknown_operation", operation.column)

    # -- records

    def _live(self, record_id: str, row: Row, operation: str) -> Mapped:
        records: list[Record] = []
        defects: list[str] = []
        for part in self._present(row):
            reading = _Reading(self, row, part, defects)
            meta = self._meta(record_id, part, operation, reading)
            meta["rows"] = 0 if records else 1
            records.append(self._record(part, self._subject(row, part, record_id), meta, reading.fields()))
        if not records:
            raise _Refused("no_part", *(part.when.column for part in self._mapping.records if part.when))
        return Mapped(record_id, records=tuple(records), defects=tuple(dict.fromkeys(defects)))

    def _present(self, row: Row) -> list[Part]:
        def there(part: Part) -> bool:
            return part.when is None or (self._text(row, part.when.column) or "") in part.when.values

        return [part for part in self._mapping.records if there(part)]

    def _subject(self, row: Row, part: Part, record_id: str) -> str:
        numbers = self._numbers(row, part)
        subjects = self._subjects(part, numbers)
        columns = [number.column for number in part.key]
        if len(subjects) > 1:
            raise _Refused("subject_ambiguous", *columns)
        if not subjects and any(number.verdict == BAD_FORM for number in numbers):
            raise _Refused("subject_unreadable", *columns)
        return subjects[0] if subjects else self._nobody(record_id)

    def _nobody(self, record_id: str) -> str:
        return row_subject(self._mapping.source, record_id, self._district)

    def _subjects(self, part: Part, found: Iterable[Checked]) -> list[str]:
        return numbers.subjects(part.subject, found, self._district)

    def _numbers(self, row: Row, part: Part) -> list[Checked]:
        found = []
        for number in part.key:
            raw = self._number_text(row, number.column)
            if raw is not None:
                found.append(self.check(number.scheme, raw))
        return found

    def _number_text(self, row: Row, column: str) -> str | None:
        """The number as it stands there: one with a strange character in it is a bad number, not a bad text."""
        raw = self._raw(row, column)
        try:
            return values.text(raw, self._tokens)
        except UnmappedCharacterError:
            return raw

    def _meta(self, record_id: str, part: Part, operation: str, reading: "_Reading") -> dict[str, Any]:
        token = self._mapping.token
        return {
            **meta(self._mapping.source, record_id, part.part, operation),
            "source_token": reading.token(token.column) if token else None,
            "effective_from": reading.day(part.effective_from.column, "effective_from")
            if part.effective_from
            else None,
            "effective_to": reading.day(part.effective_to.column, "effective_to") if part.effective_to else None,
            "identifiers": self._identifiers(reading.row, part),
        }

    def _identifiers(self, row: Row, part: Part) -> list[dict[str, str]]:
        shown = [self.shown(number) for number in self._numbers(row, part) if number.verdict != BAD_FORM]
        return [dict(zip(("scheme", "value", "verdict"), each, strict=True)) for each in dict.fromkeys(shown)]

    def _record(self, part: Part, subject: str, head: dict[str, Any], fields: dict[str, Any]) -> Record:
        value = {"meta": head, **dict.fromkeys(self._kinds[part.type]), **fields}
        content = self._contract.content(part.type, value)
        if len(content) > MAX_CONTENT_BYTES:
            raise _Refused("record_too_large")
        return Record(Target(part.part, part.type, subject), self._audit.row_hash(part.type, content), value)

    # -- refusals

    def _refusal(self, record_id: str, rows: Sequence[Row], why: _Refused) -> Mapped:
        readable = [self._readable(row) for row in rows]
        first = self._mapping.records[0]
        body = self._body(rows)
        said = json.dumps([self._source.fingerprint, why.reason, why.fields, len(rows)]).encode()
        refusal = Refusal(
            why.reason,
            why.fields,
            readable=tuple(sorted({target for targets in readable for target in targets})),
            fallback=Target(first.part, first.type, self._nobody(record_id)),
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
            return self._present(row)
        except _Refused:
            return self._mapping.records

    def _subjects_or_none(self, row: Row, part: Part) -> list[str]:
        try:
            return self._subjects(part, self._numbers(row, part))
        except _Refused:
            return []

    def _body(self, rows: Sequence[Row]) -> bytes:
        """The rows as canonical JSON, whatever is in them."""
        told = [{column: self._raw_or_hex(row[column]) for column in self._columns} for row in rows]
        told.sort(key=lambda each: json.dumps(each, sort_keys=True))
        text = json.dumps(told[0] if len(told) == 1 else told, ensure_ascii=False, sort_keys=True)
        return text.encode("utf-8", "surrogatepass")

    # -- columns

    def _raw(self, row: Row, column: str) -> str | None:
        try:
            return values.as_text(row[column], self._zone)
        except NotTextError as exc:
            raise _Refused("not_text", column) from exc

    def _raw_or_hex(self, value: object) -> str:
        try:
            return values.as_text(value, self._zone) or ""
        except NotTextError:
            return bytes(value).hex() if isinstance(value, (bytes, bytearray, memoryview)) else type(value).__name__

    def _text(self, row: Row, column: str) -> str | None:
        try:
            return values.text(self._raw(row, column), self._tokens)
        except UnmappedCharacterError as exc:
            raise _Refused("unmapped_character", column) from exc

    # -- what `_Reading` asks for

    def check(self, scheme: str, raw: str) -> Checked:
        return numbers.check(scheme, raw, self._mapping.divisions)

    def shown(self, number: Checked) -> tuple[str, str, str]:
        return numbers.shown(number, self._district)

    def text_of(self, row: Row, column: str) -> str | None:
        return self._text(row, column)

    def day_of(self, row: Row, column: str, *, open_end: bool) -> date | None:
        return values.day(self._raw(row, column), self._tokens, open_end=open_end, zone=self._zone)

    def kind(self, part: Part, field: str) -> FieldKind:
        return self._kinds[part.type][field]

    def code_list(self, name: str) -> CodeList:
        return self._mapping.code_lists[name]


class _Reading:
    """One part of one row being read; notes the fields that could not be."""

    def __init__(self, mapper: Mapper, row: Row, part: Part, defects: list[str]) -> None:
        self.row = row
        self._mapper, self._part, self._defects = mapper, part, defects

    def fields(self) -> dict[str, Any]:
        return {name: self._field(name, field) for name, field in self._part.fields.items()}

    def day(self, column: str, name: str) -> date | None:
        """A day of the part's own validity, which may be an open end."""
        return self._or_defect(name, lambda: self._mapper.day_of(self.row, column, open_end=True))

    def token(self, column: str) -> str | None:
        """The change token; a strange character in it is no reason to refuse the row."""
        try:
            return self._mapper.text_of(self.row, column)
        except _Refused:
            return None

    def _field(self, name: str, field: FieldMap) -> Any:
        readers: dict[FieldKind, Callable[[FieldMap], Any]] = {
            "text": self._text,
            "code": self._code,
            "date": self._date,
            "money": self._money,
        }
        reader = readers[self._mapper.kind(self._part, name)]
        value = self._or_defect(name, lambda: reader(field))
        if value is None and field.required:
            raise _Refused("required_missing", field.column)
        return value

    def _or_defect(self, name: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except Defect:
            self._defects.append(name)
            return None

    def _text(self, field: FieldMap) -> str | None:
        plain = self._mapper.text_of(self.row, field.column)
        if plain is None or field.number is None:
            return plain
        number = self._mapper.check(field.number, plain)
        if number.verdict == BAD_FORM:
            raise Defect
        return self._mapper.shown(number)[1]

    def _code(self, field: FieldMap) -> dict[str, str | None] | None:
        raw = self._mapper.text_of(self.row, field.column)
        if raw is None:
            return None
        codes = self._mapper.code_list(field.codes or "")
        return {"raw": raw, "canonical": _canonical(codes, raw), "list": codes.version}

    def _date(self, field: FieldMap) -> date | None:
        return self._mapper.day_of(self.row, field.column, open_end=field.open_end)

    def _money(self, field: FieldMap) -> dict[str, Any] | None:
        raw = self._mapper.text_of(self.row, field.column)
        if raw is None:
            return None
        said = field.currency
        beside = self._mapper.text_of(self.row, said.column) if said and said.column else None
        found = values.amount(raw, field.unit or "元", values.currency(beside))
        if found is None:
            return None
        letters = found.currency or (said.default if said else None)
        if letters is None:
            raise Defect
        return {"amount": found.value, "currency": letters, "raw": raw}


def _canonical(codes: CodeList, raw: str) -> str | None:
    code = values.code(raw)
    if codes.form is not None:
        return code if re.fullmatch(codes.form, code) else codes.otherwise
    return codes.values.get(raw, codes.values.get(code, codes.otherwise))


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
