"""The months of one year as twelve letters, January first: which were paid, and whether in time.

T paid in or before the month after the one it was for, B paid later, M not paid, N nothing is said of it.

>>> letters([Due("201601", "201602"), Due("201602", "201604"), Due("201612", None)])
'TBNNNNNNNNNM'
"""

from collections.abc import Iterable
from typing import NamedTuple


class Due(NamedTuple):
    """One month that was to be paid, and the month in which it was, both YYYYMM; none: it was not."""

    month: str
    paid_in: str | None


class ContradictionError(Exception):
    """Two rows say different things of one month."""


def letters(dues: Iterable[Due]) -> str:
    """The twelve letters; a month that is said twice in the same words is said once."""
    said: dict[int, Due] = {}
    for due in dues:
        if said.setdefault(int(due.month[4:]), due) != due:
            raise ContradictionError
    return "".join(_letter(said[month]) if month in said else "N" for month in range(1, 13))


def _letter(due: Due) -> str:
    if due.paid_in is None:
        return "M"
    return "T" if _count(due.paid_in) <= _count(due.month) + 1 else "B"


def _count(month: str) -> int:
    return int(month[:4]) * 12 + int(month[4:])
