"""What stands in a row's columns, by the rules of its source: text, day, month, number; or why it cannot be used."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from itertools import product
from zoneinfo import ZoneInfo

from connectors import values
from connectors.fields import Number, When
from connectors.mapping import SourceMapping
from connectors.values import Defect, NotTextError, Tokens
from schemas.identifiers import Checked, check
from schemas.text import UnmappedCharacterError

Row = Mapping[str, object]


class Refused(Exception):
    """The row cannot be used, for what stands in these columns."""

    def __init__(self, reason: str, *columns: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.columns = columns


class Columns:
    """Reads the columns of one source's rows."""

    def __init__(self, mapping: SourceMapping) -> None:
        self._tokens = Tokens.of(mapping.nulls, mapping.open_ends)
        self._zone = ZoneInfo(mapping.timezone)
        self._divisions = mapping.divisions

    def written(self, row: Row, column: str) -> str:
        """What stands there, whatever it is: to tell rows apart by."""
        value = row[column]
        try:
            return values.as_text(value, self._zone) or ""
        except NotTextError:
            return bytes(value).hex() if isinstance(value, (bytes, bytearray, memoryview)) else type(value).__name__

    def text(self, row: Row, column: str) -> str | None:
        try:
            return values.text(self._raw(row, column), self._tokens)
        except UnmappedCharacterError as exc:
            raise Refused("unmapped_character", column) from exc

    def holds(self, row: Row, when: When) -> bool:
        return (self.text(row, when.column) or "") in when.values

    def day(self, row: Row, column: str, *, open_end: bool) -> date | None:
        """The day; raises `Defect`."""
        return values.day(self._raw(row, column), self._tokens, open_end=open_end, zone=self._zone)

    def month(self, row: Row, column: str, *, open_end: bool = False) -> str | None:
        """The month as YYYYMM, nothing for an open end; raises `Defect`."""
        return values.month(self._raw(row, column), self._tokens, open_end=open_end, zone=self._zone)

    def year(self, row: Row, column: str) -> str | None:
        """The year as YYYY; raises `Defect`."""
        return values.year(self._raw(row, column), self._tokens, zone=self._zone)

    def numbers(self, rows: Iterable[Row], numbers: Sequence[Number]) -> list[Checked]:
        """Every number that stands in these rows and is of a known kind, once."""
        found: dict[Checked | None, None] = {}
        for row, number in product(rows, numbers):
            with suppress(Defect):
                found[self.number(row, number)] = None
        return [each for each in found if each is not None]

    def number(self, row: Row, number: Number) -> Checked | None:
        """The number; raises `Defect` where the row does not say of which kind it is: then it names nobody."""
        raw = self._number_text(row, number.column)
        if raw is None:
            return None
        return self.check(number.scheme or self._scheme(row, number), raw)

    def check(self, scheme: str, raw: str) -> Checked:
        return check(scheme, raw, self._divisions)

    def _scheme(self, row: Row, number: Number) -> str:
        told = number.scheme_of
        kind = self.text(row, told.column) if told else None
        scheme = told.values.get(kind, told.values.get(values.code(kind))) if told and kind else None
        if scheme is None:
            raise Defect
        return scheme

    def _number_text(self, row: Row, column: str) -> str | None:
        """The number as it stands there: one with a strange character in it is a bad number, not a bad text."""
        raw = self._raw(row, column)
        try:
            return values.text(raw, self._tokens)
        except UnmappedCharacterError:
            return raw

    def _raw(self, row: Row, column: str) -> str | None:
        try:
            return values.as_text(row[column], self._zone)
        except NotTextError as exc:
            raise Refused("not_text", column) from exc
