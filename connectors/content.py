"""What one part of a record says: read out of its row, or out of the rows of a group, which have to agree."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from connectors import months, numbers, values
from connectors.columns import Columns, Refused, Row
from connectors.fields import CodeList, FieldKind, FieldMap, Months, Number, Reference
from connectors.mapping import Part, SourceMapping
from connectors.months import ContradictionError, Due
from connectors.values import OPEN_END, Defect
from schemas.identifiers import BAD_FORM, Checked
from schemas.subjects import DistrictKey

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the rows of one source are read by; `kinds`: by record type, what each field holds."""

    mapping: SourceMapping
    kinds: Mapping[str, Mapping[str, FieldKind]]
    columns: Columns
    district: DistrictKey

    def contradiction(self) -> Refused:
        """Why rows of one id cannot be used that do not say the same."""
        return Refused("duplicate_key", *self.mapping.record_id.columns)


class Reading:
    """Reads a part, and notes in `defects` the fields that could not be."""

    def __init__(self, rules: Rules, part: Part, rows: Sequence[Row], defects: list[str]) -> None:
        self._rules, self._part, self._rows, self._defects = rules, part, rows, defects
        self._columns, self._kinds = rules.columns, rules.kinds[part.type]
        self._readers: dict[FieldKind, Callable[[Row, FieldMap, str], Any]] = {
            "text": self._text,
            "code": self._code,
            "date": self._date,
            "money": self._money,
        }

    def fields(self) -> dict[str, Any]:
        return {name: self._field(name, field) for name, field in self._part.fields.items()}

    def day(self, name: str) -> date | None:
        """A day of the part's own validity, which may be an open end."""
        said = getattr(self._part, name)
        if said is None:
            return None
        return self._agreed(name, lambda row: self._columns.day(row, said.column, open_end=True))

    def token(self) -> str | None:
        """The change token, where there is one; a strange character in it is no reason to refuse the row."""
        said = self._rules.mapping.token
        if said is None or len(self._rows) > 1:
            return None
        try:
            return self._columns.text(self._rows[0], said.column)
        except Refused:
            return None

    def identifiers(self) -> list[dict[str, str]]:
        """Every number as it may be seen; one of no known form or kind is left out."""
        found = dict.fromkeys(number for said in self._part.numbers for number in self._numbers(said))
        seen = dict.fromkeys(numbers.shown(number, self._rules.district) for number in found)
        return [dict(zip(("scheme", "value", "verdict"), each, strict=True)) for each in seen]

    def _numbers(self, said: Number) -> list[Checked]:
        found = (self._or_nothing("identifiers", lambda row: self._number(row, said), row) for row in self._rows)
        return [number for number in found if number is not None]

    def _number(self, row: Row, said: Number) -> Checked | None:
        number = self._columns.number(row, said)
        if number is not None and number.verdict == BAD_FORM:
            raise Defect
        return number

    def _field(self, name: str, field: FieldMap) -> Any:
        value: Any
        if field.months:
            value = self._months(field.months)
        elif field.subject:
            value = self._subject(name, field.subject)
        else:
            value = self._agreed(name, lambda row: self._value(row, field, self._kinds[name]))
        if value is None and field.required:
            raise Refused("required_missing", *_columns_of(field))
        return value

    def _agreed(self, name: str, read: Callable[[Row], T]) -> T | None:
        first = self._or_nothing(name, read, self._rows[0])
        for row in self._rows[1:]:
            if self._or_nothing(name, read, row) != first:
                raise self._rules.contradiction()
        return first

    def _or_nothing(self, name: str, read: Callable[[Row], T], row: Row) -> T | None:
        try:
            return read(row)
        except Defect:
            self._defects.append(name)
            return None

    # -- over all rows

    def _subject(self, name: str, said: Reference) -> str | None:
        """The key that the numbers name; none where they name nobody, or two."""
        found = self._columns.numbers(self._rows, said.numbers)
        subjects = numbers.subjects(said.kind, found, self._rules.district)
        if len(subjects) == 1:
            return subjects[0]
        if subjects or any(number.verdict == BAD_FORM for number in found):
            self._defects.append(name)
        return None

    def _months(self, said: Months) -> str:
        try:
            return months.letters(self._due(row, said) for row in self._rows)
        except ContradictionError as exc:
            raise self._rules.contradiction() from exc

    def _due(self, row: Row, said: Months) -> Due:
        """One row's month. What is unclear is refused: no letter says that something is not known."""
        unclear = Refused("month_unclear", said.due, said.flag, said.paid_in)
        try:
            due = self._columns.month(row, said.due)
            paid_in = self._columns.month(row, said.paid_in)
        except Defect as exc:
            raise unclear from exc
        if due is None or self._columns.text(row, said.flag) not in (said.paid if paid_in else said.unpaid):
            raise unclear
        return Due(due, paid_in)

    # -- in one row

    def _value(self, row: Row, field: FieldMap, kind: FieldKind) -> Any:
        try:
            return self._readers[kind](row, field, field.column or "")
        except Defect as exc:
            if field.must_read:
                raise Refused("value_unreadable", *_columns_of(field)) from exc
            raise

    def _text(self, row: Row, field: FieldMap, column: str) -> str | None:
        if field.take == "year":
            return self._columns.year(row, column)
        if field.take == "month":
            return self._columns.month(row, column, open_end=field.open_end)
        plain = self._columns.text(row, column)
        if plain is None or field.number is None:
            return plain
        number = self._columns.check(field.number, plain)
        if number.verdict == BAD_FORM:
            raise Defect
        return numbers.shown(number, self._rules.district)[1]

    def _code(self, row: Row, field: FieldMap, column: str) -> dict[str, str | None] | None:
        raw = self._columns.text(row, column)
        if raw is None:
            return None
        codes = self._rules.mapping.code_lists[field.codes or ""]
        return {"raw": raw, "canonical": _canonical(codes, raw), "list": codes.version}

    def _date(self, row: Row, field: FieldMap, column: str) -> date | None:
        flag = field.open_end_when
        found = self._columns.day(row, column, open_end=field.open_end or flag is not None)
        if flag is None or not self._columns.holds(row, flag):
            return found
        if found not in (None, OPEN_END):
            raise Defect
        return OPEN_END

    def _money(self, row: Row, field: FieldMap, column: str) -> dict[str, Any] | None:
        raw = self._columns.text(row, column)
        if raw is None:
            return None
        said = field.currency
        beside = self._columns.text(row, said.column) if said and said.column else None
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


def _columns_of(field: FieldMap) -> list[str]:
    return [column for _, column in field.columns()]
