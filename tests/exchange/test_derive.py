"""Deriving: authority decides, what it decided against stays as dissent, and nothing but the statements shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from hashlib import blake2b
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.claims import Word
from exchange.derive import Derived, derive
from exchange.entries import published
from exchange.statements import Identity, Version
from schemas.catalogue import Catalogue, catalogues
from schemas.codec import contract
from schemas.installed import shipped
from tests.exchange.examples import few, many
from tests.exchange.publishing import SNAPSHOT, code

SUBJECT = "legal:org:XX0000001"
TODAY = date(2026, 3, 1)
DAYS = [TODAY + timedelta(days=number) for number in range(-2, 4)]


def attribute(name: str, *tiers: tuple[str, int], **rules: Any) -> dict[str, Any]:
    """An attribute of a made-up catalogue; the departments are called alpha, beta, gamma."""
    authority = [{"department": department, "tier": tier} for department, tier in tiers]
    plain = {"doc": "", "type": "text", "equal": "text", "sensitivity": "public", "share": "none"}
    return {"name": name, **plain, "authority": authority, **rules}


def catalogue(*attributes: dict[str, Any]) -> Catalogue:
    return Catalogue.model_validate({"kind": "legal_person", "topic": "legal-person", "attributes": attributes})


LADDER = (("alpha", 1), ("beta", 1), ("gamma", 2))
PLAIN = catalogue(attribute("name", *LADDER), attribute("phone", ("gamma", 1), on_authority_loss="fall_back"))
GROUPED = catalogue(
    attribute("head", ("alpha", 1), ("beta", 2), group="head"),
    attribute("head_number", ("alpha", 2), ("beta", 1), group="head"),
    attribute("name", ("alpha", 1), ("beta", 2)),
)


def word(department: str, record_id: str = "r1", **said: Any) -> Word:
    """A live word of a department; what is not a claim is named as the word names it."""
    kept = {name: said.pop(name) for name in list(said) if name in Word.__dataclass_fields__}
    version = Version(1, 1)
    plain: dict[str, Any] = {
        "identity": Identity(f"{department}.main", record_id, ""),
        "department": department,
        "newest": version,
        "version": version,
        "live": True,
        "lost": False,
        "newest_refused": False,
        "observed_at": SNAPSHOT,
        "effective_from": None,
        "effective_to": None,
        "identifiers": (),
        "claims": said,
    }
    return Word(**{**plain, **kept})


def lost(department: str, record_id: str = "gone") -> Word:
    return word(department, record_id, live=False, lost=True)


def fact(words: Sequence[Word], name: str = "name", by: Catalogue = PLAIN, tick: date = TODAY) -> Any:
    return derive(SUBJECT, words, by, tick).entry["facts"][name]


@st.composite
def spoken(draw: st.DrawFn) -> list[Word]:
    """Words of three departments on few rows, each row once; most of them speak, or there is little to decide."""
    rows = draw(st.lists(st.tuples(st.sampled_from(("alpha", "beta", "gamma")), st.sampled_from("12")), unique=True))
    return [draw(_one(department, f"r{number}")) for department, number in rows]


@st.composite
def _one(draw: st.DrawFn, department: str, record_id: str) -> Word:
    values = st.sampled_from(["甲（厦门）", "甲(厦门)", "乙", "丙", None])
    names = ("name", "phone", "head", "head_number")
    claims = draw(st.fixed_dictionaries(dict.fromkeys(names[:1], values), optional=dict.fromkeys(names[1:], values)))
    live = draw(st.sampled_from([True] * 5 + [False]))
    return replace(
        word(department, record_id, **(claims if live else {})),
        live=live,
        lost=not live and draw(st.booleans()),
        newest_refused=draw(st.sampled_from([False] * 4 + [True])),
        effective_from=draw(st.sampled_from([None, None, *DAYS])),
        effective_to=draw(st.sampled_from([None] * 6 + DAYS)),
    )


def in_force(said: Word, tick: date) -> bool:
    return (said.effective_from or tick) <= tick <= (said.effective_to or tick)


def speaking(words: Sequence[Word], name: str, tick: date = TODAY) -> list[Word]:
    """Who may speak to an attribute of the plain catalogue, and does."""
    departments = {"name": ("alpha", "beta", "gamma"), "phone": ("gamma",)}[name]
    live = [said for said in words if said.live and said.department in departments]
    return [said for said in live if said.claims.get(name) is not None and in_force(said, tick)]


# --- who wins --------------------------------------------------------------------------------------------------------
@many
@given(spoken())
def test_no_lower_tier_ever_speaks_where_a_higher_one_does(words: list[Word]) -> None:
    found = fact(words)
    tiers = [dict(LADDER)[said.department] for said in speaking(words, "name")]

    if found and found["state"] != "unknown":
        assert found["tier"] == min(tiers)


@many
@given(spoken())
def test_a_fact_names_a_live_member_who_says_just_that_and_every_other_claim_has_its_place(words: list[Word]) -> None:
    entry = derive(SUBJECT, words, PLAIN, TODAY).entry
    by_identity = {said.identity: said for said in words if said.live}
    members = [by_identity[Identity(m["source"], m["record_id"], m["part"])] for m in entry["members"]]
    assert sorted(by_identity) == [said.identity for said in members]

    for name in ("name", "phone"):
        found, claims = entry["facts"][name], speaking(words, name)
        if found is None or found["state"] == "unknown":
            continue
        dissent = {members[each["member"]].identity: each["value"] for each in found["dissent"]}
        agreeing = [said for said in claims if said.identity not in dissent]
        assert members[found["member"]] in claims
        assert members[found["member"]].claims[name] == found["value"]
        assert dissent == {said.identity: said.claims[name] for said in claims if said.identity in dissent}
        assert {said.claims[name].replace("（", "(").replace("）", ")") for said in agreeing} == {
            found["value"].replace("（", "(").replace("）", ")")
        }


@many
@given(spoken(), st.randoms(use_true_random=False))
def test_the_order_words_are_brought_in_and_the_time_of_day_do_not_show(words: list[Word], random: Random) -> None:
    mixed = random.sample(words, len(words))

    assert derive(SUBJECT, mixed, PLAIN, TODAY) == derive(SUBJECT, words, PLAIN, TODAY)


@many
@given(spoken())
def test_a_claim_that_does_not_win_changes_no_value(words: list[Word]) -> None:
    found = fact(words)
    if not found or found["state"] == "unknown":
        return
    members = sorted(said.identity for said in words if said.live)
    for said in speaking(words, "name"):
        if said.identity != members[found["member"]]:
            without = [other for other in words if other is not said]
            assert fact(without)["value"] == found["value"]


def test_inside_a_tier_the_claim_that_took_effect_last_wins_and_one_without_a_date_is_the_oldest() -> None:
    dated = word("beta", name="新", effective_from=DAYS[1])

    assert fact([word("alpha", name="旧"), dated])["value"] == "新"
    assert fact([word("alpha", name="更早", effective_from=DAYS[0]), dated])["value"] == "新"


def test_where_tier_and_date_are_equal_the_catalogues_order_decides_and_then_the_row() -> None:
    beta_first = catalogue(attribute("name", ("beta", 1), ("alpha", 1)))

    assert fact([word("beta", name="乙"), word("alpha", name="甲")])["value"] == "甲"
    assert fact([word("beta", name="乙"), word("alpha", name="甲")], by=beta_first)["value"] == "乙"
    assert fact([word("alpha", "r2", name="乙"), word("alpha", "r1", name="甲")])["value"] == "甲"


def test_a_later_version_of_another_row_counts_for_nothing() -> None:
    newer = word("beta", name="乙", version=Version(9, 9), newest=Version(9, 9))

    assert fact([word("alpha", name="甲"), newer])["value"] == "甲"


def test_a_department_speaks_only_in_the_period_the_catalogue_gives_it() -> None:
    merged = catalogue(
        attribute(
            "name",
            authority=[
                {"department": "alpha", "tier": 1, "to": DAYS[2]},
                {"department": "beta", "tier": 1, "from": DAYS[2]},
            ],
        )
    )

    def said(day: date | None) -> Any:
        words = [word("alpha", name="甲", effective_from=day), word("beta", name="乙", effective_from=day)]
        return fact(words, by=merged)["value"]

    assert (said(None), said(DAYS[1]), said(DAYS[2])) == ("甲", "甲", "乙")


# --- what is not known -----------------------------------------------------------------------------------------------
def test_what_a_department_never_speaks_of_is_absent_and_what_it_left_blank_is_unknown() -> None:
    assert fact([word("alpha", other="x")]) is None
    assert fact([]) is None
    assert (fact([word("alpha", name=None)])["state"], fact([word("alpha", name=None)])["reason"]) == (
        "unknown",
        "blank",
    )


def test_a_source_that_does_not_speak_of_an_attribute_takes_nothing_from_one_that_does() -> None:
    assert fact([word("alpha", phone="1"), word("gamma", name="丙")])["value"] == "丙"


def test_a_claim_nobody_gave_authority_for_makes_no_fact() -> None:
    assert fact([word("alpha", phone="1")], "phone")["reason"] == "ineligible"


def test_a_lost_authority_leaves_the_attribute_unknown_instead_of_to_a_lower_tier() -> None:
    words = [word("gamma", name="丙"), lost("alpha")]

    found = fact(words)

    assert (found["state"], found["reason"], found["value"]) == ("unknown", "authority_lost", None)


def test_a_lost_authority_lets_others_speak_where_the_catalogue_says_so() -> None:
    falling = catalogue(attribute("name", *LADDER, on_authority_loss="fall_back"))

    assert fact([word("gamma", name="丙"), lost("alpha")], by=falling)["value"] == "丙"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([word("beta", name="乙"), lost("alpha")], id="another of the same tier speaks"),
        pytest.param([word("alpha", "r2", name="甲"), lost("alpha")], id="another row of the department speaks"),
        pytest.param([word("alpha", name="甲"), lost("gamma")], id="a lower tier is lost"),
    ],
)
def test_a_loss_that_no_higher_tier_suffers_changes_nothing(words: list[Word]) -> None:
    assert fact(words)["state"] == "known"


def test_a_row_that_moved_or_was_withdrawn_is_no_loss() -> None:
    assert fact([word("gamma", name="丙"), word("alpha", live=False, lost=False)])["value"] == "丙"


# --- agreement -------------------------------------------------------------------------------------------------------
def test_a_fact_is_disputed_inside_its_tier_only() -> None:
    between, inside = [word("alpha", name="甲"), word("gamma", name="丙")], [word("alpha", name="甲")]
    inside.append(word("beta", name="乙"))

    assert (fact(between)["state"], conflicts(between)[0]["kind"]) == ("known", "dissent")
    assert (fact(inside)["state"], conflicts(inside)[0]["kind"]) == ("disputed", "dispute")


def test_a_winner_whose_newest_version_was_refused_is_in_question() -> None:
    assert fact([word("alpha", name="甲", newest_refused=True)])["state"] == "in_question"
    assert fact([word("alpha", name="甲"), word("gamma", name="丙", newest_refused=True)])["state"] == "known"


def test_values_that_differ_in_width_or_spaces_only_do_not_disagree() -> None:
    assert conflicts([word("alpha", name="甲（厦门） 公司"), word("beta", name="甲(厦门)公司")]) == []


def test_codes_agree_by_what_they_mean_and_untranslated_ones_by_list_and_letters() -> None:
    by_code = catalogue(attribute("status", *LADDER, type="code", equal="code"))

    def agree(one: dict[str, Any], other: dict[str, Any]) -> bool:
        return not fact([word("alpha", status=one), word("beta", status=other)], "status", by_code)["dissent"]

    assert agree(code("1", "ACTIVE"), code("01", "ACTIVE", "test-2"))
    assert not agree(code("1", "ACTIVE"), code("1", "REVOKED"))
    assert agree(code("7", None), code("7", None))
    assert not agree(code("7", None), code("7", None, "test-2"))
    assert not agree(code("b c", None, "a"), code("c", None, "a b"))


def conflicts(words: Sequence[Word]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = derive(SUBJECT, words, PLAIN, TODAY).entry["conflicts"]
    return found


@many
@given(spoken(), st.randoms(use_true_random=False))
def test_a_conflict_keeps_its_id_while_the_values_that_differ_are_the_same(words: list[Word], random: Random) -> None:
    ids = random.sample(["p", "q", "r", "s", "t", "u"], len(words))
    renamed = [
        replace(said, identity=said.identity._replace(record_id=said.identity.record_id + new))
        for said, new in zip(words, ids, strict=True)
    ]
    again = renamed + [replace(said, identity=said.identity._replace(part="b")) for said in renamed if not said.lost]

    assert [each["id"] for each in conflicts(again)] == [each["id"] for each in conflicts(words)]


@many
@given(spoken())
def test_a_conflict_is_open_just_where_a_fact_has_dissent(words: list[Word]) -> None:
    facts = derive(SUBJECT, words, PLAIN, TODAY).entry["facts"]

    assert [each["attribute"] for each in conflicts(words)] == [n for n, f in facts.items() if f and f["dissent"]]


# --- groups ----------------------------------------------------------------------------------------------------------
heads = st.dictionaries(st.sampled_from(["head", "head_number"]), st.sampled_from(["甲", "乙", None]), min_size=1)


@many
@given(st.dictionaries(st.sampled_from([("alpha", "r1"), ("alpha", "r2"), ("beta", "r1")]), heads, min_size=2))
def test_attributes_of_a_group_come_from_one_record_or_are_unknown(said: dict[tuple[str, str], dict[str, Any]]) -> None:
    words = [word(department, record_id, **claims) for (department, record_id), claims in said.items()]
    facts = derive(SUBJECT, words, GROUPED, TODAY).entry["facts"]

    members = {facts[name]["member"] for name in ("head", "head_number") if facts[name]}
    assert len(members - {None}) <= 1


def test_a_record_that_leads_a_group_leaves_what_it_does_not_say_unknown() -> None:
    words = [word("alpha", head="甲", head_number=None), word("gamma", head="丙"), word("beta", "r9", name="乙")]
    facts = derive(SUBJECT, words, GROUPED, TODAY).entry["facts"]

    assert facts["head"]["value"] == "甲"
    assert facts["head_number"]["state"] == "unknown"


# --- days ------------------------------------------------------------------------------------------------------------
def test_a_claim_holds_from_its_first_day_to_its_last_both_included() -> None:
    words = [word("alpha", name="甲", effective_from=DAYS[1], effective_to=DAYS[3]), word("gamma", name="丙")]

    assert [fact(words, tick=day)["value"] for day in DAYS] == ["丙", "甲", "甲", "甲", "丙", "丙"]


@many
@given(spoken())
def test_an_entry_stays_as_it_is_until_the_day_it_names_for_its_next_change(words: list[Word]) -> None:
    for today, tomorrow in pairwise(DAYS):
        now, then = derive(SUBJECT, words, PLAIN, today), derive(SUBJECT, words, PLAIN, tomorrow)

        assert now.next_change is None or now.next_change > today
        if now.next_change is None or now.next_change > tomorrow:
            assert then.entry == now.entry


def test_the_next_change_is_the_day_after_an_end_or_the_day_of_a_beginning_whichever_is_first() -> None:
    begins, ends = word("alpha", effective_from=DAYS[5]), word("beta", effective_to=DAYS[3])

    assert [derive(SUBJECT, said, PLAIN, TODAY).next_change for said in ([begins], [ends], [begins, ends])] == [
        DAYS[5],
        DAYS[4],
        DAYS[4],
    ]
    assert derive(SUBJECT, [word("alpha", effective_to=date.max)], PLAIN, TODAY).next_change is None


# --- bytes -----------------------------------------------------------------------------------------------------------
SHIPPED = catalogues()["legal_person"]


def of_shipped(words: Sequence[Word]) -> Derived:
    """By the shipped catalogue, so that it can be encoded: alpha is market supervision, beta the tax office."""
    names = {"alpha": "market_supervision", "beta": "local_tax"}
    said = [replace(each, department=names[each.department]) for each in words if each.department in names]
    return derive(SUBJECT, said, SHIPPED, TODAY)


@few
@given(spoken())
def test_the_same_statements_give_the_same_bytes(words: list[Word]) -> None:
    one, other = (published(of_shipped(said).entry, "legal_person", shipped()) for said in (words, words[::-1]))

    assert one == other


@few
@given(spoken(), st.data())
def test_the_content_hash_covers_every_byte_before_it(words: list[Word], data: st.DataObject) -> None:
    value, content_hash = published(of_shipped(words).entry, "legal_person", shipped())
    place = data.draw(st.integers(0, len(value) - 17))
    spoilt = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]

    assert contract().decode(value)[1]["content_hash"] == content_hash == hashed(value)
    assert hashed(spoilt) != content_hash


def hashed(value: bytes) -> bytes:
    """As a reader recomputes it: BLAKE2b-128 of all bytes before the last sixteen."""
    return blake2b(value[:-16], digest_size=16).digest()


LISTED = catalogue(
    attribute(
        "ratings",
        ("alpha", 1),
        ("beta", 1),
        ("gamma", 2),
        type="record",
        cardinality="many",
        equal=None,
        fields=[
            {"name": "year", "doc": "", "type": "text", "sensitivity": "public"},
            {"name": "level", "doc": "", "type": "code", "equal": "code", "sensitivity": "public"},
        ],
    )
)
KEYED = catalogue({**LISTED.attributes[0].model_dump(), "key": ["year"]})


def rating(year: str | None, level: str) -> dict[str, Any]:
    return {"year": year, "level": code(level, level)}


def values(facts: Sequence[Any]) -> list[tuple[str | None, str]]:
    return [(each["value"]["year"], each["value"]["level"]["canonical"]) for each in facts]


def test_each_row_states_an_element_of_a_list_whatever_the_others_say() -> None:
    rows = [word("alpha", "r2", ratings=rating("2020", "B")), word("alpha", "r1", ratings=rating("2020", "A"))]

    facts = fact(rows, "ratings", LISTED)

    assert values(facts) == [("2020", "A"), ("2020", "B")]
    assert [each["state"] for each in facts] == ["known", "known"]


def test_rows_that_speak_of_one_element_are_reconciled_as_one_attribute_would_be() -> None:
    rows = [
        word("gamma", ratings=rating("2020", "C")),
        word("alpha", ratings=rating("2020", "A")),
        word("beta", ratings=rating("2021", "B")),
        word("alpha", "r2", ratings=rating("2021", "A")),
    ]

    derived = derive(SUBJECT, rows, KEYED, TODAY).entry
    facts = derived["facts"]["ratings"]

    assert values(facts) == [("2020", "A"), ("2021", "A")]
    assert [each["state"] for each in facts] == ["known", "disputed"]
    assert [conflict["kind"] for conflict in derived["conflicts"]] == ["dissent", "dispute"]
    assert len({conflict["id"] for conflict in derived["conflicts"]}) == 2


def test_a_list_keeps_what_has_ended_and_what_has_yet_to_begin() -> None:
    rows = [
        word("alpha", "r1", ratings=rating("2019", "A"), effective_to=DAYS[0]),
        word("alpha", "r2", ratings=rating("2020", "B"), effective_from=DAYS[-1]),
    ]

    assert values(fact(rows, "ratings", LISTED)) == [("2019", "A"), ("2020", "B")]


def test_an_element_whose_newest_version_was_refused_is_in_question_and_the_others_are_not() -> None:
    rows = [
        word("alpha", "r1", ratings=rating("2019", "A"), newest_refused=True),
        word("alpha", "r2", ratings=rating("2020", "B")),
    ]

    assert [each["state"] for each in fact(rows, "ratings", LISTED)] == ["in_question", "known"]


def test_a_row_that_vanished_or_says_nothing_leaves_no_element() -> None:
    rows = [lost("alpha"), word("alpha", "r1", ratings=None)]

    assert fact(rows, "ratings", LISTED) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["alpha", "beta", "gamma"]), st.sampled_from(["2019", "2020", None]), st.sampled_from("AB")
        ),
        max_size=6,
    ),
    st.randoms(use_true_random=False),
    st.sampled_from([LISTED, KEYED]),
)
def test_a_list_is_the_same_in_whatever_order_its_rows_came(
    said: list[tuple[str, str | None, str]], random: Random, by: Catalogue
) -> None:
    rows = [word(who, f"r{n}", ratings=rating(year, level)) for n, (who, year, level) in enumerate(said)]
    shuffled = random.sample(rows, len(rows))

    assert derive(SUBJECT, shuffled, by, TODAY) == derive(SUBJECT, rows, by, TODAY)
    elements = {year for _, year, _ in said} if by is KEYED else said
    assert len(fact(rows, "ratings", by)) == len(elements)
