"""Intervals without a gap, against a model that counts the days one by one."""

from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approval.evidence import Part
from approval.verdicts import Verdict
from tests.approval.lists import FRESH, TODAY, Told, code, conclusive, decided, element, item, outcome, person, tellings

DAY = timedelta(days=1)
LONG = 7
WINDOW = [TODAY - each * DAY for each in range(LONG, 0, -1)]
ASKED = item(
    {
        "attribute": "residences",
        "of": {"division": {"starts_with": ["350299"]}},
        "without_gap": {"days": LONG, "from": "from", "to": "to", "goes_on": {"status": {"in": ["VALID"]}}},
    },
    discloses=["residences"],
)


class Stay(NamedTuple):
    """A stay as the model sees it: days before today; None is a blank."""

    begin: int | None
    end: int | None
    division: str | None
    status: str
    told: Told

    @property
    def here(self) -> bool | None:
        return None if self.division is None else self.division == "350299001"

    @property
    def reversed(self) -> bool:
        return self.begin is not None and self.end is not None and self.end > self.begin

    def surely(self, day: int) -> bool:
        """Whether it covers the day so many days before today, for certain."""
        known = self.told.sound and self.here and self.begin is not None and not self.reversed
        ends = self.end is not None or self.status == "VALID"
        return bool(known and ends and self.begin is not None and (self.end or -999) <= day <= self.begin)

    def perhaps(self, day: int) -> bool:
        """Whether it may cover that day."""
        if self.told.unsure:
            return True
        if self.here is False:
            return False
        if self.told.source.endswith((".older", ".silent")) or self.reversed:
            return True
        return (self.begin is None or day <= self.begin) and (self.end is None or self.end <= day)


days = st.integers(-3, LONG + 4)
stays = st.builds(
    Stay,
    st.one_of(days, days, st.none()),
    st.one_of(days, days, st.none()),
    st.sampled_from(["350299001"] * 5 + ["350203001", None]),
    st.sampled_from(["VALID", "VALID", "CANCELLED"]),
    tellings,
)


def on_record(found: list[Stay]) -> Any:
    parts: list[dict[str, Part]] = [
        {
            "from": None if stay.begin is None else TODAY - stay.begin * DAY,
            "to": None if stay.end is None else TODAY - stay.end * DAY,
            "division": None if stay.division is None else code(stay.division),
            "status": code(stay.status),
        }
        for stay in found
    ]
    return person("residences", [element("residences", p, s.told) for p, s in zip(parts, found, strict=True)])


@given(st.lists(stays, max_size=5))
@settings(max_examples=400)
def test_every_day_is_covered(found: list[Stay]) -> None:
    decision = decided(ASKED, on_record(found))
    sure = [any(stay.surely(day) for stay in found) for day in range(LONG, 0, -1)]
    possible = [any(stay.surely(day) or stay.perhaps(day) for stay in found) for day in range(LONG, 0, -1)]

    if all(sure):
        expected = "proved"
    elif all(possible) or not conclusive([stay.told for stay in found]):
        expected = "unknown"
    else:
        expected = "denied" if any(stay.here for stay in found) else "absent"
    assert outcome(decision.verdict) == expected
    if expected == "denied":
        first = possible.index(False)
        last = next((day for day in range(first, LONG) if possible[day]), LONG) - 1
        told = decision.reason.fields
        assert (told["since"], told["until"]) == (WINDOW[first], WINDOW[last])


@given(st.lists(stays, max_size=4))
def test_what_proves_is_shown_and_covers_every_day_by_itself(found: list[Stay]) -> None:
    decision = decided(ASKED, on_record(found))

    if decision.verdict is Verdict.PROVED:
        (finding,) = decision.findings
        spans = [(each.parts["from"], each.parts["to"] or date.max) for each in finding.elements]
        assert all(any(first <= day <= last for first, last in spans) for day in WINDOW)  # type: ignore[operator]


@given(st.lists(stays, max_size=4), stays)
def test_a_further_stay_never_takes_a_proof_away(found: list[Stay], further: Stay) -> None:
    if decided(ASKED, on_record(found)).verdict is Verdict.PROVED:
        assert decided(ASKED, on_record([*found, further])).verdict is Verdict.PROVED


@pytest.mark.parametrize(("to", "verdict"), [(0, Verdict.PROVED), (1, Verdict.PROVED), (2, Verdict.DISPROVED)])
def test_the_day_of_the_question_need_not_be_covered_and_the_day_before_must(to: int, verdict: Verdict) -> None:
    stay = Stay(LONG, to, "350299001", "CANCELLED", Told(FRESH, "known"))

    assert decided(ASKED, on_record([stay])).verdict is verdict
