"""The owner of a partition: takes its messages in order and says what is to be written.

It touches nothing but the ledger. What one batch changed of a subject is derived once, at the end or before a
watermark: a watermark goes out behind the entries it covers.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from exchange.claims import opened as claims_opened
from exchange.control import POLICIES
from exchange.derive import derive
from exchange.entries import Change, Offset, change, published
from exchange.ledger import Head, Ledger
from exchange.statements import Identity, Rows, Statement, join, settled, stated
from exchange.sums import counted, row_hash
from exchange.take import WATERMARK_PREFIX, Mark, Marker, Record, RefusedError, is_watermark, opened, source_of, verify
from exchange.watermarks import take_watermark
from schemas import topics
from schemas.audit import AuditKey, buckets_told
from schemas.codec import NO_HASH, Contract
from schemas.installed import Installed
from transport.client import Message, Outgoing

# Statements in one message of a held list: with ids and keys of the greatest length it fits.
_PIECE = 1000


@dataclass(frozen=True, slots=True)
class Rules:
    """What every owner of an installation goes by."""

    prefix: str
    partitions: int
    installed: Installed
    audit_key: AuditKey
    policies: AbstractSet[str]
    """Every policy activated so far, the installed one as the newest."""
    departments: Mapping[str, str]
    """Topic to department."""

    @property
    def contract(self) -> Contract:
        """The schemas messages are read and written by."""
        return self.installed.contract

    @property
    def control(self) -> str:
        """The topic that ticks and policy activations come by."""
        return topics.control(self.prefix)


@dataclass(slots=True)
class Tally:
    """What a batch came to, for the metrics."""

    outcomes: dict[tuple[str, str], int] = field(default_factory=dict)
    published: int = 0
    breaks: list[tuple[str, str]] = field(default_factory=list)

    def count(self, department: str, outcome: str) -> None:
        """One more message with that outcome: changed, stale, refused or watermark."""
        self.outcomes[department, outcome] = self.outcomes.get((department, outcome), 0) + 1


class OtherPolicyError(Exception):
    """Another policy has been activated than the one installed here."""


class Owner:
    """One partition's owner during one batch."""

    def __init__(self, partition: int, rules: Rules, ledger: Ledger) -> None:
        self._partition = partition
        self._rules = rules
        self._ledger = ledger
        self._touched: dict[str, list[Offset]] = {}
        self._kinds: dict[str, str] = {}
        self._tick = ledger.partition(partition)["tick"] or date.min
        self.out: list[Outgoing] = []
        self.tally = Tally()

    def take(self, message: Message) -> None:
        """Take one message of a department or of `exchange.control`."""
        if message.topic == self._rules.control:
            self._take_control(message)
            return
        department = self._rules.departments[message.topic]
        self._count(message, department)
        try:
            match opened(message, department, self._rules.contract, self._rules.partitions):
                case Mark(watermark):
                    self._take_watermark(watermark, department)
                case Marker(marker):
                    self._answer(marker, department)
                case Record() as record:
                    self._reconcile(record, message, department)
        except RefusedError as exc:
            self.refuse(message, exc)

    def refuse(self, message: Message, refused: RefusedError) -> None:
        """Set a message aside as it came; it has been counted by `take`."""
        department = self._rules.departments[message.topic]
        source = source_of(message, department)
        known = self._ledger.source(self._partition, source)
        self._ledger.put_source(self._partition, source, known.left_unopened())
        value = self._rules.contract.encode("quarantine/refusal-1", refusal(message, source, refused))
        self._send(topics.quarantine(self._rules.prefix, department), f"{source}\0", value)
        self.tally.count(department, "refused")

    def touch(self, subject: str, kind: str) -> None:
        """Have a subject derived again although none of its statements changed."""
        self._touched.setdefault(subject, [])
        self._kinds[subject] = kind

    def settle(self) -> None:
        """Derive what was touched and publish what changed."""
        for subject in sorted(self._touched):
            self._publish(subject, self._touched[subject])
        self._touched = {}

    # --- records -----------------------------------------------------------------------------------------------------
    def _reconcile(self, record: Record, message: Message, department: str) -> None:
        identity = Identity(record.meta["source"], record.meta["record_id"], record.meta["part"])
        before = self._ledger.statement(self._partition, record.subject, identity)
        arrived = stated(record.meta, record.value)
        after = join(before, arrived) if before else settled(arrived)
        if after == before:
            self.tally.count(department, "stale")
            return
        verify(record, self._rules.contract, self._rules.audit_key)
        self._ledger.put_statement(self._partition, record.subject, after)
        self._count_held(record.subject, before, after)
        source = self._ledger.source(self._partition, identity.source)
        changed = source.changed(before.rows if before else Rows(0, 0), after.rows)
        self._ledger.put_source(self._partition, identity.source, changed)
        self._touched.setdefault(record.subject, []).append((message.topic, message.partition, message.offset))
        self._kinds.setdefault(record.subject, record.kind)
        self.tally.count(department, "changed")

    def _publish(self, subject: str, causes: Sequence[Offset]) -> None:
        before = self._ledger.head(self._partition, subject)
        made = self._change(subject, before, causes)
        if made is None:
            return
        self._ledger.put_head(self._partition, subject, made.head)
        if before is not None and before["content_hash"] == made.entry.content_hash:
            return
        kind = self._rules.installed.catalogues[made.head["kind"]].topic
        self._send(topics.registry(self._rules.prefix, kind), subject, made.entry.value, self._headers(made))
        self._send(topics.history(self._rules.prefix), f"{subject}#{made.number}", made.history)
        self.tally.published += 1

    def _change(self, subject: str, before: Head | None, causes: Sequence[Offset]) -> Change | None:
        """The subject's next change; one with the hash of the last only to note another `next_change`."""
        kind = before["kind"] if before else self._kinds[subject]
        words = [claims_opened(s, self._rules.contract) for s in self._ledger.statements(self._partition, subject)]
        derived = derive(subject, words, self._rules.installed.catalogues[kind], self._tick)
        entry = published(derived.entry, kind, self._rules.installed)
        about = {"condition": derived.entry["condition"], "kind": kind, "next_change": derived.next_change}
        if before is not None and before["content_hash"] == entry.content_hash:
            if before["next_change"] == derived.next_change:
                return None
            return Change(before["change"], entry, b"", {**before, **about})
        return change(subject, entry, before, about, causes, self._rules.contract)

    def _headers(self, made: Change) -> tuple[tuple[str, bytes], ...]:
        return (
            ("change", str(made.number).encode()),
            ("alias_epoch", b"0"),
            ("policy", self._rules.installed.policy.encode()),
            ("content_hash", made.entry.content_hash.hex().encode()),
        )

    def _count_held(self, subject: str, before: Statement | None, after: Statement) -> None:
        audit, contract = self._rules.audit_key, self._rules.contract
        difference = counted(subject, after, audit, contract).minus(counted(subject, before, audit, contract))
        bucket = audit.bucket(after.identity.record_id)
        self._ledger.add_to_sum(self._partition, after.identity.source, bucket, difference)

    # --- watermarks and sums -----------------------------------------------------------------------------------------
    def _count(self, message: Message, department: str) -> None:
        if is_watermark(message):
            return
        source = source_of(message, department)
        counted = self._rules.audit_key.of_message(message.key or b"", message.value)
        self._ledger.put_source(self._partition, source, self._ledger.source(self._partition, source).counted(counted))

    def _take_watermark(self, mark: dict[str, Any], department: str) -> None:
        before = self._ledger.source(self._partition, mark["source"])
        after = take_watermark(before, mark)
        if after is before or after.watermark is None:
            self.tally.count(department, "stale")
            return
        self.settle()
        self._ledger.put_source(self._partition, mark["source"], after)
        if mark["inventory"]:
            self._freeze(mark, department)
        value = self._rules.contract.encode("registry/watermark-1", after.watermark)
        for catalogue in self._rules.installed.catalogues.values():
            key = f"{WATERMARK_PREFIX}{mark['source']}:{self._partition}"
            self._send(topics.registry(self._rules.prefix, catalogue.topic), key, value)
        if after.break_kind and before.broken_since is None:
            self.tally.breaks.append((mark["source"], after.break_kind))
        self.tally.count(department, "watermark")

    def _freeze(self, mark: dict[str, Any], department: str) -> None:
        """Publish the sums of what this partition holds at the watermark of an inventory."""
        value = {
            "source": mark["source"],
            "cycle": mark["cycle"],
            "snapshot_at": mark["snapshot_at"],
            "partition": self._partition,
            "buckets": buckets_told(self._ledger.sums(self._partition, mark["source"])),
        }
        self._reconciliation(department, "reconciliation/inventory-1", value)

    def _answer(self, marker: dict[str, Any], department: str) -> None:
        """Publish what this partition holds of the buckets that are asked for, as of this very place."""
        source, buckets = marker["source"], frozenset(marker["buckets"])
        audit, contract = self._rules.audit_key, self._rules.contract

        def wanted(record_id: str) -> bool:
            return not buckets or audit.bucket(record_id) in buckets

        found = self._ledger.held(self._partition, source, wanted)
        held = [_held(subject, each, contract) for subject, each in found if each.live or each.newest_refused]
        pieces = [held[at : at + _PIECE] for at in range(0, len(held), _PIECE)] or [[]]
        for number, piece in enumerate(pieces):
            value = {
                "source": source,
                "request": marker["request"],
                "partition": self._partition,
                "piece": number,
                "pieces": len(pieces),
                "statements": piece,
            }
            self._reconciliation(department, "reconciliation/held-2", value)
        self.tally.count(department, "watermark")

    def _reconciliation(self, department: str, name: str, value: dict[str, Any]) -> None:
        topic = topics.reconciliation(self._rules.prefix, department)
        self.out.append(Outgoing(topic, 0, value["source"].encode(), self._rules.contract.encode(name, value)))

    # --- control -----------------------------------------------------------------------------------------------------
    def _take_control(self, message: Message) -> None:
        name, content = self._rules.contract.decode(message.value or b"")
        if name in POLICIES and content["policy"] not in self._rules.policies:
            raise OtherPolicyError
        if name == "control/tick-1" and content["day"] > self._tick:
            self._take_tick(content["day"], (message.topic, message.partition, message.offset))

    def _take_tick(self, day: date, cause: Offset) -> None:
        """Derive what the new day may change: all heads are looked at, once a day and with no index to keep true."""
        self.settle()
        self._tick = day
        self._ledger.put_partition(self._partition, {**self._ledger.partition(self._partition), "tick": day})
        due = [
            subject
            for subject, head in self._ledger.heads(self._partition)
            if head["next_change"] and head["next_change"] <= day
        ]
        for subject in due:
            self._touched[subject] = [cause]
        self.settle()

    # --- writing -----------------------------------------------------------------------------------------------------
    def _send(self, topic: str, key: str, value: bytes, headers: tuple[tuple[str, bytes], ...] = ()) -> None:
        self.out.append(Outgoing(topic, self._partition, key.encode(), value, headers))


