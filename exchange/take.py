"""Taking: a message is opened, or refused as it came with a reason.

Only what a message says of itself is looked at here; whether it changes anything is for `reconcile`.
"""

import re
from dataclasses import dataclass
from typing import Any

from exchange.ledger import MAX_SUBJECT_BYTES
from schemas.audit import AuditKey
from schemas.catalogue import KINDS
from schemas.codec import Contract, UndecodableError, UnknownSchemaError
from schemas.subjects import partition as partition_of
from transport.client import Message

WATERMARK_PREFIX = "~watermark:"
SOURCE_HEADER = "source"
_LONGEST_SOURCE = 100
_NAME = re.compile("[a-z][a-z0-9_]*")
_PREFIXES = {"legal_person": ("legal:", "row:"), "natural_person": ("person:", "row:")}


class RefusedError(Exception):
    """The message can never be taken; `reason` is a code, `fields` names what is the cause."""

    def __init__(self, reason: str, *fields: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Record:
    """An opened record: its subject and its head; `value` keeps the body closed."""

    subject: str
    kind: str
    meta: dict[str, Any]
    value: bytes


@dataclass(frozen=True, slots=True)
class Marker:
    """An opened resend marker: what the partition holds at this place is asked for."""

    marker: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """An opened watermark."""

    watermark: dict[str, Any]


def source_of(message: Message, department: str) -> str:
    """Which source a message counts for; it stands in a header, so that one that cannot be opened counts too.

    A department counts for its own sources only: what names another's, or none, is kept apart as `<department>.?`.
    """
    found = next((value for name, value in message.headers if name == SOURCE_HEADER), b"").decode("ascii", "replace")
    return found if _belongs(found, department) else f"{department}.?"


def is_watermark(message: Message) -> bool:
    """Whether the message is a watermark: those are not part of the stream audit's sum."""
    return message.key is not None and message.key.startswith(WATERMARK_PREFIX.encode())


def opened(message: Message, department: str, contract: Contract, partitions: int) -> Record | Mark | Marker:
    """The message opened; raises `RefusedError`, or `UnknownSchemaError` where waiting may help."""
    if message.key is None or message.value is None:
        raise RefusedError("no_value" if message.key else "no_key")
    try:
        key = message.key.decode()
        if key.startswith(WATERMARK_PREFIX):
            return _watermark(message, key, department, contract)
        return _record(message, key, department, contract, partitions)
    except UnicodeDecodeError as exc:
        raise RefusedError("bad_key") from exc
    except UnknownSchemaError:
        raise
    except UndecodableError as exc:
        raise RefusedError(exc.reason) from exc


def _watermark(message: Message, key: str, department: str, contract: Contract) -> Mark | Marker:
    name, watermark = contract.decode_strictly(message.value or b"")
    if name not in ("registry/watermark-1", "reconciliation/marker-1"):
        raise RefusedError("not_a_watermark")
    _require_own(watermark["source"], message, department)
    expected = f"{WATERMARK_PREFIX}{watermark['source']}:{message.partition}"
    _require(key == expected and watermark["partition"] == message.partition, "wrong_partition", "partition")
    if name == "reconciliation/marker-1":
        return Marker(watermark)
    _require(watermark["epoch"] > 0 and watermark["cycle"] > 0, "bad_version", "cycle")
    _require(watermark["sum_count"] >= 0, "bad_version", "sum_count")
    return Mark(watermark)


def _record(message: Message, key: str, department: str, contract: Contract, partitions: int) -> Record:
    value = message.value or b""
    head = contract.head(value)
    schema = contract[head.name]
    kind = schema.subject or KINDS[0]
    _require(schema.department == department, "wrong_department", "meta")
    _require_own(head.meta["source"], message, department)
    _require(key.startswith(_PREFIXES[kind]) and len(key.encode()) <= MAX_SUBJECT_BYTES and "\0" not in key, "bad_key")
    _require(partition_of(key, partitions) == message.partition, "wrong_partition")
    _require(not any("\0" in head.meta[name] for name in ("source", "record_id", "part")), "bad_identity", "record_id")
    _require(head.meta["rows"] >= 0 and head.meta["epoch"] > 0 and head.meta["cycle"] > 0, "bad_version", "cycle")
    return Record(key, kind, head.meta, value)


def verify(record: Record, contract: Contract, audit: AuditKey) -> None:
    """Open the body too, once, before it is kept: from here on it is trusted.

    A full image is what its row hash says, so that counting row hashes counts contents.
    """
    try:
        name, content = contract.decode_strictly(record.value)
    except UndecodableError as exc:
        raise RefusedError(exc.reason) from exc
    if record.meta["operation"] in ("UPSERT", "END"):
        said = audit.row_hash(name, contract.content(name, content))
        _require(said == record.meta["row_hash"], "hash_differs", "row_hash")


def _require_own(source: str, message: Message, department: str) -> None:
    _require(_belongs(source, department) and source == source_of(message, department), "wrong_source", "source")


def _belongs(source: str, department: str) -> bool:
    """Whether it is one of the department's sources, as connectors name them: nothing else becomes a key or a label."""
    name = source.removeprefix(f"{department}.")
    return name != source and len(source) <= _LONGEST_SOURCE and _NAME.fullmatch(name) is not None


def _require(holds: object, reason: str, *fields: str) -> None:
    if not holds:
        raise RefusedError(reason, *fields)
