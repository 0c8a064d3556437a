"""Decide: an example for every verdict, and what must hold for all evidence."""

from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval.decide import decide
from approval.evidence import Dissent, Evidence, Fact, Newest, Watermark, unclear_by_aliases
from approval.verdicts import Follow, Verdict
from tests.approval.cases import (
    DAY,
    FACTS,
    FIRM,
    ITEM,
    MARKET,
    MINUTE,
    NOBODY,
    NOW,
    TAX,
    fact,
    item_with,
    licence,
    marks,
    paper,
    watermark,
    with_fact,
    with_max_age,
)


def test_a_licence_on_record_and_lately_confirmed_is_waived() -> None:
    decision = licence(FIRM)

    assert (decision.verdict, decision.verdict.follow) == (Verdict.PROVED, Follow.WAIVE)
    assert decision.as_of == NOW - MINUTE


def test_a_waiver_is_as_of_the_time_its_least_confirmed_fact_was_confirmed() -> None:
    both = item_with([{"attribute": "status", "present": True}, {"attribute": "tax_status", "present": True}])
    older = NOW - timedelta(hours=3)
    evidence = replace(
        with_fact(fact("tax_status", "NORMAL", source=TAX)), watermarks=marks(watermark(), watermark(TAX, older))
    )

    assert paper(both, evidence).as_of == older


def test_a_revoked_licence_is_a_matter_for_the_clerk_and_not_for_a_paper() -> None:
    decision = licence(with_fact(fact("status", "REVOKED", raw="2")))

    assert (decision.verdict, decision.verdict.follow) == (Verdict.DISPROVED, Follow.ASK_CLERK)


def test_a_scope_without_food_disproves_however_it_is_written() -> None:
    wide = licence(with_fact(fact("scope", "餐 饮服务")))
    without = licence(with_fact(fact("scope", "软件开发")))

    assert (wide.verdict, without.verdict) == (Verdict.PROVED, Verdict.DISPROVED)


def test_nobody_on_record_is_absent_as_of_the_least_complete_source() -> None:
    behind = NOW - timedelta(hours=5)
    decision = licence(replace(NOBODY, watermarks=marks(watermark(), watermark(TAX, behind))))

    # status and scope only market supervision could state; the gravest of equals is the first of them.
    assert (decision.verdict, decision.verdict.follow) == (Verdict.ABSENT, Follow.ASK_PAPER)
    address = next(finding for finding in decision.findings if finding.attribute == "address")
    assert address.as_of == behind


def test_a_subject_gone_is_absent_once_the_cycle_that_ended_it_is_closed() -> None:
    gone = replace(NOBODY, condition="gone", newest={MARKET: Newest(1, 9, 0)})
    still_open = replace(gone, newest={MARKET: Newest(1, 10, 0)})

    assert licence(gone).verdict is Verdict.ABSENT
    assert licence(still_open).verdict is Verdict.SOURCE_BEHIND


@pytest.mark.parametrize("missing", [MARKET, TAX])
def test_no_absence_without_a_watermark_of_every_source_that_could_know(missing: str) -> None:
    asked = item_with([{"attribute": "name", "present": True}], authorities=["market_supervision"])
    left = {source: mark for source, mark in FIRM.watermarks.items() if source != missing}
    decision = paper(asked, replace(NOBODY, watermarks=left))

    assert (decision.verdict, decision.verdict.follow) == (Verdict.SOURCE_BEHIND, Follow.WAIT)


@pytest.mark.parametrize("never", [watermark(complete_until=None), watermark(identity_until=None)])
def test_no_absence_from_a_source_that_never_claims_to_be_complete(never: Watermark) -> None:
    assert licence(replace(NOBODY, watermarks=marks(never, watermark(TAX)))).verdict is Verdict.SOURCE_BEHIND


NAMED = item_with([{"attribute": "name", "present": True}])


def test_absence_reaches_no_further_than_identities_were_known_nor_than_the_question() -> None:
    hours = timedelta(hours=3)
    unsure = replace(NOBODY, watermarks=marks(watermark(identity_until=NOW - hours), watermark(TAX)))
    ahead = replace(NOBODY, watermarks=marks(watermark(until=NOW + MINUTE), watermark(TAX, NOW + MINUTE)))

    assert paper(NAMED, unsure).as_of == NOW - hours
    assert (paper(NAMED, ahead).verdict, paper(NAMED, ahead).as_of) == (Verdict.ABSENT, NOW)


