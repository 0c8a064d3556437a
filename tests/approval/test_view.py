"""The view: the same rows however they arrived, and nothing concluded too early."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from approval.evidence import Evidence
from approval.lookup import Found, evidence, find
from approval.rows import UnknownSchemaNumberError, rows_of
from approval.view import MAX_AWAY_MS, View, engine_of, past_entries, tables
from process.errors import FencedError, PermanentError, SettingsError
from schemas.codec import contract
from schemas.subjects import partition
from tests.approval.registry import (
    GENERATION,
    KEY,
    MARKET,
    PARTITIONS,
    PREFIX,
    TAX,
    as_read,
    code,
    entry,
    everywhere,
    fact,
    of_alias,
    of_entry,
    of_history,
    of_watermark,
    watermark,
)
from transport.client import Message, Outgoing, TopicPartition

START = 1_700_000_000_000
UNTIL = datetime(2024, 5, 20, 2, 0, tzinfo=UTC)
SUBJECTS = ["legal:org:000000019", "legal:org:000000027", "legal:reg:350299000000012"]


@dataclass
class Shelf:
    """A view in memory, read as the commands read it."""

    engine: Engine
    view: View

    def take(self, messages: Sequence[Message]) -> None:
        ends = {TopicPartition(m.topic, m.partition): m.offset + 1 for m in messages}
        self.view.apply(rows_of(messages, PREFIX, contract()), ends, START)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.engine.begin() as connection:
            kept = [table for table in tables.sorted_tables if table.name != "meta"]
            return {table.name: sorted(map(tuple, connection.execute(select(table)))) for table in kept}

    def known(self, subject: str, at: datetime | None = None) -> Evidence:
        with self.engine.begin() as connection:
            return evidence(connection, contract(), "legal_person", Found(subject), at)

    def found(self, number: str) -> Found:
        with self.engine.begin() as connection:
            return find(connection, "legal_person", number, KEY, ["350299"])


def shelf_of(url: str = "sqlite://") -> Shelf:
    engine = engine_of(url)
    view = View(engine)
    view.begin(PREFIX, GENERATION, START)
    return Shelf(engine, view)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = shelf_of()
    yield made
    made.view.close()


def filled(*records: Outgoing) -> Shelf:
    made = shelf_of()
    made.take(as_read(records))
    return made


@st.composite
def published(draw: st.DrawFn) -> list[Outgoing]:
    """Messages in an order the registry could have."""
    changes = dict.fromkeys(SUBJECTS, 0)
    records: list[Outgoing] = []
    for subject in draw(st.lists(st.sampled_from(SUBJECTS), max_size=12)):
        changes[subject] += 1
        value = entry(
            subject,
            {"name": fact(draw(st.sampled_from("甲乙丙")))},
            [("registration_number", draw(st.text("12", min_size=1, max_size=2)))],
        )
        kept = draw(st.sampled_from(["entry", "entry", "entry", "alias", "gone", "tombstone", "watermark"]))
        match kept:
            case "entry":
                records += [of_entry(subject, value, changes[subject]), of_history(subject, value, changes[subject])]
            case "alias":
                records.append(of_alias(subject, SUBJECTS[0]))
            case "gone":
                gone = entry(subject, {}, condition="gone")
                records += [of_entry(subject, gone, changes[subject]), of_history(subject, gone, changes[subject])]
            case "tombstone":
                records.append(of_entry(subject, None))
            case "watermark":
                number = draw(st.integers(0, PARTITIONS - 1))
                records.append(of_watermark(MARKET, number, watermark(MARKET, number, UNTIL, changes[subject])))
    return records


@given(published(), st.lists(st.integers(1, 4), max_size=8))
@settings(max_examples=40, deadline=None)
def test_rows_are_the_same_wherever_batches_end_and_whatever_comes_twice(
    records: list[Outgoing], sizes: list[int]
) -> None:
    messages = as_read(records)
    whole, split = shelf_of(), shelf_of()
    whole.take(messages)
    left = messages
    for size in [*sizes, len(messages) + 1]:
        batch, left = left[:size], left[size:]
        split.take(batch)
        split.take(batch)

    assert split.rows() == whole.rows()


@given(published(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_past_entries_never_overlap_even_when_clocks_jump(records: list[Outgoing], random: Any) -> None:
    messages = [message._replace(timestamp_ms=START + random.randrange(20)) for message in as_read(records)]
    shelf = shelf_of()
    shelf.take(messages)

    with shelf.engine.begin() as connection:
        rows = connection.execute(select(past_entries)).all()
    for subject in SUBJECTS:
        kept = [row for row in rows if row.subject == subject]
        for moment in range(START - 1, START + 21):
            holding = [
                r for r in kept if r.recorded_from <= moment and (r.recorded_to is None or moment < r.recorded_to)
            ]
            assert len(holding) <= 1


def test_an_alias_takes_the_place_of_an_entry_and_an_entry_that_of_an_alias() -> None:
    old, new = SUBJECTS[2], SUBJECTS[0]
    joined = filled(of_entry(new, entry(new)), of_entry(old, entry(old)), of_alias(old, new))
    parted = filled(of_entry(new, entry(new)), of_alias(old, new), of_entry(old, entry(old)))

    assert joined.known(old).subject == new
    assert parted.known(old).subject == old


def test_a_subject_is_unclear_while_it_moves_or_a_source_has_not_taken_up_the_alias() -> None:
    old, new = SUBJECTS[2], SUBJECTS[0]
    numbers = {partition(subject, PARTITIONS) for subject in (old, new)}
    keyed = [of_watermark(MARKET, n, watermark(MARKET, n, UNTIL, alias_epoch=6)) for n in numbers]
    moving = filled(of_entry(old, entry(old, condition="moving")))
    behind = filled(*keyed, of_entry(new, entry(new)), of_alias(old, new, 7))
    joined = filled(*keyed, of_entry(new, entry(new)), of_alias(old, new, 6))

    assert moving.known(old).unclear == "moving"
    assert behind.known(old).unclear == "aliases_behind"
    assert joined.known(old).unclear is None


def test_a_watermark_taken_away_says_nothing_any_more() -> None:
    subject = SUBJECTS[0]
    number = partition(subject, PARTITIONS)
    shelf = filled(*everywhere(MARKET, UNTIL), of_watermark(MARKET, number, None))

    assert shelf.known(subject).watermarks == {}


def test_a_number_that_is_a_persons_is_looked_up_by_its_pseudonym(shelf: Shelf) -> None:
    number = "11010519491231002X"  # the specimen of GB 11643
    pseudonym = KEY.pseudonym("tax_number", number)
    shelf.take(as_read([of_entry(SUBJECTS[0], entry(SUBJECTS[0], numbers=[("tax_number", pseudonym)]))]))

    assert shelf.found(number) == Found(SUBJECTS[0])


def test_a_null_value_takes_everything_of_its_key_away(shelf: Shelf) -> None:
    subject = SUBJECTS[0]
    shelf.take(as_read([of_entry(subject, entry(subject, numbers=[("credit_code", "X")])), of_entry(subject, None)]))

    rows = shelf.rows()
    assert (rows["entries"], rows["identifiers"]) == ([], [])


def test_a_view_is_not_caught_up_until_the_run_says_so_and_not_after_a_new_start(shelf: Shelf) -> None:
    before = shelf.known(SUBJECTS[0]).caught_up
    shelf.view.caught_up()
    said = shelf.known(SUBJECTS[0]).caught_up
    View(shelf.engine).begin(PREFIX, GENERATION, START)

    assert (before, said, shelf.known(SUBJECTS[0]).caught_up) == (False, True, False)


def test_reading_goes_on_where_the_rows_end(shelf: Shelf) -> None:
    shelf.take(as_read([of_entry(SUBJECTS[0], entry(SUBJECTS[0]))]))
    positions = View(shelf.engine).begin(PREFIX, GENERATION, START + 1)

    assert positions == {TopicPartition("t.registry.legal-person", partition(SUBJECTS[0], PARTITIONS)): 1}


def test_a_reader_away_for_longer_than_tombstones_stay_reads_everything_again(shelf: Shelf) -> None:
    shelf.take(as_read([of_entry(SUBJECTS[0], entry(SUBJECTS[0]))]))
    positions = View(shelf.engine).begin(PREFIX, GENERATION, START + MAX_AWAY_MS + 1)

    assert positions == {}
    assert shelf.rows()["entries"] == []


def test_a_second_reader_takes_the_view_over(shelf: Shelf) -> None:
    View(shelf.engine).begin(PREFIX, GENERATION, START)

    with pytest.raises(FencedError):
        shelf.take([])


@pytest.mark.parametrize(("prefix", "changed"), [("other.", {}), (PREFIX, {"key_fingerprint": "f" * 16})])
def test_a_view_of_another_generation_is_refused(shelf: Shelf, prefix: str, changed: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="another generation"):
        View(shelf.engine).begin(prefix, GENERATION | changed, START)


def test_an_unknown_schema_stops_the_reader_and_is_named() -> None:
    unknown = b"\0" + (7).to_bytes(4, "big") + b"body"

    with pytest.raises(UnknownSchemaNumberError, match="schema id 7"):
        rows_of(as_read([of_entry(SUBJECTS[0], unknown)]), PREFIX, contract())


def test_bytes_that_are_no_message_stop_the_reader_with_their_place() -> None:
    with pytest.raises(PermanentError, match=r"t\.registry\.legal-person partition \d offset 0"):
        rows_of(as_read([of_entry(SUBJECTS[0], b"?")]), PREFIX, contract())


def test_what_does_not_belong_in_the_registry_stops_the_reader() -> None:
    tick = contract().encode("control/tick-1", {"day": UNTIL.date()})

    with pytest.raises(PermanentError, match="control/tick-1"):
        rows_of(as_read([of_entry(SUBJECTS[0], tick)]), PREFIX, contract())


def test_an_earlier_time_is_answered_from_the_past_of_entries_and_watermarks() -> None:
    subject = SUBJECTS[0]
    then, now = entry(subject, {"status": fact(code("ACTIVE"))}), entry(subject, {"status": fact(code("REVOKED"))})
    number = partition(subject, PARTITIONS)
    shelf = filled(
        of_entry(subject, then, 1),
        of_history(subject, then, 1),
        of_watermark(MARKET, number, watermark(MARKET, number, UNTIL, 1)),
        of_entry(subject, now, 2),
        of_history(subject, now, 2),
        of_watermark(MARKET, number, watermark(MARKET, number, UNTIL, 2)),
    )
    shown = []
    for seconds in (-1, 1, 2, 3, 4, 5):
        known = shelf.known(subject, datetime.fromtimestamp(START / 1000, UTC) + timedelta(seconds=seconds))
        status, mark = known.facts.get("status"), known.watermarks.get(MARKET)
        shown.append((status.value if status else None, mark.cycle if mark else None))

    assert shown == [(None, None), ("ACTIVE", None), ("ACTIVE", 1), ("REVOKED", 1), ("REVOKED", 1), ("REVOKED", 2)]


def test_watermarks_of_the_subjects_own_partition_count_and_sources_of_any() -> None:
    subject = SUBJECTS[0]
    number = partition(subject, PARTITIONS)
    elsewhere = (number + 1) % PARTITIONS
    shelf = filled(
        of_watermark(MARKET, number, watermark(MARKET, number, UNTIL)),
        of_watermark(TAX, elsewhere, watermark(TAX, elsewhere, UNTIL)),
    )

    assert set(shelf.known(subject).watermarks) == {MARKET}
    assert shelf.known(subject).sources == {MARKET, TAX}


def test_a_subject_is_found_by_any_number_it_carries(shelf: Shelf) -> None:
    subject = "legal:org:000000019"
    shelf.take(as_read([of_entry(subject, entry(subject, numbers=[("registration_number", "350299000000012")]))]))

    assert shelf.found("00000001-9") == Found(subject)
    assert shelf.found("350299000000012") == Found(subject)


def test_a_number_that_two_subjects_carry_names_neither(shelf: Shelf) -> None:
    numbers = [("registration_number", "350299000000012")]
    shelf.take(as_read([of_entry(subject, entry(subject, numbers=numbers)) for subject in SUBJECTS[:2]]))

    assert shelf.found("350299000000012") == Found(None, "several_subjects")


def test_a_subject_stands_apart_from_another_with_the_same_number_until_they_are_joined() -> None:
    one, other = SUBJECTS[0], SUBJECTS[2]
    numbers = [("registration_number", other[10:])]
    unjoined = filled(of_entry(one, entry(one, numbers=numbers)), of_entry(other, entry(other, numbers=numbers)))
    joined = filled(of_entry(one, entry(one, numbers=numbers)), of_alias(other, one))

    assert unjoined.known(one).apart
    assert not joined.known(one).apart


def test_a_number_joined_by_an_alias_names_one_subject(shelf: Shelf) -> None:
    old, new = SUBJECTS[2], SUBJECTS[0]
    shelf.take(as_read([of_entry(new, entry(new, numbers=[("registration_number", old[10:])])), of_alias(old, new)]))

    assert shelf.found(old[10:]).unclear is None
    assert shelf.known(old).subject == new


def test_a_number_nobody_carries_names_the_subject_that_would(shelf: Shelf) -> None:
    assert shelf.found("000000019") == Found("legal:org:000000019")


def test_a_number_with_a_typing_error_is_refused_without_being_repeated(shelf: Shelf) -> None:
    with pytest.raises(PermanentError, match="typing error") as refused:
        shelf.found("000000018")

    assert "000000018" not in str(refused.value)


def test_everything_comes_back_after_the_file_is_deleted(tmp_path: Any) -> None:
    subject = SUBJECTS[0]
    records = [of_entry(subject, entry(subject)), of_history(subject, entry(subject), 1), *everywhere(MARKET, UNTIL)]
    first, second = (shelf_of(f"sqlite:///{tmp_path / name}") for name in ("one.db", "two.db"))
    for shelf in (first, second):
        shelf.take(as_read(records))

    assert first.rows() == second.rows()
    first.view.close()
    second.view.close()


def test_a_view_is_read_while_it_is_written(tmp_path: Any) -> None:
    shelf = shelf_of(f"sqlite:///{tmp_path / 'view.db'}")
    other = engine_of(f"sqlite:///{tmp_path / 'view.db'}")
    with other.begin() as connection:
        before = connection.execute(select(tables.tables["entries"])).all()
        shelf.take(as_read([of_entry(SUBJECTS[0], entry(SUBJECTS[0]))]))
        still = connection.execute(select(tables.tables["entries"])).all()
    other.dispose()
    shelf.view.close()

    assert before == still == []


def test_postgresql_keeps_the_same_rows_and_answers(postgresql: str) -> None:
    subject = SUBJECTS[0]
    number = partition(subject, PARTITIONS)
    value = entry(subject, numbers=[("registration_number", "350299000000012")])
    records = [
        of_entry(subject, value, 1),
        of_history(subject, value, 1),
        *everywhere(MARKET, UNTIL),
        of_alias(SUBJECTS[1], subject),
        of_entry(subject, value, 2),
        of_history(subject, value, 2),
        of_watermark(MARKET, number, watermark(MARKET, number, UNTIL, 2)),
    ]
    shelves = [shelf_of("sqlite://"), shelf_of(postgresql)]
    for shelf in shelves:
        shelf.take(as_read(records))
        shelf.take(as_read(records))
    moment = datetime.fromtimestamp(START / 1000, UTC) + timedelta(seconds=5.5)
    rows, known, past, found = (
        [ask(shelf) for shelf in shelves]
        for ask in (
            Shelf.rows,
            lambda shelf: shelf.known(SUBJECTS[1]),
            lambda shelf: shelf.known(subject, moment),
            lambda shelf: shelf.found("350299000000012"),
        )
    )
    for shelf in shelves:
        shelf.view.close()

    assert rows[0] == rows[1]
    assert known[0] == known[1]
    assert past[0] == past[1]
    assert found[0] == found[1] == Found(subject)
