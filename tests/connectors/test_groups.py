"""Rows that are one record together: whatever their order and spelling, the record says what a plain model says."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.columns import Row
from connectors.groups import together
from connectors.mapper import Mapped
from connectors.sources.sql import SqlSource
from deploy.district import synthetic
from tests.connectors.departments import SOURCES, fields_of
from tests.connectors.people import PERSONS, month
from tests.connectors.worlds import CODES, KEY, START_MS, TWO_PARTS, ListSnapshot, World, branch, mapper_of, source

MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, where there is one
SOURCE = SOURCES["social_security.contribution_year"]
Key = tuple[str, str, str]


def model(rows: Sequence[Row]) -> dict[Key, tuple[str | None, int]]:
    """Letters (none: refused) and number of rows, by person, kind and year: written without the product's words."""
    there = [row for row in rows if row["AAE100"] == "1"]
    return {key: _year([row for row in there if _key(row) == key]) for key in map(_key, there)}


def _key(row: Row) -> Key:
    return str(row["AAC001"]).strip(), str(row["AAE140"]), str(row["AAE003"])[:4]


def _year(rows: Sequence[Row]) -> tuple[str | None, int]:
    letters = ""
    for number in range(1, 13):
        said = {row["AAE079"] for row in rows if int(str(row["AAE003"]).replace("-", "")[4:]) == number}
        if len(said) > 1:
            return None, len(rows)
        letters += "N" if not said else _letter(int(str(rows[0]["AAE003"])[:4]), number, said.pop())
    return letters, len(rows)


def _letter(year: int, number: int, paid_in: object) -> str:
    if paid_in is None:
        return "M"
    last_in_time = f"{year + number // 12}{number % 12 + 1:02d}"
    return "T" if str(paid_in) <= last_in_time else "B"


dues = st.sampled_from(["201501", "201502", "201511", "201512", "201601"])
rows = st.builds(
    month,
    st.sampled_from(sorted(PERSONS)),
    dues,
    st.sampled_from([None, "201501", "201512", "201601", "201603"]),
    st.sampled_from(["110", "310"]),
    st.sampled_from("1110"),
    st.sampled_from(["", "", " "]),
)
tables = st.lists(rows, max_size=14)


def mapped(table: Sequence[Row]) -> list[Mapped]:
    mapper = mapper_of(SOURCE)
    found = together(ListSnapshot(list(table), START_MS, ""), mapper, SOURCE.mapping)
    return [each for each in map(mapper.map_all, found) if not each.gone]


def told(found: Sequence[Mapped]) -> dict[str, tuple[str | None, int]]:
    """Letters (none: refused) and number of rows, by record id; an id stands there once."""
    assert len({each.record_id for each in found}) == len(found)
    return {
        each.record_id: (fields_of(each.records[0])["months"] if each.records else None, each.rows) for each in found
    }


def record_id(key: Key) -> str:
    return KEY.pseudonym(SOURCE.name, ",".join(f"{len(part)}:{part}" for part in key))


@given(tables, st.randoms(use_true_random=False))
def test_a_year_says_what_its_months_say_in_any_order_and_spelling(table: list[Row], random: Random) -> None:
    shuffled = random.sample(table, len(table))
    found, again = mapped(table), mapped(shuffled)

    assert told(found) == {record_id(key): said for key, said in model(table).items()}
    assert sorted(found, key=lambda each: each.record_id) == sorted(again, key=lambda each: each.record_id)


@settings(max_examples=80, deadline=None)
@given(st.lists(tables, min_size=1, max_size=3))
def test_after_every_cycle_the_exchange_holds_the_years_and_counts_their_rows(history: list[list[Row]]) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.exists() else None) as folder:
        world = World(SOURCE, Path(folder) / "store")
        for table in history:
            world.rows.rows = table
            report = world.cycle()
            wanted = {record_id(key): said for key, said in model(table).items()}
            held = {rid: (text, count) for (_, rid, _), (_, text, count) in world.statements().items()}

            assert report
            assert report.counts.read == sum(count for _, count in wanted.values())
            assert report.counts.balanced
            assert report.counts.held or held == wanted
        world.stop()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(SOURCE, tmp_path / "store")
    yield made
    made.stop()


def test_a_year_that_loses_a_month_is_sent_again_and_one_that_loses_all_is_deleted(world: World) -> None:
    world.rows.rows = [month(due="201501"), month(due="201502"), month("1002")]
    world.cycle()
    world.rows.rows = [month(due="201501"), month("1002")]
    shorter = world.cycle()
    world.rows.rows = [month(due="201501", valid="0"), month("1002")]
    gone = world.cycle()

    assert shorter
    assert gone
    assert (shorter.counts.read, shorter.counts.sent, shorter.counts.unchanged) == (2, 1, 1)
    assert (gone.counts.read, gone.counts.deleted) == (1, 1)
    assert [text for _, text, _ in world.statements().values()] == ["TNNNNNNNNNNN"]


def test_a_row_more_that_says_nothing_new_is_still_a_row_more(world: World) -> None:
    world.rows.rows = [month()]
    world.cycle()
    world.rows.rows = [month(), month()]
    report = world.cycle()

    assert report
    assert (report.counts.read, report.counts.sent) == (2, 2)
    assert list(world.statements().values()) == [("UPSERT", "TNNNNNNNNNNN", 2)]


