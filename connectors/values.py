"""What stands in a column, as text, day, amount or code, in all the spellings departments use.

An odd spelling that can mean one thing only is taken for it. One that cannot be read, or could mean two
things, is a defect: the value is left out and counted by its field, and the row still goes.

>>> day("2005年04月29", Tokens.of(["/"], [])), day("/", Tokens.of(["/"], []))
(datetime.date(2005, 4, 29), None)
>>> month("2016-3", Tokens.of([], [])), year("2016年度", Tokens.of([], []))
('201603', '2016')
>>> amount("9000.000000万人民币", "万元", None)
Amount(value=Decimal('90000000.000000'), currency='CNY')
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from schemas.text import UnmappedCharacterError, clean, code_form

OPEN_END: Final = date(9999, 12, 31)
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


class Defect(ValueError):
    """The value cannot be read, or could mean two things."""


class NotTextError(ValueError):
    """The driver hands over something that is no text, number or time."""


class Amount(NamedTuple):
    """Money in whole units of its currency."""

    value: Decimal
    currency: str | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a department writes for nothing and for no end; where a token is a day, any spelling of it counts."""

    nulls: frozenset[str]
    null_days: frozenset[date]
    open_ends: frozenset[str]
    open_days: frozenset[date]

    @classmethod
    def of(cls, nulls: Iterable[str], open_ends: Iterable[str]) -> "Tokens":
        """The tokens as listed; empty text is always nothing."""
        empty, endless = {"", *map(_token, nulls)}, set(map(_token, open_ends))
        return cls(frozenset(empty), frozenset(_days(empty)), frozenset(endless), frozenset(_days(endless)))


def _token(text: str) -> str:
    """A token in the form in which values are compared with it."""
    return clean(text)


def _days(tokens: Iterable[str]) -> Iterable[date]:
    for token in tokens:
        try:
            yield _calendar_day(token)
        except Defect:
            continue


def as_text(value: object, zone: ZoneInfo = SHANGHAI) -> str | None:
    """What the driver hands over, as the text it stands for; times with an offset in the source's own time."""
    match value:
        case None | str():
            return value
        case bool():
            return "1" if value else "0"
        case Decimal():
            return _plain_decimal(value)
        case int():
            return str(value)
        case float():
            return repr(value) if math.isfinite(value) else ""
        case datetime():
            return (value.astimezone(zone) if value.tzinfo else value).replace(tzinfo=None).isoformat(" ")
        case date() | time():
            return value.isoformat()
    raise NotTextError(type(value).__name__)


def _plain_decimal(value: Decimal) -> str:
    return format(value, "f") if value.is_finite() else ""


def text(value: str | None, tokens: Tokens) -> str | None:
    """The text without padding, or nothing; raises `UnmappedCharacterError`."""
    plain = "" if value is None else clean(value)
    return None if plain in tokens.nulls else plain


_DAY: Final = re.compile(
    r"(?P<year>[0-9]{4})\s?[-/.年]\s?(?P<month>[0-9]{1,2})\s?[-/.月]\s?(?P<day>[0-9]{1,2})\s?日?"
    r"(?:[ T]?(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_DIGITS: Final = re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?:\.0+)?")


def day(value: str | None, tokens: Tokens, *, open_end: bool = False, zone: ZoneInfo = SHANGHAI) -> date | None:
    """The day, an open end where the column may have one, or nothing; raises `Defect`.

    An end that says "never" in a column that has no ends is a defect, not a day in the year 9999.
    """
    plain = _readable(value, tokens)
    if plain is None:
        return None
    if plain in tokens.open_ends:
        return _endless(open_end=open_end)
    found = _calendar_day(plain, zone)
    if found in tokens.null_days:
        raise Defect
    if found in tokens.open_days or found.year == OPEN_END.year:
        return _endless(open_end=open_end)
    return found


def _endless(*, open_end: bool) -> date:
    if not open_end:
        raise Defect
    return OPEN_END


def _calendar_day(plain: str, zone: ZoneInfo = SHANGHAI) -> date:
    narrow = code_form_keeping_hyphens(plain)
    found = _DIGITS.fullmatch(narrow) or _DAY.fullmatch(narrow)
    if not found:
        raise Defect
    try:
        read = date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError as exc:
        raise Defect from exc
    return _in_zone(read, found, zone) if found.groupdict().get("offset") else read


def _in_zone(read: date, found: re.Match[str], zone: ZoneInfo) -> date:
    """The day at the source, of a time that names its own offset."""
    clock = found["time"] if len(found["time"].split(":")[0]) == 2 else "0" + found["time"]
    try:
        return datetime.fromisoformat(f"{read.isoformat()}T{clock}{found['offset']}").astimezone(zone).date()
    except (ValueError, OverflowError) as exc:
        raise Defect from exc


_MONTH: Final = re.compile(
    r"(?P<year>[0-9]{4})(?:(?P<two>[0-9]{2})(?:\.0+)?|\s?[-/年]\s?(?P<one>[0-9]{1,2})\s?(?:月份?)?)"
)
_YEAR: Final = re.compile(r"(?P<year>[0-9]{4})(?:\.0+|\s?年度?)?")


