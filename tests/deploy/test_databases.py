"""The departments' databases: the same on SQLite and on PostgreSQL."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from deploy.district import changes, databases, people_changes
from deploy.district.named import CLEAN_FOOD_COMPANY as FOOD
from deploy.district.sample import District, generate, whole
from deploy.district.sources import (
    ENTERPRISE,
    IN_DATABASES,
    LOCAL_TAX,
    LOCAL_TAXPAYER,
    MARKET,
    POLICE,
    of_department,
)

ROOT = Path(databases.__file__).parents[2]
IN_TABLES = [source.name for department in IN_DATABASES for source in of_department(department)]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/district.db"
    return str(request.getfixturevalue("postgresql"))


def test_a_database_gives_back_every_row_as_it_was_written(url: str) -> None:
    district = whole(5, 300)
    databases.write(district, dict.fromkeys(IN_DATABASES, url))

    for source in IN_TABLES:
        assert held(url, source) == written(district, source)


def test_changes_carried_out_leave_what_the_changed_district_holds(url: str) -> None:
    district = whole(5, 300)
    databases.write(district, dict.fromkeys(IN_DATABASES, url))
    district, of_companies = changes.churn(district, 9, 60)
    district, of_people = people_changes.churn(district, 9, 60, date(2024, 7, 1))
    databases.apply([*of_companies, *of_people], dict.fromkeys(IN_DATABASES, url))

    for source in IN_TABLES:
        assert held(url, source) == written(district, source)


def test_writing_again_replaces_what_was_there(url: str) -> None:
    databases.write(generate(5, 60), {MARKET: url, LOCAL_TAX: url})
    databases.write(generate(6, 40), {MARKET: url, LOCAL_TAX: url})

    assert held(url, LOCAL_TAXPAYER) == written(generate(6, 40), LOCAL_TAXPAYER)


def test_the_command_delivers_everything_and_revokes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.district"]
    made = subprocess.run(
        [*command, "--out", tmp_path, "--persons", "300"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    market = f"sqlite:///{tmp_path}/market_supervision.db"
    revoked = subprocess.run([*command, "--market", market, "--revoke", FOOD], cwd=ROOT, check=True)

    assert made.stdout.startswith("300 people, 30 legal persons")
    assert "300 of 300 people (100%)" in made.stderr
    assert revoked.returncode == 0
    assert {row["REGSTATE"] for row in databases.rows(market, ENTERPRISE) if row["UNISCID"] == FOOD} == {"0006"}
    assert len(list((tmp_path / LOCAL_TAX).glob("*.ok"))) == 2
    assert len(list((tmp_path / POLICE).glob("*.ok"))) == 3
    assert (tmp_path / "truth.jsonl").read_text(encoding="utf-8").startswith('{"line":"about"')


def test_the_command_changes_what_it_delivered(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.district", "--out", str(tmp_path), "--persons", "300", "--churn", "40"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    increments = [path.read_text("gb18030").split("|")[5] for path in sorted((tmp_path / LOCAL_TAX).glob("*.ctl"))]
    assert increments == ["F", "I", "F"]


def test_the_command_says_what_it_lacks() -> None:
    given: list[tuple[list[str], str]] = [([], "--out"), (["--revoke", FOOD], "--market")]
    for arguments, lacking in given:
        ended = subprocess.run(
            [sys.executable, "-m", "deploy.district", *arguments], cwd=ROOT, check=False, capture_output=True, text=True
        )

        assert ended.returncode == 2
        assert f"{lacking} is missing" in ended.stderr


def held(url: str, source: str) -> list[str]:
    return sorted(map(str, databases.rows(url, source)))


def written(district: District, source: str) -> list[str]:
    return sorted(str(image) for row in district.at(source) for image in row.as_mappings())
