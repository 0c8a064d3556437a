"""The audit log: on the disk before anything is answered, and every later change to it shows."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval.audit import AuditError, AuditLog, BrokenLogError, Place, Sealing, verify
from process.errors import FencedError, SettingsError

SEALING = Sealing(b"k" * 32, "HMAC-SHA256")
OTHER = Sealing(b"o" * 32, "HMAC-SHA256")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def log(path: Path) -> Iterator[AuditLog]:
    opened = AuditLog(path, SEALING)
    yield opened
    opened.close()


def write(path: Path, *purposes: str, sealing: Sealing = SEALING) -> None:
    opened = AuditLog(path, sealing)
    for purpose in purposes:
        opened.append({"purpose": purpose})
    opened.close()


def told(path: Path) -> list[str]:
    return [json.loads(line)["purpose"] for line in path.read_bytes().splitlines()]


def test_records_follow_each_other_through_a_restart(path: Path) -> None:
    write(path, "甲", "乙")
    write(path, "丙")
    verified = verify(path, SEALING)

    assert told(path) == ["甲", "乙", "丙"]
    assert (verified.last.sequence, verified.cut_short, verified.unfinished) == (3, 0, False)


def test_nobody_but_owner_and_group_may_read_it(log: AuditLog, path: Path) -> None:
    assert path.stat().st_mode & 0o137 == 0


def test_a_log_without_records_is_as_it_was_written(log: AuditLog, path: Path) -> None:
    assert verify(path, SEALING, Place()).last == Place()


def test_many_writers_in_one_process_make_one_chain(log: AuditLog, path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: log.append({"purpose": str(number)}), range(100)))

    assert verify(path, SEALING).last.sequence == 100
    assert sorted(told(path), key=int) == [str(number) for number in range(100)]


def test_another_process_may_not_write_it(log: AuditLog, path: Path) -> None:
    with pytest.raises(FencedError, match="Another process writes"):
        AuditLog(path, SEALING)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda lines: [lines[0], lines[1].replace("乙".encode(), "戊".encode()), *lines[2:]],
            ":2: this record is not as",
        ),
        (lambda lines: [lines[0].replace(b": 1", b":  1"), *lines[1:]], ":1: this record is not as"),
        (lambda lines: [lines[0], *lines[2:]], ":2: this record does not follow record 1"),
        (lambda lines: lines[1:], ":1: this record does not follow record 0"),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], ":3: this record does not follow record 2"),
        (lambda lines: [lines[0], lines[2], lines[1], lines[3]], ":2: this record does not follow record 1"),
        (lambda lines: [*lines[:2], b"\n", *lines[2:]], ":3: this record is not as"),
        (lambda lines: [*lines[:2], b"[1]\n", *lines[2:]], ":3: this record is not as"),
        (lambda lines: [*lines[:2], b'{"hash": "\\ud800"}\n', *lines[2:]], ":3: this record is not as"),
        (lambda lines: [*lines[:2], b"[" * 200_000 + b"\n", *lines[2:]], ":3: this record is not as"),
        (lambda lines: [*lines[:3], OTHER.line({"purpose": "丁", "sequence": 4})], ":4: this record is not as"),
    ],
    ids=[
        "altered",
        "spaced",
        "dropped",
        "beheaded",
        "repeated",
        "swapped",
        "blank",
        "foreign",
        "odd",
        "deep",
        "forged",
    ],
)
def test_a_change_to_the_log_is_found_on_its_line(path: Path, change: object, said: str) -> None:
    write(path, "甲", "乙", "丙", "丁")
    assert callable(change)
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))

    with pytest.raises(BrokenLogError, match=said):
        verify(path, SEALING)


@given(st.data())
def test_no_byte_can_be_changed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    write(path, "甲", "乙", "丙")
    written = path.read_bytes()
    place = data.draw(st.integers(0, len(written) - 1))
    changed = data.draw(st.integers(0, 255).filter(lambda byte: byte != written[place]))
    path.write_bytes(written[:place] + bytes([changed]) + written[place + 1 :])

    try:
        verified = verify(path, SEALING)
    except BrokenLogError:
        return
    # The end of the last line alone: the record is still being written, for all anybody can tell.
    assert (place, verified.unfinished, verified.last.sequence) == (len(written) - 1, True, 2)


def test_records_cut_off_at_the_end_show_to_whoever_kept_the_last_one(path: Path) -> None:
    write(path, "甲", "乙", "丙")
    kept = verify(path, SEALING).last
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]))

    assert verify(path, SEALING).last.sequence == 2
    with pytest.raises(BrokenLogError, match="does not go through the record 3"):
        verify(path, SEALING, kept)


def test_a_log_begun_anew_shows_to_whoever_kept_a_record(path: Path) -> None:
    write(path, "甲", "乙", "丙")
    kept = verify(path, SEALING).last
    path.unlink()
    write(path, "甲", "丙", "丙", "丁")

    with pytest.raises(BrokenLogError, match="does not go through"):
        verify(path, SEALING, kept)


def test_a_log_that_went_on_still_goes_through_the_record_kept(path: Path) -> None:
    write(path, "甲", "乙")
    kept = verify(path, SEALING).last
    write(path, "丙")

    assert verify(path, SEALING, kept).last.sequence == 3


def test_a_log_that_is_not_there_is_no_log_without_records(path: Path) -> None:
    with pytest.raises(BrokenLogError, match="cannot be read"):
        verify(path, SEALING)


@pytest.mark.parametrize("left", [1, 20, -1])
def test_what_a_crash_left_of_a_record_goes_and_the_next_one_says_so(path: Path, left: int) -> None:
    write(path, "甲", "乙")
    first, second = path.read_bytes().splitlines()
    path.write_bytes(first + b"\n" + second[:left])
    unfinished = verify(path, SEALING)
    write(path, "丙")
    verified = verify(path, SEALING)

    assert (unfinished.last.sequence, unfinished.unfinished) == (1, True)
    assert told(path) == ["甲", "丙"]
    assert (verified.last.sequence, verified.cut_short) == (2, 1)


def test_a_record_whose_line_alone_was_not_ended_is_kept(path: Path) -> None:
    write(path, "甲", "乙")
    path.write_bytes(path.read_bytes()[:-1])
    write(path, "丙")

    assert told(path) == ["甲", "乙", "丙"]
    assert verify(path, SEALING).cut_short == 0


def test_a_first_record_cut_short_leaves_an_empty_log(path: Path) -> None:
    path.write_bytes(b'{"as_of": "2024')
    write(path, "甲")

    assert told(path) == ["甲"]


def test_a_log_of_another_key_or_with_a_changed_last_record_is_not_gone_on_with(path: Path) -> None:
    write(path, "甲", sealing=OTHER)
    before = path.read_bytes()

    with pytest.raises(SettingsError, match="or not written with this key"):
        AuditLog(path, SEALING)
    assert path.read_bytes() == before


def test_a_log_moved_away_is_not_written_on(log: AuditLog, path: Path) -> None:
    log.append({"purpose": "甲"})
    path.rename(path.with_suffix(".old"))

    with pytest.raises(AuditError, match="was moved or changed"):
        log.append({"purpose": "乙"})
    assert not log.writable
    path.with_suffix(".old").rename(path)
    log.append({"purpose": "丙"})
    assert told(path) == ["甲", "丙"]


def test_a_log_that_another_wrote_to_or_cut_is_not_written_on(log: AuditLog, path: Path) -> None:
    log.append({"purpose": "甲"})
    os.truncate(path, 10)
    with pytest.raises(AuditError, match="was moved or changed"):
        log.append({"purpose": "乙"})

    assert path.stat().st_size == 10


def test_a_log_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="Is a directory"):
        AuditLog(tmp_path, SEALING)


def test_a_full_disk_is_told_and_writing_goes_on_once_there_is_room(log: AuditLog, path: Path) -> None:
    log.append({"purpose": "甲"})
    log.close()
    path.rename(path.with_suffix(".old"))
    path.symlink_to("/dev/full")
    with pytest.raises(AuditError, match="No space left on device"):
        log.append({"purpose": "乙"})
    full = log.writable
    path.unlink()
    path.with_suffix(".old").rename(path)
    log.append({"purpose": "丙"})

    assert (full, log.writable) == (False, True)
    assert told(path) == ["甲", "丙"]
    assert verify(path, SEALING).last.sequence == 2


_LIMITED = """
import resource, sys
from pathlib import Path
from approval.audit import AuditError, AuditLog, Sealing

log = AuditLog(Path(sys.argv[1]), Sealing(b"k" * 32, "HMAC-SHA256"))
log.append({"purpose": "first"})
resource.setrlimit(resource.RLIMIT_FSIZE, (400, resource.RLIM_INFINITY))
try:
    log.append({"purpose": "second" * 50})
except AuditError:
    print(Path(sys.argv[1]).stat().st_size)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.append({"purpose": "third"})
"""


def test_a_record_half_written_when_the_disk_was_full_is_taken_back(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _LIMITED, path], check=True, capture_output=True, text=True)

    assert done.stdout == "400\n"
    assert told(path) == ["first", "third"]
    assert verify(path, SEALING).cut_short == 1
