"""The auditor: no difference is missed, none is invented, and each inventory is judged once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exchange.audit import Auditor, Gathered, verdict
from exchange.metrics import AuditMetrics
from exchange.standing import Standing, heard
from schemas import topics
from schemas.audit import Buckets, Sum, buckets_told
from schemas.codec import contract
from tests.exchange.examples import many
from tests.exchange.log import Log
from tests.exchange.memory import PREFIX
from tests.exchange.publishing import AUDIT, SNAPSHOT
from transport.client import Outgoing, TopicPartition

PARTITIONS = 3
SOURCE = "market_supervision.enterprise"
TOPIC = topics.reconciliation(PREFIX, "market_supervision")

statements = st.tuples(st.sampled_from(["r1", "r2", "r3", "r4"]), st.sampled_from("AB"), st.sampled_from("xyz"))


def sums(held: Sequence[tuple[str, str, str]]) -> Buckets:
    found: dict[int, Sum] = {}
    for record_id, subject, content in held:
        each = AUDIT.of_statement(record_id, "", subject, content.encode() * 16, 1)
        found[AUDIT.bucket(record_id)] = found.get(AUDIT.bucket(record_id), Sum()).plus(each)
    return found


def compared(source: Sequence[tuple[str, str, str]], held: Sequence[Sequence[tuple[str, str, str]]]) -> dict[str, Any]:
    gathered = Gathered(SNAPSHOT, sums(source), {number: sums(each) for number, each in enumerate(held)})
    return verdict(SOURCE, 7, gathered)


@many
@given(st.lists(statements, max_size=8), st.randoms(use_true_random=False))
def test_however_statements_lie_in_partitions_the_same_statements_are_clean(
    source: list[tuple[str, str, str]], random: Any
) -> None:
    held: list[list[tuple[str, str, str]]] = [[] for _ in range(PARTITIONS)]
    for each in random.sample(source, len(source)):
        held[random.randrange(PARTITIONS)].append(each)

    assert compared(source, held)["clean"]


@many
@given(st.lists(statements, max_size=8), st.lists(statements, max_size=8))
def test_it_is_clean_only_where_both_sides_hold_the_same_statements(
    source: list[tuple[str, str, str]], held: list[tuple[str, str, str]]
) -> None:
    told = compared(source, [held])
    apart = {AUDIT.bucket(each[0]) for each in source + held if source.count(each) != held.count(each)}

    assert told["clean"] == (sorted(source) == sorted(held))
    assert told["buckets"] == sorted(apart)
    assert told["missing"] - told["extra"] == len(source) - len(held)


def inventory(
    cycle: int, partition: int | None, held: Sequence[tuple[str, str, str]], source: str = SOURCE
) -> Outgoing:
    value = {
        "source": source,
        "cycle": cycle,
        "snapshot_at": SNAPSHOT,
        "partition": partition,
        "buckets": buckets_told(sums(held)),
    }
    return Outgoing(TOPIC, 0, source.encode(), contract().encode("reconciliation/inventory-1", value))


class Audited:
    """An auditor on a log, driven as the safe loop drives it."""

    def __init__(self) -> None:
        self.log, self.position = Log(), 0
        self.metrics = AuditMetrics()
        self.start()

    def start(self) -> None:
        departments = {TOPIC: "market_supervision"}
        self.auditor = Auditor(self.log, departments, PARTITIONS, contract(), self.metrics)
        self.auditor.assigned({TopicPartition(TOPIC, 0): self.position})

    def takes(self, count: int = 99) -> list[tuple[str, dict[str, Any]]]:
        """What is written for the next messages."""
        messages = self.log.messages.get(TopicPartition(TOPIC, 0), [])[self.position :][:count]
        out, staged = self.auditor.process(messages)
        self.log.write(out)
        self.position += len(messages)
        self.auditor.committed(staged, {}, {})
        return [contract().decode(each.value or b"") for each in out]

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"tongban_audit_{name}", {"source": SOURCE, **labels})


ROW = ("r1", "A", "x")


def test_an_inventory_is_judged_when_the_last_partition_has_frozen_its_sums() -> None:
    audited = Audited()
    audited.log.write([inventory(7, 0, [ROW]), inventory(7, None, [ROW]), inventory(7, 2, [])])
    assert audited.takes() == []
    audited.log.write([inventory(7, 1, [])])

    [(name, told)] = audited.takes()

    assert (name, told["clean"], told["inventory"]) == ("reconciliation/verdict-1", True, 7)
    assert (told["rows_at_source"], told["rows_held"]) == (1, 1)


def test_one_that_differs_comes_with_a_request_for_just_the_buckets_that_do() -> None:
    audited = Audited()
    lacks = [inventory(7, number, [ROW] if number == 0 else []) for number in range(PARTITIONS)]
    audited.log.write([inventory(7, None, [ROW, ("r2", "B", "x")]), *lacks])

    (_, told), (name, request) = audited.takes()

    assert (told["clean"], told["missing"], told["extra"]) == (False, 1, 0)
    assert (name, request["inventory"], request["buckets"]) == ("reconciliation/resend-1", 7, [AUDIT.bucket("r2")])


def test_an_auditor_that_comes_again_goes_on_where_the_last_one_stood() -> None:
    audited = Audited()
    audited.log.write([inventory(7, number, [ROW] if number == 0 else []) for number in range(PARTITIONS)])
    audited.takes()
    audited.start()
    audited.log.write([inventory(7, None, [ROW])])

    assert [name for name, _ in audited.takes()] == ["reconciliation/verdict-1"]
    audited.start()
    assert audited.takes() == []


def test_a_doubtful_transaction_leaves_no_verdict_and_the_next_one_gives_it() -> None:
    audited = Audited()
    audited.log.write([inventory(7, None, []), *(inventory(7, number, []) for number in range(PARTITIONS))])
    audited.auditor.process(audited.log.messages[TopicPartition(TOPIC, 0)])

    audited.auditor.assigned({TopicPartition(TOPIC, 0): 0})

    assert [name for name, _ in audited.takes()] == ["reconciliation/verdict-1"]


def test_a_department_speaks_for_its_own_sources_only_and_rubbish_is_passed_over() -> None:
    audited = Audited()
    others = [inventory(7, number, [], "local_tax.taxpayer") for number in range(PARTITIONS)]
    audited.log.write([inventory(7, None, [], "local_tax.taxpayer"), *others, Outgoing(TOPIC, 0, b"x", b"rubbish")])

    assert audited.takes() == []
    assert audited.auditor.standings == {}


def test_breaks_are_open_by_kind_and_age_from_the_inventory_that_showed_them_to_a_clean_one() -> None:
    audited = Audited()
    audited.log.write([inventory(7, None, [ROW]), *(inventory(7, number, []) for number in range(PARTITIONS))])
    audited.takes()
    kinds = {"source": SOURCE, "cycle": 8, "found_at": SNAPSHOT, "kinds": [{"kind": "MISSING", "count": 1}]}
    audited.log.write([Outgoing(TOPIC, 0, b"", contract().encode("reconciliation/breaks-1", kinds))])
    audited.takes()

    assert audited.metric("open_breaks", kind="MISSING") == 1
    assert audited.metric("rows_missing") == 1
    assert audited.metric("open_since_timestamp_seconds") == SNAPSHOT.timestamp()
    assert audited.metric("verified_until_timestamp_seconds") == 0

    clean = [inventory(9, number, [ROW] if number == 0 else []) for number in range(PARTITIONS)]
    audited.log.write([inventory(9, None, [ROW]), *clean])
    audited.takes()
    audited.takes()

    assert audited.metric("open_breaks", kind="MISSING") is None
    assert audited.metric("open_since_timestamp_seconds") == 0
    assert audited.metric("verified_until_timestamp_seconds") == SNAPSHOT.timestamp()


def test_a_verdict_that_comes_again_or_late_changes_nothing() -> None:
    told = {"inventory": 7, "clean": True, "snapshot_at": SNAPSHOT, "missing": 0, "extra": 0, "buckets": []}
    standing = heard(Standing(), "reconciliation/verdict-1", told)

    again = heard(standing, "reconciliation/verdict-1", {**told, "clean": False, "missing": 3})

    assert again is standing
    assert standing.clean
