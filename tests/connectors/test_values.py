"""What departments write for a day, an amount, a code: every spelling met in practice."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import values
from connectors.values import OPEN_END, Amount, Defect, NotTextError, Tokens

TOKENS = Tokens.of(["无", "/", "1900-01-01"], ["9999-12-31", "9999年12月31", "5000-01-01", "2099-12-31", "长期"])
MARCH = date(2017, 3, 9)


@pytest.mark.parametrize(
    "written",
    [
        "2017-3-9",
        "2017-03-09 0:00:00",
        "2017-03-09 00:00:00.000",
        "2017-03-09T00:00:00",
        "2017年3月9日",
        "2017年03月09",
        "20170309",
        "20170309.0",
        "2017/3/9",
        "2017.3.9",
        "　2017-3-9\u200b",
        "２０１７-３-９",
        "2017-03-08T16:00:00Z",
        "2017-03-09T00:00:00+08:00",
    ],
)
def test_a_day_is_read_in_every_spelling(written: str) -> None:
    assert values.day(written, TOKENS) == MARCH


@pytest.mark.parametrize(
    "written", ["2016-02-30", "0000-00-00", "201703", "2017", "昨天", "1900-1-1", "日期加密", "\ue000"]
)
def test_a_day_that_cannot_be_is_a_defect(written: str) -> None:
    with pytest.raises(Defect):
        values.day(written, TOKENS)


@pytest.mark.parametrize("written", ["", None, "无", "/", " \u3000"])
def test_nothing_is_written_in_many_ways(written: str | None) -> None:
    assert values.day(written, TOKENS) is None
    assert values.text(written, TOKENS) is None


@pytest.mark.parametrize(
    "written", ["9999-9-9", "9999年12月31", "5000年01月01", "长期", "2099-12-31 00:00:00", "9999-12-31"]
)
def test_an_open_end_is_one_only_where_a_column_may_have_it(written: str) -> None:
    assert values.day(written, TOKENS, open_end=True) == OPEN_END
    with pytest.raises(Defect):
        values.day(written, TOKENS)


@given(st.dates(date(1901, 1, 1), date(2098, 1, 1)))
def test_every_day_comes_back_from_how_it_is_written(day: date) -> None:
    written = [
        day.isoformat(),
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y%m%d}",
        f"{day.year}-{day.month}-{day.day} 0:00:00",
    ]

    assert {values.day(each, TOKENS) for each in written} == {day}


@pytest.mark.parametrize(
    "written",
    ["201703", "201703.0", "2017-3", "2017/03", "2017年3月", "2017年03月份", "２０１７03", "20170309", "2017-3-9"],
)
def test_a_month_is_read_in_every_spelling_and_of_a_day(written: str) -> None:
    assert values.month(written, TOKENS) == "201703"
    assert values.year(written, TOKENS) == "2017"


@pytest.mark.parametrize("written", ["2017", "2017.0", "2017年", "2017年度", " ２０１７"])
def test_a_year_is_read_in_every_spelling(written: str) -> None:
    assert values.year(written, TOKENS) == "2017"


@pytest.mark.parametrize(
    "written", ["201713", "201700", "20173", "2017.3", "2017", "190001", "999912", "1900-1-1", "1850-1-1", "九月"]
)
def test_a_month_that_cannot_be_is_a_defect(written: str) -> None:
    with pytest.raises(Defect):
        values.month(written, TOKENS)


@pytest.mark.parametrize("written", ["999912", "9999/12", "9999-99", "9999-12-31", "长期", "", "无", None])
def test_a_month_without_an_end_is_none(written: str | None) -> None:
    assert values.month(written, TOKENS, open_end=True) is None


@pytest.mark.parametrize("written", ["", "无", None])
def test_no_month_is_no_year(written: str | None) -> None:
    assert values.month(written, TOKENS) is None
    assert values.year(written, TOKENS) is None


@pytest.mark.parametrize("written", ["1900", "9999", "17", "20171", "去年", "\ue000"])
def test_a_year_that_cannot_be_is_a_defect(written: str) -> None:
    with pytest.raises(Defect):
        values.year(written, TOKENS)


@given(st.text(max_size=30), st.booleans())
def test_any_text_is_a_month_or_nothing_or_a_defect(text: str, open_end: bool) -> None:
    try:
        found = values.month(text, TOKENS, open_end=open_end)
    except Defect:
        return

    assert found is None or re.fullmatch("(19|20)[0-9]{4}", found)


@given(st.text(max_size=30))
def test_any_text_is_a_day_or_nothing_or_a_defect(text: str) -> None:
    try:
        found = values.day(text, TOKENS, open_end=True)
    except Defect:
        return

    assert found is None or isinstance(found, date)


@pytest.mark.parametrize(
    ("written", "unit", "beside", "wanted"),
    [
        ("50.000000", "万元", "CNY", Amount(Decimal(500_000), "CNY")),
        ("9000.000000万人民币", "万元", None, Amount(Decimal(90_000_000), "CNY")),
        ("15.000000万美元", "万元", None, Amount(Decimal(150_000), "USD")),
        ("6928.000000万", "元", None, Amount(Decimal(69_280_000), None)),
        ("100元", "万元", "CNY", Amount(Decimal(1_000_000), "CNY")),
        ("3亿港元", "元", None, Amount(Decimal(300_000_000), "HKD")),
        ("5,000000", "万元", None, Amount(Decimal(50_000), None)),
        ("5,000,000.5", "元", None, Amount(Decimal("5000000.5"), None)),
        ("1,000", "元", None, Amount(Decimal(1000), None)),
        ("１２.5", "元", None, Amount(Decimal("12.5"), None)),
    ],
)
def test_an_amount_is_read_in_every_spelling(written: str, unit: str, beside: str | None, wanted: Amount) -> None:
    assert values.amount(written, unit, beside) == wanted


@pytest.mark.parametrize("written", ["0", "0.0", "0.000000", "0万人民币"])
def test_nought_stands_for_no_amount(written: str) -> None:
    assert values.amount(written, "万元", None) is None


@pytest.mark.parametrize("written", ["很多", "12,34", "5,0000", "1.2.3", "12金币", "1" * 40, "0.0000001"])
def test_an_amount_that_could_mean_two_things_or_none_is_a_defect(written: str) -> None:
    with pytest.raises(Defect):
        values.amount(written, "元", None)


def test_two_currencies_in_one_row_are_a_defect() -> None:
    with pytest.raises(Defect):
        values.amount("15万美元", "万元", "CNY")


@pytest.mark.parametrize(
    ("written", "letters"), [("156", "CNY"), ("人民币元", "CNY"), ("香港元", "HKD"), ("036", "AUD"), (None, None)]
)
def test_a_currency_is_known_by_number_and_name(written: str | None, letters: str | None) -> None:
    assert values.currency(written) == letters


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_nothing_or_a_defect(text: str) -> None:
    try:
        found = values.amount(text, "元", None)
    except Defect:
        return

    assert found is None or found.value != 0


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, None),
        (7, "7"),
        (True, "1"),
        (Decimal("50.000000"), "50.000000"),
        (Decimal("1E+3"), "1000"),
        (20170309.0, "20170309.0"),
        (float("nan"), ""),
        (Decimal("NaN"), ""),
        (datetime(2017, 3, 8, 16, tzinfo=UTC), "2017-03-09 00:00:00"),
        (date(2017, 3, 9), "2017-03-09"),
    ],
)
def test_what_a_driver_gives_is_taken_as_text(value: object, wanted: str | None) -> None:
    assert values.as_text(value) == wanted


def test_bytes_are_no_text() -> None:
    with pytest.raises(NotTextError):
        values.as_text(b"\xff")


@pytest.mark.parametrize(
    ("written", "wanted"), [("5212.0", "5212"), ("５２１２", "5212"), ("a1", "A1"), ("1.5", "1.5")]
)
def test_a_code_survives_a_spreadsheet(written: str, wanted: str) -> None:
    assert values.code(written) == wanted
