"""A department nobody shipped comes live from data alone, while an installation runs on what is shipped."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import schemas
from deploy.installation import Installation, Process, running, until
from exchange import look
from process.site import installed
from schemas.codec import Contract
from schemas.identifiers import resident_number
from schemas.installed import shipped
from schemas.subjects import DistrictKey, person_subject
from tests.exchange.publishing import AUDIT, Department, code, record, send
from tests.schemas import numbers
from tests.sites import Folder, example
from transport.broker import Broker
from transport.client import Client, connect
from transport.settings import Kafka

PARTITIONS = 3
KEY = DistrictKey(bytes(range(32)))
PERSONS = [numbers.resident_number("19880315", f"{number:03}") for number in range(1, 9)]
TENANTS, STRANGER = PERSONS[2:4], PERSONS[7]
REGISTRY = "registry.natural-person"


def subject(number: str) -> str:
    return person_subject(resident_number(number), KEY)


class Found(NamedTuple):
    """What the registry's topic last says of a subject, and where."""

    schema: str
    entry: dict[str, Any]
    change: int
    place: tuple[int, int]


@dataclass
class Story:
    """What was seen on the way."""

    there: Installation
    client: Client
    site: Folder
    worker: Process
    before: dict[str, Found]
    seen: dict[str, dict[str, Found]] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    decided: dict[str, dict[str, Any]] = field(default_factory=dict)
    exit_code: int | None = None

    @property
    def contract(self) -> Contract:
        return installed(self.there.site).contract

    def registry(self) -> dict[str, Found]:
        return registry(self.client, self.there.prefix, self.contract)


def registry(client: Client, prefix: str, contract: Contract) -> dict[str, Found]:
    """The registry of natural persons as a reader of the compacted topic has it."""
    found = {}
    for message in look.read_all(client, prefix + REGISTRY):
        key = (message.key or b"").decode()
        if not key.startswith("~"):
            schema, entry = contract.decode(message.value or b"")
            change = int(dict(message.headers)["change"])
            found[key] = Found(schema, entry, change, (message.partition, message.offset))
    return found


# --- the steps -------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def story(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """From an installation without the department to one with it, and on."""
    folder = tmp_path_factory.mktemp("site")
    database = folder / "housing.db"
    environ = {"HOUSING_URL": f"sqlite:///{database}"}
    there = Installation(folder / "there", broker.bootstrap, f"e{uuid.uuid4().hex[:10]}.", PARTITIONS, environ)
    with running(there):
        story = begun(there, example(folder))
        register(database, [("B1", TENANTS[0], "1"), ("B2", TENANTS[1], "1"), ("B3", STRANGER, "1")])
        bring_live(story)
        publish_leases(story, "live")
        decide(story)
        register(database, [("B1", TENANTS[0], "1"), ("B2", TENANTS[1], "2"), ("B3", STRANGER, "1")])
        publish_leases(story, "struck off")
        read_anew(story)
        yield story


def begun(there: Installation, site: Folder) -> Story:
    """Residents are in the registry, by what is shipped, and a worker runs."""
    there.folder.mkdir()
    for name, secret in (("district", KEY.secret), ("audit", AUDIT.secret)):
        there.key(name).touch(mode=0o600)
        there.key(name).write_text(secret.hex())
    there.write()
    there.apply_topics()
    police = Department("public_security", there.prefix, PARTITIONS)
    residents = [record(police.name, subject(number), number[-4:], **resident(number)) for number in PERSONS[:7]]
    client = connect(Kafka(brokers=there.brokers, prefix=there.prefix))
    send(client, [*police.outgoing(residents), *police.watermarks(1, rows_at_source=7)], f"{there.prefix}police")
    worker = there.start_exchange()
    assert until(lambda: len(registry(client, there.prefix, shipped().contract)) == 7, 60)
    return Story(there, client, site, worker, registry(client, there.prefix, shipped().contract))


def resident(number: str) -> dict[str, Any]:
    return {
        "type": "public_security/resident-1",
        "name": f"示例{number[14:17]}",
        "household_division": code("350299", "350299"),
    }


def register(database: Path, leases: list[tuple[str, str, str]]) -> None:
    """The housing office's table: leases by number, tenant, and whether it stands (1) or was struck off (2)."""
    columns = ["BAXH", "CZR_SFZH", "ZT", "CZR_XM", "FWZL", "XZQH", "QSRQ", "JZRQ", "BARQ", "GXSJ"]
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DROP TABLE IF EXISTS zf_zlba")
        connection.execute(f"CREATE TABLE zf_zlba ({', '.join(f'{column} TEXT' for column in columns)})")
        rest = ("示例租客", "示例路1号", "350299", "2020-09-01", "长期", "2020-09-03", "2020-09-03 10:00:00")
        connection.executemany(
            f"INSERT INTO zf_zlba VALUES ({', '.join('?' * 10)})", [(*each, *rest) for each in leases]
        )


def bring_live(story: Story) -> None:
    """What an operator does: build the folder, name it in the settings, apply, start each process again."""
    there = story.there
    story.told["build"] = there.run("exchange", "policy", "build", str(story.site.path))
    there.site = story.site.path
    there.write()
    story.told["plan"] = there.run("exchange", "topics", "plan")
    story.told["apply"] = there.apply_topics()
    assert until(lambda: not story.worker.alive(), 60)
    story.exit_code = story.worker.popen.returncode
    there.start_exchange()


def publish_leases(story: Story, step: str) -> None:
    """A cycle of the housing office's table, and all of it taken by the exchange."""
    cycle = story.there.connect_once("housing.lease")["cycle"]
    assert until(lambda: taken(story, cycle), 60)
    story.seen[step] = story.registry()


