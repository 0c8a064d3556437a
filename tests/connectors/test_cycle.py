"""Cycles of one source, whatever becomes of their transactions, their process and their store."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors import fuse
from connectors.fuse import Release
from connectors.publish import Publisher
from connectors.store import Store
from process.errors import FencedError, PermanentError
from schemas.codec import contract
from tests.connectors.worlds import (
    AUDIT,
    CODES,
    PARTITIONS,
    PREFIX,
    SUBJECTS,
    TWO_PARTS,
    UNMAPPED,
    World,
    branch,
    source,
)
from transport.client import Doubt


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(source(TWO_PARTS, tmp_path), tmp_path / "store")
    yield made
    made.stop()


def test_a_second_cycle_in_which_nothing_changed_sends_watermarks_only(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0]), branch("r2", CODES[1], parent=CODES[0]), branch("r3", "?")]
    world.cycle()
    before = world.statements()
    report = world.cycle()

    assert report
    assert (report.counts.sent, report.counts.unchanged, report.counts.refused) == (0, 2, 1)
    assert world.statements() == before
    assert [mark["cycle"] for mark in world.watermarks()] == [1, 2] * 3


def test_a_row_of_two_parts_is_counted_once(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0], parent=CODES[1])]
    world.cycle()

    assert world.statements() == {
        (SUBJECTS[0], "r1", ""): ("UPSERT", "示例", 1),
        (SUBJECTS[1], "r1", "parent"): ("UPSERT", "示例", 0),
    }


@pytest.mark.parametrize("outcome", ["ok", "aborted", "committed", "killed_before", "killed_after"])
def test_a_row_that_moves_to_another_subject_leaves_no_claim(world: World, outcome: str) -> None:
    world.rows.rows = [branch("r1", CODES[0])]
    world.cycle()
    world.rows.rows = [branch("r1", CODES[1])]
    world.cycle("ok", outcome)
    world.rows.rows = [branch("r1", CODES[2])]
    world.cycle()

    assert list(world.statements()) == [(SUBJECTS[2], "r1", "")]


def test_a_row_that_moves_away_and_back_in_doubt_is_at_home(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0])]
    world.cycle()
    world.rows.rows = [branch("r1", CODES[1])]
    world.cycle("ok", "committed")
    world.rows.rows = [branch("r1", CODES[0])]
    world.cycle()

    assert list(world.statements()) == [(SUBJECTS[0], "r1", "")]


def test_a_moved_row_says_where_it_went(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0])]
    world.cycle()
    world.rows.rows = [branch("r1", CODES[1])]
    world.cycle()
    deleted = [m for _, c in world.kafka.records(world.dept) if (m := c.get("meta", {})).get("operation") == "DELETE"]

    assert [(head["moved_to"], head["cycle"]) for head in deleted] == [(SUBJECTS[1], 2)]


def test_a_refused_row_is_refused_under_its_old_key_and_the_new_one(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0])]
    world.cycle()
    world.rows.rows = [branch("r1", CODES[1], name=UNMAPPED)]
    report = world.cycle()

    assert report
    assert dict(report.reasons) == {"unmapped_character": 1}
    assert world.statements() == {
        (SUBJECTS[0], "r1", ""): ("REFUSED", None, 1),
        (SUBJECTS[1], "r1", ""): ("REFUSED", None, 0),
    }


def test_a_refused_row_that_is_mended_is_live_at_its_own_key_only(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0])]
    world.cycle()
    world.rows.rows = [branch("r1", CODES[1], name=UNMAPPED)]
    world.cycle()
    world.rows.rows = [branch("r1", CODES[1])]
    world.cycle()

    assert world.statements() == {(SUBJECTS[1], "r1", ""): ("UPSERT", "示例", 1)}


def test_a_refused_row_goes_to_quarantine_once(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0], name=UNMAPPED)]
    world.cycle()
    world.cycle()
    quarantined = [content for _, content in world.kafka.records("t.quarantine.market_supervision")]

    assert [(each["reason"], each["fields"], each["cycle"]) for each in quarantined] == [
        ("unmapped_character", ["NAME"], 1)
    ]
    assert UNMAPPED in quarantined[0]["body"].decode()


def test_rows_of_one_id_that_differ_are_refused_together(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0]), branch("r2", CODES[2]), branch("r1", CODES[1])]
    report = world.cycle()

    assert report
    assert (report.counts.read, report.counts.sent, report.counts.refused) == (3, 1, 2)
    assert world.statements() == {
        (SUBJECTS[0], "r1", ""): ("REFUSED", None, 2),
        (SUBJECTS[1], "r1", ""): ("REFUSED", None, 0),
        (SUBJECTS[2], "r2", ""): ("UPSERT", "示例", 1),
    }


def test_rows_of_one_id_that_are_the_same_are_one_row(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0]), branch("r1", CODES[0])]
    report = world.cycle()

    assert report
    assert (report.counts.read, report.counts.sent) == (1, 1)


def test_rows_without_an_id_are_refused_each(world: World) -> None:
    world.rows.rows = [branch(None, CODES[0]), branch("-", CODES[1]), branch(None, CODES[0])]
    first = world.cycle()
    second = world.cycle()

    assert first
    assert second
    assert first.counts.refused == second.counts.refused == 2
    assert not second.changed


def test_a_row_flagged_as_deleted_counts_as_gone(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0]), branch("r2", CODES[1]), branch("r3", CODES[2])]
    world.cycle()
    world.rows.rows[0] = branch("r1", CODES[0], flag="0")
    report = world.cycle()

    assert report
    assert (report.counts.read, report.counts.deleted) == (2, 1)
    assert (SUBJECTS[0], "r1", "") not in world.statements()


def test_too_many_gone_at_once_are_held_and_nothing_is_concluded(world: World) -> None:
    world.rows.rows = [branch(f"r{n}", CODES[0]) for n in range(10)]
    world.cycle()
    world.rows.rows = world.rows.rows[:4]
    report = world.cycle()
    mark = world.watermarks()[-1]
    first = world.watermarks()[0]

    assert report
    assert (report.counts.deleted, report.counts.held) == (0, 6)
    assert len(world.statements()) == 10
    assert (mark["complete_until"], mark["present_until"], mark["complete_cycle"]) == (
        first["complete_until"],
        first["present_until"],
        1,
    )


def test_a_release_lets_what_was_held_go_and_no_later_hold(world: World) -> None:
    world.rows.rows = [branch(f"r{n}", CODES[0]) for n in range(10)]
    world.cycle()
    world.rows.rows = world.rows.rows[:4]
    world.cycle()
    fuse.write_release(world.folder, Release(6, 2))
    let_go = world.cycle()
    world.rows.rows = []
    held_again = world.cycle()

    assert let_go
    assert held_again
    assert (let_go.counts.deleted, let_go.counts.held) == (6, 0)
    assert (held_again.counts.deleted, held_again.counts.held) == (0, 4)


def test_a_release_does_not_cover_rows_that_went_after_it(world: World) -> None:
    world.rows.rows = [branch(f"r{n}", CODES[0]) for n in range(10)]
    world.cycle()
    world.rows.rows = world.rows.rows[:4]
    world.cycle()
    fuse.write_release(world.folder, Release(6, 2))
    world.rows.rows = world.rows.rows[:3]
    report = world.cycle()

    assert report
    assert (report.counts.deleted, report.counts.held) == (0, 7)


def test_a_table_that_empties_in_small_steps_is_held_too(world: World) -> None:
    world.rows.rows = [branch(f"r{n}", CODES[0]) for n in range(10)]
    world.cycle()
    deleted = []
    for left in (8, 6, 4, 2):
        world.rows.rows = world.rows.rows[:left]
        report = world.cycle()
        assert report
        deleted.append(report.counts.deleted)

    assert deleted == [2, 2, 0, 0]


def test_a_held_row_that_comes_back_is_not_sent_again(world: World) -> None:
    rows = [branch(f"r{n}", CODES[0]) for n in range(10)]
    world.rows.rows = rows
    world.cycle()
    world.rows.rows = []
    world.cycle()
    world.rows.rows = rows
    report = world.cycle()

    assert report
    assert (report.counts.unchanged, report.counts.held) == (10, 0)
    assert world.watermarks()[-1]["present_until"] == world.watermarks()[-1]["snapshot_at"]


def test_a_lost_store_that_no_resend_answers_sends_everything_again_and_nothing_is_concluded(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0]), branch("r2", CODES[1])]
    world.cycle()
    world.stop()
    shutil.rmtree(world.folder)
    report = world.cycle()
    world.start()
    world.cycle()
    first, _, last = world.watermarks()[:3]

    assert report
    assert (report.counts.sent, report.counts.unchanged) == (2, 0)
    assert (last["present_until"], last["complete_until"]) == (first["present_until"], first["complete_until"])


def test_a_store_lost_again_before_it_was_told_is_still_lost(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0])]
    world.cycle()
    world.stop()
    shutil.rmtree(world.folder)
    world.start()
    world.cycle("killed_before")
    world.cycle()

    assert world.publisher.position.present_stopped == "store_lost"


def test_an_older_copy_of_the_store_is_not_believed(world: World, tmp_path: Path) -> None:
    world.rows.rows = [branch("r1", CODES[0])]
    world.cycle()
    world.stop()
    shutil.copytree(world.folder, tmp_path / "copy")
    for code in CODES[1:3]:
        world.rows.rows = [branch("r1", code)]
        world.cycle()
    world.stop()
    shutil.rmtree(world.folder)
    shutil.copytree(tmp_path / "copy", world.folder)
    report = world.cycle()

    assert report
    assert report.counts.sent == 1
    assert world.publisher.position.present_stopped == "store_lost"


def test_another_incarnation_of_the_source_sends_nothing_until_it_is_accepted(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0])]
    world.cycle()
    world.rows.incarnation = "restored"
    world.rows.rows = [branch("r1", CODES[1])]
    with pytest.raises(PermanentError, match="not the database that was read before"):
        world.cycle()
    untouched = world.statements()
    world.start()
    world.publisher.raise_epoch("restored")
    world.cycle()

    assert list(untouched) == [(SUBJECTS[0], "r1", "")]
    assert list(world.statements()) == [(SUBJECTS[1], "r1", "")]
    assert world.watermarks()[-1]["epoch"] == 2


def test_an_instance_that_was_overtaken_writes_nothing_more(world: World, tmp_path: Path) -> None:
    world.rows.rows = [branch("r1", CODES[0])]
    world.cycle()
    old = world.publisher
    world.start()
    world.cycle()
    written = len(world.kafka.records(world.dept))
    with pytest.raises(Doubt, match="fenced"):
        old.take_number()
    with Store(tmp_path / "old") as store, pytest.raises(FencedError, match="another process has read on"):
        old.recover(store)

    assert len(world.kafka.records(world.dept)) == written


def test_an_instance_that_was_only_late_goes_on(world: World) -> None:
    world.rows.rows = [branch("r1", CODES[0])]
    world.cycle()
    world.rows.rows = [branch("r1", CODES[1])]
    late = [world.cycle("committed"), world.cycle("ok", "committed"), world.cycle("ok", "aborted")]
    report = world.cycle()

    assert late == [None, None, None]
    assert report
    assert report.cycle == 5


def test_after_a_slow_commit_nothing_is_written_over_a_rivals_work(world: World, tmp_path: Path) -> None:
    """The sender makes itself anew then, which takes the name back from a rival without telling."""
    ticks = itertools.count(0, 2)
    slow = Publisher(world.kafka, world.source, contract(), AUDIT, PARTITIONS, PREFIX, lambda: float(next(ticks)))
    with Store(tmp_path / "slow") as store:
        slow.recover(store)
        slow.take_number()
        slow.take_number()
        world.rows.rows = [branch("r1", CODES[0])]
        world.cycle()
        written = len(world.kafka.records(world.dept))
        with pytest.raises(FencedError, match="another process has read on"):
            slow.take_number()

    assert len(world.kafka.records(world.dept)) == written
