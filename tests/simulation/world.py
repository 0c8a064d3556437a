"""A world in which one source is published, taken, counted and repaired, step by step, and anything may go wrong.

The steps are the product's own parts: cycles, publisher and plan, owners and ledger, auditor, absence. Time, crashes,
the log and the two stores are inputs. A step that is not possible now does nothing, so a run with steps left out is
a run: that is what makes shortening simple. After every step a reader of the registry looks for what was promised.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from connectors import fuse, publish
from connectors.counting import Counting, Timing
from connectors.cycle import Cycles
from connectors.metrics import Metrics
from connectors.publish import Publisher
from exchange.audit import Auditor
from exchange.ledger import Ledger, Place
from exchange.metrics import AuditMetrics
from exchange.owner import Owner, initial_tick
from exchange.sums import recounted
from process.errors import FencedError
from schemas import topics
from schemas.audit import Sum
from schemas.codec import Contract, contract
from tests.connectors.worlds import AUDIT, Killed
from tests.connectors.worlds import MemoryKafka as Kafka
from tests.exchange.memory import Memory
from tests.simulation.around import (
    DAY,
    DEPARTMENT,
    DEPT,
    MARKER,
    PARTITIONS,
    PREFIX,
    RECONCILIATION,
    RIDS,
    STATE,
    Broken,
    Heavy,
    Line,
    Log,
    Table,
    Unreadable,
    the_folder,
    the_mapper,
    the_rules,
    the_source,
    watermark_in,
)
from tests.simulation.promises import check, check_counted, check_rest, check_verdict
from tests.simulation.store import DictStore
from transport.client import Doubt, Message, Outgoing, TopicPartition


@dataclass(frozen=True)
class Step:
    """One transaction of a connector: what happens before it, how it ends, what becomes of one of its messages."""

    outcome: str = "ok"
    fault: tuple[str, int] | None = None
    before: tuple[Any, ...] = ()


@dataclass
class Partition:
    """One partition as committed."""

    memory: Memory = field(default_factory=Memory)
    offset: int = 0
    watermark: Mapping[str, Any] | None = None
    marks: int = 0


class World:
    """Everything, and the steps: each `do_…` is one."""

    def __init__(self, without: str | None = None) -> None:
        self.without = without
        self.now = 0
        self.lines: dict[str, Line] = {}
        self.history: list[tuple[int, dict[str, Line]]] = [(0, {})]
        self.snapshots: list[tuple[int, dict[str, Line]]] = []
        self.log = Log(self)
        self.steps: deque[Step] = deque()
        self.fault: tuple[str, int] | None = None
        self.late: list[Outgoing] = []
        self.disturbed = False
        self.inside = False
        self.partitions = [Partition() for _ in range(PARTITIONS)]
        self.entries: dict[str, dict[str, Any]] = {}
        self.counted: dict[int, dict[int, int]] = {}
        self.judged: dict[int, bool] = {}
        self.noted, self.transaction_id = 0, ""
        self.store = self._new_store()
        self.older: DictStore | None = None
        self.publisher: Publisher | None = None
        self.cycles: Cycles | None = None
        self.zombie: Publisher | None = None
        self.released = self.answers = False
        self.vanished: list[int] = []
        self.auditor = self._new_auditor()
        self.audited = 0
        fuse.remove_release(the_folder())

    # --- the department ----------------------------------------------------------------------------------------------
    def do_write(self, rid: str, subject: int | None, value: str) -> None:
        self._changed({**self.lines, rid: Line(subject, value)})

    def do_delete(self, rid: str) -> None:
        self._changed({known: line for known, line in self.lines.items() if known != rid})

    def _changed(self, lines: dict[str, Line]) -> None:
        self.lines = lines
        self.history.append((self.now, lines))

    def at(self, time: int) -> dict[str, Line]:
        return next(lines for then, lines in reversed(self.history) if then <= time)

    # --- the connector -----------------------------------------------------------------------------------------------
    def do_start(self) -> None:
        if self.cycles:
            return
        if self.publisher:
            self.zombie = self.publisher
        kafka: Any = self.log
        self.publisher = Publisher(kafka, the_source(), self._contract(), AUDIT, PARTITIONS, PREFIX)
        self._recover()
        timing = Timing(10.0**12, 0.0)
        clock: Callable[[], float] = lambda: self.now * 1000.0  # noqa: E731
        counting = Counting(the_source(), contract(), AUDIT, self.publisher, self.store, timing, clock)
        mapper: Any = Unreadable() if self.without == "refused-under-readable-key" else the_mapper()
        self.cycles = Cycles(the_source(), Table(self), mapper, self.publisher, counting, Metrics(the_source()))

    def _recover(self) -> None:
        assert self.publisher
        self.publisher.recover(self.store)
        if self.without == "fuse-in-positions":
            self.publisher.position = replace(self.publisher.position, vanished=())

    def do_crash(self, store: str) -> None:
        self.cycles = None
        if store != "keep":
            # What was on its way and comes after a clean inventory nobody could know of: a limit that is written down.
            self.late.clear()
        if store == "lost":
            self.store = self._new_store()
        elif store == "behind" and self.older:
            self.store = self.older.copy()

    def _new_store(self) -> DictStore:
        return DictStore(the_folder(), self.without, lambda: self.noted)

    def do_save_store(self) -> None:
        self.older = self.store.copy()

    def do_zombie(self) -> None:
        """An instance from before the last start tries to go on."""
        if self.zombie:
            try:
                self.zombie.take_number()
            except (Doubt, FencedError):
                self.zombie = None
                return
            raise Broken("fence: an instance that was replaced went on")

    def do_release(self) -> None:
        if self.publisher and self.publisher.position.held:
            fuse.write_release(the_folder(), fuse.Release(self.publisher.position.held, 0))

    def do_cycle(self, kind: str, steps: tuple[Step, ...] = (), *, answers: bool = True) -> None:
        """One cycle, its transactions ending so; a connector that is down is started.

        `answers`: whether the partitions take what there is while a resend waits for them.
        """
        self.do_start()
        assert self.cycles
        self.answers = answers
        self.steps, self.inside = deque(steps), True
        at_once, publish.BATCH_ROWS = publish.BATCH_ROWS, 1  # so that anything may happen between two rows
        self.released = fuse.read_release(the_folder()) is not None
        try:
            self.cycles.run(Event(), always_close=True, inventory=kind == "inventory")
        except Doubt:
            self._recover()
        except Killed:
            self.cycles = None
        finally:
            publish.BATCH_ROWS = at_once
            self.steps, self.inside, self.log.outcomes, self.fault = deque(), False, [], None

    def interrupt(self) -> None:
        """What happens before a transaction of the connector commits, and how it will end."""
        step = self.steps.popleft() if self.steps else Step()
        if self.inside:
            for event in step.before:
                self.apply(event)
        self.log.outcomes, self.fault = [step.outcome], step.fault

    def answer(self) -> None:
        """What happens while a resend waits."""
        if self.answers:
            for number in range(PARTITIONS):
                self.apply(("take", number, 999))

    def in_transit(self, records: list[Outgoing]) -> list[Outgoing]:
        """What arrives of a committed transaction."""
        sent = [record for record in records if record.topic == DEPT]
        self._note_vanished(sent)
        self._note_transaction(records)
        fault, self.fault = self.fault, None
        if not fault or not sent:
            return self._asked(records)
        kind, number = fault
        one = sent[number % len(sent)]
        self.disturbed = True
        match kind:
            case "drop":
                return [record for record in records if record is not one]
            case "double":
                return [*records, one]
            case "change":
                value = one.value or b""
                changed = value[:-2] + bytes([value[-2] ^ 1]) + value[-1:]
                return [one._replace(value=changed) if record is one else record for record in records]
            case _:
                self.late.append(one)
                return [record for record in records if record is not one]

    def _note_transaction(self, records: list[Outgoing]) -> None:
        for record in records:
            if record.topic == topics.positions(PREFIX, DEPARTMENT):
                told = contract().decode(record.value or b"")[1]["transaction_id"]
                self.noted += told != self.transaction_id
                self.transaction_id = told

    def do_deliver_late(self) -> None:
        if self.late:
            Kafka.append(self.log, [self.late.pop(0)])

    def _note_vanished(self, sent: list[Outgoing]) -> None:
        rows: dict[str, list[bool]] = {}
        for record in sent:
            told = contract().decode(record.value or b"")[1]
            if "meta" in told:
                meta = told["meta"]
                rows.setdefault(meta["record_id"], []).append(meta["operation"] == "DELETE" and not meta["moved_to"])
        if not self.released:
            for deletes in rows.values():
                if all(deletes):
                    self._let_go()

    def _let_go(self) -> None:
        self.vanished = [*(then for then in self.vanished if then > self.now - 60), self.now]
        if len(self.vanished) > 2:
            raise Broken(f"fuse: {len(self.vanished)} of {len(RIDS)} rows left within a day without a release")

    def _contract(self) -> Contract:
        return Heavy() if self.without == "refused-counted-once" else contract()  # type: ignore[return-value]

    def _asked(self, records: list[Outgoing]) -> list[Outgoing]:
        """Put back: a partition that is asked what it holds answers at once, whatever is still before the marker."""
        if self.without != "held-in-band":
            return records
        asked = [r for r in records if r.topic == DEPT and contract().decode(r.value or b"")[0] == MARKER]
        for record in asked:
            owner, _ = self._owner(record.partition)
            owner.take(Message(DEPT, record.partition, 0, record.key, record.value, record.headers, 0))
            Kafka.append(self.log, owner.out)
        return [record for record in records if record not in asked]

    # --- the exchange ------------------------------------------------------------------------------------------------
    def do_take(self, number: int, count: int, outcome: str = "ok") -> None:
        """Take messages; state, registry and offset commit as one."""
        there = self.partitions[number]
        messages = self.log.logs.get(TopicPartition(DEPT, number), [])[there.offset : there.offset + count]
        owner, ledger = self._owner(number)
        for message in messages:
            self._bend(ledger, number, message)
            owner.take(message)
            self._count(ledger, number, message)
        owner.settle()
        if outcome != "ok":
            return
        state = ledger.staged()
        kept = [Outgoing(STATE, place.partition, place.key, value) for place, value in state.items()]
        there.memory.write({**state, **ledger.sums_staged()})
        there.offset += len(messages)
        Kafka.append(self.log, [*owner.out, *kept])
        self._publish(number, owner.out)

    def _owner(self, number: int) -> tuple[Owner, Ledger]:
        ledger = Ledger(self.partitions[number].memory, contract())
        initial_tick(ledger, number, DAY)
        return Owner(number, the_rules(), ledger), ledger

    def _publish(self, number: int, out: Iterable[Outgoing]) -> None:
        for record in out:
            if record.topic != topics.registry(PREFIX, "legal-person") or record.key is None:
                continue
            told = contract().decode(record.value or b"")[1]
            if record.key.startswith(b"~"):
                self.partitions[number].watermark = told
            else:
                self.entries[record.key.decode()] = told

    def _count(self, ledger: Ledger, number: int, message: Message) -> None:
        """Note how many rows a partition counts at each watermark, for promise 1."""
        known = ledger.source(number, the_source().name)
        if (message.key or b"").startswith(b"~") and known.watermark:
            counted = self.counted.setdefault(known.watermark["cycle"], {})
            counted[number] = sum(known.counted_rows)
            check_counted(self, known.watermark, counted)

    def _bend(self, ledger: Ledger, number: int, message: Message) -> None:
        """Put a rule of the exchange back, by what it finds in its state."""
        mark = watermark_in(message)
        known = ledger.source(number, the_source().name)
        if mark is None or known.watermark is None:
            return
        if self.without == "clean-corrects-at-freeze" and mark["clean_inventory"] > known.clean_inventory:
            difference = Sum.of(mark["sum_count"], mark["sum_digest"]).minus(known.taken)
            corrected = {**known.corrections, mark["clean_inventory"]: difference}
            if known.broken_since is not None:
                ledger.put_source(number, the_source().name, replace(known, corrections=corrected))
        if self.without == "watermark-in-order":
            old = {**known.watermark, "epoch": 0}
            ledger.put_source(number, the_source().name, replace(known, watermark=old))

    def do_restore(self, number: int) -> None:
        """The owner's store is lost: state comes again from its topic, and the sums with it."""
        memory, rules = Memory(), the_rules()
        for message in self.log.logs.get(TopicPartition(STATE, number), []):
            place = Place(number, message.key or b"")
            changed = {place: message.value}
            memory.write({**changed, **recounted(changed, memory, rules.audit_key, contract())})
        if memory.table != self.partitions[number].memory.table:
            raise Broken("restore: state or sums that were counted anew differ from those that were kept")
        self.partitions[number].memory = memory

    # --- the auditor -------------------------------------------------------------------------------------------------
    def _new_auditor(self) -> Auditor:
        kafka: Any = self.log
        return Auditor(kafka, {RECONCILIATION: DEPARTMENT}, PARTITIONS, contract(), AuditMetrics())

    def do_audit(self, outcome: str = "ok") -> None:
        messages = self.log.logs.get(TopicPartition(RECONCILIATION, 0), [])[self.audited :]
        out, staged = self.auditor.process(messages)
        if outcome != "ok":
            self.do_restart_auditor()
            return
        Kafka.append(self.log, out)
        self.audited += len(messages)
        for told in staged if isinstance(staged, list) else ():
            self.judged[told["inventory"]] = told["clean"]
            check_verdict(self, told)

    def do_restart_auditor(self) -> None:
        self.auditor = self._new_auditor()
        self.auditor.assigned({TopicPartition(RECONCILIATION, 0): self.audited})

    # --- running -----------------------------------------------------------------------------------------------------
    def apply(self, event: tuple[Any, ...]) -> None:
        self.now += 1
        getattr(self, f"do_{event[0]}")(*event[1:])
        check(self)

    def settle(self) -> None:
        """Everything heals: what is late arrives, cycles run, and at rest the registry is the source."""
        while self.late:
            self.apply(("deliver_late",))
        for _ in range(12):
            if self._round():
                break
        check_rest(self)

    def _round(self) -> bool:
        """One ordinary cycle, one inventory, its verdict, and the watermark that names it; whether nothing was sent."""
        for kind in ("ordinary", "ordinary", "inventory", "ordinary"):
            self.now += 80
            self.apply(("cycle", kind))
            self.apply(("release",))
            self._catch_up()
        assert self.publisher
        position = self.publisher.position
        at_rest = all(p.watermark and p.watermark["cycle"] == position.closed_cycle for p in self.partitions)
        return at_rest and position.clean_cycle == position.inventory_cycle and not position.held

    def _catch_up(self) -> None:
        for number in range(PARTITIONS):
            self.apply(("take", number, 999))
        self.apply(("audit",))
