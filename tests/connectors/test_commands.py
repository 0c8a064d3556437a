"""The `connectors` command as a person meets it: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from connectors.settings import Settings
from connectors.shipped import files
from deploy.district import databases, sample, truth
from schemas import topics
from tests.connectors.people import PERSONS, month
from tests.sites import built
from tests.two_departments import by_database
from transport.client import Client, TopicPartition

DISTRICT = sample.generate(5, 120)
MARKET = "market_supervision.enterprise"
TAX = "local_tax.taxpayer"
YEARS = "social_security.contribution_year"


class Said(NamedTuple):
    """How a command ended, and what it printed where."""

    code: int
    out: str
    err: str


def connectors(*arguments: str, environ: Mapping[str, str] | None = None) -> Said:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TONGBAN_")}
    ended = subprocess.run(
        [sys.executable, "-m", "connectors", *arguments],
        env={**plain, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    return Said(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    urls = {name: f"sqlite:///{tmp_path / name}.db" for name in ("market_supervision", "local_tax")}
    databases.write(DISTRICT, urls)
    return {"MARKET_URL": urls["market_supervision"], "TAX_URL": urls["local_tax"]}


@pytest.fixture
def settings(installed: Settings, tmp_path: Path) -> str:
    file = tmp_path / "connectors.yaml"
    own = tmp_path / "sources"
    by_database(own)
    said = {**installed.model_dump(mode="json", exclude_defaults=True), "sources_dir": str(own)}
    file.write_text(json.dumps(said))
    return str(file)


def test_the_shipped_sources_are_listed_without_any_setting() -> None:
    listed = connectors("list")

    assert listed.code == 0
    assert [line.split()[0] for line in listed.out.splitlines()] == sorted(files(None))


def test_the_form_of_a_mapping_and_of_a_departments_records_is_told() -> None:
    mapping, tax = connectors("spec", "mapping"), connectors("spec", "local_tax")

    assert "record_id" in json.loads(mapping.out)["properties"]
    assert [each["name"] for each in json.loads(tax.out)] == ["Arrears", "Taxpayer"]
    assert connectors("spec", "housing").code == 2


def test_where_a_sites_folder_is_named_its_department_is_there_and_waits_for_its_topics(
    installed: Settings, tmp_path: Path
) -> None:
    site = built(tmp_path).path
    file = tmp_path / "connectors.yaml"
    file.write_text(json.dumps(installed.model_dump(mode="json", exclude_defaults=True) | {"site_dir": str(site)}))
    environ = {"HOUSING_URL": f"sqlite:///{tmp_path / 'housing.db'}"}
    columns = ("BAXH", "CZR_SFZH", "CZR_XM", "FWZL", "XZQH", "QSRQ", "JZRQ", "BARQ", "ZT", "GXSJ")
    table = sa.Table("zf_zlba", sa.MetaData(), *(sa.Column(name, sa.Text) for name in columns))
    table.metadata.create_all(sa.create_engine(environ["HOUSING_URL"]))

    listed, spec = connectors("--settings", str(file), "list"), connectors("--settings", str(file), "spec", "housing")
    checked = connectors("--settings", str(file), "check", "housing.lease", environ=environ)

    assert f"housing.lease  zf_zlba  {site / 'sources' / 'housing' / 'lease.yaml'}" in listed.out.splitlines()
    assert [each["name"] for each in json.loads(spec.out)] == ["Lease"]
    assert checked.code == 3
    assert "housing is not part of this installation yet" in checked.err


def test_a_wrong_setting_ends_with_two_and_says_where(tmp_path: Path) -> None:
    file = tmp_path / "connectors.yaml"
    file.write_text("kafka: {brokers: 'localhost:9092'}\nstate_dri: /tmp\n")
    ended = connectors("--settings", str(file), "run", MARKET, "--once")

    assert ended.code == 2
    assert f"{file}:2" in ended.err
    assert "state_dir" in ended.err


def test_a_source_whose_variable_is_unset_ends_with_two(settings: str) -> None:
    ended = connectors("--settings", settings, "run", MARKET, "--once")

    assert ended.code == 2
    assert "MARKET_URL" in ended.err


def test_a_broker_that_is_away_ends_a_single_run_with_three(
    settings: str, environ: dict[str, str], installed: Settings
) -> None:
    ended = connectors(
        "--settings", settings, "run", MARKET, "--once", environ={**environ, "TONGBAN_BROKERS": "127.0.0.1:1"}
    )

    assert ended.code == 3


def test_a_source_is_checked_sampled_run_and_told(settings: str, environ: dict[str, str]) -> None:
    def said(*arguments: str) -> Said:
        return connectors("--settings", settings, *arguments, environ=environ)

    sampled, run, status = said("sample", MARKET, "-n", "3"), said("run", MARKET, "--once"), said("status", MARKET)
    counts, position = json.loads(run.out), json.loads(status.out)

    assert [sampled.code, run.code, status.code] == [0, 0, 0]
    assert len(sampled.out.splitlines()) == 3
    assert counts["read"] == counts["sent"] + counts["unchanged"] + counts["refused"]
    assert counts["read"] == position["rows_at_source"]
    assert position["mapping_is_current"] is True


def test_rows_of_a_group_are_sampled_and_sent_together_and_counted_each(settings: str, tmp_path: Path) -> None:
    dues = [f"{year}{number:02d}" for number in range(1, 13) for year in (2014, 2015)]
    table = [month(person, due) for due in dues for person in PERSONS]
    engine = sa.create_engine(f"sqlite:///{tmp_path}/social.db")
    held = sa.Table("v_ac43", sa.MetaData(), *(sa.Column(name, sa.Text) for name in table[0]))
    with engine.begin() as connection:
        held.create(connection)
        connection.execute(held.insert(), [dict(row) for row in table])
    engine.dispose()
    arguments = ("--settings", settings)
    environ = {"SOCIAL_URL": f"sqlite:///{tmp_path}/social.db"}
    sampled = connectors(*arguments, "sample", YEARS, "-n", "3", environ=environ)
    first, second = (connectors(*arguments, "run", YEARS, "--once", environ=environ) for _ in range(2))

    assert [json.loads(line)["records"][0]["meta"]["rows"] for line in sampled.out.splitlines()] == [12] * 3
    assert [(json.loads(run.out)[name]) for run in (first, second) for name in ("read", "sent")] == [48, 48, 48, 0]


def test_a_check_counts_rows_without_an_id_and_ids_that_stand_twice(settings: str, environ: dict[str, str]) -> None:
    checked = connectors("--settings", settings, "check", MARKET, environ=environ)
    twice = {row.record_id for row in DISTRICT.at("market_supervision") if row.reason == "duplicate_key"}

    assert checked.code == 0
    assert f"0 without a record id, {len(twice)} ids stand there more than once" in checked.out
    assert "proven" in checked.out


def test_an_epoch_is_raised_by_a_person(settings: str, environ: dict[str, str], postgresql: str) -> None:
    def said(*arguments: str, source: Mapping[str, str]) -> Said:
        return connectors("--settings", settings, *arguments, environ=source)

    databases.write(DISTRICT, dict.fromkeys(("market_supervision", "local_tax"), postgresql))
    moved = dict.fromkeys(environ, postgresql)
    first = said("run", MARKET, "--once", source=environ)
    refused = said("run", MARKET, "--once", source=moved)
    raised = said("epoch", "raise", MARKET, source=moved)
    accepted = said("run", MARKET, "--once", source=moved)

    assert [first.code, refused.code, raised.code, accepted.code] == [0, 4, 0, 0]
    assert "connectors epoch raise" in refused.err
    assert "epoch is now 2" in raised.out
    assert json.loads(accepted.out)["sent"] == 0


def test_held_deletions_end_with_four_until_a_person_releases_them(settings: str, environ: dict[str, str]) -> None:
    def said(*arguments: str) -> Said:
        return connectors("--settings", settings, *arguments, environ=environ)

    said("run", TAX, "--once")
    engine = sa.create_engine(environ["TAX_URL"])
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM dj_nsrxx"))
    engine.dispose()
    held = said("run", TAX, "--once")
    shown, released = said("fuse", "show", TAX), said("fuse", "release", TAX)
    let_go, again = said("run", TAX, "--once"), said("fuse", "release", TAX)
    count = json.loads(held.out)["held"]

    assert (held.code, json.loads(held.out)["deleted"]) == (4, 0)
    assert "connectors fuse release" in held.err
    assert json.loads(shown.out)["held"] == count > 0
    assert str(count) in released.out
    assert (let_go.code, json.loads(let_go.out)["deleted"]) == (0, count)
    assert "holds nothing" in again.out


def test_no_number_of_a_person_leaves_the_records(
    settings: str, environ: dict[str, str], installed: Settings, client: Client
) -> None:
    planted = truth.personal_values(DISTRICT)
    told = ""
    for source in (MARKET, TAX):
        for arguments in (("sample", source, "-n", "200"), ("run", source, "--once"), ("status", source)):
            ended = connectors("--settings", settings, *arguments, environ=environ)
            told += ended.out + ended.err
    prefix, found = installed.kafka.prefix, b""
    for department in ("market_supervision", "local_tax"):
        names = (topics.dept(prefix, department), topics.positions(prefix, department))
        for topic, partitions in zip(names, (3, 1), strict=True):
            reader = client.reader({TopicPartition(topic, each): -2 for each in range(partitions)})
            found += b"".join((message.key or b"") + (message.value or b"") for message in reader.to_end())
            reader.close()

    assert len(planted) > 20
    assert not [number for number in planted if number in told]
    assert not [number for number in planted if number.encode() in found]
