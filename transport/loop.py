"""The safe loop: a batch and what is written for it are one transaction; in doubt, again from what is committed.

Every message's effect is published exactly once as long as `Work` keeps its
side: what it does with a batch depends on the batch and on what was committed
before. It rests on these rules, each of which a measured fault asks for: the
membership is the one of the poll; after any doubt the producer is made anew
before the committed offsets are read; nothing staged outlives a doubt; the
work is done before the transaction is begun, so that it does not expire.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from threading import Event
from typing import Protocol

from process.errors import FencedError, SettingsError, TransientError
from process.logs import log, warn
from process.messages import say
from transport.client import Client, Doubt, Group, Membership, Message, Outgoing, TopicPartition, Transactions
from transport.rival import Rival

Staged = tuple[Sequence[Outgoing], object]


class Work(Protocol):
    """What is done with the messages; called from one thread, never two at a time."""

    def assigned(self, positions: Mapping[TopicPartition, int]) -> None:
        """The partitions are ours from these committed offsets on: drop what is staged, restore to the high watermark.

        Called after every change of the assignment and after every doubt.
        """

    def process(self, messages: Sequence[Message]) -> Staged:
        """What is to be written for a batch, and what is to be kept when it is committed. Speaks to no Kafka."""

    def idle(self) -> Staged | None:
        """At least once a second: what is to be written without a message, or None."""

    def committed(
        self, staged: object, positions: Mapping[TopicPartition, int], written: Mapping[TopicPartition, int]
    ) -> None:
        """It is committed: keep what was staged, with the offsets all partitions stand at now."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once, and how long."""

    messages: int = 2000
    # With what is made of them, well inside the transaction's 15 seconds.
    bytes: int = 8 << 20
    poll_seconds: float = 0.2
    idle_seconds: float = 1.0
    # A batch that takes longer is halved the next time.
    batch_seconds: float = 3.0
    stall_seconds: float = 60.0
    pause_seconds: float = 0.1
    longest_pause_seconds: float = 2.0
    # A leader that has not seen a new topic yet hands out partitions without it; the next round puts it right.
    apart_seconds: float = 30.0


@dataclass(slots=True)
class Tally:
    """What happened so far, for whoever shows it."""

    transactions: int = 0
    messages: int = 0
    written: int = 0
    doubts: Counter[str] = field(default_factory=Counter)
    rebuilds: Counter[str] = field(default_factory=Counter)
    assignments: int = 0
    settled: bool = False
    behind: Mapping[TopicPartition, int] = field(default_factory=dict)


def run(  # noqa: PLR0913 - who, what and until when; the rest has defaults
    client: Client,
    group: str,
    instance: str,
    topics: Sequence[str],
    work: Work,
    stop: Event,
    *,
    limits: Limits = Limits(),
    tally: Tally | None = None,
) -> None:
    """Work until asked to stop. Waits out a broker that is away; raises what waiting does not help.

    The transactional id is `<group>-<instance>`: a second process of the same name fences the first.
    """
    loop = _Loop(client, _Name(group, instance, tuple(topics)), work, stop, limits, tally or Tally())
    try:
        while not stop.is_set():
            loop.step()
    finally:
        loop.close()


@dataclass(frozen=True, slots=True)
class _Name:
    group: str
    instance: str
    topics: tuple[str, ...]

    @property
    def member(self) -> str:
        """Who we are to the group: somebody else with other topics.

        One who comes back under the same name is given back what it had, whatever it asks for by now.
        """
        asked = blake2b("\0".join(sorted(self.topics)).encode(), digest_size=4).hexdigest()
        return f"{self.instance}.{asked}"


