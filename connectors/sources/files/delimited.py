r"""Delimited text: a row a line, split at the separator and at nothing else.

The standard library's csv is not used. These files are written by a plain join: a quotation mark is a character
of a name, and a reader that takes it for the beginning of a quoted field swallows lines until the next one, or
the rest of the file. A separator inside a value shows as one field too many, and refuses the file.

Lines are parted before they are decoded, fields after: no character of GB18030 holds a line feed as one of its
bytes, but many hold the byte of `|`. Nothing else ends a line, not even what Unicode calls a line end.

>>> from io import BytesIO
>>> [
...     line.values
...     for line in rows(
...         BytesIO('1|示"例\r\n'.encode("gb18030")),
...         Delimited(separator="|", columns=("ID", "NAME")),
...         ("NAME", "ID"),
...         "gb18030",
...         Limits(),
...     )
... ]
[['示"例', '1']]
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from connectors.reading import Delimited, Encoding, Limits
from connectors.sources.files.decoding import BOM, refuse_mislabelled
from connectors.sources.files.lines import Line, places
from connectors.sources.files.reject import Reject


def rows(file: BinaryIO, form: Delimited, wanted: Sequence[str], encoding: Encoding, limits: Limits) -> Iterator[Line]:
    """Every row, with the columns that are wanted."""
    refuse_mislabelled(file, encoding)
    lines = _decoded(_parted(file, limits), encoding)
    columns: Sequence[str] = form.columns
    if form.header:
        columns = [name.strip() for name in next(lines, (1, ""))[1].split(form.separator)]
    at = places(columns, wanted, limits, 1)
    for number, text in lines:
        fields = text.split(form.separator)
        if len(fields) != len(columns):
            raise Reject("field_count", number, said=len(columns), found=len(fields))
        yield Line(number, [fields[place] for place in at])


def _parted(file: BinaryIO, limits: Limits) -> Iterator[tuple[int, bytes]]:
    """Lines without their end; all of them end as the first does, but the last need not."""
    first = None
    number = 0
    while line := file.readline(limits.line_bytes + 2):
        number += 1
        body = line.removesuffix(b"\n").removesuffix(b"\r")
        if len(body) > limits.line_bytes:
            raise Reject("line_too_long", number, limit=limits.line_bytes)
        end = line[len(body) :]
        first = first or end
        if b"\r" in body or (end != first and end):
            raise Reject("line_ends", number)
        yield number, body


def _decoded(lines: Iterator[tuple[int, bytes]], encoding: Encoding) -> Iterator[tuple[int, str]]:
    for number, line in lines:
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            raise Reject("not_decodable", number, encoding=encoding) from None
        if text.startswith(BOM):
            if number > 1:
                raise Reject("bom_inside", number)
            text = text.removeprefix(BOM)
        if "\0" in text:
            raise Reject("nul", number)
        yield number, text
