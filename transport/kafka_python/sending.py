"""Transactions: nothing is committed that was not seen to arrive."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NoReturn

from process.errors import PermanentError, SettingsError
from process.messages import say
from transport.client import Membership, Outgoing, TopicPartition
from transport.deadline import DeadlineError, within
from transport.kafka_python.library import (
    INSTANCE_FENCED,
    ConsumerGroupMetadata,
    KafkaProducer,
    NativePartition,
    OffsetAndMetadata,
    errors,
    failed,
    made,
    named,
    says,
    told,
)
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

_FENCES = ("ProducerFencedError", "InvalidProducerEpochError")
_STALE = (
    "CommitFailedError",
    "UnknownMemberIdError",
    "IllegalGenerationError",
    "RebalanceInProgressError",
)
_TOO_LARGE = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)


class Transactions:
    def __init__(self, settings: Kafka, transactional_id: str) -> None:
        self._settings = settings
        self._id = transactional_id
        self._standing = Standing(transactional_id)
        self._producer: Any = None
        self._slow = False
        self._forget()

    def rebuild(self) -> None:
        self._drop()
        try:
            self._producer = made(self._settings, KafkaProducer, **self._options())
            within(INIT_MS / 1000 + 4, self._producer.init_transactions)
        except Exception as exc:
            self._drop()
            if says(exc, _FENCES):
                self._doubt(exc, "fenced")
            raise failed(exc, self._settings) from exc
        self._standing.rebuilt()
        self._slow = False

    def begin(self) -> None:
        self._standing.require_rebuilt()
        if self._producer is None or self._slow:
            self.rebuild()
        self._forget()
        self._call("begin", self._producer.begin_transaction)

    def send(self, record: Outgoing) -> None:
        try:
            future = self._producer.send(
                record.topic,
                record.value,
                key=record.key,
                headers=list(record.headers),
                partition=record.partition,
            )
        except Exception as exc:  # noqa: BLE001 - told apart in there
            self._send_failed(record, exc)
        size = len(record.key or b"") + len(record.value or b"")
        self._futures.append((future, size))
        self._last[TopicPartition(record.topic, record.partition)] = future
        self._outstanding += size
        self._sealed = False
        # The library has no bound of its own on what waits to be sent.
        while self._outstanding > OUTSTANDING_BYTES:
            self._wait_for_oldest()

    def seal(self) -> Mapping[TopicPartition, int]:
        self._standing.require_whole()
        self._call("flush", self._producer.flush, timeout=FLUSH_SECONDS)
        self._check_futures()
        self._sealed = True
        # Minus one: the broker had the batch already and did not say where.
        offsets = {partition: future.value.offset for partition, future in self._last.items()}
        if any(offset < 0 for offset in offsets.values()):
            self._doubt(None, "no_offset")
        return {partition: offset + 1 for partition, offset in offsets.items()}

    def commit(self, offsets: Mapping[TopicPartition, int] | None = None, membership: Membership | None = None) -> None:
        if not self._sealed:
            self.seal()
        if offsets:
            member = self._standing.require_member(membership)
            self._call("offsets", within, CALL_SECONDS, self._send_offsets, offsets, member)
        started = time.monotonic()
        self._call("commit", within, CALL_SECONDS, self._producer.commit_transaction)
        self._slow = time.monotonic() - started > SLOW_SECONDS
        self._check_futures()
        # Success without the end of the transaction ever being sent has this one trace.
        state = self._producer._transaction_manager._current_state.name  # noqa: SLF001
        if state != "READY":
            self._doubt(None, "not_ended", state)
        self._standing.committed()
        self._forget()

    def abort(self) -> None:
        if self._producer is None or self._standing.in_doubt:
            return
        try:
            within(CALL_SECONDS / 2, self._producer.abort_transaction)
        except Exception:  # noqa: BLE001 - the next producer settles the transaction
            self._standing.lost()
        self._forget()

    def close(self) -> None:
        self._drop()

    def _options(self) -> dict[str, Any]:
        return {
            "transactional_id": self._id,
            "client_id": self._id,
            "transaction_timeout_ms": TRANSACTION_MS,
            "delivery_timeout_ms": DELIVERY_MS,
            "request_timeout_ms": REQUEST_MS,
            "max_block_ms": INIT_MS,
            "linger_ms": 5,
            "batch_size": 1 << 18,
            "max_request_size": 8 << 20,
            "compression_type": "lz4",
            # The next transaction often meets the last one's markers still being written, and sleeps this long.
            "retry_backoff_ms": 20,
            "allow_auto_create_topics": False,
        }

    def _forget(self) -> None:
        self._futures: list[tuple[Any, int]] = []
        self._last: dict[TopicPartition, Any] = {}
        self._waited = 0
        self._outstanding = 0
        self._sealed = True

    def _send_failed(self, record: Outgoing, exc: Exception) -> NoReturn:
        # The library does not count this against the transaction: a commit would publish the rest without it.
        self._standing.lost()
        if isinstance(exc, _TOO_LARGE):
            raise PermanentError(say("transport.too_large", topic=record.topic, reason=named(exc))) from exc
        if isinstance(exc, errors.KafkaTimeoutError):
            self._doubt(exc, "send", f"nothing is known of topic {record.topic}: the broker is away, or there is none")
        self._doubt(exc, "send")

    def _wait_for_oldest(self) -> None:
        future, size = self._futures[self._waited]
        self._call("send", future.get, timeout=DELIVERY_MS / 1000 + 1)
        self._waited += 1
        self._outstanding -= size

    def _send_offsets(self, offsets: Mapping[TopicPartition, int], membership: Membership) -> None:
        self._producer.send_offsets_to_transaction(
            {NativePartition(*partition): OffsetAndMetadata(offset, "", -1) for partition, offset in offsets.items()},
            ConsumerGroupMetadata(
                membership.group, membership.generation, membership.member, membership.instance or None
            ),
        )

    def _check_futures(self) -> None:
        for future, _ in self._futures:
            if not future.succeeded():
                self._future_failed(future)

    def _future_failed(self, future: Any) -> NoReturn:
        exc = future.exception if future.is_done else None
        if isinstance(exc, _TOO_LARGE):
            self._standing.lost()
            topic = next((partition.topic for partition, last in self._last.items() if last is future), "Kafka")
            raise PermanentError(say("transport.too_large", topic=topic, reason=named(exc))) from exc
        self._doubt(exc, "record", "still on its way" if exc is None else "")

    def _call(self, reason: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self._standing.require_whole()
        try:
            call(*args, **kwargs)
        except (TypeError, ValueError):
            self._standing.lost()
            raise
        except Exception as exc:  # noqa: BLE001 - whatever the library raises leaves the outcome open
            self._doubt(exc, reason)

    def _doubt(self, exc: BaseException | None, reason: str, text: str = "") -> NoReturn:
        """Raise what an outcome that is not known to be good means."""
        if isinstance(exc, errors.AuthorizationError):
            self._standing.lost()
            raise SettingsError(say("transport.not_allowed", reason=named(exc))) from exc
        if isinstance(exc, DeadlineError):
            reason = "deadline"
        elif says(exc, INSTANCE_FENCED):
            reason = "instance_fenced"
        elif says(exc, _STALE):
            reason = "stale"
        elif says(exc, _FENCES):
            reason = "fenced"
        self._standing.doubt(reason, text or told(exc), exc)

    def _drop(self) -> None:
        producer, self._producer = self._producer, None
        self._forget()
        if producer is None:
            return
        # Closing may raise or hang, and the sender may go on sending: it is stopped by hand, before and after.
        producer._sender.force_close()  # noqa: SLF001
        with suppress(Exception):
            within(3.0, producer.close, timeout=0.5)
        producer._sender.force_close()  # noqa: SLF001
