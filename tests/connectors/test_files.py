"""Files of a department taken in order, whole or not at all, and kept as accepted."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sources.files import preview, standing
from connectors.sources.files.drop import Delivery, Drop, plain
from connectors.sources.files.kept import Kept
from connectors.sources.files.reject import Reject
from connectors.sources.files.source import FileSource, family
from process.errors import TransientError
from tests.connectors.drops import BEGIN, COLUMNS, NOTHING, TEXT, ZONE, Department, ends_ms, of, told
from tests.connectors.worlds import CODES, World, branch, source

MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, where there is one
NOW = BEGIN.timestamp() + 86_400 * 365
WRONG = {"md5": "0" * 32}
A, B, C = (branch(f"r{n}", CODES[n], name) for n, name in enumerate("甲乙丙"))


class Place:
    """A drop folder, who fills it, and a connector's state beside it."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.folder = folder
        self.department = Department(folder / "drop")
        self.state = folder / "state"
        self.source = of(folder, folder / "drop", TEXT, *more)
        self.rows = FileSource(self.source, self.state, lambda: NOW)

    def restart(self) -> None:
        self.rows.close()
        self.rows = FileSource(self.source, self.state, lambda: NOW)

    def poll(self) -> list[str]:
        """The names that the table shows after one poll, whose cycle closes."""
        self.rows.reach()
        with self.rows.snapshot() as snapshot:
            return [str(row["NAME"]) for row in snapshot.rows(COLUMNS)]

    def alarms(self) -> list[str]:
        return [alarm.code for alarm in self.rows.alarms()]

    def told(self) -> dict[str, Any]:
        return standing.told(self.source, self.state)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.rows.close()


def test_a_file_is_taken_once_its_ok_is_there_and_left_alone_before(place: Place) -> None:
    name = place.department.deliver(1, [A, B])
    (place.department.folder / "FR_350299_SCJG_20160301_0001.ok").unlink()
    with pytest.raises(TransientError, match="no complete delivery yet"):
        place.poll()
    unfinished = place.told()["unfinished"]
    (place.department.folder / "FR_350299_SCJG_20160301_0001.ok").touch()

    assert unfinished == [name]
    assert place.poll() == ["甲", "乙"]
    assert place.alarms() == []


def test_each_poll_takes_one_file_and_says_that_more_wait(place: Place) -> None:
    for batch, rows in enumerate(([A], [A, B], [B]), 1):
        place.department.deliver(batch, rows)
    seen = []
    more = []
    for _ in range(4):
        seen.append(place.poll())
        more.append(place.rows.more())

    assert seen == [["甲"], ["甲", "乙"], ["乙"], ["乙"]]
    assert more == [True, True, False, False]


def test_a_snapshot_has_the_time_that_the_control_file_says(place: Place) -> None:
    place.department.deliver(1, [A])
    place.poll()
    place.department.deliver(2, [B], full=False)
    place.rows.reach()
    with place.rows.snapshot() as snapshot:
        found = (snapshot.at_ms, snapshot.present_ms, snapshot.stated, snapshot.owed)
        incarnation = snapshot.incarnation

    assert found == (ends_ms(2), ends_ms(1), True, True)
    assert incarnation == "files FR_350299_SCJG_{date}_{number}"


def test_the_next_file_waits_until_a_cycle_over_this_one_has_closed(place: Place) -> None:
    place.department.deliver(1, [A])
    place.department.deliver(2, [B])
    place.rows.reach()
    with pytest.raises(RuntimeError), place.rows.snapshot():
        raise RuntimeError
    place.restart()

    assert place.poll() == ["甲"]
    assert place.poll() == ["乙"]


def test_an_increment_replaces_the_rows_it_names_and_no_other(place: Place) -> None:
    place.department.deliver(1, [A, B])
    place.poll()
    place.department.deliver(2, [branch(" r1 ", CODES[1], "改"), C], full=False)

    assert place.poll() == ["甲", "改", "丙"]


def test_rows_come_in_the_order_of_the_files_or_of_columns(place: Place) -> None:
    place.department.deliver(1, [C, A])
    place.department.deliver(2, [B], full=False)
    place.poll()
    place.rows.reach()
    with place.rows.snapshot() as snapshot:
        came = [row["ID"] for row in snapshot.rows(["ID"])]
        ordered = [row["NAME"] for row in snapshot.rows(["NAME"], ["ID"])]

    assert came == ["r2", "r0", "r1"]
    assert ordered == ["甲", "乙", "丙"]


