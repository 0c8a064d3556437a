"""A file source's whole way to a real broker: what comes again, what is missing, what disagrees and is corrected."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from prometheus_client import generate_latest

from connectors import commands
from connectors.cycle import Report
from connectors.mapping import Source
from connectors.settings import Settings
from process.errors import PermanentError, TransientError
from schemas import topics
from schemas.codec import contract
from tests.connectors import drops
from tests.connectors.drops import Department, ends_ms
from tests.connectors.test_commands import connectors
from tests.connectors.test_run import connected, once, read
from tests.connectors.worlds import CODES, SUBJECTS, branch, fold, is_record, source
from transport.client import Client

A, B, C = (branch(f"r{n}", CODES[n], name) for n, name in enumerate("甲乙丙"))
GONE = branch("r0", CODES[0], flag="0")
ALARMS = 'source_alarms{department="market_supervision",reason="%s",source="market_supervision.branch"}'


@pytest.fixture
def department(tmp_path: Path) -> Department:
    return Department(tmp_path / "drop")


@pytest.fixture
def branches(department: Department, tmp_path: Path) -> Source:
    return drops.of(tmp_path, department.folder)


def names(client: Client, settings: Settings) -> dict[str, str | None]:
    """The name of every subject that the exchange would hold."""
    found = read(client, topics.dept(settings.kafka.prefix, "market_supervision"))
    records = ((message.key.decode(), content) for message, content in found if message.key and is_record(message))
    return {subject: text for (subject, _, _), (_, text, _) in fold(records).items()}


def marks(client: Client, settings: Settings) -> list[dict[str, Any]]:
    """The watermarks of the first partition."""
    found = read(client, topics.dept(settings.kafka.prefix, "market_supervision"), 1)
    return [content for message, content in found if not is_record(message)]


@pytest.mark.parametrize("form", ["txt", "xml", "xlsx"])
def test_files_that_come_again_are_missing_or_disagree_leave_the_exchange_with_what_was_meant(
    form: str, installed: Settings, client: Client, tmp_path: Path
) -> None:
    department = Department(tmp_path / "drop", form)
    branches = drops.of(tmp_path, department.folder, drops.FORMS[form])
    department.deliver(1, [A, B])
    first = once(branches, installed)
    department.deliver(1, [A, B])
    again = once(branches, installed)
    department.deliver(3, [C], full=False)
    gap = once(branches, installed)
    department.deliver(2, [GONE], full=False, said={"rows": 2})
    disagrees = once(branches, installed)
    before = names(client, installed)
    department.deliver(2, [GONE], full=False)
    corrected, last = once(branches, installed), once(branches, installed)

    assert [
        (r.snapshot_ms, r.counts.sent, r.counts.deleted) for r in (first, again, gap, disagrees, corrected, last)
    ] == [
        (ends_ms(1), 2, 0),
        (ends_ms(1), 0, 0),
        (ends_ms(1), 0, 0),
        (ends_ms(1), 0, 0),
        (ends_ms(2), 0, 1),
        (ends_ms(3), 1, 0),
    ]
    assert before == {SUBJECTS[0]: "甲", SUBJECTS[1]: "乙"}
    assert names(client, installed) == {SUBJECTS[1]: "乙", SUBJECTS[2]: "丙"}
    assert [mark["stated"] for mark in marks(client, installed)] == [False] * 4 + [True] * 2
    assert int(marks(client, installed)[-1]["complete_until"].timestamp() * 1000) == ends_ms(3)


def test_while_files_wait_there_is_no_pause_and_afterwards_there_is(
    department: Department, branches: Source, installed: Settings
) -> None:
    for batch, rows in enumerate(([A], [A, B], [B, C]), 1):
        department.deliver(batch, rows)
    paused: list[int] = []
    reports: list[Report] = []

    class Paused(Event):
        def wait(self, timeout: float | None = None) -> bool:
            paused.append(len(reports))
            return False

    with connected(branches, installed, Paused()) as connector:
        connector.follow(5, reports.append)

    assert [report.snapshot_ms for report in reports] == [ends_ms(1), ends_ms(2), ends_ms(3)]
    assert paused == [3, 3]


def test_a_connector_goes_on_polling_past_a_refused_file_and_takes_the_corrected_one(
    department: Department, branches: Source, installed: Settings
) -> None:
    department.deliver(1, [A], said={"md5": "0" * 32})
    reports: list[Report] = []
    alarms: list[str] = []

    class Corrected(Event):
        def wait(self, timeout: float | None = None) -> bool:
            alarms.append(generate_latest(connector.metrics.registry).decode())
            department.deliver(1, [A])
            return False

    with connected(branches, installed, Corrected()) as connector:
        connector.follow(1, reports.append)
        metrics = generate_latest(connector.metrics.registry).decode()

    assert ALARMS % "control_md5" + " 1.0" in alarms[0]
    assert ALARMS % "control_md5" + " 0.0" in metrics
    assert [report.counts.sent for report in reports] == [1]


def test_a_lost_state_is_a_resend_and_never_an_older_state(
    department: Department, branches: Source, installed: Settings, client: Client, tmp_path: Path
) -> None:
    for batch, rows in enumerate(([A, B], [branch("r1", CODES[1], "新")]), 1):
        department.deliver(batch, rows, full=batch == 1)
        once(branches, installed)
    elsewhere = installed.model_copy(update={"state_dir": tmp_path / "elsewhere"})
    report = once(branches, elsewhere)
    (department.folder / "FR_350299_SCJG_20160301_0002.ok").unlink()
    with pytest.raises(TransientError, match="older than what was published"):
        once(branches, installed.model_copy(update={"state_dir": tmp_path / "third"}))

    assert (report.snapshot_ms, report.counts.sent) == (ends_ms(2), 2)
    assert names(client, installed)[SUBJECTS[1]] == "新"


def test_a_connector_without_a_broker_keeps_its_file(
    department: Department, branches: Source, installed: Settings
) -> None:
    department.deliver(1, [A])
    away = installed.model_copy(update={"kafka": installed.kafka.model_copy(update={"brokers": "127.0.0.1:1"})})
    with pytest.raises(TransientError), connected(branches, away) as connector:
        connector.once()

    assert once(branches, installed).counts.sent == 1


# -- what a person asks and is told


def test_a_source_of_files_is_checked_and_sampled_before_its_first_file_is_taken(
    department: Department, branches: Source, installed: Settings, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TransientError, match="no complete delivery yet"):
        commands.check(branches, installed, contract(), client)
    department.deliver(1, [A, B])
    capsys.readouterr()
    commands.check(branches, installed, contract(), client)
    checked = capsys.readouterr().out
    commands.sample(branches, installed, contract(), 1)
    sampled = capsys.readouterr().out

    assert "2 rows as of the next file in order; 0 without a record id" in checked
    assert [record["type"] for record in json.loads(sampled)["records"]] == ["market_supervision/enterprise-1"]
    assert "甲" in sampled
    assert not list(installed.state_dir.glob("*/files"))


def test_the_command_says_what_is_missing_and_what_is_refused(installed: Settings, tmp_path: Path) -> None:
    department = Department(tmp_path / "drop")
    folder = tmp_path / "own" / "market_supervision"
    folder.mkdir(parents=True)
    branches = drops.of(folder, department.folder)
    branches.file.rename(folder / "branch.yaml")
    department.deliver(1, [A])
    once(branches, installed)
    settings = tmp_path / "connectors.yaml"
    own = installed.model_copy(update={"sources_dir": tmp_path / "own"})
    settings.write_text(json.dumps(own.model_dump(mode="json", exclude_defaults=True)))
    listed = connectors("--settings", str(settings), "list")
    last = department.deliver(3, [C], full=False)
    gap = connectors("--settings", str(settings), "run", "market_supervision.branch", "--once")
    wrong = department.deliver_bytes(2, b"r9|\r\n", 1, full=False)
    refused = connectors("--settings", str(settings), "run", "market_supervision.branch", "--once")
    status = connectors("--settings", str(settings), "status", "market_supervision.branch")
    files = json.loads(status.out)["files"]

    assert [each.code for each in (listed, gap, refused, status)] == [0, 3, 4, 0]
    assert f"market_supervision.branch  FR_350299_SCJG_{{date}}_{{number}}  {folder}" in listed.out
    assert "batch 2 is missing" in gap.err
    assert f"{wrong}:1: 2 fields, where 6 are expected" in refused.err
    assert (files["accepted"]["batch"], files["waiting"], files["unfinished"]) == (1, [last], [])
    assert [(each["file"], each["line"], each["code"]) for each in files["refused"]] == [(wrong, 1, "field_count")]


def test_another_family_is_another_source_until_a_person_accepts_it(
    department: Department, branches: Source, installed: Settings, client: Client, tmp_path: Path
) -> None:
    department.deliver(1, [A])
    once(branches, installed)
    other = source(branches.file.read_text("utf-8").replace("SCJG", "SCJD"), tmp_path)
    department.deliver(1, [A], name="FR_350299_SCJD_20160301_0001")
    with pytest.raises(PermanentError, match="connectors epoch raise"):
        once(other, installed)
    commands.epoch_raise(other, installed, contract(), client)

    assert once(other, installed).counts.sent == 0
