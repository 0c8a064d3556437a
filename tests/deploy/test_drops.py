"""Dropped files: whole when they are released, in order, and what the district holds, read by a second hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from deploy.district import changes, delivery, drops, people_changes
from deploy.district.delivery import Places
from deploy.district.drops import Delivery, Drops
from deploy.district.rows import Columns, Row, Subject
from deploy.district.sample import District, blocks, whole
from deploy.district.sources import IN_FOLDERS, LOCAL_TAXPAYER, RESIDENT, SOURCES, of_department
from tests.end_to_end.dropped import deliveries, table

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2024, 6, 30, 2, 0, tzinfo=SHANGHAI)
NEXT_DAY = datetime(2024, 6, 30, 18, 0, tzinfo=UTC)
IN_FILES = [source for department in IN_FOLDERS for source in of_department(department)]


@pytest.fixture(scope="module")
def district() -> District:
    return whole(5, 1_200)


def folders(tmp_path: Path) -> dict[str, Path]:
    return {department: tmp_path / department for department in IN_FOLDERS}


def dropped(district: District, where: Mapping[str, Path], at: datetime = AT) -> None:
    with Drops(where, at) as files:
        files.add(district.rows)


def written(district: District, source: str) -> list[str]:
    return sorted(str({n: v or None for n, v in row.columns.items()}) for row in district.at(source))


def held(where: Mapping[str, Path], source: str) -> list[str]:
    told = SOURCES[source]
    return sorted(map(str, table(where[told.department], told.family, told.columns, told.key[0])))


def test_every_family_holds_what_the_district_holds(district: District, tmp_path: Path) -> None:
    where = folders(tmp_path)
    dropped(district, where)

    for source in IN_FILES:
        assert held(where, source.name) == written(district, source.name)
        (first,) = deliveries(where[source.department], source.family, source.columns)
        assert (first.batch, first.kind, first.until) == (1, "F", "2024-06-30 02:00:00")
        assert first.data.name.startswith(f"{source.family}_20240630_0001.")


def test_the_same_district_gives_the_same_bytes(district: District, tmp_path: Path) -> None:
    once, again = folders(tmp_path / "once"), folders(tmp_path / "again")
    for where in (once, again):
        dropped(district, where)

    for department in IN_FOLDERS:
        names = sorted(path.name for path in once[department].iterdir())
        assert len(names) == 3 * len(of_department(department))
        assert all((once[department] / n).read_bytes() == (again[department] / n).read_bytes() for n in names)


def test_changes_come_as_increments_where_rows_say_they_are_deleted_and_else_as_full_files(
    district: District, tmp_path: Path
) -> None:
    where = folders(tmp_path)
    dropped(district, where)
    later, of_companies = changes.churn(district, 3, 60)
    later, of_people = people_changes.churn(later, 3, 60, date(2024, 7, 1))
    drops.apply(later, [*of_companies, *of_people], where, NEXT_DAY)

    kinds = {
        source.name: [(each.batch, each.kind, each.since) for each in
                      deliveries(where[source.department], source.family, source.columns)][1:]
        for source in IN_FILES
    }  # fmt: skip
    assert kinds[LOCAL_TAXPAYER] == [(2, "I", "2024-06-30 02:00:00")]
    assert kinds[RESIDENT] == [(2, "F", "2024-06-30 02:00:00")]
    for source in IN_FILES:
        assert held(where, source.name) == written(later, source.name)


def test_an_increment_cannot_say_that_a_row_is_gone(district: District, tmp_path: Path) -> None:
    where = folders(tmp_path)
    dropped(district, where)
    row = next(row for row in district.at(LOCAL_TAXPAYER) if row.outcome == "live")
    gone = changes.delete(district, LOCAL_TAXPAYER, [row.record_id])

    with pytest.raises(ValueError, match="flag it as deleted"):
        drops.apply(changes.after(district, gone), gone, where, NEXT_DAY)
    assert [
        each.batch for each in deliveries(where["local_tax"], "DJ_NSRXX_350299", SOURCES[LOCAL_TAXPAYER].columns)
    ] == [1]


def test_a_delivery_that_breaks_off_is_not_released(tmp_path: Path) -> None:
    source = SOURCES[LOCAL_TAXPAYER]
    columns: Columns = dict.fromkeys(source.columns, "示例|示例")
    with pytest.raises(ValueError, match="separator"), Delivery(tmp_path, source, AT, "F") as file:
        file.write(Row(LOCAL_TAXPAYER, "1", 1, Subject("row", "1"), columns, {}))

    assert [path.suffix for path in tmp_path.iterdir()] == [".txt"]


def test_the_control_file_is_one_line_and_the_ok_is_empty_and_youngest(district: District, tmp_path: Path) -> None:
    where = folders(tmp_path)
    dropped(district, where)
    control = next(where["public_security"].glob("CZRK*.ctl"))
    line = control.read_bytes()

    assert line.endswith(b"\r\n")
    assert line.count(b"\n") == 1
    assert line.decode().split("|")[4:6] == ["0001", "F"]
    assert control.with_suffix(".ok").read_bytes() == b""
    assert control.with_suffix(".ok").stat().st_mtime_ns >= control.stat().st_mtime_ns


def test_a_district_delivered_block_by_block_is_the_one_in_memory(district: District, tmp_path: Path) -> None:
    places = Places.below(tmp_path)
    counts = delivery.deliver(blocks(5, 1_200), places, AT)

    assert counts.people == 1_200
    assert counts.rows.total() == sum(row.times for row in district.rows)
    assert counts.planted.total() == sum(len(row.planted) for row in district.rows)
    for source in IN_FILES:
        assert held(places.folders, source.name) == written(district, source.name)