@pytest.mark.parametrize("newest", [Newest(1, 7, 0), Newest(2, 3, 0)])
def test_no_absence_when_a_record_is_newer_than_what_completeness_rests_on(newest: Newest) -> None:
    standing_still = watermark(cycle=9, complete_cycle=5)
    evidence = replace(NOBODY, newest={MARKET: newest}, watermarks=marks(standing_still, watermark(TAX)))

    assert licence(evidence).verdict is Verdict.SOURCE_BEHIND


def test_no_absence_while_an_accepted_authority_was_never_heard_of() -> None:
    unheard = replace(NOBODY, watermarks=marks(watermark(TAX)), sources=frozenset({TAX}))

    assert paper(NAMED, unheard).verdict is Verdict.SOURCE_BEHIND


def test_a_source_known_only_by_a_watermark_of_a_later_time_is_known() -> None:
    later = watermark(TAX, NOW + DAY)
    asked = item_with([{"attribute": "name", "present": True}], authorities=["market_supervision"])
    evidence = replace(NOBODY, watermarks=marks(watermark(), later), sources=frozenset())

    assert paper(asked, evidence).verdict is Verdict.SOURCE_BEHIND


def test_what_a_person_must_look_at_is_told_before_what_takes_time() -> None:
    evidence = replace(NOBODY, newest={MARKET: Newest(1, 4, 1)}, watermarks=marks(watermark()))

    assert paper(NAMED, evidence).verdict is Verdict.IN_QUESTION


def test_no_absence_while_a_row_of_the_subject_is_refused() -> None:
    decision = licence(replace(NOBODY, newest={MARKET: Newest(1, 4, 1)}))

    assert (decision.verdict, decision.verdict.follow) == (Verdict.IN_QUESTION, Follow.ASK_CLERK)


def test_no_absence_while_more_rows_than_allowed_belong_to_nobody_knows_whom() -> None:
    evidence = replace(NOBODY, watermarks=marks(watermark(refused_unreadable=2), watermark(TAX)))
    present = [{"attribute": "status", "present": True}]

    assert paper(item_with(present, authorities=["market_supervision"]), evidence).verdict is Verdict.SOURCE_BEHIND
    tolerant = item_with(present, authorities=["market_supervision"], unreadable_allowed=2)
    assert paper(tolerant, evidence).verdict is Verdict.ABSENT


def test_no_absence_while_another_subject_carries_the_same_number() -> None:
    taxed = item_with([{"attribute": "tax_status", "present": True}], authorities=["local_tax"])

    assert paper(taxed, FIRM).verdict is Verdict.ABSENT
    assert paper(taxed, replace(FIRM, apart=True)).verdict is Verdict.IDENTITY_UNCLEAR
    assert licence(replace(FIRM, apart=True)).verdict is Verdict.PROVED


def test_a_requirement_stated_as_an_absence_is_proved_by_absence_and_denied_by_a_fact() -> None:
    none = item_with([{"attribute": "tax_status", "absent": True}], authorities=["local_tax"])

    assert paper(none, FIRM).verdict is Verdict.PROVED
    assert paper(none, with_fact(fact("tax_status", "NORMAL", source=TAX))).verdict is Verdict.DISPROVED
    assert paper(none, replace(FIRM, watermarks=marks(watermark()))).verdict is Verdict.SOURCE_BEHIND


def test_absence_known_only_long_ago_is_stale() -> None:
    decision = licence(replace(NOBODY, watermarks=marks(watermark(until=NOW - 2 * DAY), watermark(TAX))))

    assert decision.verdict is Verdict.STALE


def test_a_fact_the_source_has_not_confirmed_within_the_limit_is_stale() -> None:
    decision = licence(replace(FIRM, watermarks=marks(watermark(until=NOW - 2 * DAY))))

    assert (decision.verdict, decision.verdict.follow) == (Verdict.STALE, Follow.WAIT)


