"""Counted reconciliation on a real broker: what a mirror without our code breaks is found, named and mended."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from connectors import fuse, mapping
from connectors.connector import Connector
from connectors.cycle import Report
from connectors.resend import ALL, Resend
from connectors.settings import Settings
from deploy.district import synthetic
from deploy.installation import Installation, running, until
from exchange import look
from exchange.look import SourceStatus
from process.settings import load
from schemas.codec import contract
from transport.broker import Broker
from transport.client import connect
from transport.settings import Kafka

PARTITIONS = 3
ROWS = 60
SOURCE = "market_supervision.enterprise"
YAML = Path("connectors/departments/market_supervision/enterprise.yaml")
COLUMNS = mapping.load(YAML, {"MARKET_URL": "sqlite://"}, contract()).mapping.columns()


class Table:
    """The department's table."""

    def __init__(self, file: Path) -> None:
        self.file, self.url = file, f"sqlite:///{file}"
        self.run(f"create table scjg_qyjbxx ({', '.join(f'{column} text' for column in COLUMNS)})")

    def run(self, statement: str, *rows: tuple[object, ...]) -> None:
        with closing(sqlite3.connect(self.file)) as connection, connection:
            connection.executemany(statement, rows or [()])

    def insert(self, *numbers: int) -> None:
        codes = [synthetic.credit_code("91", synthetic.organisation_code(f"MX{n:06d}")) for n in numbers]
        rows = [(f"r{n}", code, f"示例{n}有限公司") for n, code in zip(numbers, codes, strict=True)]
        columns = "PRIPID, UNISCID, ENTNAME, UPDATE_TIME, CD_OPERATION"
        self.run(f"insert into scjg_qyjbxx ({columns}) values (?, ?, ?, '2026-01-01 00:00:00', 'i')", *rows)

    def rename(self, number: int, name: str, stamp: str = "2026-01-02 00:00:00") -> None:
        self.run("update scjg_qyjbxx set ENTNAME = ?, UPDATE_TIME = ? where PRIPID = ?", (name, stamp, f"r{number}"))

    def delete(self, *numbers: int) -> None:
        self.run("delete from scjg_qyjbxx where PRIPID = ?", *[(f"r{number}",) for number in numbers])

    @property
    def rows(self) -> int:
        with closing(sqlite3.connect(self.file)) as connection:
            return int(connection.execute("select count(*) from scjg_qyjbxx").fetchone()[0])


@dataclass
class World:
    """A source whose messages reach the exchange through a mirror."""

    table: Table
    sender: Installation
    receiver: Installation
    fault: Path
    connector: Connector | None = None

    def start(self, yaml: Path = YAML) -> None:
        """Start the connector anew."""
        self.stop()
        settings = load(Settings, self.sender.folder / "connectors.yaml", {})
        source = mapping.load(yaml, {"MARKET_URL": self.table.url}, contract())
        self.connector = Connector(source, settings, contract(), connect(settings.kafka), Event())

    def stop(self) -> None:
        if self.connector:
            self.connector.close()
        self.connector = None

    @property
    def store(self) -> Path:
        return load(Settings, self.sender.folder / "connectors.yaml", {}).store_folder(SOURCE)

    def cycle(self, *, inventory: bool = False) -> Report:
        assert self.connector
        return self.connector.once(inventory=inventory)

    def status(self) -> SourceStatus | None:
        prefix = self.receiver.prefix
        found = look.status(connect(Kafka(brokers=self.receiver.brokers, prefix=prefix)), prefix, contract())
        return next((each for each in found if each.source == SOURCE), None)

    def comes_to(self, holds: Callable[[SourceStatus], bool]) -> SourceStatus:
        """The status once it holds."""
        found: list[SourceStatus | None] = []

        def looks() -> bool:
            found.append(self.status())
            return found[-1] is not None and holds(found[-1])

        assert until(looks, 60), found[-1]
        assert found[-1]
        return found[-1]

    def counted(self) -> SourceStatus:
        """The status once an inventory of now has been judged."""
        cycle = self.cycle(inventory=True).cycle
        return self.comes_to(lambda status: (status.clean_inventory or 0) >= cycle or status.open_since is not None)

    def taken(self) -> SourceStatus:
        """The status once a cycle of now has been taken everywhere."""
        cycle = self.cycle().cycle
        return self.comes_to(lambda status: (status.cycle or 0) >= cycle and status.behind == 0)

    def mended(self) -> tuple[dict[str, int], SourceStatus]:
        """What a resend found, and how it is once the inventory that proves it was named clean."""
        resent = self.resent()
        assert self.counted().open_since is None
        return dict(resent.breaks), self.whole()

    def whole(self) -> SourceStatus:
        """The status once a watermark has named the newest inventory clean: the verdict takes a while to come back."""
        assert until(lambda: not self.taken().breaks, 30)
        return self.taken()

    def resent(self) -> Resend:
        """The resend, which comes with the first cycle that hears of the request."""
        found: list[Resend | None] = []

        def resends() -> bool:
            found.append(self.cycle().resend)
            return found[-1] is not None

        assert until(resends, 30)
        assert found[-1]
        return found[-1]

    def names(self) -> dict[str, str]:
        prefix = self.receiver.prefix
        client = connect(Kafka(brokers=self.receiver.brokers, prefix=prefix))
        entries = dict(look.entries(client, prefix, "legal-person", contract()))
        return {s: e["facts"]["name"]["value"] for s, e in entries.items() if e["facts"]["name"]}

    def release(self) -> None:
        """Let what the fuse holds go, and go it does."""
        report = self.cycle()
        fuse.write_release(self.store, fuse.Release(report.counts.held, report.cycle))
        self.cycle()


