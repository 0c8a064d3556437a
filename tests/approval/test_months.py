"""Months paid on time, against a model that looks at them one by one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approval.evidence import Evidence
from approval.verdicts import Decision, Verdict
from tests.approval.cases import marks, watermark
from tests.approval.lists import Told, code, decided, element, item, outcome

SOURCE = "social_security.contribution_year"
AT = datetime(2026, 4, 10, 2, 0, tzinfo=UTC)  # the last month over is March; February can no longer be paid in time
PERIOD = ["2025-08", "2025-09", "2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03"]


def asked(**wanted: Any) -> Any:
    return item(
        {"attribute": "contributions", "of": {"kind": {"in": ["PENSION"]}}, "months_on_time": {"last": 8, **wanted}},
        authorities=["social_security"],
    )


class Year(NamedTuple):
    """A year as the model sees it."""

    kind: str | None
    year: str
    months: str
    state: str

    def letter(self, month: str) -> str:
        return self.months[int(month[5:]) - 1] if month[:4] == self.year else ""


years = st.builds(
    Year,
    st.sampled_from(["PENSION"] * 6 + ["MEDICAL", None]),
    st.sampled_from(["2025", "2026", "2026", "2019"]),
    st.text("TTBMN", min_size=12, max_size=12),
    st.sampled_from(["known"] * 8 + ["disputed", "in_question"]),
)


def on_record(found: Sequence[Year], until: datetime = AT - timedelta(minutes=1)) -> Evidence:
    elements = [
        element(
            "contributions",
            {"kind": code(each.kind), "year": each.year, "months": each.months},
            Told(SOURCE, each.state),
        )
        for each in found
    ]
    return Evidence(
        kind="natural_person",
        subject="person:A",
        condition="live",
        lists={"contributions": tuple(elements)} if elements else {},
        watermarks=marks(watermark(SOURCE, until)),
        sources=frozenset({SOURCE}),
    )


def run(months: Sequence[str]) -> int:
    """The longest stretch of the period that is all in `months`."""
    stretches = "".join("x" if month in months else " " for month in PERIOD).split()
    return max(map(len, stretches), default=0)


@given(st.lists(years, max_size=5), st.integers(1, 8), st.booleans(), st.booleans())
@settings(max_examples=400)
def test_so_many_months_were_paid_on_time(found: list[Year], at_least: int, consecutive: bool, final: bool) -> None:
    decision = decided(asked(at_least=at_least, consecutive=consecutive, all_known=final), on_record(found), AT)
    sound = [each for each in found if each.state == "known" and each.kind == "PENSION"]
    doubtful = [
        each
        for each in found
        if each.state != "known" or (each.kind is None and any(each.letter(month) for month in PERIOD))
    ]
    paid = [month for month in PERIOD if any(each.letter(month) == "T" for each in sound)]
    late = [month for month in PERIOD if month not in paid and any(each.letter(month) == "B" for each in sound)]
    still = [month for month in PERIOD[-1:] if month not in paid and month not in late]
    number = run if consecutive else len

    if number(paid) >= at_least and not (final and (doubtful or still)):
        expected = "proved"
    elif doubtful:
        expected = "unknown"
    elif not sound:
        expected = "absent"
    else:
        expected = "unknown" if number([*paid, *still]) >= at_least else "denied"
    assert outcome(decision.verdict) == expected
    if expected == "proved":
        (finding,) = decision.findings
        assert (finding.counts["on_time"], finding.counts["back_paid"]) == (len(paid), len(late))


@given(st.lists(years, max_size=4), st.integers(1, 8), st.integers(1, 8))
def test_asking_for_fewer_months_never_takes_a_proof_away(found: list[Year], one: int, other: int) -> None:
    fewer, more = sorted((one, other))

    if decided(asked(at_least=more), on_record(found), AT).verdict is Verdict.PROVED:
        assert decided(asked(at_least=fewer), on_record(found), AT).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("until", "verdict"),
    [
        (datetime(2026, 4, 30, 15, 59, tzinfo=UTC), Verdict.SOURCE_BEHIND),
        (datetime(2026, 4, 30, 16, 0, tzinfo=UTC), Verdict.DISPROVED),
    ],
)
def test_a_month_is_missing_once_the_source_has_told_of_the_whole_month_after_it(
    until: datetime, verdict: Verdict
) -> None:
    march = Year("PENSION", "2026", "TTMNNNNNNNNN", "known")
    decision: Decision = decided(asked(at_least=3), on_record([march], until), datetime(2026, 5, 2, tzinfo=UTC))

    # Asked on 2 May, the period ends with April, which can be paid until the end of May.
    assert decision.verdict is Verdict.SOURCE_BEHIND
    assert decided(asked(at_least=4), on_record([march], until), datetime(2026, 5, 2, tzinfo=UTC)).verdict is verdict