def test_a_fact_seen_after_the_watermark_is_as_fresh_as_it_was_seen() -> None:
    seen = {name: replace(each, observed_at=NOW - MINUTE) for name, each in FACTS.items()}
    decision = licence(replace(FIRM, facts=seen, watermarks=marks(watermark(until=NOW - 2 * DAY))))

    assert decision.verdict is Verdict.PROVED


def test_what_may_have_been_deleted_since_is_no_fresher_than_presence_is() -> None:
    decision = licence(replace(FIRM, watermarks=marks(watermark(present_until=NOW - 2 * DAY))))

    assert decision.verdict is Verdict.STALE


def test_a_broken_stream_goes_stale_and_is_named() -> None:
    broken = watermark(until=NOW - MINUTE, complete_until=NOW - 2 * DAY, broken_since=7)
    decision = licence(replace(FIRM, watermarks=marks(broken)))

    assert (decision.verdict, decision.reason.code) == (Verdict.STALE, "stale_broken")


def test_deletions_held_back_are_named_when_what_they_hold_goes_stale() -> None:
    held = watermark(until=NOW - MINUTE, present_until=NOW - 2 * DAY, held=51)
    decision = licence(replace(FIRM, watermarks=marks(held)))

    assert (decision.verdict, decision.reason.code) == (Verdict.STALE, "stale_held")


def test_a_denial_is_told_before_anything_unknown_and_a_dispute_before_an_absence() -> None:
    disputed = replace(FACTS["address"], state="disputed")
    nothing = fact("status", None, state="unknown", reason="blank", source=None)
    denied = replace(FIRM, facts={**FACTS, "address": disputed, "status": fact("status", "REVOKED")})
    unknown = replace(FIRM, facts={**FACTS, "address": disputed, "status": nothing})

    assert licence(denied).verdict is Verdict.DISPROVED
    assert licence(unknown).verdict is Verdict.DISPUTED


def test_without_a_watermark_or_a_view_that_has_caught_up_nothing_is_said() -> None:
    assert licence(replace(FIRM, watermarks={})).verdict is Verdict.SOURCE_BEHIND
    assert licence(replace(FIRM, caught_up=False)).verdict is Verdict.SOURCE_BEHIND


def test_a_watermark_of_a_later_time_confirms_nothing_for_an_earlier_one() -> None:
    assert licence(FIRM, at=NOW - DAY).verdict is Verdict.SOURCE_BEHIND


def test_a_source_whose_clock_runs_a_little_ahead_confirms_no_further_than_the_question() -> None:
    decision = licence(replace(FIRM, watermarks=marks(watermark(until=NOW + MINUTE))))

    assert (decision.verdict, decision.as_of) == (Verdict.PROVED, NOW)


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        (fact("status", "ACTIVE", state="disputed", dissent=(Dissent(MARKET, "REVOKED"),)), Verdict.DISPUTED),
        (fact("status", "ACTIVE", state="in_question"), Verdict.IN_QUESTION),
        (fact("status", None, raw="77"), Verdict.IN_QUESTION),
        (fact("status", "ACTIVE", effective_to=date(2024, 5, 19)), Verdict.IN_QUESTION),
        (fact("status", "ACTIVE", effective_from=date(2024, 5, 21)), Verdict.IN_QUESTION),
        (fact("address", "示例区测试路1号", source=TAX), Verdict.NOT_SHARED),
        (fact("address", None, state="unknown", reason="ineligible", source=None), Verdict.NOT_SHARED),
        (fact("address", None, state="unknown", reason="blank", source=None), Verdict.ABSENT),
        (fact("address", None, state="unknown", reason="authority_lost", source=None), Verdict.ABSENT),
    ],
)
def test_a_fact_in_doubt_is_not_used(changed: Fact, verdict: Verdict) -> None:
    assert licence(with_fact(changed)).verdict is verdict


def test_the_first_day_counts() -> None:
    assert licence(with_fact(fact("status", "ACTIVE", effective_from=date(2024, 5, 20)))).verdict is Verdict.PROVED


