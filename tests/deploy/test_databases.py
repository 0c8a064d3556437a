"""The departments' databases: the same on SQLite and on PostgreSQL."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.district import changes, databases
from deploy.district.persons import DEPARTMENTS, MARKET, TAX
from deploy.district.sample import generate

ROOT = Path(databases.__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/district.db"
    return str(request.getfixturevalue("postgresql"))


def test_a_database_gives_back_every_row_as_it_was_written(url: str) -> None:
    district = generate(5, 120)
    databases.write(district, {MARKET: url, TAX: url})

    for department in DEPARTMENTS:
        held = sorted(map(str, databases.rows(url, department)))
        assert held == sorted(str(row.columns) for row in district.at(department))


def test_changes_carried_out_leave_what_the_changed_district_holds(url: str) -> None:
    district = generate(5, 120)
    databases.write(district, {MARKET: url, TAX: url})
    district, made = changes.churn(district, 9, 60)
    databases.apply(made, {MARKET: url, TAX: url})

    for department in DEPARTMENTS:
        held = sorted(map(str, databases.rows(url, department)))
        assert held == sorted(str(row.columns) for row in district.at(department))


def test_writing_again_replaces_what_was_there(url: str) -> None:
    databases.write(generate(5, 60), {MARKET: url, TAX: url})
    databases.write(generate(6, 40), {MARKET: url, TAX: url})

    assert len(databases.rows(url, TAX)) == len(generate(6, 40).at(TAX))


def test_the_command_writes_databases_and_truth_and_revokes(tmp_path: Path) -> None:
    market, tax, truth = f"sqlite:///{tmp_path}/m.db", f"sqlite:///{tmp_path}/t.db", tmp_path / "truth.json"
    command = [sys.executable, "-m", "deploy.district", "--market", market]
    made = subprocess.run(
        [*command, "--tax", tax, "--persons", "50", "--truth", truth],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    revoked = subprocess.run([*command, "--revoke", "91350299XXDEM00151"], cwd=ROOT, check=True, capture_output=True)

    assert made.stdout.startswith("50 legal persons")
    assert revoked.returncode == 0
    assert truth.read_text(encoding="utf-8").startswith('{"line": "about"')
    assert {row["REGSTATE"] for row in databases.rows(market, MARKET) if row["UNISCID"] == "91350299XXDEM00151"} == {
        "0006"
    }
