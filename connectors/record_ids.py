"""The id a row travels under: its department's own key, or a pseudonym of it where it is or may be a person's."""

from collections.abc import Iterable

from connectors import numbers
from connectors.columns import Columns, Refused, Row
from connectors.mapping import SourceMapping
from connectors.values import Defect
from schemas.subjects import DistrictKey, row_subject

# Longer ones are refused; the store keeps them as keys of at most 511 bytes.
RECORD_ID_CHARACTERS = 128
RECORD_ID_BYTES = 500


class RecordIds:
    """Tells the rows of one source."""

    def __init__(self, mapping: SourceMapping, columns: Columns, district: DistrictKey) -> None:
        self._source, self._said = mapping.source, mapping.record_id
        self._columns, self._district = columns, district

    def of(self, row: Row) -> tuple[str | None, Refused | None]:
        """The row's id, none where it has none, and why it cannot be used: then it is replaced by its pseudonym."""
        names = self._said.columns
        try:
            parts = [self._part(row, name) for name in names]
        except Refused as exc:
            return self.pseudonym(_joined([self._columns.written(row, name) for name in names])), exc
        clean = [part for part in parts if part is not None]
        if len(clean) < len(parts):
            return None, Refused("record_id_missing", *names)
        joined = _joined(clean)
        if len(joined) > RECORD_ID_CHARACTERS or len(joined.encode()) > RECORD_ID_BYTES:
            return self.pseudonym(joined), Refused("record_id_too_long", *names)
        personal = self._said.personal or any(map(numbers.holds_resident_number, clean))
        return (self.pseudonym(joined) if personal else joined), None

    def nobody(self, record_id: str, part: str) -> str:
        """The key of a subject that no number names; two parts of a row are two subjects."""
        return row_subject(self._source, _joined([record_id, part]) if part else record_id, self._district)

    def pseudonym(self, text: str) -> str:
        return self._district.pseudonym(self._source, text)

    def _part(self, row: Row, column: str) -> str | None:
        if column not in self._said.years:
            return self._columns.text(row, column)
        try:
            return self._columns.year(row, column)
        except Defect as exc:
            raise Refused("record_id_unreadable", column) from exc


def _joined(parts: Iterable[str]) -> str:
    """One text of several, which no others give."""
    parts = list(parts)
    return parts[0] if len(parts) == 1 else ",".join(f"{len(part)}:{part}" for part in parts)
