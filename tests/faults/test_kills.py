"""Connector, exchange and broker are killed again and again while the district changes; the registry is none the worse.

Half of the kills at least fall into an open transaction: a watcher compares the high watermark with the last stable
offset and strikes when records lie between them. `make faults` runs more kills (`FAULT_KILLS`) and other seeds.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from deploy.district import changes, databases, sample
from deploy.installation import Installation, Process, running, until
from exchange import look
from schemas import topics
from schemas.codec import contract
from tests import two_departments
from tests.two_departments import SOURCES
from transport.broker import LocalBroker
from transport.client import Client, TopicPartition, connect
from transport.settings import Kafka

KILLS = int(os.environ.get("FAULT_KILLS", "12"))
SEED = int(os.environ.get("FAULT_SEED", "3"))
PERSONS = 300
PARTITIONS = 3
CHURN = max(2, 168 // KILLS)  # few enough that the fuse never holds what vanished over all steps
STEP_SECONDS = 200  # a guard: after a kill a source may first wait for what the partitions hold


class District:
    """The sources of one run, and what happens to them step by step."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.urls = two_departments.urls(folder)
        self._now = sample.generate(SEED, PERSONS)
        databases.write(self._now, self.urls)

    def step(self, number: int) -> datetime:
        """Some rows come, go, move and change; every row changes a little. When it was done."""
        self._now, happened = changes.churn(self._now, SEED * 1000 + number, CHURN)
        databases.apply(happened, self.urls)
        self._wave("market_supervision", "scjg_qyjbxx", "OPSCOPE", number)
        self._wave("local_tax", "dj_nsrxx", "SCJYDZ", number)
        return datetime.now(UTC)

    def _wave(self, department: str, table: str, column: str, number: int) -> None:
        engine = create_engine(self.urls[department])
        with engine.begin() as connection:
            connection.execute(text(f"""UPDATE {table} SET "{column}" = '示例{number}' WHERE "{column}" IS NOT NULL"""))
        engine.dispose()


class Watcher:
    """Sees whether a transaction is open on some topics: records lie past the last stable offset."""

    def __init__(self, client: Client, names: Sequence[str]) -> None:
        self._admin = client.admin()
        self._partitions = [TopicPartition(name, number) for name in names for number in range(PARTITIONS)]

    def wait(self, seconds: float) -> bool:
        due = time.monotonic() + seconds
        while time.monotonic() < due:
            if self._open():
                return True
        return False

    def _open(self) -> bool:
        stable = self._admin.stable_offsets(self._partitions)
        ends = self._admin.end_offsets(self._partitions)
        return any(ends[each] > stable[each] for each in self._partitions) and stable == self._admin.stable_offsets(
            self._partitions
        )

    def close(self) -> None:
        self._admin.close()


def caught_up(client: Client, prefix: str, since: datetime) -> bool:
    with suppress(Exception):  # while the broker is away
        status = look.status(client, prefix, contract())
        whole = [s for s in status if s.partitions == PARTITIONS and s.complete_until and s.complete_until > since]
        return len(whole) == len(SOURCES) and all(source.balanced for source in whole)
    return False


def _require_caught_up(client: Client, prefix: str, since: datetime) -> None:
    assert until(lambda: caught_up(client, prefix, since), STEP_SECONDS)


def told(client: Client, prefix: str) -> dict[str, Any]:
    """Every entry without what counts readings of the source: versions, and when they were seen."""
    return {
        subject: {
            "condition": entry["condition"],
            "facts": {name: _undated(fact) for name, fact in entry["facts"].items()},
            "members": [(m["source"], m["record_id"], m["part"], m["in_question"]) for m in entry["members"]],
            "identifiers": entry["identifiers"],
            "conflicts": entry["conflicts"],
            "refused": [(s["source"], s["refused"]) for s in entry["sources"]],
        }
        for subject, entry in look.entries(client, prefix, "legal-person", contract())
    }


