"""Sources: how a department's rows are read. Each kind gives snapshots, and says what stops it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from connectors.mapping import Source
from connectors.sources.files import preview, standing
from connectors.sources.files.source import FileSource
from connectors.sources.snapshot import Rows
from connectors.sources.sql import SqlSource

_FILES = "files"


def opened(source: Source, folder: Path) -> Rows:
    """The source as its YAML says it is read; what it must remember lies in the folder."""
    return FileSource(source, folder / _FILES) if source.mapping.read.files else SqlSource(source)


@contextmanager
def looked_at(source: Source, folder: Path) -> Iterator[Rows]:
    """The source with what it would show next, for whoever changes nothing and sends nothing."""
    if source.mapping.read.files:
        with preview.looked_at(source, folder / _FILES) as rows:
            yield rows
    else:
        with closing(SqlSource(source)) as rows:
            yield rows


def told(source: Source, folder: Path) -> dict[str, Any] | None:
    """What a source has to say of itself, for a person; None where there is nothing but its position."""
    return standing.told(source, folder / _FILES) if source.mapping.read.files else None