def test_the_last_day_counts_in_civil_time() -> None:
    ends_today = with_fact(fact("status", "ACTIVE", effective_to=date(2024, 5, 20)))
    after_midnight_in_shanghai = NOW.replace(hour=16, minute=30)
    confirmed = replace(ends_today, watermarks=marks(watermark(until=after_midnight_in_shanghai)))

    assert licence(ends_today).verdict is Verdict.PROVED
    assert licence(confirmed, at=after_midnight_in_shanghai).verdict is Verdict.IN_QUESTION


def test_a_lower_departments_dissent_is_shown_and_stops_nothing() -> None:
    decision = licence(with_fact(replace(FACTS["address"], dissent=(Dissent(TAX, "别处"),))))

    shown = next(finding.fact for finding in decision.findings if finding.attribute == "address")
    assert decision.verdict is Verdict.PROVED
    assert shown is not None
    assert shown.dissent == (Dissent(TAX, "别处"),)


def test_a_subject_that_may_be_another_is_asked_for_the_paper() -> None:
    decision = licence(replace(FIRM, unclear="moving"))

    assert (decision.verdict, decision.verdict.follow) == (Verdict.IDENTITY_UNCLEAR, Follow.ASK_PAPER)


@pytest.mark.parametrize(
    ("epoch", "here", "there", "why"),
    [
        (0, [0, 0], None, None),
        (5, [5, 6], None, None),
        (5, [5, 4], None, "aliases_behind"),
        (5, [5, 5], [5, 5], None),
        (5, [6, 5], [5, 5], "aliases_apart"),
    ],
)
def test_identity_is_clear_when_every_source_keyed_by_the_same_aliases(
    epoch: int, here: list[int], there: list[int] | None, why: str | None
) -> None:
    def of(epochs: list[int]) -> list[Watermark]:
        return [watermark(source, alias_epoch=each) for source, each in zip((MARKET, TAX), epochs, strict=True)]

    assert unclear_by_aliases(epoch, of(here), None if there is None else of(there)) == why


def test_what_no_department_holds_is_asked_for_with_the_reason() -> None:
    decisions = {each.material.id: each for each in decide(ITEM, {"applicant": FIRM}, NOW)}

    assert len(decisions) == len(ITEM.materials)
    assert decisions["health_certificates"].verdict is Verdict.NOT_SHARED
    assert decisions["health_certificates"].verdict.follow is Follow.ASK_PAPER


def test_one_alternative_is_enough_and_a_milder_unknown_is_told_before_a_graver() -> None:
    taxed, active = {"attribute": "tax_status", "present": True}, {"attribute": "status", "in": ["ACTIVE"]}
    item, either = item_with([taxed]), item_with([taxed], [active])
    stale = replace(FIRM, watermarks=marks(watermark(until=NOW - 2 * DAY), watermark(TAX)))

    assert paper(either, FIRM).verdict is Verdict.PROVED
    assert paper(item, FIRM).verdict is Verdict.ABSENT
    assert paper(either, stale).verdict is Verdict.STALE
    assert paper(either, with_fact(fact("status", "REVOKED"))).verdict is Verdict.ABSENT


@pytest.mark.parametrize(
    ("predicate", "holds"),
    [
        ({"on_or_before": "2020-01-02"}, True),
        ({"on_or_before": "2020-01-01"}, False),
        ({"on_or_after": "2020-01-02"}, True),
        ({"on_or_after": "2020-01-03"}, False),
    ],
)
def test_dates_are_compared_as_dates(predicate: dict[str, str], holds: bool) -> None:
    item = item_with([{"attribute": "established_on", **predicate}])
    decision = paper(item, with_fact(fact("established_on", date(2020, 1, 2))))

    assert decision.verdict is (Verdict.PROVED if holds else Verdict.DISPROVED)


_TIMES = st.integers(-60 * 24 * 4, 60).map(lambda minutes: NOW + timedelta(minutes=minutes))
_VALUES: dict[str, list[Any]] = {
    "status": ["ACTIVE", "REVOKED", None],
    "scope": ["食品销售", "软件开发"],
    "address": ["示例区测试路1号", None],
    "legal_representative": ["张三"],
}


