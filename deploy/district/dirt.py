"""What is wrong with the departments' rows, each kind at its own small rate, and every case written down.

A kind rewrites one row, or gives None where that row cannot carry it. It says in the row what a correct
reader must take from it afterwards; `planted` keeps the kind and the attribute it touches. A row carries at
most one kind of each area, so that kinds never undo each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random

from deploy.district.kinds import KINDS, Kind
from deploy.district.persons import LegalPerson
from deploy.district.rows import Row

# The first rows that can carry a kind carry it, however rare it is: a small district has all of them.
_FIRST = 12


class Sower:
    """Plants dirt in rows as they come by, each kind about once in as many rows as its rate says."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._plots: dict[str, list[_Plot]] = {}
        for kind in KINDS:
            self._plots.setdefault(kind.source, []).append(_Plot(kind, random))

    def sow(self, rows: Iterable[Row], persons: Mapping[int, LegalPerson]) -> list[Row]:
        return [sown for row in rows for sown in self._sown(row, persons)]

    def _sown(self, row: Row, persons: Mapping[int, LegalPerson]) -> list[Row]:
        sown, taken = [row], set[str]()
        for plot in self._plots.get(row.source, ()):
            if plot.kind.area in taken or not plot.is_due():
                continue
            dirty = plot.kind.soil(sown[0], persons, self._random)
            if dirty is None:
                continue
            plot.planted()
            rows = dirty if isinstance(dirty, list) else [dirty]
            sown = [each.plant(plot.kind.name, plot.kind.attribute) for each in rows]
            taken.add(plot.kind.area)
            if plot.kind.area == "row":
                break
        return sown


class _Plot:
    """How many rows came by that a kind could fall on, and at which the next is due."""

    def __init__(self, kind: Kind, random: Random) -> None:
        self.kind = kind
        self._random = random
        self._interval = 1 / kind.rate
        self._came = 0
        self._due = random.random() * min(self._interval, _FIRST)

    def is_due(self) -> bool:
        self._came += 1
        return self._came > self._due

    def planted(self) -> None:
        self._due = self._came + self._interval * self._random.uniform(0.5, 1.5) - 0.5
