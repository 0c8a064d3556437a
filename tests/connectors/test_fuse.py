"""The fuse: how many rows may be gone before a person is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import fuse
from connectors.fuse import WINDOW_MS, Release
from connectors.position import Position, Vanished

FIRST = Position.first("market_supervision.branch", 3)
NOW = 10 * WINDOW_MS


def position(*vanished: tuple[int, int], held: int = 0) -> Position:
    return replace(FIRST, vanished=tuple(Vanished(*each) for each in vanished), held=held)


@pytest.mark.parametrize(
    ("gone", "known", "held"),
    [
        (0, 10, False),
        (1, 1, False),
        (1, 2, False),
        (2, 2, True),
        (2, 3, True),
        (50, 1000, False),
        (51, 1000, True),
        (500, 100_000, False),
        (501, 100_000, True),
    ],
)
def test_fifty_rows_or_one_in_two_hundred_may_go_and_never_more_than_half(gone: int, known: int, held: bool) -> None:
    assert fuse.holds(gone, known, FIRST, NOW, None) is held


def test_what_went_within_a_day_counts_and_what_went_before_does_not() -> None:
    lately = position((NOW - WINDOW_MS + 1, 40))
    earlier = position((NOW - WINDOW_MS, 40))

    assert fuse.holds(11, 1000, lately, NOW, None)
    assert not fuse.holds(11, 1000, earlier, NOW, None)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(0, 3000))
def test_no_day_ever_loses_more_than_the_limit(steps: list[int], rows: int) -> None:
    """However a table empties, what leaves unseen by a person within a day is bounded."""
    known, at, left, here = rows, NOW, [], FIRST
    for step in steps:
        gone, at = min(step, known), at + WINDOW_MS // 10
        if gone and not fuse.holds(gone, known, here, at, None):
            here = replace(here, vanished=(*here.vanished, Vanished(at, gone)))
            left.append((at, gone))
            known -= gone
    for end, _ in left:
        within = sum(gone for when, gone in left if end - WINDOW_MS < when <= end)

        assert within <= max(50, rows / 200)


@given(gone=st.integers(1, 10_000), released=st.integers(1, 10_000), held=st.integers(0, 10_000))
def test_a_release_lets_through_at_most_what_it_names_and_only_while_something_is_held(
    gone: int, released: int, held: int
) -> None:
    alone = fuse.holds(gone, 10_000, position(held=held), NOW, None)
    with_release = fuse.holds(gone, 10_000, position(held=held), NOW, Release(released, 1))

    assert with_release is (alone and not (held > 0 and gone <= released))


def test_a_release_is_read_as_it_was_written_and_a_broken_one_is_none(tmp_path: Path) -> None:
    fuse.write_release(tmp_path / "store", Release(7, 3))
    written = fuse.read_release(tmp_path / "store")
    fuse.release_file(tmp_path / "store").write_text("{")

    assert written == Release(7, 3)
    assert fuse.read_release(tmp_path / "store") is None
    assert fuse.read_release(tmp_path) is None