@st.composite
def facts(draw: st.DrawFn, attribute: str) -> Fact:
    return Fact(
        attribute=attribute,
        value=draw(st.sampled_from(_VALUES[attribute])),
        state=draw(st.sampled_from(["known", "known", "known", "unknown", "disputed", "in_question"])),
        reason=draw(st.sampled_from(["blank", "authority_lost", "ineligible"])),
        source=draw(st.sampled_from([MARKET, MARKET, TAX])),
        effective_from=draw(st.none() | st.dates(date(2024, 5, 1), date(2024, 5, 25))),
        effective_to=draw(st.none() | st.dates(date(2024, 5, 15), date(2030, 1, 1))),
        observed_at=draw(st.none() | _TIMES),
    )


@st.composite
def watermarks(draw: st.DrawFn, source: str) -> Watermark:
    until = draw(_TIMES)
    return watermark(
        source,
        until,
        draw(st.integers(1, 9)),
        complete_until=draw(st.sampled_from([until, None])),
        present_until=draw(st.sampled_from([until, until - 2 * DAY])),
        refused_unreadable=draw(st.sampled_from([0, 0, 1])),
        broken_since=draw(st.sampled_from([None, None, 3])),
    )


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    named = draw(st.sets(st.sampled_from(sorted(_VALUES))))
    marked = draw(st.sets(st.sampled_from([MARKET, TAX])))
    newest = st.builds(Newest, st.just(1), st.integers(1, 10), st.sampled_from([0, 0, 1]))
    return Evidence(
        kind="legal_person",
        subject="legal:org:MA0000000",
        condition="live",
        facts={name: draw(facts(name)) for name in named},
        newest={source: draw(newest) for source in draw(st.sets(st.sampled_from([MARKET, TAX])))},
        watermarks={source: draw(watermarks(source)) for source in marked},
        sources=frozenset({MARKET, TAX}),
        caught_up=draw(st.sampled_from([True, True, True, False])),
        unclear=draw(st.sampled_from([None, None, None, "moving"])),
    )


@given(evidence())
def test_the_same_evidence_gives_the_same_verdicts_and_is_left_as_it_was(found: Evidence) -> None:
    before = deepcopy(found)
    first = decide(ITEM, {"applicant": found}, NOW)
    second = decide(ITEM, {"applicant": found}, NOW)

    assert first == second
    assert found == before


@given(evidence())
def test_a_waiver_rests_on_every_predicate_of_one_alternative(found: Evidence) -> None:
    decision = licence(found)

    waived = decision.verdict.follow is Follow.WAIVE
    assert waived == all(finding.truth is True for finding in decision.findings)
    assert len(decision.findings) == len(ITEM.materials[1].predicates)


@given(evidence())
def test_what_the_registry_denies_is_never_asked_for_as_a_paper(found: Evidence) -> None:
    decision = licence(found)

    if any(finding.truth is False for finding in decision.findings):
        assert decision.verdict.follow is Follow.ASK_CLERK


@given(evidence(), st.integers(1, 60 * 24 * 5), st.integers(1, 60 * 24 * 5))
def test_a_stricter_limit_only_takes_waivers_away(found: Evidence, one: int, other: int) -> None:
    strict, lenient = (with_max_age(ITEM, timedelta(minutes=minutes)) for minutes in sorted((one, other)))
    subjects = {"applicant": found}

    for strictly, leniently in zip(decide(strict, subjects, NOW), decide(lenient, subjects, NOW), strict=True):
        assert strictly.verdict is not Verdict.PROVED or leniently.verdict is Verdict.PROVED


@given(evidence(), st.sampled_from(["industry", "business_address", "tax_status"]))
def test_a_fact_no_predicate_asks_for_changes_nothing(found: Evidence, attribute: str) -> None:
    more = replace(found, facts={**found.facts, attribute: fact(attribute, "X", source=TAX, state="disputed")})

    assert decide(ITEM, {"applicant": more}, NOW) == decide(ITEM, {"applicant": found}, NOW)


@given(evidence())
def test_nothing_is_absent_that_some_source_might_still_tell(found: Evidence) -> None:
    decision = licence(found)
    market = found.watermarks.get(MARKET)

    if any(finding.verdict is Verdict.ABSENT for finding in decision.findings):
        assert found.caught_up
        assert found.unclear is None
        assert market is not None
        assert market.complete_until is not None
        assert found.newest.get(MARKET, Newest(1, 0, 0)).cycle <= (market.complete_cycle or 0)
