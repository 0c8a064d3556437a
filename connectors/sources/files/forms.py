"""A data file as lines, whatever its form."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from connectors.reading import Files
from connectors.sources.files import delimited, markup, spreadsheet
from connectors.sources.files.lines import Line, within


def lines(data: Path, files: Files, wanted: Sequence[str]) -> Iterator[Line]:
    """Every row of the file with the columns that are wanted; raises `Reject` where it cannot be read."""
    with data.open("rb") as file:
        if files.delimited:
            found = delimited.rows(file, files.delimited, wanted, files.encoding, files.limits)
        elif files.xml:
            found = markup.rows(file, files.xml, wanted, files.encoding, files.limits)
        elif files.xlsx:
            found = spreadsheet.rows(file, files.xlsx, wanted, files.limits)
        yield from within(found, wanted, files.limits)