@pytest.fixture(scope="module")
def installed(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("counted")
    table = Table(folder / "market.db")
    prefix = f"m{uuid.uuid4().hex[:10]}."
    sender = Installation(folder / "sender", broker.bootstrap, f"{prefix}from.", PARTITIONS)
    receiver = Installation(folder / "receiver", broker.bootstrap, f"{prefix}to.", PARTITIONS)
    sender.write()
    receiver.folder.mkdir()
    for name in ("district", "audit"):
        shutil.copy(sender.key(name), receiver.key(name))
    receiver.write()
    for each in (sender, receiver):
        each.apply_topics()
    fault = folder / "fault"
    command = [sys.executable, str(Path(__file__).with_name("mirror.py")), broker.bootstrap, sender.prefix]
    command += [receiver.prefix, "market_supervision", str(PARTITIONS), str(fault)]
    with running(receiver), subprocess.Popen(command) as mirror:
        receiver.start("exchange", "exchange", "run", "--all")
        made = World(table, sender, receiver, fault)
        try:
            yield made
        finally:
            made.stop()
            mirror.kill()


@pytest.fixture
def world(installed: World) -> World:
    """The table filled and counted clean, whatever a test before has left."""
    installed.table.run("delete from scjg_qyjbxx")
    installed.table.insert(*range(ROWS))
    installed.start()
    installed.release()
    assert installed.counted().open_since is None
    return installed


def test_an_inventory_of_what_was_never_disturbed_is_clean(world: World) -> None:
    status = world.whole()

    assert (status.live, status.missing, status.extra, status.balanced) == (ROWS, 0, 0, True)
    assert (status.open_breaks, status.breaks) == ({}, [])
    assert status.verified_until is not None


def test_a_record_dropped_in_transit_is_missing_and_mended(world: World) -> None:
    world.table.insert(100)
    world.fault.write_text("drop")
    found = world.counted()
    assert (found.missing, found.extra, found.breaks) == (1, 0, ["messages_missing"])

    kinds, mended = world.mended()

    assert kinds == {"MISSING": 1}
    assert (mended.live, mended.balanced, mended.breaks) == (ROWS + 1, True, [])
    assert mended.complete_until is not None


def test_a_lost_deletion_leaves_an_extra_row_until_it_is_mended(world: World) -> None:
    world.table.delete(7)
    world.fault.write_text("drop")
    found = world.counted()
    assert (found.missing, found.extra) == (0, 1)

    kinds, mended = world.mended()

    assert kinds == {"EXTRA": 1}
    assert (mended.live, mended.balanced) == (ROWS - 1, True)


@pytest.mark.parametrize(
    ("stamp", "fault", "kind"),
    [
        ("2026-01-02 00:00:00", "drop", "STALE"),
        ("2026-01-02 00:00:00", "change", "STALE"),
        ("2026-01-01 00:00:00", "drop", "DIVERGENT"),
        ("2025-12-31 00:00:00", "drop", "REGRESSED"),
    ],
)
def test_a_change_that_was_lost_or_altered_is_named_by_the_rows_own_token(
    world: World, stamp: str, fault: str, kind: str
) -> None:
    world.table.rename(8, "示例改名有限公司", stamp)
    world.fault.write_text(fault)
    found = world.counted()
    assert found.open_since is not None
    assert "示例改名有限公司" not in world.names().values()

    kinds, mended = world.mended()

    assert kinds == {kind: 1}
    assert mended.balanced
    assert "示例改名有限公司" in world.names().values()


def test_a_record_that_comes_again_with_another_payload_is_set_aside_and_forgiven_once_all_is_counted(
    world: World,
) -> None:
    world.table.rename(11, "示例新名有限公司")
    world.fault.write_text("double")
    broken = world.taken()
    assert broken.breaks == ["messages_extra"]

    assert world.counted().open_since is None
    whole = world.whole()

    assert (whole.live, whole.balanced, whole.unopened) == (ROWS, True, broken.unopened)
    assert broken.unopened > 0
    assert "示例新名有限公司" in world.names().values()


def test_nothing_is_concluded_between_the_loss_and_the_inventory_that_proves_the_repair(world: World) -> None:
    before = world.whole()
    world.table.insert(101)
    world.fault.write_text("drop")
    world.counted()
    while_open = world.status()
    world.resent()
    resent = world.comes_to(lambda status: status.behind == 0 and status.live == ROWS + 1)
    assert world.counted().open_since is None
    after = world.whole()

    assert before.complete_until
    assert while_open
    assert while_open.complete_until == resent.complete_until == before.complete_until
    assert while_open.present_until == resent.present_until == before.present_until
    assert after.complete_until
    assert after.complete_until > before.complete_until


def test_a_lost_store_costs_a_resend_of_nothing_and_no_ghost_stays(world: World) -> None:
    world.stop()
    shutil.rmtree(world.store)
    world.table.delete(9)
    world.table.rename(10, "示例更名有限公司")
    world.start()

    report = world.cycle()
    assert report.resend
    status = world.counted()

    assert report.resend.buckets == ALL
    assert (report.counts.sent, report.counts.deleted, report.counts.unchanged) == (1, 1, ROWS - 2)
    assert (status.live, status.open_since) == (ROWS - 1, None)
    after = world.taken()
    assert after.complete_until
    assert after.present_until == after.complete_until


def test_a_changed_mapping_sends_the_rows_it_touches_and_no_others(world: World, tmp_path: Path) -> None:
    world.table.run("update scjg_qyjbxx set REGSTATE = '0009' where PRIPID in ('r1', 'r2')")
    world.table.run("update scjg_qyjbxx set REGSTATE = '0006' where PRIPID = 'r3'")
    world.cycle()
    changed = tmp_path / "enterprise.yaml"
    changed.write_text(YAML.read_text("utf-8").replace('"0009": ACTIVE', '"0009": REVOKED'), "utf-8")

    world.start(changed)
    report = world.cycle()

    assert report.counts.sent == 2
    assert report.counts.unchanged == ROWS - 2
    assert world.counted().open_since is None


def test_a_drain_is_held_before_fifty_rows_are_gone(world: World) -> None:
    world.table.insert(*range(1000, 2000))
    world.cycle()
    for start in range(1000, 1100, 4):
        world.table.delete(*range(start, start + 4))
        if world.cycle().counts.held:
            break

    held = world.taken()

    assert held.live > ROWS + 1000 - fuse.ALWAYS_ALLOWED
    assert held.extra > 0
    world.release()
    assert world.counted().live == world.table.rows


@pytest.mark.parametrize("left", [0, ROWS // 3])
def test_a_truncated_table_or_half_a_backup_deletes_nothing_until_it_is_released(world: World, left: int) -> None:
    before = world.taken()
    world.table.delete(*range(left, ROWS))

    held = world.taken()
    again = world.taken()
    world.release()
    released = world.counted()

    assert (held.live, held.extra, again.live) == (ROWS, ROWS - left, ROWS)
    assert (again.complete_until, again.present_until) == (before.complete_until, before.present_until)
    assert (released.live, released.open_since) == (left, None)