class _Loop:
    def __init__(self, client: Client, name: _Name, work: Work, stop: Event, limits: Limits, tally: Tally) -> None:
        self._client = client
        self._name = name
        self._work = work
        self._stop = stop
        self._limits = limits
        self._tally = tally
        self._transactions: Transactions = client.transactions(f"{name.group}-{name.instance}")
        self._member: Group | None = None
        self._positions: dict[TopicPartition, int] = {}
        self._most = limits.messages
        self._rebuild: str | None = "start"
        self._rival = Rival(name.instance)
        self._trouble = _Trouble(name, limits)
        self._stall = _Stall(limits.stall_seconds)
        self._apart_since: float | None = None
        self._idle_due = 0.0

    def step(self) -> None:
        try:
            self._once()
        except Doubt as exc:
            self._again(exc.reason, exc)
            if exc.reason == "instance_fenced":
                self._rival.took_member(exc)
            elif exc.reason == "fenced":
                self._rival.took_producer(exc)
        except FencedError as exc:
            # Right for a sender alone; here the member's name decides.
            self._again("fenced", exc)
            self._rival.took_producer(exc)
        except TransientError as exc:
            self._again("transient", exc)
        else:
            return
        self._stop.wait(self._trouble.pause())

    def close(self) -> None:
        self._tally.settled = False
        self._transactions.close()
        self._leave()

    def _once(self) -> None:
        if self._rebuild is not None:
            self._tally.settled = False
            # Before the committed offsets are read: it settles the transaction that may still change them.
            self._transactions.rebuild()
            self._tally.rebuilds[self._rebuild] += 1
            self._rebuild = None
        member = self._joined()
        polled = member.poll(self._limits.poll_seconds, self._most)
        if member.moved() or not self._tally.settled:
            # What was just polled may have been taken from us: it comes again from its committed offset.
            self._settle(member)
        elif polled.membership is None:
            self._tally.settled = False
        else:
            self._work_on(member, polled.messages, polled.membership)

    def _work_on(self, member: Group, messages: Sequence[Message], membership: Membership) -> None:
        if messages:
            self._check_order(messages)
            self._take(self._cut(member, messages), membership)
        if not messages or time.monotonic() >= self._idle_due:
            self._idle(membership)
        self._look_ahead(member)
        self._trouble.over()

    def _joined(self) -> Group:
        if self._member is None:
            self._member = self._client.group(self._name.group, self._name.member, self._name.topics)
            try:
                _check_counts(self._member.partition_counts())
            except Exception:
                self._leave()
                raise
        return self._member

    def _settle(self, member: Group) -> None:
        self._tally.settled = False
        positions = member.settle()
        if positions is None:
            return
        if self._apart(positions):
            return
        self._positions = dict(positions)
        self._stall.forget()
        self._work.assigned(dict(positions))
        self._tally.assignments += 1
        self._tally.settled = True

    def _apart(self, positions: Mapping[TopicPartition, int]) -> bool:
        """Whether partition i of some topic is elsewhere; for good, it is a mistake in the settings."""
        ours = {partition for _, partition in positions}
        missing = sorted((topic, i) for topic in self._name.topics for i in ours if (topic, i) not in positions)
        now = time.monotonic()
        if not missing:
            self._apart_since = None
            return False
        self._apart_since = self._apart_since or now
        if now - self._apart_since > self._limits.apart_seconds:
            topic, partition = missing[0]
            raise SettingsError(
                say("transport.partitions_apart", group=self._name.group, partition=partition, missing=topic)
            )
        self._stop.wait(self._limits.pause_seconds)
        return True

    def _check_order(self, messages: Sequence[Message]) -> None:
        """Our own count: nothing that was committed comes again, nothing of a partition that is not ours."""
        expected: dict[TopicPartition, int] = {}
        for message in messages:
            partition = TopicPartition(message.topic, message.partition)
            least = expected.get(partition, self._positions.get(partition))
            if least is None or message.offset < least:
                raise Doubt("position", f"{partition.topic}-{partition.partition} at {message.offset}, not {least}")
            expected[partition] = message.offset + 1

    def _cut(self, member: Group, messages: Sequence[Message]) -> Sequence[Message]:
        """As many as one transaction should carry; the rest is fetched again."""
        size = 0
        for count, message in enumerate(messages):
            size += len(message.key or b"") + len(message.value or b"")
            if size > self._limits.bytes and count > 0:
                rest: dict[TopicPartition, int] = {}
                for each in messages[count:]:
                    rest.setdefault(TopicPartition(each.topic, each.partition), each.offset)
                member.seek(rest)
                return messages[:count]
        return messages

    def _take(self, messages: Sequence[Message], membership: Membership) -> None:
        started = time.monotonic()
        staged = self._work.process(messages)
        after = {TopicPartition(each.topic, each.partition): each.offset + 1 for each in messages}
        self._commit(staged, after, membership)
        self._tally.messages += len(messages)
        if time.monotonic() - started > self._limits.batch_seconds:
            self._most = max(1, self._most // 2)
        else:
            self._most = min(self._limits.messages, self._most * 2)

    def _idle(self, membership: Membership) -> None:
        self._idle_due = time.monotonic() + self._limits.idle_seconds
        staged = self._work.idle()
        if staged is not None:
            # With the offsets as they are: so the broker checks that the partitions are still ours.
            self._commit(staged, self._positions, membership)

    def _commit(self, staged: Staged, after: Mapping[TopicPartition, int], membership: Membership) -> None:
        records, kept = staged
        self._transactions.begin()
        for record in records:
            self._transactions.send(record)
        written = self._transactions.seal()
        self._transactions.commit(after, membership)
        self._positions.update(after)
        self._work.committed(kept, dict(self._positions), written)
        self._tally.transactions += 1
        self._tally.written += len(records)
        self._rival.succeeded()

    def _look_ahead(self, member: Group) -> None:
        if self._stall.due():
            self._tally.behind = member.behind()
            if stuck := self._stall.stuck(self._tally.behind, self._positions):
                self._leave()
                raise Doubt("stalled", f"nothing comes of {stuck.topic}-{stuck.partition}")

    def _again(self, reason: str, exc: Exception) -> None:
        self._tally.settled = False
        self._tally.doubts[reason] += 1
        self._rebuild = reason
        if reason in ("instance_fenced", "transient"):
            self._leave()
        self._trouble.told(reason, exc)

    def _leave(self) -> None:
        member, self._member = self._member, None
        if member is not None:
            member.close()


class _Trouble:
    """A time in which nothing succeeds: longer and longer pauses, and each reason said once."""

    def __init__(self, name: _Name, limits: Limits) -> None:
        self._name = name
        self._limits = limits
        self._since = 0.0
        self._tries = 0
        self._reasons: set[str] = set()

    def told(self, reason: str, exc: Exception) -> None:
        if not self._tries:
            self._since = time.monotonic()
        self._tries += 1
        if reason not in self._reasons:
            self._reasons.add(reason)
            warn("loop.doubt", group=self._name.group, instance=self._name.instance, reason=reason, error=str(exc))

    def pause(self) -> float:
        longest = self._limits.longest_pause_seconds
        return float(min(longest, self._limits.pause_seconds * 2 ** min(self._tries - 1, 10)))

    def over(self) -> None:
        if self._tries:
            seconds = round(time.monotonic() - self._since, 1)
            log(
                "loop.recovered",
                group=self._name.group,
                instance=self._name.instance,
                attempt=self._tries,
                seconds=seconds,
            )
        self._tries = 0
        self._reasons.clear()


class _Stall:
    """Notices a consumer that stopped fetching: what is ahead grows or stays while our position stands still."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due = 0.0
        self._seen: dict[TopicPartition, tuple[int, int, float]] = {}

    def forget(self) -> None:
        self._seen.clear()

    def due(self) -> bool:
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = now + self._seconds / 4
        return True

    def stuck(
        self, behind: Mapping[TopicPartition, int], positions: Mapping[TopicPartition, int]
    ) -> TopicPartition | None:
        now = time.monotonic()
        for partition, ahead in behind.items():
            position = positions.get(partition, -1)
            at, least, since = self._seen.get(partition, (position, ahead, now))
            if ahead == 0 or at != position or ahead < least:
                at, least, since = position, ahead, now
            self._seen[partition] = (at, ahead, since)
            if now - since >= self._seconds:
                return partition
        return None


def _check_counts(counts: Mapping[str, int]) -> None:
    for topic, count in counts.items():
        if count == 0:
            raise SettingsError(say("transport.no_topic", topic=topic))
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{topic} {count}" for topic, count in sorted(counts.items()))
        raise SettingsError(say("transport.partition_counts_differ", counts=told))