def _undated(fact: dict[str, Any] | None) -> dict[str, Any] | None:
    return fact and {name: value for name, value in fact.items() if name != "observed_at"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[LocalBroker]:
    with LocalBroker() as broker:
        yield broker


def begun(folder: Path, broker: LocalBroker, prefix: str, district: District) -> tuple[Installation, Client]:
    there = two_departments.installation(folder, broker.bootstrap, prefix, PARTITIONS, district.urls, poll_seconds=0.3)
    there.apply_topics()
    return there, connect(Kafka(brokers=broker.bootstrap, prefix=prefix))


def start(there: Installation) -> dict[str, Process]:
    started = {department: there.start_connector(source) for department, source in SOURCES.items()}
    return {**started, "exchange": there.start_exchange()}


@pytest.mark.timeout(600 + 60 * KILLS)
def test_after_kills_of_every_process_the_registry_equals_that_of_an_undisturbed_run(
    tmp_path: Path, broker: LocalBroker
) -> None:
    with ExitStack() as stack:
        disturbed, hits = _disturbed(tmp_path, broker, stack)
    with ExitStack() as stack:
        undisturbed = _undisturbed(tmp_path, broker, stack, sum(hits.values()))

    assert sum(hits.values()) >= KILLS
    assert hits["open"] * 2 >= sum(hits.values())
    assert disturbed == undisturbed


def _disturbed(folder: Path, broker: LocalBroker, stack: ExitStack) -> tuple[dict[str, Any], Counter[str]]:
    district = District(folder / "disturbed")
    there, client = begun(folder / "installation", broker, "disturbed.", district)
    stack.enter_context(running(there))
    processes = start(there)
    _require_caught_up(client, "disturbed.", datetime.now(UTC))
    hits: Counter[str] = Counter()
    random = Random(SEED)
    for number in range(KILLS):
        victim = ("market_supervision", "exchange", "local_tax", "exchange", "broker", "exchange")[number % 6]
        watcher = Watcher(client, _written_by(victim, "disturbed."))
        since = district.step(number)
        # Every sixth kill falls at any time; the others wait for an open transaction.
        open_transaction = watcher.wait(0.0 if number % 6 == 5 else 20.0)
        if not open_transaction:
            time.sleep(random.random())
        _kill(victim, processes, broker)
        watcher.close()
        hits["open" if open_transaction else "any"] += 1
        _revive(victim, processes, broker, there)
        _require_caught_up(client, "disturbed.", since)
    assert all(process.alive() for process in processes.values())
    return told(client, "disturbed."), hits


def _undisturbed(folder: Path, broker: LocalBroker, stack: ExitStack, steps: int) -> dict[str, Any]:
    district = District(folder / "undisturbed")
    there, client = begun(folder / "installation", broker, "undisturbed.", district)
    stack.enter_context(running(there))
    start(there)
    _require_caught_up(client, "undisturbed.", datetime.now(UTC))
    for number in range(steps):
        since = district.step(number)
        _require_caught_up(client, "undisturbed.", since)
    return told(client, "undisturbed.")


def _written_by(victim: str, prefix: str) -> list[str]:
    own = [topics.state(prefix), topics.registry(prefix, "legal-person")]
    departments = [topics.dept(prefix, name) for name in SOURCES]
    return {"exchange": own, "broker": own + departments}.get(victim) or [topics.dept(prefix, victim)]


def _kill(victim: str, processes: dict[str, Process], broker: LocalBroker) -> None:
    act: Callable[[], None] = broker.kill if victim == "broker" else processes[victim].kill
    act()


def _revive(victim: str, processes: dict[str, Process], broker: LocalBroker, there: Installation) -> None:
    if victim == "broker":
        broker.start()
    elif victim == "exchange":
        processes[victim] = there.start_exchange()
    else:
        processes[victim] = there.start_connector(SOURCES[victim])
