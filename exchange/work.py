"""The worker: what the safe loop calls for the partitions it is given.

`assigned` restores from `exchange.state`, `process` reconciles a batch, `committed` lets LMDB follow. A batch in
doubt leaves no trace: the ledger drops it, and the next restore reads what the broker says was committed.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from time import monotonic
from typing import NamedTuple

from exchange import control
from exchange.ledger import Ledger, Place
from exchange.metrics import Metrics
from exchange.owner import OtherPolicyError, Owner, Rules, Tally, initial_tick
from exchange.store import Store
from exchange.sums import recounted
from exchange.take import RefusedError
from process.errors import SettingsError
from process.logs import error, log, warn
from process.messages import say
from schemas import topics
from schemas.codec import UnknownSchemaError
from transport.client import Client, Doubt, Message, Outgoing, TopicPartition

_RESTORE_BATCH = 5000
_DERIVED_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Staged:
    """What a transaction carries beside its records."""

    changed: Mapping[Place, bytes | None]
    """State, and the sums that follow from it."""
    tallies: Sequence[Tally]
    looked_over: Sequence[int] = ()
    """Partitions of which every subject has now been derived since a cold restore."""


class Clock(NamedTuple):
    """The civil day, and seconds for waiting."""

    today: Callable[[], date] = control.civil_day
    seconds: Callable[[], float] = monotonic


class Worker:
    """Owns the partitions it is assigned, one at a time in each batch."""

    def __init__(
        self,
        client: Client,
        rules: Rules,
        store: Store,
        ticks: Mapping[int, date],
        metrics: Metrics,
        unknown_schema_wait_seconds: float,
        clock: Clock | None = None,
    ) -> None:
        self._client = client
        self._rules = rules
        self._store = store
        self._ledger = Ledger(store, rules.contract)
        self._ticks = dict(ticks)
        self._metrics = metrics
        self._clock = clock or Clock()
        self._patience = _Patience(unknown_schema_wait_seconds, self._clock)
        self._announced: dict[int, date] = {}
        self._to_derive: deque[tuple[int, str | None, str]] = deque()
        self.partitions: list[int] = []
        self.restored = 0

    @property
    def topics(self) -> list[str]:
        """What is read."""
        return [*self._rules.departments, self._rules.control]

    # --- the loop's calls --------------------------------------------------------------------------------------------
    def assigned(self, positions: Mapping[TopicPartition, int]) -> None:
        """Drop what was staged, and restore every partition up to what has been committed."""
        self._ledger.drop()
        self._announced.clear()
        self._to_derive.clear()
        self.partitions = sorted({owned.partition for owned in positions})
        for partition in self.partitions:
            self._restore(partition)
        self._metrics.assigned(self.partitions, self._ledger)

    def process(self, messages: Sequence[Message]) -> tuple[Sequence[Outgoing], Staged]:
        """Reconcile a batch."""
        self._ledger.drop()
        owners: dict[int, Owner] = {}
        for message in messages:
            owner = owners.get(message.partition) or owners.setdefault(
                message.partition, self._owner(message.partition)
            )
            self._take(owner, message)
        return self._settled(owners)

    def idle(self) -> tuple[Sequence[Outgoing], Staged] | None:
        """Days that have begun, and subjects to be looked at once more after a cold restore."""
        self._ledger.drop()
        days = list(self._new_days())
        owners: dict[int, Owner] = {}
        looked_over = self._look_again(owners)
        out, staged = self._settled(owners)
        if days or out:
            return [*days, *out], replace(staged, looked_over=looked_over)
        self._note_looked_over(looked_over)
        return None

    def committed(
        self, staged: object, positions: Mapping[TopicPartition, int], written: Mapping[TopicPartition, int]
    ) -> None:
        """Let the store follow what the broker now has."""
        del positions
        if not isinstance(staged, Staged):
            raise TypeError(type(staged))
        state = topics.state(self._rules.prefix)
        offsets = {owned.partition: offset for owned, offset in written.items() if owned.topic == state}
        self._store.write(staged.changed, offsets)
        self._note_looked_over(staged.looked_over)
        self._ledger.drop()
        self._metrics.waiting_for_schema.set(self._patience.waiting)
        self._metrics.committed(staged.tallies, self.partitions, self._ledger)
        for source, kind in (broken for tally in staged.tallies for broken in tally.breaks):
            error("exchange.stream_break", source=source, kind=kind)

    # --- restoring ---------------------------------------------------------------------------------------------------
    def _restore(self, partition: int) -> None:
        place = TopicPartition(topics.state(self._rules.prefix), partition)
        offset = self._store.offset(partition)
        if offset is None or offset > self._end(place):
            self._store.forget(partition)
            offset = None
        count = self._read_state(place, -2 if offset is None else offset)
        self.restored += count
        if count:
            log("exchange.restored", partition=partition, records=count, kind="cold" if offset is None else "warm")
        if not self._store.looked_over(partition):
            self._to_derive.extend((partition, s, head["kind"]) for s, head in self._ledger.heads(partition))
            self._to_derive.append((partition, None, ""))

    def _read_state(self, place: TopicPartition, offset: int) -> int:
        reader = self._client.reader({place: offset})
        count = 0
        try:
            for batch in in_batches(reader.to_end(), _RESTORE_BATCH):
                changed = {Place(place.partition, m.key or b""): m.value for m in batch}
                sums = recounted(changed, self._store, self._rules.audit_key, self._rules.contract)
                self._store.write({**changed, **sums}, {})
                count += len(batch)
            self._store.write({}, {place.partition: reader.positions()[place]})
        finally:
            reader.close()
        return count

    def _end(self, place: TopicPartition) -> int:
        admin = self._client.admin()
        try:
            return admin.end_offsets([place])[place]
        finally:
            admin.close()

    # --- one batch ---------------------------------------------------------------------------------------------------
    def _owner(self, partition: int) -> Owner:
        initial_tick(self._ledger, partition, self._ticks[partition])
        return Owner(partition, self._rules, self._ledger)

    def _take(self, owner: Owner, message: Message) -> None:
        try:
            owner.take(message)
        except UnknownSchemaError as exc:
            if self._patience.holds(message, exc.schema_id):
                self._metrics.waiting_for_schema.set(self._patience.waiting)
                raise Doubt("unknown_schema") from exc
            owner.refuse(message, RefusedError(exc.reason))
        except OtherPolicyError as exc:
            raise SettingsError(say("exchange.other_policy")) from exc

    def _settled(self, owners: Mapping[int, Owner]) -> tuple[list[Outgoing], Staged]:
        for owner in owners.values():
            owner.settle()
        state = topics.state(self._rules.prefix)
        changed = self._ledger.staged()
        kept = [Outgoing(state, place.partition, place.key, value) for place, value in changed.items()]
        out = [record for owner in owners.values() for record in owner.out]
        changed_here = {**changed, **self._ledger.sums_staged()}
        return out + kept, Staged(changed_here, [owner.tally for owner in owners.values()])

    def _look_again(self, owners: dict[int, Owner]) -> list[int]:
        """Touch the next subjects that were not derived since a cold restore; gives the partitions that are through."""
        through = []
        for _ in range(min(_DERIVED_AT_ONCE, len(self._to_derive))):
            partition, subject, kind = self._to_derive.popleft()
            if subject is None:
                through.append(partition)
                continue
            owner = owners.get(partition) or owners.setdefault(partition, self._owner(partition))
            owner.touch(subject, kind)
        return through

    def _note_looked_over(self, partitions: Iterable[int]) -> None:
        for partition in partitions:
            self._store.note_looked_over(partition)

    def _new_days(self) -> Iterable[Outgoing]:
        today = self._clock.today()
        for partition in self.partitions:
            known = self._ledger.partition(partition)["tick"] or self._ticks[partition]
            if max(known, self._announced.get(partition, known)) < today:
                self._announced[partition] = today
                yield control.tick(self._rules.prefix, partition, today, self._rules.contract)


class _Patience:
    """How long messages of an unknown schema are waited with: connectors are sometimes upgraded first."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._since: dict[int, float] = {}

    @property
    def waiting(self) -> int:
        """How many schemas are waited for."""
        return sum(self._clock.seconds() - since < self._seconds for since in self._since.values())

    def holds(self, message: Message, schema_id: int) -> bool:
        """Whether to wait, for all messages of a schema once; the first one asks for a person's attention."""
        if schema_id not in self._since:
            self._since[schema_id] = self._clock.seconds()
            fields = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
            warn("exchange.unknown_schema", schema_id=schema_id, seconds=self._seconds, **fields)
        return self._clock.seconds() - self._since[schema_id] < self._seconds


def in_batches(messages: Iterable[Message], size: int) -> Iterable[Sequence[Message]]:
    """The messages in lists of at most `size`."""
    rest = iter(messages)
    while batch := list(islice(rest, size)):
        yield batch
