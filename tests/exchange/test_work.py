"""The worker: whatever ends a transaction or a process, the next restore goes on as if nothing had been."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.ledger import Place
from exchange.look import latest
from exchange.metrics import Metrics
from exchange.store import Store
from exchange.work import Clock, Worker
from schemas import topics
from schemas.codec import contract
from schemas.subjects import partition
from tests.exchange.examples import few
from tests.exchange.histories import DAYS, SUBJECTS, A, Said, histories
from tests.exchange.log import Log
from tests.exchange.memory import FIRST_DAY, PREFIX, Exchange
from tests.exchange.oracle import registry, told
from tests.exchange.publishing import TYPES, Department, record
from transport.client import Doubt, Message, Outgoing, TopicPartition

PARTITIONS = 3
RULES = Exchange(PARTITIONS).rules
READ = [*RULES.departments, RULES.control]
PATIENCE_SECONDS = 900.0
MARKET = "market_supervision"

FAULTS = ["none", "none", "lost", "unheard", "killed", "emptied", "idle", "idle lost", "idle unheard"]


@dataclass
class Run:
    """A worker on a log, driven as the safe loop drives it, with what may go wrong in between."""

    folder: Path
    log: Log = field(default_factory=Log)
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    today: date = FIRST_DAY
    now: float = 0.0
    boots: int = 0

    def __post_init__(self) -> None:
        self.positions = {TopicPartition(topic, number): 0 for topic in READ for number in range(PARTITIONS)}
        self.start()

    def start(self) -> None:
        self.metrics = Metrics()
        self.store = Store(self.folder, "installation", f"boot {self.boots}")
        ticks = dict.fromkeys(range(PARTITIONS), FIRST_DAY)
        clock = Clock(lambda: self.today, lambda: self.now)
        self.worker = Worker(self.log, RULES, self.store, ticks, self.metrics, PATIENCE_SECONDS, clock)
        self.worker.assigned(dict(self.positions))

    def restart(self, *, emptied: bool = False) -> None:
        self.store.close()
        self.boots += emptied
        self.start()

    def step(self, fault: str = "none", size: int = 5) -> bool:
        """One batch or one idle call, ended by `fault`; whether there was anything to do."""
        if fault.startswith("idle"):
            made, after = self.worker.idle(), dict(self.positions)
        else:
            batch = self.ahead()[:size]
            made = self.worker.process(batch) if batch else None
            after = self.positions | {TopicPartition(m.topic, m.partition): m.offset + 1 for m in batch}
        if made is None:
            return False
        records, staged = made
        if not fault.endswith("lost"):
            written = self.log.write(records)
            self.positions = after
        if fault in ("none", "idle"):
            self.worker.committed(staged, dict(self.positions), written)
        elif fault in ("killed", "emptied"):
            self.restart(emptied=fault == "emptied")
        else:
            self.worker.assigned(dict(self.positions))
        return True

    def ahead(self) -> list[Message]:
        found = [message for place, at in self.positions.items() for message in self.log.messages.get(place, [])[at:]]
        return sorted(found, key=lambda message: (message.offset, message.topic, message.partition))

    def finish(self) -> None:
        while self.step() or self.step("idle"):
            pass

    def read(self, topic: str) -> Iterator[Message]:
        places = [TopicPartition(PREFIX + topic, number) for number in range(PARTITIONS)]
        return iter([message for place in places for message in self.log.messages.get(place, [])])

    def entries(self) -> dict[str, dict[str, Any]]:
        table = latest(self.read("registry.legal-person"))
        return {k.decode(): contract().decode(v)[1] for k, v in table.items() if not k.startswith(b"~")}

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"tongban_exchange_{name}", labels)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path / "state")
    yield run
    run.store.close()


def messages(history: Sequence[Said]) -> list[Outgoing]:
    marks = [
        m for number, name in enumerate(TYPES) for m in Department(name, PREFIX, PARTITIONS).watermarks(number + 1)
    ]
    return [*(said.outgoing(PARTITIONS) for said in history), *marks]


def undisturbed(history: Sequence[Said], today: date) -> Run:
    with TemporaryDirectory() as folder:
        run = Run(Path(folder) / "state", today=today)
        run.log.write(messages(history))
        run.finish()
        run.store.close()
    return run


@few
@given(histories, st.sampled_from(DAYS[1:]), st.lists(st.sampled_from(FAULTS), max_size=12), st.integers(1, 6))
def test_no_doubt_kill_or_lost_store_shows_in_what_is_published(
    history: list[Said], today: date, faults: list[str], size: int
) -> None:
    with TemporaryDirectory() as folder:
        run = Run(Path(folder) / "state", today=today)
        run.log.write(messages(history))
        for fault in faults:
            run.step(fault, size)
        run.finish()
        run.store.close()

    assert {subject: told(entry) for subject, entry in run.entries().items()} == registry(history, today)
    assert run.entries() == undisturbed(history, today).entries()


def test_a_batch_in_doubt_leaves_no_trace_in_the_store_or_the_next_batch(run: Run) -> None:
    run.log.write(messages([Said(MARKET, A, "r1", "", (1, 1), "UPSERT", content={"name": "甲"})]))
    first = run.worker.process(run.ahead())[0]

    run.worker.assigned(dict(run.positions))

    assert run.worker.process(run.ahead())[0] == first
    assert not any(list(run.store.scan(number, b"")) for number in range(PARTITIONS))


def test_a_day_that_begins_switches_a_future_value_with_no_other_message(run: Run) -> None:
    old = Said(MARKET, A, "old", "", (1, 1), "UPSERT", content={"name": "旧名"})
    new = Said(MARKET, A, "new", "", (1, 1), "UPSERT", effective_from=DAYS[3], content={"name": "新名"})
    run.log.write(messages([old, new]))
    names = []
    for run.today in DAYS[1:5]:
        run.finish()
        names.append(run.entries()[A]["facts"]["name"]["value"])

    assert names == ["旧名", "旧名", "新名", "新名"]


def test_a_day_is_announced_once_to_each_partition(run: Run) -> None:
    run.today = DAYS[2]
    run.finish()
    run.finish()

    assert len(list(run.read("exchange.control"))) == PARTITIONS


def test_a_day_before_the_last_one_announced_is_not_announced(run: Run) -> None:
    run.today = DAYS[3]
    run.finish()
    run.today = DAYS[2]
    run.restart()
    run.finish()

    assert len(list(run.read("exchange.control"))) == PARTITIONS


def forge_heads(run: Run, subjects: Sequence[str]) -> None:
    """As if another version of the program had published something else of them."""
    state = topics.state(PREFIX)
    for subject in subjects:
        place = TopicPartition(state, partition(subject, PARTITIONS))
        head = run.store.get(Place(place.partition, b"h\0" + subject.encode()))
        _, content = contract().decode(head or b"")
        forged = contract().encode("state/head-1", {**content, "content_hash": b"\1" * 16})
        run.log.write([Outgoing(state, place.partition, b"h\0" + subject.encode(), forged)])


def published(run: Run) -> int:
    return sum(1 for message in run.read("registry.legal-person") if not (message.key or b"").startswith(b"~"))


def three_subjects() -> list[Outgoing]:
    return messages([Said(MARKET, s, "r1", "", (1, 1), "UPSERT", content={"name": s}) for s in SUBJECTS])


def test_after_a_cold_restore_what_would_be_published_otherwise_is_published_and_nothing_else(run: Run) -> None:
    run.log.write(three_subjects())
    run.finish()
    forge_heads(run, SUBJECTS[:2])
    run.restart(emptied=True)

    run.finish()

    assert published(run) == 3 + 2
    run.restart(emptied=True)
    run.finish()
    assert published(run) == 3 + 2


@pytest.mark.parametrize("interruption", ["doubt", "restart"])
def test_subjects_still_to_be_looked_at_after_a_cold_restore_are_not_forgotten_by_an_interruption(
    run: Run, interruption: str
) -> None:
    run.log.write(three_subjects())
    run.finish()
    forge_heads(run, SUBJECTS)
    run.restart(emptied=True)

    if interruption == "doubt":
        run.worker.assigned(dict(run.positions))
    else:
        run.restart()
    run.finish()

    assert published(run) == 3 + 3


def test_a_store_that_is_ahead_of_its_topic_is_filled_anew(run: Run) -> None:
    run.log.write(three_subjects())
    run.finish()
    state = [TopicPartition(topics.state(PREFIX), number) for number in range(PARTITIONS)]
    for place in state:
        del run.log.messages[place][1:]

    run.restart()

    found = [(place, key) for place in state for key, _ in run.store.scan(place.partition, b"") if key[:2] != b"b\0"]
    assert found == [(place, message.key) for place in state for message in run.log.messages[place]]


# --- schemas that come later -----------------------------------------------------------------------------------------
def later(run: Run) -> Outgoing:
    """A record of a schema that this version does not have."""
    subject, value = record(MARKET, A, "r1", name="甲")
    sent = Department(MARKET, PREFIX, PARTITIONS).outgoing([(subject, b"\0\0\0\0\x07" + value[5:])])[0]
    run.log.write([sent])
    return sent


def test_a_message_of_an_unknown_schema_holds_its_batch_back(run: Run) -> None:
    later(run)

    with pytest.raises(Doubt, match="unknown_schema"):
        run.step()
    assert run.metric("waiting_for_schema") == 1


def test_a_message_of_a_schema_that_never_comes_is_set_aside_when_patience_ends_whatever_others_send(run: Run) -> None:
    sent = later(run)
    with pytest.raises(Doubt):
        run.step()
    run.worker.assigned(dict(run.positions))

    run.now = PATIENCE_SECONDS - 1
    take_something_else(run, sent)
    assert run.metric("waiting_for_schema") == 1
    with pytest.raises(Doubt):
        run.step()
    run.now = PATIENCE_SECONDS
    run.finish()

    reasons = [contract().decode(m.value or b"")[1]["reason"] for m in run.read("quarantine.market_supervision")]
    assert reasons == ["unknown_schema"]
    assert run.metric("waiting_for_schema") == 0


def test_all_messages_of_a_schema_that_never_comes_are_waited_with_once(run: Run) -> None:
    for _ in range(5):
        later(run)
    with pytest.raises(Doubt):
        run.step()
    run.worker.assigned(dict(run.positions))

    run.now = PATIENCE_SECONDS
    run.finish()

    assert len(list(run.read("quarantine.market_supervision"))) == 5


def take_something_else(run: Run, held: Outgoing) -> None:
    """A batch of another partition, which commits while the first is held."""
    other = next(subject for subject in SUBJECTS if partition(subject, PARTITIONS) != held.partition)
    place = next(iter(run.log.write([Said(MARKET, other, "r1", "", (1, 1), "UPSERT").outgoing(PARTITIONS)])))
    records, staged = run.worker.process(run.log.messages[place])
    run.positions[place] = 1
    run.worker.committed(staged, dict(run.positions), run.log.write(records))


# --- metrics ---------------------------------------------------------------------------------------------------------
def test_the_metrics_show_rows_breaks_and_how_far_a_source_is_complete(run: Run) -> None:
    market = Department(MARKET, PREFIX, PARTITIONS)
    sent = market.outgoing(record(MARKET, subject, subject[-1:], name="甲") for subject in SUBJECTS)
    run.log.write([*sent[1:], *market.watermarks(1)])

    run.finish()

    source = "market_supervision.main"
    assert run.metric("live_rows", source=source) == 2
    assert run.metric("open_breaks", source=source, kind="messages_missing") == 1
    assert run.metric("complete_until_timestamp_seconds", source=source) == 0
    assert run.metric("records_total", department=MARKET, outcome="changed") == 2


def test_a_source_is_not_complete_while_a_partition_has_never_heard_of_it(run: Run) -> None:
    run.log.write(Department(MARKET, PREFIX, PARTITIONS).watermarks(1)[1:])

    run.finish()

    assert run.metric("complete_until_timestamp_seconds", source="market_supervision.main") == 0


def test_a_worker_that_gave_its_partitions_away_shows_nothing_of_them(run: Run) -> None:
    run.log.write(three_subjects())
    run.finish()

    run.worker.assigned({})

    assert run.metric("live_rows", source="market_supervision.main") is None
    assert run.metric("partitions") == 0