def test_two_rows_of_one_id_in_one_increment_are_both_there_for_the_cycle_to_refuse(place: Place) -> None:
    place.department.deliver(1, [A])
    place.poll()
    place.department.deliver(2, [branch("r0", CODES[0], "一"), branch("r0", CODES[0], "二")], full=False)

    assert place.poll() == ["一", "二"]


def test_a_gap_waits_and_alarms_until_the_missing_batch_comes(place: Place) -> None:
    place.department.deliver(1, [A])
    place.poll()
    late = place.department.deliver(3, [C], full=False)
    before = (place.poll(), place.alarms(), place.told()["waiting"])
    place.department.deliver(2, [B], full=False)
    after = (place.poll(), place.alarms())

    assert before == (["甲"], ["gap"], [late])
    assert after == (["甲", "乙"], [])
    assert place.poll() == ["甲", "乙", "丙"]


def test_who_waits_for_a_refused_batch_does_not_miss_it(place: Place) -> None:
    place.department.deliver(1, [A])
    place.poll()
    place.department.deliver(2, [B], full=False, said=WRONG)
    place.department.deliver(3, [C], full=False)

    assert (place.poll(), place.alarms()) == (["甲"], ["control_md5"])


def test_a_full_file_ends_a_gap_and_what_it_passed_over_changes_nothing_later(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.department.deliver(1, [A])
    place.poll()
    place.department.deliver(3, [C], full=False)
    place.poll()
    place.department.deliver(4, [B])
    jumped = (place.poll(), place.alarms())
    place.department.deliver(2, [A], full=False)

    assert jumped == (["乙"], [])
    assert '"event": "files.passed_over"' in capsys.readouterr().err
    assert (place.poll(), place.alarms()) == (["乙"], [])


def test_increments_without_a_full_file_before_them_wait_for_one(place: Place) -> None:
    place.department.deliver(2, [B], full=False)
    with pytest.raises(TransientError, match="1 increments wait for a full file"):
        place.poll()
    place.department.deliver(1, [A])

    assert place.poll() == ["甲"]
    assert place.poll() == ["甲", "乙"]


@pytest.mark.parametrize(
    ("said", "code", "line"),
    [
        ({"rows": 3}, "control_rows", None),
        ({"bytes": 1}, "control_bytes", None),
        ({"md5": "0" * 32}, "control_md5", None),
        ({"name": "FR_350299_SCJG_20160301_0009.txt"}, "control_name", None),
        ({"kind": "X"}, "control_form", None),
        ({"batch": "zwei"}, "control_form", None),
        ({"to": "20160301"}, "control_form", None),
        ({"to": "20160230000000"}, "control_form", None),
        ({"from": "20991231000000"}, "control_form", None),
        ({"kind": "F|F"}, "control_form", None),
        ({"from": told(0), "to": told(0)}, "goes_back", None),
        ({"from": BEGIN.strftime("%Y-%m-%d 03:00:00"), "to": told(5)}, "hole", None),
        ({"to": "20990101000000"}, "in_future", None),
    ],
)
def test_a_control_file_that_disagrees_refuses_the_file_whole_until_it_is_corrected(
    place: Place, said: dict[str, object], code: str, line: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    place.department.deliver(1, [A])
    place.poll()
    name = place.department.deliver(2, [B, C], full=False, said=said)
    refused = [(place.poll(), place.alarms()) for _ in range(2)]
    (error,) = [alarm.error for alarm in place.rows.alarms()]
    shown = place.told()["refused"]
    place.department.deliver(2, [B, C], full=False)

    assert refused == [(["甲"], [code])] * 2
    assert error.exit_code == 4
    assert str(error).startswith(name)
    assert [(each["file"], each["code"], each["line"]) for each in shown] == [(name, code, line)]
    assert capsys.readouterr().err.count('"event": "file.refused"') == 1
    assert (place.poll(), place.alarms()) == (["甲", "乙", "丙"], [])


def test_a_malformed_line_refuses_the_file_whole_and_is_named(place: Place) -> None:
    place.department.deliver_bytes(1, "r0|a|甲|1||0\r\nr1|b|乙|丙|1||0\r\n".encode("gb18030"), 2)
    with pytest.raises(TransientError, match=r"_0001\.txt:2: 7 fields, where 6 are expected"):
        place.poll()

    assert list((place.state / "kept").iterdir()) == []


def test_a_refused_file_has_another_try_when_the_connector_starts_again_or_the_file_changes(place: Place) -> None:
    place.department.deliver(1, [A])
    place.poll()
    place.department.deliver(3, [C], full=False)
    place.department.deliver(2, [B], full=False, said=WRONG)
    place.poll()
    place.restart()
    again = (place.poll(), place.alarms())
    place.department.deliver(2, [B], full=False)
    place.rows.reach()
    with pytest.raises(RuntimeError), place.rows.snapshot():
        raise RuntimeError
    place.rows.reach()

    assert again == (["甲"], ["control_md5"])
    assert place.alarms() == []
    assert [place.poll(), place.poll()] == [["甲", "乙"], ["甲", "乙", "丙"]]


def test_the_first_file_refused_is_told_and_corrected_by_a_later_one(place: Place) -> None:
    place.department.deliver(1, [A], said=WRONG)
    with pytest.raises(TransientError, match="MD5") as caught:
        place.poll()
    place.department.deliver(2, [B])

    assert caught.value.exit_code == 4
    assert place.poll() == ["乙"]
    assert place.alarms() == []


def test_a_file_delivered_again_changes_nothing(place: Place) -> None:
    place.department.deliver(1, [A])
    place.poll()
    place.department.deliver(2, [B], full=False)
    before = place.poll()
    place.department.deliver(1, [A])
    place.department.deliver(2, [B], full=False, name="FR_350299_SCJG_20160302_0001")

    assert (place.poll(), place.rows.more(), place.alarms()) == (before, False, [])


def test_other_content_under_an_accepted_batch_is_told_and_not_taken(place: Place) -> None:
    place.department.deliver(1, [A])
    place.poll()
    place.department.deliver(1, [B])
    found = (place.poll(), place.alarms())
    place.department.deliver(2, [C], full=False)

    assert found == (["甲"], ["batch_differs"])
    assert (place.poll(), place.alarms()) == (["甲", "丙"], ["batch_differs"])


def test_two_files_that_differ_under_one_batch_are_both_refused_until_one_is_gone(place: Place) -> None:
    place.department.deliver(1, [A])
    wrong = place.department.deliver(1, [B], name="FR_350299_SCJG_20160301_0007")
    with pytest.raises(TransientError, match="another file says something else under the same batch 1"):
        place.poll()
    alarms = place.alarms()
    (place.department.folder / wrong).with_suffix(".ok").unlink()
    place.restart()

    assert alarms == ["batch_twice", "batch_twice"]
    assert place.poll() == ["甲"]


def test_of_two_files_of_one_batch_the_one_that_is_what_it_says_is_taken(place: Place) -> None:
    place.department.deliver(1, [A], said=WRONG)
    place.department.deliver(1, [B], name="FR_350299_SCJG_20160301_0007")

    assert (place.poll(), place.alarms()) == (["乙"], [])
    place.restart()
    assert (place.poll(), place.alarms()) == (["乙"], [])


def test_a_name_is_not_used_for_two_batches(place: Place) -> None:
    name = "FR_350299_SCJG_20160301_0001"
    place.department.deliver(1, [A], name=name)
    place.poll()
    place.department.deliver(2, [B], name=name)

    assert (place.poll(), place.alarms()) == (["甲"], ["name_taken"])


def test_an_empty_full_file_empties_the_table_only_where_that_is_allowed(tmp_path: Path) -> None:
    for name, more, code in (("no", (), "empty"), ("yes", ("may_be_empty: true",), None)):
        (tmp_path / name).mkdir()
        place = Place(tmp_path / name, *more)
        place.department.deliver(1, [A])
        place.poll()
        place.department.deliver(2, [])

        assert (place.poll(), place.alarms()) == ((["甲"], [code]) if code else ([], []))
        place.rows.close()


@pytest.mark.parametrize("lost", ["table.sqlite", "torn", "mapping"])
def test_a_lost_table_is_made_anew_from_the_files_kept(tmp_path: Path, lost: str) -> None:
    place = Place(tmp_path)
    place.department.deliver(1, [C])
    place.department.deliver(2, [A])
    place.department.deliver(3, [B], full=False)
    for _ in range(3):
        before = place.poll()
    place.rows.close()
    shutil.rmtree(place.department.folder)
    place.department.folder.mkdir()
    if lost == "table.sqlite":
        (place.state / lost).unlink()
    elif lost == "torn":
        (place.state / "table.sqlite").write_bytes(b"no table any more" * 300)
    else:
        written = place.source.file.read_text("utf-8")
        place.source = source(written.replace('nulls: ["-"]', 'nulls: ["-", "?"]'), tmp_path)
    place.restart()

    assert before == ["甲", "乙"]
    assert sorted(file.name[-8:] for file in (place.state / "kept").glob("*.txt")) == ["0002.txt", "0003.txt"]
    assert place.poll() == before
    place.rows.close()


def test_whoever_lost_everything_shows_nothing_older_than_what_was_published(place: Place) -> None:
    for batch, rows in enumerate(([A], [A, B], [B, C]), 1):
        place.department.deliver(batch, rows)
        place.poll()
    place.rows.close()
    shutil.rmtree(place.state)
    place.restart()
    place.rows.reach()
    with place.rows.snapshot(ends_ms(2)) as snapshot:
        caught_up = [row["NAME"] for row in snapshot.rows(COLUMNS)]
    with pytest.raises(TransientError, match="older than what was published"), place.rows.snapshot(ends_ms(9)):
        pass

    assert caught_up == ["甲", "乙"]


def test_files_beside_the_family_are_not_looked_at(place: Place) -> None:
    for name in ("DZ_350299_SCJG_20160301.ok", "FR_350299_SCJG_2016_0001.ok", "..ok", ".ok"):
        (place.department.folder / name).touch()
    (place.department.folder / "FR_350299_SCJG_20160301_0001\udcff.ok").touch()
    place.department.deliver(1, [A])

    assert (place.poll(), place.alarms()) == (["甲"], [])


def test_only_plain_files_are_opened(place: Place) -> None:
    stems = [f"FR_350299_SCJG_20160301_000{n}" for n in range(6)]
    for stem in stems:
        (place.department.folder / f"{stem}.ok").touch()
    (place.folder / "secret").write_text("x")
    links = [place.department.folder / f"{stems[0]}.ctl", place.department.folder / f"{stems[1]}.txt"]
    for link in links:
        link.symlink_to(place.folder / "secret")
    (place.department.folder / f"{stems[0]}.txt").touch()
    place.department.control(stems[1], f"{stems[1]}.txt|1|1|{'0' * 32}|1|F||{told(1)}")
    os.mkfifo(place.department.folder / f"{stems[2]}.txt")
    os.mkfifo(place.department.folder / f"{stems[2]}.ctl")
    (place.department.folder / f"{stems[3]}.txt").mkdir()
    (place.department.folder / f"{stems[3]}.ctl").mkdir()
    (place.department.folder / f"{stems[4]}.txt").touch()
    (place.department.folder / f"{stems[5]}.ctl").touch()
    with pytest.raises(TransientError):
        place.poll()

    assert place.alarms() == ["not_a_file", "not_a_file", "not_a_file", "control_missing", "data_missing", "not_a_file"]


def test_a_file_that_grows_while_it_is_read_is_refused(place: Place) -> None:
    name = place.department.deliver(1, [A] * 10)
    drop = Drop(place.department.folder, family(place.source), ZONE)
    (delivery,) = drop.deliveries()
    assert isinstance(delivery, Delivery)

    class Growing(BytesIO):
        def write(self, block: Any) -> int:
            with (place.department.folder / name).open("ab") as file:
                file.write(b"more")
            return super().write(block)

    with pytest.raises(Reject, match="changing"):
        drop.copy(delivery, delivery.control, Growing())


def test_a_file_that_may_not_be_read_is_refused_and_no_other() -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.exists() else None) as name:
        file = Path(name) / "FR_350299_SCJG_20160301_0001.ctl"
        Path(name).chmod(0o755)
        file.touch(mode=0)
        me = os.geteuid()
        try:
            if me == 0:
                os.seteuid(65_534)
            with pytest.raises(Reject, match="not_readable"), plain(file):
                pass
        finally:
            os.seteuid(me)


def test_a_file_copied_but_not_taken_as_a_crash_leaves_it_is_taken_once(place: Place) -> None:
    place.department.deliver(1, [A])
    place.poll()
    place.department.deliver(2, [B], full=False)
    drop = Drop(place.department.folder, family(place.source), ZONE)
    (_, delivery) = drop.deliveries()
    assert isinstance(delivery, Delivery)
    Kept(place.state / "kept").bring(drop, delivery, delivery.control)
    place.restart()

    assert place.poll() == ["甲", "乙"]
    assert place.alarms() == []


def test_a_file_above_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    place = Place(tmp_path, "limits: {file_bytes: 10}")
    place.department.deliver(1, [A])
    with pytest.raises(TransientError, match=r"larger than 10 bytes \(read.files.limits.file_bytes\)"):
        place.poll()
    place.rows.close()


def test_a_folder_that_is_away_is_a_source_that_is_down(place: Place) -> None:
    place.department.deliver(1, [A])
    place.poll()
    place.department.folder.rename(place.folder / "away")
    with pytest.raises(TransientError, match="the folder cannot be read"):
        place.rows.reach()

    assert place.told()["accepted"]["batch"] == 1
    assert "folder_away" in place.told()


def test_what_comes_next_is_looked_at_without_taking_it(place: Place) -> None:
    place.department.deliver(1, [A])
    place.poll()
    place.department.deliver(2, [B], full=False)
    with preview.looked_at(place.source, place.state, lambda: NOW) as rows, rows.snapshot() as snapshot:
        seen = [row["NAME"] for row in snapshot.rows(COLUMNS)]

    assert seen == ["甲", "乙"]
    assert place.told()["accepted"]["batch"] == 1


def test_the_folder_of_accepted_files_is_its_owners_only(place: Place) -> None:
    place.department.deliver(1, [A])
    place.poll()
    kept = place.state / "kept"

    assert [folder.stat().st_mode & 0o777 for folder in (place.state, kept)] == [0o700] * 2
    assert {file.stat().st_mode & 0o077 for file in kept.glob("*.txt")} == {0}


def test_what_a_disk_refuses_is_tried_again(place: Place) -> None:
    place.department.deliver(1, [A])
    place.poll()
    place.department.deliver(2, [B])
    with closing(sqlite3.connect(place.state / "table.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        place.rows._intake().table._db.execute("PRAGMA busy_timeout = 0")  # noqa: SLF001 - else it waits for five seconds
        with pytest.raises(TransientError, match="SQLITE_BUSY"):
            place.rows.reach()


# -- in a world with cycles


def test_an_increment_is_complete_on_the_departments_word_and_silent_about_what_is_gone(place: Place) -> None:
    world = World(place.source, place.folder / "store", rows=place.rows)
    place.department.deliver(1, [A, branch("r9", CODES[0]), branch("r9", CODES[1])])
    place.rows.reach()
    full = world.cycle()
    place.department.deliver(2, [B, branch("r0", CODES[0], flag="0")], full=False)
    place.rows.reach()
    increment = world.cycle()
    first, second = (next(mark for mark in world.watermarks() if mark["cycle"] == cycle) for cycle in (1, 2))
    times = ("snapshot_at", "complete_until", "present_until")
    world.stop()

    assert full
    assert increment
    assert (full.counts.sent, full.counts.refused, full.reasons["duplicate_key"]) == (1, 2, 2)
    assert (increment.counts.sent, increment.counts.refused, increment.counts.deleted) == (1, 2, 1)
    assert [_ms(first[name]) for name in times] == [ends_ms(1)] * 3
    assert [_ms(second[name]) for name in times] == [ends_ms(2), ends_ms(2), ends_ms(1)]
    assert (first["stated"], second["stated"]) == (False, True)
    assert (first["rows_at_source"], second["rows_at_source"]) == (3, None)
    assert set(world.statements().values()) >= {("UPSERT", "乙", 1)}


def test_increments_that_tell_what_is_gone_say_so_in_the_watermark(tmp_path: Path) -> None:
    place = Place(tmp_path, "deletions_reported: true")
    world = World(place.source, tmp_path / "store", rows=place.rows)
    for batch, rows in enumerate(([A, B], [branch("r0", CODES[0], flag="0")]), 1):
        place.department.deliver(batch, rows, full=batch == 1)
        place.rows.reach()
        world.cycle()
    mark = world.watermarks()[-1]
    world.stop()
    place.rows.close()

    assert _ms(mark["present_until"]) == ends_ms(2)
    assert mark["rows_at_source"] == 1
    assert [state[1] for state in world.statements().values()] == ["乙"]


def test_a_cycle_that_fails_keeps_its_file_for_the_next(place: Place) -> None:
    world = World(place.source, place.folder / "store", rows=place.rows)
    place.department.deliver(1, [A])
    place.department.deliver(2, [B])
    place.rows.reach()
    failed = world.cycle("ok", "ok", "aborted")
    place.rows.reach()
    again = world.cycle()
    place.rows.reach()
    last = world.cycle()
    world.stop()

    assert failed is None
    assert [report and report.snapshot_ms for report in (again, last)] == [ends_ms(1), ends_ms(2)]


def _ms(time: Any) -> int:
    return int(time.timestamp() * 1000)


# -- whatever the order

Rows = tuple[tuple[str, str], ...]
contents = st.lists(st.tuples(st.sampled_from(["r1", "r2", "r3"]), st.sampled_from("甲乙丙")), max_size=4).map(tuple)
files = st.lists(st.tuples(st.booleans(), contents), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    files, st.lists(st.sampled_from(["deliver", "again", "broken", "poll", "restart", "lose"]), max_size=24), st.data()
)
def test_whatever_comes_when_the_table_shows_what_a_dictionary_would(
    drawn: list[tuple[bool, Rows]], events: list[str], data: st.DataObject
) -> None:
    kinds = [(full or batch == 1, rows) for batch, (full, rows) in enumerate(drawn, 1)]
    model = modelled(kinds)
    left = data.draw(st.permutations(range(1, len(kinds) + 1)))
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.exists() else None) as name:
        place = Place(Path(name), "may_be_empty: true")
        for event in [*events, *["deliver", "poll"] * len(kinds), *["poll"] * len(kinds)]:
            happens(event, place, kinds, left)
            looked_through(place, model)
        newest = place.told()["accepted"]["batch"]
        place.rows.close()

    assert newest == len(kinds)


def happens(event: str, place: Place, kinds: Sequence[tuple[bool, Rows]], left: list[int]) -> None:
    match event:
        case "deliver" if left:
            delivered(place, left.pop(), kinds)
        case "broken" if left:
            delivered(place, left[-1], kinds, said=WRONG)
        case "again":
            for batch in {*range(1, len(kinds) + 1)} - {*left}:
                delivered(place, batch, kinds)
        case "restart":
            place.restart()
        case "lose":
            place.rows.close()
            for file in place.state.glob("table.sqlite*"):
                file.unlink()
            place.restart()


def delivered(
    place: Place, batch: int, kinds: Sequence[tuple[bool, Rows]], said: Mapping[str, object] = NOTHING
) -> None:
    full, rows = kinds[batch - 1]
    place.department.deliver(batch, [branch(key, CODES[0], name) for key, name in rows], full=full, said=said)


def looked_through(place: Place, model: Sequence[list[tuple[str, str]]]) -> None:
    try:
        place.rows.reach()
    except TransientError:
        return
    with place.rows.snapshot() as snapshot:
        batch = (snapshot.at_ms - ends_ms(0)) // 3_600_000
        assert sorted((str(row["ID"]), str(row["NAME"])) for row in snapshot.rows(COLUMNS)) == model[batch - 1]


def modelled(kinds: Sequence[tuple[bool, Rows]]) -> list[list[tuple[str, str]]]:
    """The rows after each file, by a dictionary from id to rows."""
    table: dict[str, list[str]] = {}
    after = []
    for full, rows in kinds:
        table = {} if full else {key: names for key, names in table.items() if key not in dict(rows)}
        for key, name in rows:
            table.setdefault(key, []).append(name)
        after.append(sorted((key, name) for key, names in table.items() for name in names))
    return after


def test_a_source_is_told_before_anything_came(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.department.deliver(1, [A], said={"rows": 5})
    told = place.told()

    assert (told["accepted"], told["waiting"]) == (None, ["FR_350299_SCJG_20160301_0001.txt"])
