"""The whole path, run once for the tests that look at what came of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.district import databases, sample
from deploy.district.sample import District
from deploy.installation import Installation, running, until
from exchange import look
from schemas.codec import contract
from tests import two_departments
from tests.two_departments import SOURCES
from transport.broker import Broker, java
from transport.client import Client, connect
from transport.settings import Kafka

PROGRAM = Path(__file__).parents[1] / "java_reader"
PERSONS = 400
PARTITIONS = 3


@dataclass(frozen=True, slots=True)
class Ran:
    """An installation in which both sources have closed their first cycle and the exchange has taken all of it."""

    there: Installation
    urls: dict[str, str]
    district: District
    client: Client
    counts: dict[str, dict[str, Any]]

    @property
    def prefix(self) -> str:
        return self.there.prefix

    def counted(self) -> bool:
        status = look.status(self.client, self.prefix, contract())
        return len(status) == len(SOURCES) and all(s.balanced and s.partitions == PARTITIONS for s in status)

    def entries(self) -> dict[str, dict[str, Any]]:
        return dict(look.entries(self.client, self.prefix, "legal-person", contract()))

    def sources(self) -> dict[str, list[dict[str, Any]]]:
        held = {SOURCES[department]: url for department, url in self.urls.items()}
        return {source: list(databases.rows(url, source)) for source, url in held.items()}

    def key(self) -> bytes:
        """The district's key, which only the checker is given."""
        return bytes.fromhex(self.there.key("district").read_text())


def ran(folder: Path, broker: Broker, urls: dict[str, str], seed: int, persons: int = PERSONS) -> Ran:
    """Begin an installation over these databases, and run both sources once."""
    district = sample.generate(seed, persons)
    databases.write(district, urls)
    prefix = f"e{uuid.uuid4().hex[:10]}."
    there = two_departments.installation(folder, broker.bootstrap, prefix, PARTITIONS, urls)
    there.apply_topics()
    counts = {department: there.connect_once(source) for department, source in SOURCES.items()}
    return Ran(there, urls, district, connect(Kafka(brokers=broker.bootstrap, prefix=prefix)), counts)


@pytest.fixture(scope="module")
def whole(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """The district of SQLite databases, with exchange and reader running."""
    folder = tmp_path_factory.mktemp("whole")
    made = ran(folder / "installation", broker, two_departments.urls(folder), seed=11)
    with running(made.there):
        made.there.start_exchange()
        made.there.start_reader()
        assert until(made.counted, 60)
        yield made


@pytest.fixture(scope="session")
def program() -> list[str]:
    """The command that runs it, built with Maven; offline first, for a second build needs nothing new."""
    maven = shutil.which("mvn")
    assert maven is not None, "install Maven"
    build = [maven, "-q", "-B", "compile"]
    done = subprocess.run([*build, "-o"], cwd=PROGRAM, capture_output=True, text=True, check=False)
    if done.returncode:
        done = subprocess.run(build, cwd=PROGRAM, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    target = PROGRAM / "target"
    return [
        java(),
        "-XX:TieredStopAtLevel=1",
        "-cp",
        f"{target / 'classes'}{os.pathsep}{target / 'lib'}/*",
        "RegistryReader",
    ]