def _held(subject: str, statement: Statement, contract: Contract) -> dict[str, Any]:
    """A statement as a held list shows it."""
    said = row_hash(statement, contract)
    token = contract.head(statement.body.value).meta["source_token"] if statement.body and said else None
    _, record_id, part = statement.identity
    return {
        "record_id": record_id,
        "part": part,
        "subject": subject,
        **statement.newest._asdict(),
        "source_token": token,
        "row_hash": said or NO_HASH,
        "refused": said is None,
    }


def refusal(message: Message, source: str, refused: RefusedError) -> dict[str, Any]:
    """The message as it came, where it was and why: `quarantine/refusal-1`."""
    return {
        "source": source,
        "record_id": None,
        "stage": "exchange",
        "reason": refused.reason,
        "fields": list(refused.fields),
        "topic": message.topic,
        "partition": message.partition,
        "offset": message.offset,
        "epoch": None,
        "cycle": None,
        "observed_at": None,
        "rows": 0,
        "key": message.key,
        "body": message.value,
        "headers": [{"name": name, "value": value} for name, value in message.headers],
    }


def initial_tick(ledger: Ledger, partition: int, day: date) -> None:
    """Start a partition that has never seen a day with the newest one announced: repeats are harmless."""
    known = ledger.partition(partition)
    if known["tick"] is None:
        ledger.put_partition(partition, {**known, "tick": day})
