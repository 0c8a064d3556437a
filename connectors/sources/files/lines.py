"""What every form of file is read into: lines of text, in the order of the columns that are wanted."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from connectors.reading import Limits
from connectors.sources.files.reject import Reject

# Bytes stand for what is in the file but cannot be said as text: the mapper refuses that row, and only that.
Value = str | bytes | None


class Line(NamedTuple):
    """A row, and where it stands in the file."""

    number: int
    values: Sequence[Value]


def places(found: Sequence[str], wanted: Sequence[str], limits: Limits, line: int) -> list[int]:
    """Where the wanted columns stand among those that a header names."""
    if len(found) > limits.columns:
        raise Reject("columns_too_many", line, limit=limits.columns)
    counted = Counter(found)
    for column in wanted:
        if counted[column] == 0:
            raise Reject("column_missing", line, column=column)
        if counted[column] > 1:
            raise Reject("column_twice", line, column=column)
    return [found.index(column) for column in wanted]


def within(lines: Iterator[Line], wanted: Sequence[str], limits: Limits) -> Iterator[Line]:
    """The lines, as long as there are no more of them, and none longer, than a file may have."""
    # Four bytes are the most a character takes: shorter values, nearly all, need not be encoded to be measured.
    short = limits.field_bytes // 4
    for count, line in enumerate(lines, 1):
        if count > limits.rows:
            raise Reject("rows_too_many", line.number, limit=limits.rows)
        for column, value in zip(wanted, line.values, strict=True):
            if isinstance(value, str) and (len(value) > short or "\0" in value):
                _refuse_value(value, column, line.number, limits)
        yield line


def _refuse_value(value: str, column: str, line: int, limits: Limits) -> None:
    if "\0" in value:
        raise Reject("nul", line)
    if len(value.encode()) > limits.field_bytes:
        raise Reject("field_too_long", line, column=column, limit=limits.field_bytes)
