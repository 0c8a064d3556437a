"""A stock Java program reads the registry: Kafka's client and Avro, and none of our code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

import schemas
from schemas.subjects import partition
from tests.approval.broker import install, publish
from tests.approval.registry import (
    FIRM,
    MARKET,
    PARTITIONS,
    TAX,
    code,
    entry,
    everywhere,
    fact,
    of_alias,
    of_entry,
    of_watermark,
    person,
)
from tests.end_to_end.conftest import PROGRAM, Ran
from tests.two_departments import SOURCES
from transport.client import Outgoing
from transport.settings import Kafka

SCHEMAS = Path(schemas.__path__[0])
UNTIL = datetime(2024, 5, 20, 2, 0, 0, 120_000, tzinfo=UTC)

# In Java, Python and Avro, texts have every chance to come out differently.
TEXTS = [
    "示例食品有限公司",
    "䶮（厦门）贸易行",
    "𠀀𡃁商店",
    'a "quoted" \\ name',
    "tab\tnewline\nreturn\r",
    "bell\x07 delete\x7f \u2028",
    "",
]

Read = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def read(program: list[str], kafka: Kafka) -> Read:
    install(kafka)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*program, kafka.brokers, kafka.prefix, str(SCHEMAS), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Exception" not in done.stderr, done.stderr
        return done

    return run


@pytest.fixture
def dump(kafka: Kafka, tmp_path: Path) -> Callable[[], list[str]]:
    """`exchange dump`, as its user starts it."""
    settings = tmp_path / "exchange.yaml"
    told = {"kafka": {"brokers": kafka.brokers, "prefix": kafka.prefix}, "state_dir": str(tmp_path)}
    settings.write_text(yaml.safe_dump({**told, "audit_key_file": str(tmp_path / "audit.key")}))

    def run() -> list[str]:
        command = [sys.executable, "-m", "exchange", "--settings", str(settings), "dump"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]

    return run


def subject(number: int) -> str:
    return f"legal:org:{number:09d}"


def firm(number: int) -> bytes:
    name = fact(
        TEXTS[number % len(TEXTS)],
        effective_from=date(1949, 10, 1),
        effective_to=date(9999, 12, 31),
        dissent=[{"value": TEXTS[-number % len(TEXTS)], "member": 1, "tier": 2}],
    )
    unknown = fact(None, member=None, state="unknown", reason="blank", tier=None, observed_at=None)
    facts = {
        **FIRM,
        "name": name,
        "status": fact(code(None if number % 3 else "ACTIVE", raw=str(number))),
        "established_on": fact(date(1900 + number, 1, 31)),
        "business_address": unknown,
    }
    return entry(subject(number), facts, [("registration_number", f"{number:015d}")], cycle=1 << 40)


def published(prefix: str) -> list[Outgoing]:
    """A hundred firms and one of everything a reader has to cope with."""
    firms = [of_entry(subject(number), firm(number), prefix=prefix) for number in range(100)]
    apart = next(n for n in range(1000, 2000) if partition(subject(n), PARTITIONS) != partition(subject(1), PARTITIONS))
    someone = "person:A" + "B" * 26
    return [
        *firms,
        *everywhere(MARKET, UNTIL, 1, prefix),
        *everywhere(TAX, UNTIL, 2, prefix),
        of_watermark(TAX, 0, None, prefix),
        of_entry(subject(500), firm(500), prefix=prefix),
        of_entry(subject(500), entry(subject(500), {}, condition="gone"), 2, prefix),
        of_entry(subject(600), firm(600), prefix=prefix),
        of_entry(subject(600), None, prefix=prefix),
        of_alias(subject(apart), subject(1), 7, prefix),
        of_entry(someone, person(someone), prefix=prefix, kind="natural-person"),
    ]


def test_it_prints_what_exchange_dump_prints(kafka: Kafka, read: Read, dump: Callable[[], list[str]]) -> None:
    publish(kafka, published(kafka.prefix))
    publish(kafka, [of_entry(subject(2), None, prefix=kafka.prefix)], commit=False)
    publish(kafka, [of_entry(subject(700), firm(7), prefix=kafka.prefix)], commit=False)
    ours = dump()
    told = read("dump").stdout.split("\n")[:-1]
    hundred = read("dump", "100").stdout.split("\n")[:-1]

    assert len(ours) == 103
    assert told == ours
    assert hundred == ours[:100]
    assert {entry["condition"] for entry in map(json.loads, told) if "condition" in entry} == {"live", "gone"}


def test_it_finds_a_company_by_its_credit_code(kafka: Kafka, read: Read) -> None:
    publish(kafka, published(kafka.prefix))
    alias = next(r.key.decode() for r in published(kafka.prefix) if r.value and r.key and b"legal:org:000001" in r.key)
    found = read("find", f"91350299{subject(42)[10:]}0")
    followed = read("find", f"91350299{alias[10:]}0")
    gone = read("find", f"91350299{subject(500)[10:]}0")
    nobody = read("find", "913502999999999990")

    assert json.loads(found.stdout)["subject"] == subject(42)
    assert f'{MARKET} complete until "2024-05-20T02:00:00.120Z"' in found.stderr
    assert json.loads(followed.stdout)["subject"] == subject(1)
    assert json.loads(gone.stdout)["condition"] == "gone"
    assert (nobody.stdout, nobody.returncode) == ("", 1)


def test_it_reads_what_two_departments_and_the_exchange_made(whole: Ran, program: list[str]) -> None:
    command = [*program, whole.there.brokers, whole.prefix, str(SCHEMAS)]
    dumped = subprocess.run([*command, "dump"], capture_output=True, text=True, check=True)
    numbers = (number for entry in whole.entries().values() for number in entry.get("identifiers", []))
    credit_code = next(number["value"] for number in numbers if number["scheme"] == "credit_code")
    found = subprocess.run([*command, "find", credit_code], capture_output=True, text=True, check=True)
    ours = whole.there.run("exchange", "dump").split("\n")[:-1]

    assert len(ours) > 100
    assert dumped.stdout.split("\n")[:-1] == ours
    assert found.stdout == whole.there.run("exchange", "get", credit_code)
    assert found.stderr.count("complete until") == len(SOURCES)


def test_it_stops_at_a_schema_it_does_not_know(kafka: Kafka, program: list[str]) -> None:
    install(kafka)
    publish(kafka, [of_entry(subject(1), b"\0\0\0\0\7body", prefix=kafka.prefix)])
    command = [*program, kafka.brokers, kafka.prefix, str(SCHEMAS), "dump"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "unknown schema id 7" in done.stderr


def test_the_readme_quotes_the_program() -> None:
    program = _plain((PROGRAM / "src/main/java/RegistryReader.java").read_text("utf-8"))
    readme = (PROGRAM.parents[1] / "README.md").read_text("utf-8")
    quoted = [block.split("```")[0] for block in readme.split("```java\n")[1:]]

    assert len(quoted) == 3
    assert all(_plain(block) in program for block in quoted)


def _plain(text: str) -> str:
    return " ".join(text.split())
