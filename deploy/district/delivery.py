"""Bringing a whole district to its departments, block by block: databases filled, files dropped, the truth written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from deploy.district import databases, drops
from deploy.district.changes import Change
from deploy.district.databases import Databases
from deploy.district.drops import Drops
from deploy.district.sample import District
from deploy.district.sources import IN_DATABASES, IN_FOLDERS
from deploy.district.truth_file import TruthFile


@dataclass(frozen=True, slots=True)
class Places:
    """Where the departments keep their rows: the URL of a database, or a folder, by department."""

    urls: Mapping[str, str]
    folders: Mapping[str, Path]

    @classmethod
    def below(cls, folder: Path) -> Places:
        """A SQLite database or a folder for each, all in one place."""
        urls = {department: f"sqlite:///{folder / department}.db" for department in IN_DATABASES}
        return cls(urls, {department: folder / department for department in IN_FOLDERS})


@dataclass(slots=True)
class Counts:
    """What was delivered."""

    people: int = 0
    legal: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    planted: Counter[str] = field(default_factory=Counter)


def deliver(
    blocks: Iterable[District],
    places: Places,
    at: datetime,
    truth: TruthFile | None = None,
    progress: Callable[[Counts], None] | None = None,
) -> Counts:
    """Everything there at once, as of this moment; what stood in the databases before is gone."""
    counts = Counts()
    with ExitStack() as stack:
        filled = stack.enter_context(Databases(places.urls))
        dropped = stack.enter_context(Drops(places.folders, at))
        for block in blocks:
            filled.add(block.rows)
            dropped.add(block.rows)
            if truth is not None:
                truth.add(block)
            _count(counts, block)
            if progress is not None:
                progress(counts)
    return counts


def apply(district: District, changes: Iterable[Change], places: Places, at: datetime) -> list[Path]:
    """Carry out the changes that lead to this district; the data files delivered for it."""
    happened = list(changes)
    databases.apply(happened, places.urls)
    return drops.apply(district, happened, places.folders, at)


def _count(counts: Counts, block: District) -> None:
    counts.people += len(block.people)
    counts.legal += len(block.persons)
    for row in block.rows:
        counts.rows[row.source] += row.times
        counts.planted.update(kind for kind, _ in row.planted)
