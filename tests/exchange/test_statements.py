"""Statements: three maxima and an erasure, whatever order a row's versions come in."""

from __future__ import annotations

from functools import reduce
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.statements import (
    Body,
    Deletion,
    Identity,
    Refusal,
    Rows,
    Statement,
    Version,
    join,
    of_record,
    settled,
    stated,
    to_record,
)
from schemas.codec import contract
from tests.exchange.examples import many
from tests.exchange.publishing import record

ROW = Identity("local_tax.main", "t1", "")
SUBJECT = "legal:org:XX0000001"
OPERATIONS = ["UPSERT", "END", "DELETE", "WITHDRAW", "REFUSED", "ERASE"]

versions = st.tuples(st.integers(1, 2), st.integers(1, 4))


@st.composite
def words(draw: st.DrawFn) -> Statement:
    """What one message states: few versions, so that they meet."""
    epoch, cycle = draw(versions)
    operation = draw(st.sampled_from(OPERATIONS))
    moved_to = draw(st.sampled_from([None, "legal:org:XX0000002"])) if operation == "DELETE" else None
    rows, text = draw(st.integers(0, 2)), draw(st.sampled_from(["甲", "乙", None]))
    return said(operation, cycle, epoch=epoch, moved_to=moved_to, rows=rows, name=text)


def said(operation: str, cycle: int, **content: object) -> Statement:
    """A statement as the first of its row."""
    _, value = record("local_tax", SUBJECT, "t1", cycle, operation, **content)
    return settled(stated(contract().head(value).meta, value))


def joined(*words: Statement) -> Statement:
    return reduce(join, words)


@many
@given(words(), words(), words())
def test_joining_does_not_mind_order_grouping_or_repeats(one: Statement, two: Statement, three: Statement) -> None:
    assert join(one, two) == join(two, one)
    assert join(join(one, two), three) == join(one, join(two, three))
    assert join(join(one, two), two) == join(one, two)
    assert join(one, one) == one


@many
@given(st.lists(words(), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_order_with_any_repeats_gives_one_statement(said_once: list[Statement], random: Random) -> None:
    again = said_once + random.choices(said_once, k=3)
    random.shuffle(again)

    assert joined(*again) == joined(*said_once)


@many
@given(st.lists(words(), min_size=1, max_size=8))
def test_each_part_is_the_highest_that_was_said(said_once: list[Statement]) -> None:
    found = joined(*said_once)

    for name in ("body", "deleted", "refused"):
        parts = [getattr(word, name) for word in said_once if getattr(word, name) is not None]
        highest = max((part.version for part in parts), default=None)
        assert (getattr(found, name) and getattr(found, name).version) == highest
    assert found.erased == max((word.erased for word in said_once if word.erased), default=None)
    assert found.newest == max(word.newest for word in said_once)


@many
@given(st.lists(words(), min_size=1, max_size=8))
def test_only_a_body_that_counts_keeps_its_bytes(said_once: list[Statement]) -> None:
    found = joined(*said_once)

    assert found.live == bool(found.body and found.body.value)


@many
@given(st.lists(words(), min_size=1, max_size=8))
def test_an_erased_row_is_never_live_and_counts_no_row(said_once: list[Statement]) -> None:
    found = joined(*said_once, said("ERASE", 1))

    assert not found.live
    assert not found.in_question
    assert found.rows == Rows(0, 0)
    assert not (found.body and found.body.value)


@many
@given(st.lists(words(), min_size=1, max_size=8))
def test_a_row_counts_as_live_or_refused_and_never_both(said_once: list[Statement]) -> None:
    found = joined(*said_once)

    assert 0 in found.rows
    assert found.rows.live == (found.body.rows if found.body and found.live and not found.newest_refused else 0)


@many
@given(st.lists(words(), min_size=1, max_size=8))
def test_a_statement_comes_back_from_its_stored_bytes(said_once: list[Statement]) -> None:
    found = joined(*said_once)

    stored = contract().encode("state/statement-1", to_record(found))

    assert of_record(contract().decode(stored)[1]) == found


def test_an_older_version_does_not_come_back_after_a_deletion() -> None:
    for order in permutations([said("UPSERT", 1), said("DELETE", 2), said("UPSERT", 1, name="甲")]):
        assert not joined(*order).live


def test_a_version_newer_than_the_deletion_brings_the_row_back() -> None:
    for order in permutations([said("UPSERT", 1), said("DELETE", 2), said("UPSERT", 3)]):
        assert joined(*order).live


@pytest.mark.parametrize("deletion", ["DELETE", "WITHDRAW"])
@pytest.mark.parametrize("body", ["UPSERT", "END"])
def test_at_one_version_a_body_beats_a_deletion(body: str, deletion: str) -> None:
    for order in permutations([said(body, 2), said(deletion, 2), said("UPSERT", 1)]):
        assert joined(*order).live


def test_a_later_epoch_stands_above_every_cycle_of_an_earlier_one() -> None:
    for order in permutations([said("DELETE", 9, epoch=1), said("UPSERT", 1, epoch=2)]):
        assert joined(*order).live


def test_two_bodies_for_one_version_are_decided_alike_in_every_order() -> None:
    bodies = [said("UPSERT", 1, name=name) for name in ("甲", "乙", "丙")]

    assert len({joined(*order) for order in permutations(bodies)}) == 1


def test_a_refusal_above_the_body_puts_it_in_question_and_counts_the_row_as_refused() -> None:
    found = joined(said("UPSERT", 1), said("REFUSED", 2))

    assert found.live
    assert found.in_question
    assert found.rows == Rows(0, 1)


def test_a_refusal_below_the_body_says_nothing() -> None:
    assert not joined(said("UPSERT", 2), said("REFUSED", 1)).newest_refused
    assert not joined(said("UPSERT", 2), said("REFUSED", 2)).newest_refused


def test_a_refused_row_that_vanishes_is_counted_no_more() -> None:
    assert joined(said("REFUSED", 1), said("DELETE", 2)).rows == Rows(0, 0)


def test_a_row_is_lost_when_it_vanished_and_not_when_it_moved_was_withdrawn_or_came_back() -> None:
    body = said("UPSERT", 1)

    assert joined(body, said("DELETE", 2)).lost
    assert not joined(body, said("DELETE", 2, moved_to="legal:org:XX0000002")).lost
    assert not joined(body, said("WITHDRAW", 2)).lost
    assert not joined(body, said("DELETE", 2), said("UPSERT", 3)).lost


def test_a_row_that_never_said_anything_is_not_lost_when_its_deletion_comes() -> None:
    assert not said("DELETE", 2).lost
    assert not joined(said("REFUSED", 1), said("DELETE", 2)).lost


def test_an_erased_row_is_lost_unless_it_had_moved_or_been_withdrawn() -> None:
    body, erased = said("UPSERT", 1), said("ERASE", 3)

    assert joined(body, erased).lost
    assert joined(body, said("DELETE", 2), erased).lost
    assert not joined(body, said("DELETE", 2, moved_to="legal:org:XX0000002"), erased).lost
    assert not joined(body, said("WITHDRAW", 2), erased).lost
    assert not erased.lost


def test_a_statement_alone_keeps_no_bytes_of_a_body_that_does_not_count() -> None:
    dead = Statement(
        ROW,
        Body(Version(1, 1), "UPSERT", 1, b"bytes"),
        Deletion(Version(1, 2), "DELETE", ""),
        Refusal(Version(1, 1), 1),
    )

    assert settled(dead).body == Body(Version(1, 1), "UPSERT", 0, b"")
