"""The library itself: brought in, configured, and its errors put into our words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
)
from confluent_kafka import Message as NativeMessage
from confluent_kafka import TopicPartition as NativePartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, OffsetSpec
from confluent_kafka.admin import NewTopic as NativeTopic
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from process.errors import PermanentError, SettingsError
from process.messages import say
from transport.client import Message, TopicPartition
from transport.deadline import QUERY_SECONDS, DeadlineError
from transport.preflight import reach, unreachable
from transport.settings import Kafka

__all__ = [
    "NOT_ALLOWED",
    "OFFSET_BEGINNING",
    "OFFSET_END",
    "AdminClient",
    "AlterConfigOpType",
    "ConfigEntry",
    "ConfigResource",
    "Consumer",
    "ConsumerGroupTopicPartitions",
    "IsolationLevel",
    "KafkaError",
    "KafkaException",
    "NativeMessage",
    "NativePartition",
    "NativeTopic",
    "OffsetSpec",
    "Producer",
    "TopicCollection",
    "code_of",
    "error_of",
    "failed",
    "instance_fenced",
    "made",
    "message",
    "offsets_at",
    "partition_count",
    "patiently",
    "sound",
    "told",
]

# Without a logger it writes to the error output. We say what is wrong once, where it is decided what to do.
_silent = logging.getLogger("librdkafka")
_silent.setLevel(logging.CRITICAL + 1)

_BASE: dict[str, Any] = {
    "log_level": 0,
    "logger": _silent,
    # The default grows to ten seconds: as long as the broker was away, and then as long again.
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 500,
    "socket.nagle.disable": True,
    # Figures about this process, sent to whoever runs the brokers.
    "enable.metrics.push": False,
}

NOT_ALLOWED = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
_REFUSED = frozenset(
    {
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.INVALID_REPLICATION_FACTOR,
        KafkaError.INVALID_PARTITIONS,
        KafkaError.INVALID_CONFIG,
        KafkaError.INVALID_REQUEST,
        KafkaError.POLICY_VIOLATION,
        KafkaError.UNSUPPORTED_VERSION,
        KafkaError._INVALID_ARG,  # noqa: SLF001 - the library's own errors begin with an underscore
        KafkaError._UNSUPPORTED_FEATURE,  # noqa: SLF001
    }
)

_T = TypeVar("_T")


def made(settings: Kafka, kind: Callable[[dict[str, Any]], _T], options: dict[str, Any]) -> _T:
    """Make one of the library's clients."""
    # Asked first: the library tells its log alone that it is not let in, and goes on trying.
    reach(settings)
    try:
        return kind({**_BASE, "bootstrap.servers": settings.brokers, **_security(settings), **options})
    except Exception as exc:
        raise failed(exc, settings) from exc


def _security(settings: Kafka) -> dict[str, Any]:
    options: dict[str, Any] = {"security.protocol": settings.protocol}
    if settings.tls:
        files = {
            "ssl.ca.location": settings.ca_file,
            "ssl.certificate.location": settings.cert_file,
            "ssl.key.location": settings.key_file,
        }
        options |= {name: str(file) for name, file in files.items() if file is not None}
    if settings.sasl:
        options |= {
            "sasl.mechanism": settings.mechanism,
            "sasl.username": settings.username,
            "sasl.password": settings.password(),
        }
    return options


def message(native: Any) -> Message:
    """What Kafka handed over, as the rest of the system knows it.

    The library's annotations allow for messages that lack this or that; those that have no error lack nothing.
    """
    headers = native.headers()
    return Message(
        native.topic(),
        native.partition(),
        native.offset(),
        native.key(),
        native.value(),
        # A header without a value comes from another client; ours cannot send it.
        tuple([(name, value or b"") for name, value in headers]) if headers else (),
        native.timestamp()[1],
    )


def partition_count(consumer: Consumer, topic: str) -> int:
    """How many partitions the topic has; its error if there is no such topic, or none for us.

    Asked by name: a list of all topics leaves out those that may not be read.
    """
    found = consumer.list_topics(topic, timeout=QUERY_SECONDS).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    return len(found.partitions)


def offsets_at(
    consumer: Consumer, partitions: Iterable[TopicPartition], place: int, seconds: float = QUERY_SECONDS
) -> dict[TopicPartition, int]:
    """Where partitions begin (OFFSET_BEGINNING), or end for a reader of committed data (OFFSET_END).

    Kafka's question for offsets by time takes these two for times, and takes all partitions at once.
    """
    asked = [NativePartition(*partition, place) for partition in partitions]

    def ask() -> dict[TopicPartition, int]:
        found = consumer.offsets_for_times(asked, timeout=seconds)
        return {TopicPartition(each.topic, each.partition): sound(each).offset for each in found}

    return patiently(ask, seconds) if asked else {}


def patiently(ask: Callable[[], _T], seconds: float = QUERY_SECONDS) -> _T:
    """The answer to a question, asked again while leaders change: the library does so for records, not for these."""
    again = retry_if_exception(lambda exc: isinstance(exc, KafkaException) and code_of(exc) not in NOT_ALLOWED)
    return Retrying(retry=again, wait=wait_fixed(0.05), stop=stop_after_delay(seconds), reraise=True)(ask)


def sound(native: NativePartition) -> NativePartition:
    """A partition of an answer, if the answer has no error for it."""
    if native.error is not None:
        raise KafkaException(native.error)
    return native


def failed(exc: Exception, settings: Kafka) -> Exception:
    """What an error outside a transaction means to the caller."""
    error = error_of(exc)
    if error is None:
        known = isinstance(exc, (DeadlineError, RuntimeError, OSError))
        return unreachable(settings, told(exc)) if known else exc
    if error.code() in NOT_ALLOWED:
        return SettingsError(say("transport.not_allowed", reason=told(error)))
    if error.code() in _REFUSED:
        return PermanentError(say("transport.refused_by_broker", reason=told(error)))
    return unreachable(settings, told(error))


def error_of(exc: BaseException | None) -> KafkaError | None:
    """The library's error that an exception carries, or was caused by.

    Delivery reports are served while the error that ended the producer is on its way up, which makes a SystemError
    of it.
    """
    while exc is not None:
        first = exc.args[0] if isinstance(exc, KafkaException) and exc.args else None
        if isinstance(first, KafkaError):
            return first
        exc = exc.__cause__
    return None


def code_of(exc: BaseException | None) -> int | None:
    """Its number, if an exception carries an error of the library's."""
    error = error_of(exc)
    return None if error is None else error.code()


def instance_fenced(error: KafkaError) -> bool:
    """Whether another member has our name.

    A consumer ends by it, and tells then only that it has ended, with the words of the error it ended by.
    """
    ours = KafkaError(KafkaError.FENCED_INSTANCE_ID)
    fatal = error.code() == KafkaError._FATAL  # noqa: SLF001 - public, in spite of its name
    return error.code() == ours.code() or (fatal and ours.str() in error.str())


def told(exc: BaseException | KafkaError | None) -> str:
    """An error in a line, without the name of its class where the library has words for it."""
    error = exc if isinstance(exc, KafkaError) else error_of(exc)
    if error is not None:
        return error.str()[:300]
    return "" if exc is None else f"{type(exc).__name__}: {exc}"[:300]
