"""Civil time: the days and months in which people and departments here count.

A month is a number that grows by one, so that arithmetic on months is arithmetic.

>>> month_text(month_of("202412") + 1)
'2025-01'
"""

import re
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

CIVIL_TIME: Final = ZoneInfo("Asia/Shanghai")

_YEAR_AND_MONTH: Final = re.compile(r"(?P<year>[0-9]{4})(?P<month>0[1-9]|1[0-2])")


def day_of(at: datetime) -> date:
    """The civil day of a moment."""
    return at.astimezone(CIVIL_TIME).date()


def month_in(day: date) -> int:
    """The month of a day."""
    return day.year * 12 + day.month - 1


def month_of(text: str) -> int | None:
    """The month a department writes as YYYYMM; None: it is none."""
    found = _YEAR_AND_MONTH.fullmatch(text)
    return None if found is None else int(found["year"]) * 12 + int(found["month"]) - 1


def month_text(month: int) -> str:
    """A month as people read it."""
    return f"{month // 12:04}-{month % 12 + 1:02}"


def month_begins(month: int) -> datetime:
    """The first moment of a month."""
    return datetime.combine(date(month // 12, month % 12 + 1, 1), time(), CIVIL_TIME)
