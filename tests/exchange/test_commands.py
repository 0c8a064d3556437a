"""The `exchange` command as a person runs it: answers, errors and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml

from exchange.run import worker
from exchange.settings import Settings
from process.settings import load
from schemas import topics
from schemas.installed import shipped
from schemas.subjects import DistrictKey
from tests.exchange.publishing import AUDIT, Department, record, send
from tests.schemas.numbers import credit_code, organisation_code
from tests.sites import built, example
from transport.broker import Broker
from transport.client import connect

KEY = DistrictKey(bytes(range(32)))
ORGANISATION = organisation_code("XX000001")
SUBJECT = f"legal:org:{ORGANISATION}"
PARTITIONS = 2


@dataclass
class Command:
    """The command with a settings file of its own."""

    folder: Path
    settings: dict[str, Any]

    @property
    def file(self) -> Path:
        return self.folder / "exchange.yaml"

    def __call__(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        self.file.write_text(yaml.safe_dump(self.settings))
        command = [sys.executable, "-m", "exchange", "--settings", str(self.file), *arguments]
        return subprocess.run(command, capture_output=True, text=True, input=typed, check=False, env=dict(os.environ))

    def answer(self, *arguments: str, typed: str = "") -> str:
        done = self(*arguments, typed=typed)
        assert done.returncode == 0, done.stderr
        return done.stdout


def command(folder: Path, brokers: str, prefix: str) -> Command:
    for name, secret in (("audit", AUDIT.secret), ("district", KEY.secret)):
        key = folder / f"{name}.key"
        key.write_text(secret.hex())
        key.chmod(0o600)
    settings = {
        "kafka": {"brokers": brokers, "prefix": prefix},
        "state_dir": str(folder / "state"),
        "audit_key_file": str(folder / "audit.key"),
        "district_key_file": str(folder / "district.key"),
        "partitions": PARTITIONS,
    }
    return Command(folder, settings)


@pytest.fixture
def alone(tmp_path: Path) -> Command:
    """The command where no broker answers."""
    return command(tmp_path, "127.0.0.1:1", "t.")


@pytest.fixture(scope="module")
def installed(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """An installation that has taken one company and one message that nobody can open."""
    exchange = command(tmp_path_factory.mktemp("commands"), broker.bootstrap, f"t{uuid.uuid4().hex[:10]}.")
    exchange.answer("topics", "apply")
    settings = load(Settings, exchange.file, {})
    market = Department("market_supervision", settings.kafka.prefix, PARTITIONS)
    sent = market.outgoing([record("market_supervision", SUBJECT, "m1", name="示例"), (SUBJECT, b"not avro")])
    send(connect(settings.kafka), [*sent, *market.watermarks(1, rows_at_source=1)])
    worker(settings, shipped(), "exchange-0", Event(), until_idle_seconds=1.0)
    return exchange


# --- settings --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("partitons", 3, "partitions"), ("partitions", "many", "partitions"), ("replication", 0, "replication")],
)
def test_a_wrong_setting_ends_with_2_and_names_file_line_and_field(
    alone: Command, name: str, value: object, told: str
) -> None:
    alone.settings[name] = value

    done = alone("status")

    line = 1 + alone.file.read_text().splitlines().index(f"{name}: {value}")
    assert done.returncode == 2
    assert f"{alone.file}:{line}" in done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_number_that_is_no_identifier_ends_with_2_and_is_not_repeated(alone: Command) -> None:
    done = alone("get", "-", typed="示例公司\n")

    assert done.returncode == 2
    assert "no identifier that can be looked up" in done.stderr
    assert "示例公司" not in done.stderr + done.stdout


def test_looking_somebody_up_without_the_districts_key_says_which_setting_is_missing(alone: Command) -> None:
    del alone.settings["district_key_file"]

    done = alone("get", SUBJECT)

    assert (done.returncode, "district_key_file" in done.stderr) == (2, True)


@pytest.mark.parametrize("count", ["0", "-1", "two"])
def test_a_number_of_workers_that_cannot_be_ends_with_2(alone: Command, count: str) -> None:
    done = alone("run", "--workers", count)

    assert (done.returncode, "--workers" in done.stderr) == (2, True)


# --- an installation -------------------------------------------------------------------------------------------------
def test_once_applied_there_is_nothing_more_to_plan_or_to_apply(installed: Command) -> None:
    assert installed.answer("topics", "plan") == "nothing to do\n"
    assert installed.answer("topics", "apply") == "created 0, altered 0, control records written 0\n"


def test_applying_again_with_another_key_ends_with_2_and_names_the_field(installed: Command, tmp_path: Path) -> None:
    other = Command(tmp_path, {**installed.settings, "district_key_letter": "B"})

    done = other("topics", "apply")

    assert (done.returncode, "key_letter" in done.stderr) == (2, True)


def test_status_counts_every_source_as_json(installed: Command) -> None:
    told = [json.loads(line) for line in installed.answer("status", "--json").splitlines()]

    assert [(source["source"], source["live"], source["unopened"]) for source in told] == [
        ("market_supervision.main", 1, 1)
    ]
    assert told[0]["balanced"] is True


@pytest.mark.parametrize("identifier", [credit_code("91", ORGANISATION), ORGANISATION, "350200" + ORGANISATION])
def test_a_company_is_found_by_credit_code_organisation_code_and_the_old_tax_number(
    installed: Command, identifier: str
) -> None:
    entry = json.loads(installed.answer("get", "-", typed=identifier + "\n"))

    assert entry["subject"] == SUBJECT
    assert entry["facts"]["name"]["value"] == "示例"


def test_looking_somebody_up_with_another_districts_key_is_refused(installed: Command, tmp_path: Path) -> None:
    key = tmp_path / "other.key"
    key.write_text(bytes(32).hex())
    key.chmod(0o600)
    other = Command(tmp_path, {**installed.settings, "district_key_file": str(key)})

    done = other("get", ORGANISATION)

    assert (done.returncode, "key_fingerprint" in done.stderr) == (2, True)


def test_who_is_not_there_ends_with_4(installed: Command) -> None:
    done = installed("get", "legal:org:XX0000099")

    assert (done.returncode, done.stdout) == (4, "")


def test_what_was_refused_is_summed_up_by_reason_and_listed_without_a_value(installed: Command) -> None:
    summary = installed.answer("quarantine", "list", "--summary").split()
    listed = installed.answer("quarantine", "list", "--department", "market_supervision")

    assert summary == ["1", "market_supervision.main", "exchange", "not_framed"]
    assert json.loads(listed)["topic"] == topics.dept(installed.settings["kafka"]["prefix"], "market_supervision")
    assert ORGANISATION not in listed
    assert "not avro" not in listed


# --- a site's own departments ----------------------------------------------------------------------------------------
def test_a_folder_is_built_where_there_are_no_settings_and_its_faults_end_with_2(tmp_path: Path) -> None:
    site = example(tmp_path)
    build = [sys.executable, "-m", "exchange", "policy", "build", str(site.path)]

    first, again = (subprocess.run(build, capture_output=True, text=True, check=True) for _ in range(2))
    site.change_lease(lambda lease: lease.update(doc="Edited"))
    edited = subprocess.run(build, capture_output=True, text=True, check=False)

    assert first.stdout == "published  housing/lease-1\npublished  registry/natural-person-3\n"
    assert again.stdout == "nothing to do\n"
    assert edited.returncode == 2
    assert f"{site.lease}: this file is published" in edited.stderr
    assert f"{site.lease}：此文件已发布" in edited.stderr


def test_what_is_activated_is_not_taken_back(broker: Broker, tmp_path: Path) -> None:
    exchange = command(tmp_path, broker.bootstrap, f"t{uuid.uuid4().hex[:10]}.")
    own = replace(exchange, settings={**exchange.settings, "site_dir": str(built(tmp_path).path)})
    own.answer("topics", "apply")

    done = exchange("topics", "apply")

    assert done.returncode == 2
    assert "natural_person.leases is activated, and there is no such attribute here" in done.stderr
    assert own.answer("topics", "plan") == "nothing to do\n"