def decide(story: Story) -> None:
    """The site's own item, decided for one who has a lease and one who has none."""
    story.there.run("approval", "run", "--until-idle", "1")
    for number in (TENANTS[0], PERSONS[0]):
        ask = ("evaluate", "enrolment_by_lease", "--subject", "applicant=-", "--json")
        (story.decided[number],) = json.loads(story.there.run("approval", *ask, given=number))["materials"]


def taken(story: Story, cycle: int) -> bool:
    sources = look.status(story.client, story.there.prefix, story.contract)
    return any(source.source == "housing.lease" and source.cycle == cycle and source.balanced for source in sources)


def read_anew(story: Story) -> None:
    """A worker that has nothing but Kafka derives every subject once more."""
    story.there.stop()
    shutil.rmtree(story.there.folder / "state" / f"{story.there.prefix}exchange-0")
    story.there.run("exchange", "run", "--instance", "exchange-0", "--until-idle", "2")
    story.seen["read anew"] = story.registry()


# --- what was seen ---------------------------------------------------------------------------------------------------
def test_the_folder_is_built_planned_and_activated_by_what_it_adds(story: Story) -> None:
    assert story.told["build"].splitlines() == ["published  housing/lease-1", "published  registry/natural-person-3"]
    plan = story.told["plan"].splitlines()
    assert [line.split()[1].removeprefix(story.there.prefix) for line in plan if line.startswith("create")] == [
        f"{kind}.housing" for kind in ("dept", "positions", "quarantine", "reconciliation")
    ]
    assert plan[-2:] == ["activate  natural_person.name (housing)", "activate  natural_person.leases (housing)"]
    assert "Activated: natural_person.name (housing), natural_person.leases (housing)." in story.told["apply"]


def test_a_worker_that_runs_on_the_policy_before_stops_and_says_what_to_do(story: Story) -> None:
    assert story.exit_code == 2
    assert "Another policy (attribute catalogue and schemas) is activated" in story.worker.log.read_text("utf-8")


def test_the_leases_stand_in_the_entries_of_their_tenants_with_their_days_and_their_source(story: Story) -> None:
    for number in (*TENANTS, STRANGER):
        entry = story.seen["live"][subject(number)].entry
        lease = entry["facts"]["leases"][0]
        assert lease["value"]["address"] == "示例路1号"
        assert lease["value"]["division"] == {"raw": "350299", "canonical": "350299", "list": "gbt-2260"}
        assert [str(lease["value"][day]) for day in ("from", "to", "registered_on")] == [
            "2020-09-01",
            "9999-12-31",
            "2020-09-03",
        ]
        assert entry["members"][lease["member"]]["source"] == "housing.lease"


def test_the_department_speaks_to_a_shipped_attribute_behind_its_authorities(story: Story) -> None:
    known, stranger = (story.seen["live"][subject(each)].entry["facts"]["name"] for each in (TENANTS[0], STRANGER))

    assert (known["value"], known["tier"]) == ("示例003", 1)
    assert [(dissent["value"], dissent["tier"]) for dissent in known["dissent"]] == [("示例租客", 3)]
    assert (stranger["value"], stranger["tier"]) == ("示例租客", 3)


def test_an_item_of_the_site_is_decided_by_the_leases(story: Story) -> None:
    tenant, other = story.decided[TENANTS[0]], story.decided[PERSONS[0]]

    assert (tenant["verdict"], tenant["follow"]) == ("proved", "waive")
    parts = tenant["facts"][0]["elements"][0]["parts"]
    assert {part["name_zh"]: part["value"] for part in parts} == {
        "房屋坐落": "示例路1号",
        "租赁起始日期": "2020-09-01",
        "租赁截止日期": "9999-12-31",
    }
    assert (other["verdict"], other["follow"]) == ("absent_as_of", "ask_paper")
    assert "房屋租赁备案" in other["reason"]["zh"]


def test_who_has_a_lease_is_published_once_more_by_the_new_schema(story: Story) -> None:
    live = story.seen["live"]

    assert {live[subject(each)].schema for each in (*TENANTS, STRANGER)} == {"registry/natural-person-3"}
    assert [live[subject(each)].change for each in (*TENANTS, STRANGER)] == [2, 2, 1]


def test_whom_nothing_new_is_known_of_is_not_published_again(story: Story) -> None:
    untouched = {subject(each) for each in PERSONS[:7]} - {subject(each) for each in TENANTS}

    assert len(untouched) == 5
    assert {story.before[each].schema for each in untouched} == {"registry/natural-person-2"}
    for step in ("live", "struck off", "read anew"):
        assert {each: story.seen[step][each] for each in untouched} == {each: story.before[each] for each in untouched}


def test_reading_all_anew_publishes_nothing(story: Story) -> None:
    assert story.seen["read anew"] == story.seen["struck off"]


def test_who_has_no_lease_any_more_is_written_as_before(story: Story) -> None:
    there, gone = (story.seen["struck off"][subject(each)] for each in TENANTS)

    assert there == story.seen["live"][subject(TENANTS[0])]
    assert (gone.schema, gone.change) == ("registry/natural-person-2", 3)
    assert gone.entry["facts"] == story.before[subject(TENANTS[1])].entry["facts"]


def test_a_stock_reader_that_has_the_folders_schemas_too_reads_all_of_it(story: Story, program: list[str]) -> None:
    folders = os.pathsep.join((schemas.__path__[0], str(story.site.path)))
    command = [*program, story.there.brokers, story.there.prefix, folders, "dump"]
    read = subprocess.run(command, capture_output=True, text=True, check=True)

    assert read.stdout == story.there.run("exchange", "dump")
    assert "示例路1号" in read.stdout
