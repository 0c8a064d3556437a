"""The same value in the many ways departments write it.

>>> day(date(2017, 7, 7)), full_width("12号"), tuple(other_days(date(2005, 4, 29)))
('2017-7-7', '１２号', ('2005年4月29日', '2005年04月29', '20050429', '2005-04-29 0:00:00'))
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random

NO_END = "9999-12-31"
OPEN_ENDS = ("9999-9-9", "9999年12月31", "5000年01月01", "长期", "2099-12-31 00:00:00", "", None)
NULLS = ("", "NULL", "null", "\\N", "无", "暂无", "/", "-", "--", "——", "*", "?", "不详", None)
PADDING = (" ", "\u3000", "\u00a0", "\ufeff", "\u200b", "  ")
IMPOSSIBLE_DAY, PLACEHOLDER_DAY = "2016-02-30", "1900-01-01"

# GB18030-2000 had no code points for these yet: its two-byte codes decode to private use, and stand for the right side.
PRIVATE_USE = {"\ue81e": "\u9fb4", "\ue826": "\u9fb5", "\ue82b": "\u9fb6", "\ue864": "\u9fbb"}
UNMAPPED = "\ue000"
RARE = "䶮"


def day(value: date) -> str:
    """As market supervision mostly writes it: without leading zeros."""
    return f"{value.year}-{value.month}-{value.day}"


def day_and_midnight(value: date) -> str:
    """As the tax office mostly writes it: a day is a moment at midnight."""
    return f"{value:%Y-%m-%d} 00:00:00"


def other_days(value: date) -> Iterator[str]:
    yield f"{value.year}年{value.month}月{value.day}日"
    yield f"{value:%Y年%m月%d}"
    yield f"{value:%Y%m%d}"
    yield f"{value:%Y-%m-%d} 0:00:00"


def moment(value: date, random: Random) -> str:
    return f"{day(value)} {random.randrange(8, 22)}:{random.randrange(60):02d}:{random.randrange(60):02d}"


def stamp(value: date, random: Random) -> str:
    """A moment as most systems write it."""
    return f"{value:%Y-%m-%d} {random.randrange(8, 22):02d}:{random.randrange(60):02d}:{random.randrange(60):02d}"


def digits(value: date) -> str:
    return f"{value:%Y%m%d}"


def capitals(amount: int) -> Iterator[str]:
    """A capital of `amount` ten-thousand yuan as suppliers spell it."""
    yield f"{amount}.000000万人民币"
    yield f"{amount}.000000万"
    yield f"{amount}"
    yield f"{amount},000000"


def full_width(text: str) -> str:
    """ASCII letters and digits at double width."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def other_brackets(text: str) -> str:
    return text.replace("（", "(").replace("）", ")")
