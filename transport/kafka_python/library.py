"""The library itself: brought in, connected, and its errors put into our words."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from process.errors import FencedError, PermanentError, SettingsError, TransientError
from process.messages import say
from transport.client import Doubt
from transport.preflight import reach, unreachable
from transport.settings import Kafka

with warnings.catch_warnings():
    # It reads its own resources in a way that Python has deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import (
        ConsumerRebalanceListener,
        IsolationLevel,
        KafkaAdminClient,
        KafkaConsumer,
        KafkaProducer,
        OffsetAndMetadata,
        OffsetSpec,
        errors,
    )
    from kafka import TopicPartition as NativePartition
    from kafka.admin import ConfigResource
    from kafka.coordinator.assignors.range import RangePartitionAssignor
    from kafka.structs import ConsumerGroupMetadata

__all__ = [
    "INSTANCE_FENCED",
    "ConfigResource",
    "ConsumerGroupMetadata",
    "ConsumerRebalanceListener",
    "IsolationLevel",
    "KafkaAdminClient",
    "KafkaConsumer",
    "KafkaProducer",
    "NativePartition",
    "OffsetAndMetadata",
    "OffsetSpec",
    "RangePartitionAssignor",
    "errors",
    "failed",
    "made",
    "named",
    "says",
    "told",
]

# The library says it to its log and goes on reading; only a commit under the old membership is told.
INSTANCE_FENCED = ("FencedInstanceIdError",)

# It warns at every try while a broker is away; we say it once, where it is decided what to do.
logging.getLogger("kafka").setLevel(logging.CRITICAL)

_BOOTSTRAP_MS = 8_000


def made(settings: Kafka, kind: Callable[..., Any], **options: Any) -> Any:
    """Make one of the library's clients, which connects at once."""
    # Asked first: a client that is not let in waits out its whole time, leaves a thread behind, and does not say why.
    reach(settings)
    try:
        return kind(
            bootstrap_servers=settings.brokers.split(","),
            bootstrap_timeout_ms=_BOOTSTRAP_MS,
            reconnect_backoff_ms=50,
            # The default grows to half a minute: as long as the broker was away, and then as long again.
            reconnect_backoff_max_ms=500,
            **_security(settings),
            **options,
        )
    except Exception as exc:
        raise failed(exc, settings) from exc


def _security(settings: Kafka) -> dict[str, Any]:
    options: dict[str, Any] = {"security_protocol": settings.protocol}
    if settings.tls:
        options |= {
            "ssl_cafile": _path(settings.ca_file),
            "ssl_certfile": _path(settings.cert_file),
            "ssl_keyfile": _path(settings.key_file),
        }
    if settings.sasl:
        options |= {
            "sasl_mechanism": settings.mechanism,
            "sasl_plain_username": settings.username,
            "sasl_plain_password": settings.password(),
        }
    return options


def _path(file: object) -> str | None:
    return None if file is None else str(file)


def failed(exc: BaseException, settings: Kafka) -> Exception:
    """What an error outside a transaction means to the caller."""
    if isinstance(exc, (Doubt, TransientError, PermanentError, FencedError, TypeError, ValueError)):
        return exc
    if isinstance(exc, errors.AuthorizationError):
        return SettingsError(say("transport.not_allowed", reason=named(exc)))
    if isinstance(exc, _REFUSED):
        return PermanentError(say("transport.refused_by_broker", reason=told(exc)))
    return unreachable(settings, told(exc))


_REFUSED = (
    errors.InvalidTopicError,
    errors.InvalidReplicationFactorError,
    errors.InvalidPartitionsError,
    errors.InvalidConfigurationError,
    errors.InvalidRequestError,
    errors.PolicyViolationError,
    errors.KafkaConfigurationError,
    errors.UnsupportedVersionError,
)


def says(exc: BaseException | None, names: Sequence[str]) -> bool:
    """Whether an error is one of those named, or was caused by one.

    After the first call the library wraps the cause into a general error that has its name in the text only.
    """
    text = " ".join(f"{type(each).__name__} {each}" for each in _chain(exc))
    return any(re.search(rf"\b{name}\b", text) for name in names)


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__


def named(exc: BaseException) -> str:
    return type(exc).__name__


def told(exc: BaseException | None) -> str:
    return "" if exc is None else f"{type(exc).__name__}: {str(exc).removeprefix(type(exc).__name__ + ': ')}"[:300]
