"""Twelve letters of a year: told by the calendar, whatever the order of what is known."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.months import ContradictionError, Due, letters

months = st.dates(date(2014, 1, 1), date(2017, 12, 31)).map(lambda day: f"{day:%Y%m}")
of_2015 = st.integers(1, 12).map(lambda month: f"2015{month:02d}")
years = st.dictionaries(of_2015, st.none() | months)


@pytest.mark.parametrize(
    ("paid_in", "letter"), [("201411", "T"), ("201412", "T"), ("201501", "T"), ("201502", "B"), (None, "M")]
)
def test_december_is_paid_in_time_until_january(paid_in: str | None, letter: str) -> None:
    assert letters([Due("201412", paid_in)]) == "N" * 11 + letter


@given(years, st.randoms(use_true_random=False))
def test_every_month_has_its_own_letter_in_any_order(said: dict[str, str | None], random: Random) -> None:
    dues = [Due(*each) for each in said.items()]
    random.shuffle(dues)
    told = letters(dues + dues[:3])

    assert len(told) == 12
    for month in range(1, 13):
        due = f"2015{month:02d}"
        last_in_time = "201601" if month == 12 else f"2015{month + 1:02d}"
        paid_in = said.get(due)
        wanted = "N" if due not in said else "M" if paid_in is None else "T" if paid_in <= last_in_time else "B"

        assert told[month - 1] == wanted


def test_two_words_on_one_month_are_a_contradiction() -> None:
    with pytest.raises(ContradictionError):
        letters([Due("201501", "201501"), Due("201501", "201502")])
