"""A resend: what the partitions hold is joined with the store's notes, and what differs gets its name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mapper import Target
from connectors.plan import Note, Notes
from connectors.reconciliation import Held
from connectors.resend import ALL, Resend, by_token, joined

SUBJECTS = "ABC"
HASHES = (b"x" * 16, b"y" * 16)
NEWEST = (1, 9)


def target(subject: str) -> Target:
    return Target("", "market_supervision/enterprise-1", subject)


def note(subject: str, row_hash: bytes | None, *, refused: bool = False) -> Note:
    return Note(target(subject), row_hash, refused=refused)


def held(subject: str, row_hash: bytes | None, token: str | None = None, cycle: int = 3) -> Held:
    return Held("", subject, 1, cycle, token, row_hash)


def type_of(part: str, subject: str) -> str:
    return target(subject).type


notes = st.lists(
    st.builds(note, st.sampled_from(SUBJECTS), st.sampled_from([*HASHES, None])), unique_by=lambda n: n.target
).map(tuple)
lists = st.lists(
    st.builds(held, st.sampled_from(SUBJECTS), st.sampled_from([*HASHES, None])), unique_by=lambda h: h.subject
)


@given(notes, lists)
def test_nothing_that_may_stand_at_the_exchange_is_left_out_and_nothing_is_taken_for_certain_but_what_is_held(
    own: Notes, here: list[Held]
) -> None:
    found = {each.target.subject: each for each in joined(own, here, type_of)}

    assert found.keys() == {n.target.subject for n in own} | {h.subject for h in here}
    for subject, each in found.items():
        of_list = next((h for h in here if h.subject == subject), None)
        assert each.refused == (of_list is not None and of_list.row_hash is None)
        assert each.row_hash == (of_list.row_hash if of_list else None)


def test_a_refusal_that_is_held_keeps_the_reason_the_store_knows() -> None:
    own = (note("A", HASHES[0], refused=True),)

    assert joined(own, [held("A", None)], type_of) == own
    assert joined((), [held("A", None)], type_of) == (note("A", None, refused=True),)


@given(notes, lists)
def test_a_row_in_doubt_is_no_break_whatever_is_held(own: Notes, here: list[Held]) -> None:
    resend = Resend(ALL)
    doubt = tuple(n._replace(row_hash=None) for n in own)
    known = [h for h in here if h.subject in {n.target.subject for n in own}]

    resend.compare({"r1": doubt}, {"r1": known}, NEWEST)
    resend.close()

    assert resend.breaks == {}


@pytest.mark.parametrize(
    ("own", "here", "kind"),
    [
        ((note("A", HASHES[0]),), [], "MISSING"),
        ((), [held("A", HASHES[0])], "EXTRA"),
        ((note("A", HASHES[0]),), [held("A", HASHES[1])], "STALE"),
        ((note("A", HASHES[0], refused=True),), [held("A", HASHES[0])], "STALE"),
        ((note("A", HASHES[0]),), [held("A", None)], "STALE"),
        ((note("A", HASHES[0]),), [held("A", HASHES[0], cycle=10)], "REGRESSED"),
        ((), [held("A", HASHES[0], cycle=10)], "REGRESSED"),
    ],
)
def test_a_difference_between_what_was_sent_and_what_is_held_has_one_name(
    own: Notes, here: list[Held], kind: str
) -> None:
    resend = Resend(ALL)
    resend.compare({"r1": own}, {"r1": here} if here else {}, NEWEST)
    resend.close()

    assert resend.breaks == {kind: 1}


def test_what_is_held_as_it_was_sent_is_no_break() -> None:
    resend = Resend(ALL)
    own = (note("A", HASHES[0]), note("B", HASHES[1], refused=True))
    resend.compare({"r1": own}, {"r1": [held("A", HASHES[0]), held("B", None)]}, NEWEST)
    resend.close()

    assert resend.breaks == {}


@pytest.mark.parametrize(
    ("here", "source", "kind"),
    [
        ("9", "10", "STALE"),
        ("2026-01-01", "2026-01-02", "STALE"),
        ("10", "9", "REGRESSED"),
        ("2026-01-02", "2026-01-01", "REGRESSED"),
        ("7", "7", "DIVERGENT"),
        (None, "7", "STALE"),
        ("7", None, "STALE"),
    ],
)
def test_the_rows_own_token_tells_which_side_is_behind(here: str | None, source: str | None, kind: str) -> None:
    assert by_token(here, source) == kind
