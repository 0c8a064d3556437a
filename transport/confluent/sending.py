"""Transactions: nothing is committed that was not seen to arrive."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NoReturn

from process.errors import PermanentError, SettingsError
from process.messages import say
from transport.client import Membership, Outgoing, TopicPartition
from transport.confluent.library import (
    NOT_ALLOWED,
    KafkaError,
    KafkaException,
    NativeMessage,
    NativePartition,
    Producer,
    code_of,
    error_of,
    failed,
    instance_fenced,
    made,
    told,
)
from transport.deadline import DeadlineError, within
from transport.settings import Kafka
from transport.transaction import (
    CALL_SECONDS,
    DELIVERY_MS,
    FLUSH_SECONDS,
    INIT_MS,
    OUTSTANDING_BYTES,
    REQUEST_MS,
    SLOW_SECONDS,
    TRANSACTION_MS,
    Standing,
)

# The library keeps its deadlines as far as was seen; ours is for the time when it does not.
_OVERTIME_SECONDS = 1.0

_FENCES = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})  # noqa: SLF001
_STALE = frozenset(
    {
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.REBALANCE_IN_PROGRESS,
    }
)
_CONSEQUENCES = frozenset({KafkaError._FATAL, KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT})  # noqa: SLF001
_TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})


class Transactions:
    def __init__(self, settings: Kafka, transactional_id: str) -> None:
        self._settings = settings
        self._id = transactional_id
        self._standing = Standing(transactional_id)
        self._producer: Producer | None = None
        self._slow = False
        self._forget()

    def rebuild(self) -> None:
        self._drop()
        producer = made(self._settings, Producer, _options(self._id))
        self._producer = producer
        try:
            within(INIT_MS / 1000 + _OVERTIME_SECONDS, producer.init_transactions, INIT_MS / 1000)
        except Exception as exc:
            self._drop()
            if code_of(exc) in _FENCES:
                self._doubt(exc, "fenced")
            raise failed(exc, self._settings) from exc
        self._standing.rebuilt()
        self._slow = False

    def begin(self) -> None:
        self._standing.require_rebuilt()
        if self._producer is None or self._slow:
            self.rebuild()
        self._forget()
        self._call("begin", self._begun.begin_transaction)

    def send(self, record: Outgoing) -> None:
        sent = self._sent.get((record.topic, record.partition))
        if sent is None:
            sent = self._sent[record.topic, record.partition] = _Sent()
        try:
            self._produce(record, sent)
        except (TypeError, ValueError):
            self._standing.lost()
            raise
        except Exception as exc:  # noqa: BLE001 - told apart in there
            self._record_failed(record.topic, exc, "send")
        sent.count += 1
        self._sealed = False

    def seal(self) -> Mapping[TopicPartition, int]:
        self._standing.require_whole()
        self._call("flush", self._begun.flush, FLUSH_SECONDS)
        self._check_reports()
        self._sealed = True
        # None: the broker had the batch already and did not say where.
        if any(sent.last is None for sent in self._sent.values()):
            self._doubt(None, "no_offset")
        return {TopicPartition(*where): sent.last + 1 for where, sent in self._sent.items() if sent.last is not None}

    def commit(self, offsets: Mapping[TopicPartition, int] | None = None, membership: Membership | None = None) -> None:
        if not self._sealed:
            self.seal()
        if offsets:
            member = self._standing.require_member(membership)
            natives = [NativePartition(*partition, offset) for partition, offset in offsets.items()]
            self._timed("offsets", self._begun.send_offsets_to_transaction, natives, member.native)
        started = time.monotonic()
        self._timed("commit", self._begun.commit_transaction)
        self._slow = time.monotonic() - started > SLOW_SECONDS
        self._check_reports()
        self._standing.committed()
        self._forget()

    def abort(self) -> None:
        if self._producer is None or self._standing.in_doubt:
            return
        try:
            within(CALL_SECONDS / 2 + _OVERTIME_SECONDS, self._producer.abort_transaction, CALL_SECONDS / 2)
        except Exception:  # noqa: BLE001 - the next producer settles the transaction
            self._standing.lost()
        self._forget()

    def close(self) -> None:
        self._drop()

    @property
    def _begun(self) -> Producer:
        if self._producer is None:
            raise ValueError("no transaction was begun")
        return self._producer

    def _forget(self) -> None:
        # Reports that come late still go to the counts of their own transaction.
        self._sent: dict[tuple[str, int], _Sent] = {}
        self._sealed = True

    def _produce(self, record: Outgoing, sent: _Sent) -> None:
        due: float | None = None
        while True:
            try:
                return self._begun.produce(
                    record.topic,
                    record.value,
                    record.key,
                    record.partition,
                    sent.report,
                    headers=list(record.headers) if record.headers else None,
                )
            except BufferError:
                # Serving the reports of what has arrived makes room.
                self._begun.poll(0.1)
                due = due or time.monotonic() + DELIVERY_MS / 1000 + 1
                if time.monotonic() > due:
                    raise DeadlineError("what was sent before did not arrive") from None

    def _check_reports(self) -> None:
        for (topic, _), sent in self._sent.items():
            if sent.error is not None:
                self._record_failed(topic, KafkaException(sent.error), "record")
        if any(sent.arrived < sent.count for sent in self._sent.values()):
            self._doubt(None, "record", "still on its way")

    def _record_failed(self, topic: str, first: Exception, reason: str) -> NoReturn:
        exc = self._cause(first)
        if code_of(exc) in _TOO_LARGE:
            self._standing.lost()
            raise PermanentError(say("transport.too_large", topic=topic, reason=told(exc))) from exc
        self._doubt(exc, reason, f"{topic}: {told(exc)}")

    def _timed(self, reason: str, call: Callable[..., None], *args: Any) -> None:
        self._call(reason, within, CALL_SECONDS + _OVERTIME_SECONDS, call, *args, CALL_SECONDS)

    def _call(self, reason: str, call: Callable[..., Any], *args: Any) -> None:
        self._standing.require_whole()
        try:
            call(*args)
        except (TypeError, ValueError):
            self._standing.lost()
            raise
        except Exception as exc:  # noqa: BLE001 - whatever the library raises leaves the outcome open
            self._doubt(self._cause(exc), reason)

    def _doubt(self, exc: BaseException | None, reason: str, text: str = "") -> NoReturn:
        """Raise what an outcome that is not known to be good means.

        Whether the library would try again, abort or give up does not matter: in each case the outcome is unknown
        or bad, and a new producer settles it.
        """
        error, code = error_of(exc), code_of(exc)
        if code in NOT_ALLOWED:
            self._standing.lost()
            raise SettingsError(say("transport.not_allowed", reason=told(exc))) from exc
        if isinstance(exc, DeadlineError) or code == KafkaError._TIMED_OUT:  # noqa: SLF001
            reason = "deadline"
        elif error is not None and instance_fenced(error):
            reason = "instance_fenced"
        elif code in _STALE:
            reason = "stale"
        elif code in _FENCES:
            reason = "fenced"
        self._standing.doubt(reason, text or told(exc), exc)

    def _cause(self, exc: BaseException | None) -> BaseException | None:
        """The error behind an error that says only that the producer or the transaction has come to its end."""
        if code_of(exc) not in _CONSEQUENCES or self._producer is None:
            return exc
        try:
            # Begins nothing, for something was begun; and tells why that cannot go on.
            self._producer.begin_transaction()
        except KafkaException as cause:
            return exc if code_of(cause) == KafkaError._STATE else cause  # noqa: SLF001
        return exc

    def _drop(self) -> None:
        producer, self._producer = self._producer, None
        self._forget()
        if producer is None:
            return
        with suppress(Exception):
            # What still waits would be sent after all while the library takes itself down.
            producer.purge()
            producer.flush(1.0)


class _Sent:
    """The records for one partition: how many were handed over, how many arrived, and where the last one lies."""

    __slots__ = ("arrived", "count", "error", "last")

    def __init__(self) -> None:
        self.count = 0
        self.arrived = 0
        self.last: int | None = None
        self.error: KafkaError | None = None

    def report(self, error: KafkaError | None, native: NativeMessage) -> None:
        """Called by the library, once for each record."""
        if error is None:
            self.arrived += 1
            self.last = native.offset()
        elif self.error is None:
            self.error = error


def _options(transactional_id: str) -> dict[str, Any]:
    return {
        "transactional.id": transactional_id,
        "client.id": transactional_id,
        "transaction.timeout.ms": TRANSACTION_MS,
        "delivery.timeout.ms": DELIVERY_MS,
        "request.timeout.ms": REQUEST_MS,
        "socket.timeout.ms": REQUEST_MS,
        # How long a topic that nobody has made is waited for.
        "topic.metadata.propagation.max.ms": REQUEST_MS,
        "linger.ms": 5,
        "batch.size": 1 << 18,
        "message.max.bytes": 8 << 20,
        "compression.type": "lz4",
        # The next transaction often meets the last one's markers still being written, and sleeps this long.
        "retry.backoff.ms": 20,
        "queue.buffering.max.kbytes": OUTSTANDING_BYTES >> 10,
        "queue.buffering.max.messages": 0,
    }
