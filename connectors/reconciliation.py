"""What is said to a source in `reconciliation.<department>`: verdicts on its inventories, and what partitions hold.

Read from an offset that the position remembers, and again from there after a restart: all of it is committed
data of others, and only the lists that answer this instance's own marker count.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from connectors.mapping import Source
from connectors.position import milliseconds
from process.logs import warn
from schemas import topics
from schemas.codec import Contract, UndecodableError
from transport.client import Client, Message, Reader, TopicPartition

_POLL_SECONDS = 0.2


class Held(NamedTuple):
    """A statement as a partition holds it; no row hash: its newest version is refused."""

    part: str
    subject: str
    epoch: int
    cycle: int
    source_token: str | None
    row_hash: bytes | None


HeldRows = Mapping[str, Sequence[Held]]


class Clean(NamedTuple):
    """An inventory that was found clean, and its snapshot."""

    cycle: int
    at_ms: int | None


class Request(NamedTuple):
    """What an inventory was found to differ in; no buckets: all."""

    inventory: int
    buckets: frozenset[int]


@dataclass(slots=True)
class _Answers:
    """The lists that answer one marker, by partition and piece; the first answer of a partition counts."""

    request: str
    partitions: int
    pieces: dict[int, dict[int, Sequence[Mapping[str, Any]]]] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)

    def take(self, told: Mapping[str, Any]) -> None:
        if told["request"] != self.request or told["partition"] in self.whole:
            return
        pieces = self.pieces.setdefault(told["partition"], {})
        pieces[told["piece"]] = told["statements"]
        if len(pieces) == told["pieces"]:
            self.whole.add(told["partition"])

    @property
    def complete(self) -> bool:
        return len(self.whole) == self.partitions

    def rows(self) -> HeldRows:
        found: dict[str, list[Held]] = {}
        for pieces in self.pieces.values():
            for statements in pieces.values():
                for each in statements:
                    found.setdefault(each["record_id"], []).append(_held(each))
        return found


class Inbox:
    """Follows the department's reconciliation topic for one source."""

    def __init__(self, client: Client, source: Source, contract: Contract, prefix: str) -> None:
        self._client, self._source, self._contract = client, source.name, contract
        self._place = TopicPartition(topics.reconciliation(prefix, source.department), 0)
        self._reader: Reader | None = None
        self._answers: _Answers | None = None
        self.begin(0)

    def begin(self, offset: int) -> None:
        """Hear everything from this offset on; what an earlier instance asked for is forgotten."""
        self.close()
        self.offset = offset
        self.clean: Clean | None = None
        self.request: Request | None = None
        self._answers = None

    def read(self) -> None:
        """Hear what there is: to the end at first, later what has come."""
        if self._reader is None:
            self._reader = self._client.reader({self._place: self.offset or -2})
            for message in self._reader.to_end():
                self._take(message)
        while self._poll(0.0):
            pass

    def lists(self, request: str, partitions: int, seconds: float) -> HeldRows | None:
        """What the partitions answer to a marker; None when some have not within the time."""
        self._answers = answers = _Answers(request, partitions)
        due = time.monotonic() + seconds
        while not answers.complete:
            if not self._poll(_POLL_SECONDS) and time.monotonic() >= due:
                break
        self._answers = None
        return answers.rows() if answers.complete else None

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def _poll(self, seconds: float) -> bool:
        if self._reader is None:
            self.read()
        messages = self._reader.poll(seconds) if self._reader else ()
        for message in messages:
            self._take(message)
        return bool(messages)

    def _take(self, message: Message) -> None:
        self.offset = message.offset + 1
        if message.key != self._source.encode() or message.value is None:
            return
        try:
            name, told = self._contract.decode(message.value)
        except UndecodableError as exc:
            warn("reconciliation.unreadable", source=self._source, offset=message.offset, reason=exc.reason)
            return
        match name:
            case "reconciliation/verdict-1" if told["clean"]:
                at: datetime = told["snapshot_at"]
                self.clean = max(self.clean or Clean(0, None), Clean(told["inventory"], milliseconds(at)))
            case "reconciliation/resend-1" if self.request is None or told["inventory"] >= self.request.inventory:
                self.request = Request(told["inventory"], frozenset(told["buckets"]))
            case "reconciliation/held-2" if self._answers:
                self._answers.take(told)


def _held(told: Mapping[str, Any]) -> Held:
    row_hash = None if told["refused"] else told["row_hash"]
    return Held(told["part"], told["subject"], told["epoch"], told["cycle"], told["source_token"], row_hash)
