"""A look at what a family of files would show next, in a folder of its own of which nothing stays."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from connectors.mapping import Source
from connectors.sources.files.intake import TABLE
from connectors.sources.files.source import FileSource
from connectors.sources.files.table import copy


@contextmanager
def looked_at(source: Source, folder: Path, now: Callable[[], float] = time.time) -> Iterator[FileSource]:
    """The source with the next delivery taken in, as the connector that keeps this folder would take it."""
    with TemporaryDirectory() as name:
        if (folder / TABLE).exists():
            copy(folder / TABLE, Path(name) / TABLE)
        with closing(FileSource(source, Path(name), now)) as rows:
            rows.reach()
            yield rows
