"""A connector's surroundings, small enough to be looked through: a list of rows, a Kafka in memory, a department.

`MemoryKafka` keeps what a reader of committed data would see, and ends each transaction as the test says. What
the real one does in all this is tested on the real one (`test_run.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from connectors import mapping
from connectors.columns import Row
from connectors.counting import Counting, Timing
from connectors.cycle import Cycles, Report
from connectors.mapper import Mapper
from connectors.mapping import Source
from connectors.metrics import Metrics
from connectors.publish import Publisher
from connectors.sources.snapshot import Alarm
from connectors.store import Store
from deploy.district import synthetic
from schemas.audit import AuditKey, Sum
from schemas.codec import contract
from schemas.subjects import DistrictKey
from transport.client import Doubt, Message, Outgoing, TopicPartition

KEY = DistrictKey(bytes(range(32)))
AUDIT = AuditKey(bytes(range(32, 64)))
PARTITIONS = 3
PREFIX = "t."
START_MS = 1_700_000_000_000
CODES = tuple(synthetic.credit_code("91", synthetic.organisation_code(f"XXTXT00{n}")) for n in range(4))
SUBJECTS = tuple(f"legal:org:{code[8:17]}" for code in CODES)
UNMAPPED = "\ue000"
MARKET = Path("connectors/departments/market_supervision/enterprise.yaml")
TAX = Path("connectors/departments/local_tax/taxpayer.yaml")
URLS = {
    **dict.fromkeys(("MARKET_URL", "TAX_URL", "STATE_TAX_URL", "SOCIAL_URL"), "sqlite:////nowhere.db"),
    **dict.fromkeys(("LOCAL_TAX_FOLDER", "POLICE_FOLDER"), "/nowhere"),
}

BRANCH = Path("tests/connectors/branch.yaml")
TWO_PARTS = BRANCH.read_text("utf-8")


def source(text: str, folder: Path, environ: Mapping[str, str] = URLS) -> Source:
    """The source that a YAML text describes."""
    file = folder / "source.yaml"
    file.write_text(text, "utf-8")
    return mapping.load(file, environ, contract())


def shipped(file: Path) -> Source:
    return mapping.load(file, URLS, contract())


def mapper_of(of: Source) -> Mapper:
    return Mapper(of, contract(), KEY, AUDIT)


def branch(
    record_id: str | None, code: str | None, name: str = "示例", parent: str | None = None, flag: str = "1"
) -> Row:
    """A row of the department with two parts."""
    return {
        "ID": record_id,
        "CODE": code,
        "NAME": name,
        "PARENT": parent,
        "HAS_PARENT": "1" if parent else "0",
        "FLAG": flag,
    }


class Killed(BaseException):
    """The process is ended by force at this point."""


class MemoryKafka:
    """Committed messages by partition; `outcomes` says how the next transactions end, then all succeed.

    ok; aborted, committed (both a Doubt to the sender); killed_before and killed_after the commit.
    """

    def __init__(self) -> None:
        self.logs: dict[TopicPartition, list[Message]] = {}
        self.commits: list[list[bytes]] = []
        """Keys of what was committed, by transaction."""
        self.outcomes: list[str] = []
        self.owners: dict[str, object] = {}

    def transactions(self, transactional_id: str) -> MemoryTransactions:
        return MemoryTransactions(self, transactional_id)

    def reader(self, positions: Mapping[TopicPartition, int]) -> MemoryReader:
        return MemoryReader(self, dict(positions))

    def group(self, group: str, instance: str, topics: Sequence[str]) -> Any:
        raise NotImplementedError

    def admin(self) -> Any:
        raise NotImplementedError

    def append(self, records: Sequence[Outgoing]) -> None:
        self.commits.append([record.key or b"" for record in records])
        for record in records:
            log = self.logs.setdefault(TopicPartition(record.topic, record.partition), [])
            log.append(Message(record.topic, record.partition, len(log), record.key, record.value, record.headers, 0))

    def records(self, topic: str) -> list[tuple[Message, dict[str, Any]]]:
        """Every record of a topic, opened; partition by partition."""
        found = (message for where in sorted(self.logs) if where.topic == topic for message in self.logs[where])
        return [(message, contract().decode(message.value)[1]) for message in found if message.value is not None]


class MemoryTransactions:
    """One sender; taking the id fences the one before."""

    def __init__(self, kafka: MemoryKafka, transactional_id: str) -> None:
        self._kafka, self._id = kafka, transactional_id
        self._open: list[Outgoing] = []

    def rebuild(self) -> None:
        self._kafka.owners[self._id] = self
        self._open = []

    def begin(self) -> None:
        self._open = []

    def send(self, record: Outgoing) -> None:
        self._open.append(record)

    def seal(self) -> Mapping[TopicPartition, int]:
        return {}

    def commit(self, offsets: object = None, membership: object = None) -> None:
        if self._kafka.owners.get(self._id) is not self:
            raise Doubt("fenced")
        outcome = self._kafka.outcomes.pop(0) if self._kafka.outcomes else "ok"
        if outcome == "killed_before":
            raise Killed
        if outcome != "aborted":
            self._kafka.append(self._open)
        if outcome == "killed_after":
            raise Killed
        if outcome in {"aborted", "committed"}:
            raise Doubt("unknown")

    def abort(self) -> None:
        self._open = []

    def close(self) -> None:
        pass


class MemoryReader:
    def __init__(self, kafka: MemoryKafka, positions: dict[TopicPartition, int]) -> None:
        self._kafka, self._positions = kafka, {where: max(offset, 0) for where, offset in positions.items()}

    def to_end(self) -> Iterator[Message]:
        return iter(self.poll(0.0))

    def poll(self, seconds: float, max_messages: int = 2000) -> Sequence[Message]:
        found = []
        for where, offset in self._positions.items():
            found += self._kafka.logs.get(where, [])[offset:]
            self._positions[where] = len(self._kafka.logs.get(where, []))
        return found

    def positions(self) -> Mapping[TopicPartition, int]:
        return {}

    def close(self) -> None:
        pass


@dataclass
class ListRows:
    """A source that is a list of rows; each snapshot is a second later."""

    rows: list[Row] = field(default_factory=list)
    at_ms: int = START_MS
    incarnation: str = ""

    def reach(self) -> None:
        pass

    def more(self) -> bool:
        return False

    def alarms(self) -> Sequence[Alarm]:
        return ()

    @contextmanager
    def snapshot(self, not_before_ms: int = 0) -> Iterator[ListSnapshot]:
        self.at_ms += 1_000
        yield ListSnapshot([dict(row) for row in self.rows], self.at_ms, self.incarnation)

    def close(self) -> None:
        pass


@dataclass
class ListSnapshot:
    seen: list[Row]
    at_ms: int
    incarnation: str
    stated: bool = False
    owed: bool = False

    @property
    def present_ms(self) -> int:
        return self.at_ms

    def rows(self, columns: Sequence[str], order_by: Sequence[str] = ()) -> Iterator[Row]:
        seen = sorted(self.seen, key=lambda row: [str(row[name]) for name in order_by])
        return ({column: row[column] for column in columns} for row in seen)


class World:
    """One source with its connector, which can be killed and started again."""

    def __init__(self, of: Source, folder: Path, prefix: str = PREFIX, rows: Any = None) -> None:
        self.source, self.folder = of, folder
        self.kafka, self.rows = MemoryKafka(), rows or ListRows()
        self.prefix = prefix
        self._store: Store | None = None
        self._cycles: Cycles | None = None

    @property
    def dept(self) -> str:
        return f"{self.prefix}dept.{self.source.department}"

    def start(self) -> None:
        """Start the connector; what an earlier instance knew in memory is gone."""
        self.stop()
        self._store = Store(self.folder)
        self.publisher = Publisher(self.kafka, self.source, contract(), AUDIT, PARTITIONS, self.prefix)
        self.publisher.recover(self._store)
        self.metrics = Metrics(self.source)
        self._cycles = Cycles(
            self.source,
            self.rows,
            mapper_of(self.source),
            self.publisher,
            Counting(self.source, contract(), AUDIT, self.publisher, self._store, Timing(3600.0, 0.0)),
            self.metrics,
        )

    def stop(self) -> None:
        if self._store:
            self._store.close()
            self._store = self._cycles = None

    def cycle(self, *outcomes: str) -> Report | None:
        """One cycle, its transactions ending so; None when it was abandoned."""
        if self._cycles is None:
            self.start()
        assert self._cycles
        self.kafka.outcomes = list(outcomes)
        try:
            return self._cycles.run(Event(), always_close=True)
        except Doubt:
            assert self._store
            self.publisher.recover(self._store)
            return None
        except Killed:
            self.stop()
            return None
        finally:
            self.kafka.outcomes = []

    def statements(self) -> dict[tuple[str, str, str], tuple[str, str | None, int]]:
        """What the exchange holds by (subject, record id, part): operation, its text, rows; the three maxima joined."""
        records = self.kafka.records(self.dept)
        return fold(((message.key or b"").decode(), content) for message, content in records if is_record(message))

    def watermarks(self) -> list[dict[str, Any]]:
        told = [content for message, content in self.kafka.records(self.dept) if not is_record(message)]
        return [content for content in told if "read_until" in content]  # a marker closes no cycle

    def sums(self) -> list[Sum]:
        """What really went to each partition."""
        sums = [Sum()] * PARTITIONS
        for message, _ in self.kafka.records(self.dept):
            if is_record(message):
                assert message.key
                sums[message.partition] = sums[message.partition].plus(AUDIT.of_message(message.key, message.value))
        return sums


def is_record(message: Message) -> bool:
    return not (message.key or b"").startswith(b"~watermark:")


def fold(records: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[tuple[str, str, str], tuple[str, str | None, int]]:
    """Live and refused statements, of whatever order: UPSERT beats DELETE at one version, REFUSED has to be newer."""
    newest: dict[tuple[str, str, str], dict[str, tuple[tuple[int, int], str | None, int]]] = {}
    for subject, content in records:
        head = content["meta"]
        kind = {"UPSERT": "body", "END": "body"}.get(head["operation"], head["operation"])
        states = newest.setdefault((subject, head["record_id"], head["part"]), {})
        text = next((content[name] for name in ("name", "scope", "company_name", "months") if content.get(name)), None)
        state = ((head["epoch"], head["cycle"]), text, head["rows"])
        states[kind] = max(states.get(kind, state), state)
    joined = {key: _joined(states) for key, states in newest.items()}
    return {key: state for key, state in joined.items() if state}


def _joined(states: Mapping[str, tuple[tuple[int, int], str | None, int]]) -> tuple[str, str | None, int] | None:
    nothing = ((0, 0), None, 0)
    body, deleted, refused = (states.get(kind, nothing) for kind in ("body", "DELETE", "REFUSED"))
    if refused[0] > max(body[0], deleted[0]):
        return "REFUSED", None, refused[2]
    if body[0] > (0, 0) and body[0] >= deleted[0]:
        return "UPSERT", body[1], body[2]
    return None
