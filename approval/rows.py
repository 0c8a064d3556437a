"""Rows: what a batch of registry and history messages comes to in the view's tables.

Of several messages under one key only the last counts, so it does not matter where a batch ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from process.errors import PermanentError, TransientError
from process.messages import say
from schemas import topics
from schemas.codec import Contract, UndecodableError, UnknownSchemaError
from schemas.entry import kind_of
from transport.client import Message

Row = Mapping[str, Any]

ALIAS: Final = "registry/alias-1"
WATERMARK: Final = "registry/watermark-1"
HISTORY: Final = "registry/history-1"
_MARK: Final = "~watermark:"


class UnknownSchemaNumberError(TransientError):
    """The registry holds what only a newer installation can read: upgrade, and start again."""


@dataclass(slots=True)
class Rows:
    """New rows per table; `subjects`, `marks` and `changes` name those whose old rows go first."""

    subjects: list[Row] = field(default_factory=list)
    entries: list[Row] = field(default_factory=list)
    aliases: list[Row] = field(default_factory=list)
    identifiers: list[Row] = field(default_factory=list)
    marks: list[Row] = field(default_factory=list)
    watermarks: list[Row] = field(default_factory=list)
    past_watermarks: list[Row] = field(default_factory=list)
    changes: list[Row] = field(default_factory=list)
    past_entries: list[Row] = field(default_factory=list)


def kinds(prefix: str) -> Mapping[str, str]:
    """The registry's topics and the kind of subject each speaks of."""
    return {topics.registry(prefix, kind): kind.replace("-", "_") for kind in topics.KINDS}


def rows_of(messages: Sequence[Message], prefix: str, contract: Contract) -> Rows:
    """What the messages change; those of one partition in their order."""
    rows, registry = Rows(), kinds(prefix)
    for message in messages:
        if message.topic in registry and message.value is not None and _key(message).startswith(_MARK):
            rows.past_watermarks.append(_past_watermark(message, registry[message.topic], contract))
    for message in _last_per_key(messages):
        if message.topic not in registry:
            _take_change(message, rows, contract)
        elif _key(message).startswith(_MARK):
            _take_watermark(message, registry[message.topic], rows)
        else:
            _take_subject(message, rows, contract)
    return rows


def _last_per_key(messages: Iterable[Message]) -> Iterable[Message]:
    return {(message.topic, message.key): message for message in messages}.values()


def _take_subject(message: Message, rows: Rows, contract: Contract) -> None:
    subject = _key(message)
    rows.subjects.append({"subject": subject})
    if message.value is None:
        return
    name, value = opened(message, contract)
    if name == ALIAS:
        rows.aliases.append({"subject": subject, "recorded_at": message.timestamp_ms, **value})
    elif (kind := kind_of(name)) is not None:
        rows.entries.append(_entry(message, subject, kind, value))
        rows.identifiers.extend(_identifiers(subject, value))
    else:
        raise _unexpected(message, name)


def _entry(message: Message, subject: str, kind: str, value: Row) -> Row:
    headers = dict(message.headers)
    return {
        "subject": subject,
        "kind": kind,
        "condition": value["condition"],
        "change": int(headers.get("change", b"0")),
        "alias_epoch": int(headers.get("alias_epoch", b"0")),
        "content_hash": value["content_hash"].hex(),
        "recorded_at": message.timestamp_ms,
        "value": message.value,
    }


def _identifiers(subject: str, entry: Row) -> Iterable[Row]:
    numbers = {(number["scheme"], number["value"]): number["verdict"] for number in entry["identifiers"]}
    for (scheme, value), verdict in numbers.items():
        yield {"subject": subject, "scheme": scheme, "value": value, "verdict": verdict}


def _take_watermark(message: Message, kind: str, rows: Rows) -> None:
    source, _, partition = _key(message).removeprefix(_MARK).rpartition(":")
    place = {"topic": message.topic, "source": source, "partition": int(partition)}
    rows.marks.append(place)
    if message.value is not None:
        told = {"kind": kind, "recorded_at": message.timestamp_ms, "value": message.value}
        rows.watermarks.append({**place, **told})


def _past_watermark(message: Message, kind: str, contract: Contract) -> Row:
    name, value = opened(message, contract)
    if name != WATERMARK:
        raise _unexpected(message, name)
    return {
        "topic": message.topic,
        "partition": value["partition"],
        "offset": message.offset,
        "source": value["source"],
        "kind": kind,
        "recorded_at": message.timestamp_ms,
        "value": message.value,
    }


def _take_change(message: Message, rows: Rows, contract: Contract) -> None:
    subject, _, change = _key(message).rpartition("#")
    place = {"subject": subject, "change": int(change)}
    rows.changes.append(place)
    if message.value is None:
        return
    name, value = opened(message, contract)
    if name != HISTORY:
        raise _unexpected(message, name)
    rows.past_entries.append({**place, "recorded_from": message.timestamp_ms, "value": value["entry"]})


def opened(message: Message, contract: Contract) -> tuple[str, dict[str, Any]]:
    """A message's schema name and content; what cannot be opened stops the reader, for skipping it would be a lie."""
    place = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
    try:
        return contract.decode(message.value or b"")
    except UnknownSchemaError as exc:
        raise UnknownSchemaNumberError(say("approval.unknown_schema", **place, schema_id=exc.schema_id)) from exc
    except UndecodableError as exc:
        raise PermanentError(say("approval.unreadable_message", **place, reason=exc.reason)) from exc


def _unexpected(message: Message, name: str) -> PermanentError:
    place = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
    return PermanentError(say("approval.unexpected_message", **place, schema=name))


def _key(message: Message) -> str:
    return (message.key or b"").decode()