def month(value: str | None, tokens: Tokens, *, open_end: bool = False, zone: ZoneInfo = SHANGHAI) -> str | None:
    """The month, of a day too, as YYYYMM; nothing for nothing, and for an open end; raises `Defect`."""
    plain = _readable(value, tokens)
    if plain is None:
        return None
    found = _MONTH.fullmatch(code_form_keeping_hyphens(plain))
    if plain in tokens.open_ends or not found:
        whole = day(value, tokens, open_end=open_end, zone=zone)
        return None if whole is None or whole == OPEN_END else f"{_plausible(f'{whole.year:04d}')}{whole.month:02d}"
    number = int(found["two"] or found["one"])
    if found["year"] == str(OPEN_END.year) and open_end:
        return None
    if not 1 <= number <= 12:
        raise Defect
    return f"{_plausible(found['year'])}{number:02d}"


def year(value: str | None, tokens: Tokens, *, zone: ZoneInfo = SHANGHAI) -> str | None:
    """The year, of a month or a day too, as YYYY; raises `Defect`."""
    plain = _readable(value, tokens)
    found = _YEAR.fullmatch(code_form_keeping_hyphens(plain)) if plain else None
    if found:
        return _plausible(found["year"])
    whole = month(value, tokens, zone=zone)
    return whole[:4] if whole else None


def _plausible(digits: str) -> str:
    """1900 and 9999 are written for no year."""
    if not 1900 < int(digits) < 2100:
        raise Defect
    return digits


def _readable(value: str | None, tokens: Tokens) -> str | None:
    try:
        return text(value, tokens)
    except UnmappedCharacterError as exc:
        raise Defect from exc


_WIDE: Final = {ord("０") + n: ord("0") + n for n in range(10)} | {
    ord("－"): ord("-"),
    ord("／"): ord("/"),
    ord("："): ord(":"),
}


def code_form_keeping_hyphens(plain: str) -> str:
    """Digits and signs at single width: days are told apart by their hyphens."""
    return plain.translate(_WIDE)


_CURRENCY_OF_NAME: Final = {
    "人民币": "CNY", "人民币元": "CNY", "156": "CNY", "CNY": "CNY", "RMB": "CNY",
    "美元": "USD", "840": "USD", "USD": "USD",
    "港元": "HKD", "香港元": "HKD", "港币": "HKD", "344": "HKD", "HKD": "HKD",
    "欧元": "EUR", "978": "EUR", "EUR": "EUR",
    "日元": "JPY", "392": "JPY", "JPY": "JPY",
    "英镑": "GBP", "826": "GBP", "GBP": "GBP",
    "新台币": "TWD", "901": "TWD", "TWD": "TWD",
    "澳门元": "MOP", "446": "MOP", "MOP": "MOP",
    "新加坡元": "SGD", "702": "SGD", "SGD": "SGD",
    "加拿大元": "CAD", "124": "CAD", "CAD": "CAD",
    "澳大利亚元": "AUD", "036": "AUD", "AUD": "AUD",
    "瑞士法郎": "CHF", "756": "CHF", "CHF": "CHF",
}  # fmt: skip
_AMOUNT: Final = re.compile(r"(?P<number>-?[0-9][0-9,]*(?:\.[0-9]+)?)(?P<unit>亿|万)?元?(?P<currency>[^0-9.,元]*元?)")
_TIMES: Final = {"亿": Decimal(100_000_000), "万": Decimal(10_000)}
_UNIT: Final = {"元": Decimal(1), "万元": Decimal(10_000)}
_EXACT: Final = Decimal("0.000001")
_DIGITS_KEPT: Final = 28


def currency(plain: str | None) -> str | None:
    """ISO 4217 letters of a currency's code or name; nothing where nothing is said; raises `Defect`."""
    if plain is None:
        return None
    known = _CURRENCY_OF_NAME.get(code_form(plain))
    if known is None:
        raise Defect
    return known


def amount(plain: str, unit: str, column_currency: str | None) -> Amount | None:
    """The amount in whole units; nothing for 0, which departments write for "none"; raises `Defect`.

    A unit or a currency in the text itself is believed before the column's; a currency beside another one
    is a defect.
    """
    found = _AMOUNT.fullmatch(code_form(plain) if not plain.startswith("-") else "-" + code_form(plain))
    if not found:
        raise Defect
    own = currency(found["currency"] or None)
    if own and column_currency and own != column_currency:
        raise Defect
    value = _number(found["number"]) * (_TIMES[found["unit"]] if found["unit"] else _UNIT[unit])
    return _kept(value, own or column_currency)


def _kept(value: Decimal, money: str | None) -> Amount | None:
    if value == 0:
        return None
    try:
        exact = value.quantize(_EXACT)
    except InvalidOperation as exc:
        raise Defect from exc
    if exact != value or len(exact.as_tuple().digits) > _DIGITS_KEPT:
        raise Defect
    return Amount(exact, money)


def _number(digits: str) -> Decimal:
    """A comma parts thousands where groups of three follow, and is a decimal sign before the usual six decimals."""
    if "," not in digits:
        return Decimal(digits)
    if re.fullmatch(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", digits):
        return Decimal(digits.replace(",", ""))
    if re.fullmatch(r"-?[0-9]+,[0-9]{6}", digits):
        return Decimal(digits.replace(",", "."))
    raise Defect


def code(plain: str) -> str:
    """A code as it is looked up: single width, upper case, and without the `.0` a spreadsheet adds."""
    narrow = code_form(plain)
    return narrow.removesuffix(".0") if re.fullmatch(r"[0-9]+\.0", narrow) else narrow