def test_the_rows_of_a_refused_year_are_counted_each(world: World) -> None:
    world.rows.rows = [month(paid_in=None), month(), month(due="201502"), month(due="201601")]
    report = world.cycle()

    assert report
    assert dict(report.reasons) == {"duplicate_key": 3}
    assert sorted(world.statements().values()) == [("REFUSED", None, 3), ("UPSERT", "TNNNNNNNNNNN", 1)]
    assert [content["rows"] for _, content in world.kafka.records("t.quarantine.social_security")] == [3]


def test_a_month_that_cannot_be_read_spoils_its_year_and_a_year_that_cannot_be_read_itself_alone(world: World) -> None:
    world.rows.rows = [month(), {**month(), "AAE003": "2015"}, {**month(), "AAE003": "很多"}, {**month(), "AAC001": ""}]
    report = world.cycle()

    assert report
    assert dict(report.reasons) == {"month_unclear": 2, "record_id_unreadable": 1, "record_id_missing": 1}


def test_15_and_18_digits_of_one_year_are_keyed_by_the_18_and_both_travel() -> None:
    fifteen = synthetic.resident_number_15(date(1980, 5, 17), 11)
    (found,) = mapped([month(), {**month(due="201502"), "AAC002": fifteen}, {**month(due="201503"), "AAC002": None}])
    (record,) = found.records

    assert record.target.subject == "person:" + KEY.pseudonym("resident_number", PERSONS["1001"])
    assert [each["scheme"] for each in record.value["meta"]["identifiers"]] == [
        "resident_number",
        "resident_number_15",
        "social_person",
    ]


@pytest.mark.parametrize(
    ("other", "came_to"),
    [
        (branch("r1", CODES[0], parent=CODES[1]), [("", 2), ("parent", 0)]),
        (branch("r1", None, parent=CODES[1]), [("", 2), ("parent", 0)]),
        (branch("r1", CODES[0], "示例乙", parent=CODES[1], flag="0"), [("", 1), ("parent", 0)]),
        (branch("r1", CODES[0], "示例乙", parent=CODES[1]), "duplicate_key"),
        (branch("r1", CODES[0]), "duplicate_key"),
        (branch("r1", CODES[0], parent=CODES[1], flag="9"), "duplicate_key"),
        (branch("r1", CODES[0], parent=CODES[1], flag="x"), "unknown_operation"),
        (branch("r1", CODES[2], parent=CODES[1]), "subject_ambiguous"),
    ],
)
def test_rows_of_a_group_agree_in_their_fields_their_parts_and_what_became_of_them(
    other: Row, came_to: object, tmp_path: Path
) -> None:
    mapper = mapper_of(source(TWO_PARTS.replace("operation:", "group: true\noperation:"), tmp_path))
    rows = [branch("r1", CODES[0], parent=CODES[1]), other]
    found = mapper.map_all(rows)
    parts = [(record.target.part, record.value["meta"]["rows"]) for record in found.records]

    assert (found.refusal.reason if found.refusal else parts) == came_to
    assert mapper.map_all(rows[::-1]) == found


def test_a_year_of_two_persons_is_refused_under_both() -> None:
    (found,) = mapped([month(), {**month(due="201502"), "AAC002": PERSONS["1002"]}])

    assert found.refusal
    assert found.refusal.reason == "subject_ambiguous"
    assert len(found.refusal.readable) == 2


def test_memory_holds_the_rows_of_one_year_when_they_are_read_in_order() -> None:
    class Counting(ListSnapshot):
        handed = 0

        def rows(self, columns: Sequence[str], order_by: Sequence[str] = ()) -> Iterator[Row]:
            for row in super().rows(columns, order_by):
                self.handed += len(columns) > 3
                yield row

    table = [
        month(person, f"{year}{number:02d}") for person in PERSONS for year in (2014, 2015) for number in range(1, 13)
    ]
    Random(4).shuffle(table)
    snapshot = Counting(table, START_MS, "")
    given_away = 0
    for found in together(snapshot, mapper_of(SOURCE), SOURCE.mapping):
        given_away += len(found)

        assert len(found) == 12
        assert snapshot.handed == given_away


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_hands_groups_over_in_the_order_of_their_key(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/s.db" if kind == "sqlite" else str(request.getfixturevalue("postgresql"))
    table = [month(person, f"2015{number:02d}") for number in (2, 1, 3) for person in PERSONS]
    engine = sa.create_engine(url)
    held = sa.Table("v_ac43", sa.MetaData(), *(sa.Column(name, sa.Text) for name in table[0]))
    with engine.begin() as connection:
        held.create(connection)
        connection.execute(held.insert(), [dict(row) for row in table])
    engine.dispose()
    rows = SqlSource(source(SOURCE.file.read_text("utf-8"), tmp_path, {"SOCIAL_URL": url}))
    with rows.snapshot() as snapshot:
        found = [[row["AAC001"] for row in each] for each in together(snapshot, mapper_of(SOURCE), SOURCE.mapping)]
    rows.close()

    assert found == [["1001"] * 3, ["1002"] * 3]
