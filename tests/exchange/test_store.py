"""State: what is staged lies over what is stored, and a folder that cannot be trusted is begun anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.ledger import NEW_PARTITION, Ledger, Place
from exchange.statements import Identity, Rows, Statement, settled, stated
from exchange.store import Store, boot_id
from exchange.watermarks import Source
from process.errors import SettingsError
from schemas.codec import NO_HASH, contract
from tests.exchange.examples import many
from tests.exchange.memory import Memory
from tests.exchange.publishing import day, record

SUBJECT = "legal:org:XX0000001"
HEAD = {
    "change": 1,
    "content_hash": NO_HASH,
    "history_hash": NO_HASH,
    "alias_epoch": 0,
    "next_change": None,
    "condition": "live",
    "kind": "legal_person",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state", "installation", "boot")
    yield store
    store.close()


def again(store: Store, tmp_path: Path, installation: str = "installation", boot: str = "boot") -> Store:
    """The folder opened by the next process."""
    store.close()
    return Store(tmp_path / "state", installation, boot)


# --- the store -------------------------------------------------------------------------------------------------------
def test_what_was_written_is_read_by_the_next_process_with_the_offset_it_stands_for(
    store: Store, tmp_path: Path
) -> None:
    store.write({Place(1, b"s\0a"): b"one", Place(2, b"s\0a"): b"two"}, {1: 7, 2: 9})

    with_closing = again(store, tmp_path)

    assert (with_closing.get(Place(1, b"s\0a")), with_closing.get(Place(2, b"s\0a"))) == (b"one", b"two")
    assert (with_closing.offset(1), with_closing.offset(2), with_closing.offset(3)) == (7, 9, None)
    with_closing.close()


def test_a_null_takes_a_key_away(store: Store) -> None:
    place = Place(0, b"h\0a")
    store.write({place: b"x"}, {})
    store.write({place: None, Place(0, b"h\0never"): None}, {})

    assert store.get(place) is None


def test_a_scan_gives_one_partitions_keys_of_a_kind_in_order(store: Store) -> None:
    keys = [b"s\0b\0x", b"s\0a\0y", b"s\0a\0\xff", b"h\0a", b"s\0ab\0z"]
    store.write({Place(partition, key): key for partition in (0, 1, 255, 256) for key in keys}, {})

    assert [key for key, _ in store.scan(1, b"s\0a\0")] == [b"s\0a\0y", b"s\0a\0\xff"]
    assert [key for key, _ in store.scan(256, b"s\0")] == sorted(key for key in keys if key.startswith(b"s"))
    assert list(store.scan(2, b"s\0")) == []


def test_forgetting_a_partition_leaves_the_others(store: Store) -> None:
    store.write({Place(partition, key): b"x" for partition in (0, 1, 2) for key in (b"a", b"\xff")}, {0: 5, 1: 5, 2: 5})

    store.forget(1)

    assert [list(store.scan(partition, b"")) for partition in (0, 1, 2)] == [
        [(b"a", b"x"), (b"\xff", b"x")],
        [],
        [(b"a", b"x"), (b"\xff", b"x")],
    ]
    assert [store.offset(partition) for partition in (0, 1, 2)] == [5, None, 5]


@pytest.mark.parametrize(("installation", "boot"), [("another", "boot"), ("installation", "after the power came back")])
def test_a_folder_of_another_installation_or_of_before_a_reboot_is_begun_anew(
    store: Store, tmp_path: Path, installation: str, boot: str
) -> None:
    store.write({Place(0, b"a"): b"x"}, {0: 5})

    anew = again(store, tmp_path, installation, boot)

    assert (anew.get(Place(0, b"a")), anew.offset(0)) == (None, None)
    anew.close()


@pytest.mark.parametrize("left", [b"", b"torn", bytes(8192)])
def test_a_file_torn_when_the_power_went_is_begun_anew(store: Store, tmp_path: Path, left: bytes) -> None:
    store.write({Place(0, b"a"): b"x"}, {0: 5})
    store.close()
    (tmp_path / "state" / "data.mdb").write_bytes(left)

    anew = again(store, tmp_path, boot="the next")

    assert anew.offset(0) is None
    anew.write({Place(0, b"a"): b"y"}, {0: 6})
    assert anew.get(Place(0, b"a")) == b"y"
    anew.close()


def test_a_folder_that_cannot_be_had_is_said_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match="file/state cannot be opened"):
        Store(tmp_path / "file" / "state", "installation", boot_id())


# --- the ledger ------------------------------------------------------------------------------------------------------
def word(record_id: str, name: str = "甲", part: str = "") -> Statement:
    _, value = record("local_tax", SUBJECT, record_id, name=name, part=part)
    return settled(stated(contract().head(value).meta, value))


def test_what_a_batch_stages_lies_over_what_is_stored_until_it_is_dropped() -> None:
    memory = Memory()
    ledger = Ledger(memory, contract())
    old, new = word("r1", "旧"), word("r1", "新")
    ledger.put_statement(0, SUBJECT, old)
    ledger.put_head(0, SUBJECT, HEAD)
    memory.table |= ledger.staged()
    ledger.drop()

    ledger.put_statement(0, SUBJECT, new)
    ledger.put_statement(0, SUBJECT, word("r2"))
    ledger.put_head(0, SUBJECT, {**HEAD, "change": 2})
    ledger.put_source(0, "local_tax.main", Source(unopened=3))
    ledger.put_partition(0, {**NEW_PARTITION, "tick": day("2026-03-01")})

    assert ledger.statement(0, SUBJECT, old.identity) == new
    assert ledger.statements(0, SUBJECT) == [new, word("r2")]
    assert dict(ledger.heads(0)) == {SUBJECT: {**HEAD, "change": 2}}
    assert ledger.source(0, "local_tax.main").unopened == 3
    assert ledger.partition(0)["tick"] == day("2026-03-01")
    ledger.drop()
    assert ledger.statements(0, SUBJECT) == [old]
    assert ledger.head(0, SUBJECT) == HEAD
    assert list(ledger.sources(0)) == []
    assert ledger.partition(0) == NEW_PARTITION
    assert ledger.staged() == {}


def test_everything_staged_is_found_again_by_the_next_ledger_in_its_own_partition() -> None:
    memory = Memory()
    ledger = Ledger(memory, contract())
    ledger.put_statement(1, SUBJECT, word("r1"))
    ledger.put_head(1, SUBJECT, HEAD)
    ledger.put_source(1, "local_tax.main", Source(rows=Rows(1, 2)))
    ledger.put_partition(1, {**NEW_PARTITION, "transactions": 4})
    memory.table |= ledger.staged()

    found = Ledger(memory, contract())

    assert found.statements(1, SUBJECT) == [word("r1")]
    assert list(found.heads(1)) == [(SUBJECT, HEAD)]
    assert list(found.sources(1)) == [("local_tax.main", Source(rows=Rows(1, 2)))]
    assert found.partition(1)["transactions"] == 4
    assert (found.statements(0, SUBJECT), list(found.heads(0)), found.partition(0)) == ([], [], NEW_PARTITION)


def test_subjects_that_begin_alike_do_not_share_statements() -> None:
    ledger = Ledger(Memory(), contract())
    for staged in (True, False):
        ledger.put_statement(0, SUBJECT + "1", word("r1"))
        if not staged:
            ledger.drop()

        assert ledger.statements(0, SUBJECT) == []


ids = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)


@many
@given(st.lists(st.tuples(ids, ids), min_size=1, max_size=4, unique=True))
def test_any_number_of_statements_with_ids_of_any_length_are_kept_apart(tmp: list[tuple[str, str]]) -> None:
    memory = Memory()
    ledger = Ledger(memory, contract())
    words = [word(record_id, part=part) for record_id, part in tmp]
    for each in words:
        ledger.put_statement(0, "legal:" + "x" * 234, each)
    memory.table |= ledger.staged()

    found = Ledger(memory, contract())

    for each in words:
        assert found.statement(0, "legal:" + "x" * 234, each.identity) == each
    assert {each.identity for each in found.statements(0, "legal:" + "x" * 234)} == {each.identity for each in words}
    assert all(len(place.key) + 2 <= 511 for place in memory.table)


def test_the_longest_identity_of_the_longest_subject_fits_the_store(store: Store) -> None:
    ledger = Ledger(store, contract())
    subject, long = "legal:" + "x" * 234, word("长" * 200, part="b" * 300)
    ledger.put_statement(0, subject, long)
    store.write(ledger.staged(), {})
    ledger.drop()

    assert ledger.statement(0, subject, long.identity) == long
    assert ledger.statement(0, subject, Identity("local_tax.main", "长" * 200, "")) is None
