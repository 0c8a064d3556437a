"""Messages as bytes: the Confluent frame around Avro, by the published files.

A value is `0x00`, a 4-byte big-endian schema id, and Avro binary; the id is the first 31 bits of the
file's SHA-256 and stands in `ids.lock`, so that no team allocates numbers and a stock consumer reads every
topic. Every record type begins with `meta`: `Contract.head` opens that and leaves the body alone.
"""

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import fastavro

from schemas import compiled
from schemas.files import folder_of, newest_name, published_files, schema_id

FRAME_BYTES = 5
MAX_VALUE_BYTES = 1_000_000  # no message of ours comes near; nothing larger is even parsed
NO_HASH = bytes(16)

# What a version adds to a record: left out of its row hash, for the same content must hash the same in every cycle.
_VERSION = {
    "source": "",
    "record_id": "",
    "epoch": 0,
    "cycle": 0,
    "source_token": None,
    "moved_to": None,
    "row_hash": NO_HASH,
}


class UndecodableError(ValueError):
    """The bytes are no message of ours; `reason` is a code for the quarantine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownSchemaError(UndecodableError):
    """The frame names a schema this installation does not have: a newer connector may have been deployed first."""

    def __init__(self, schema_id: int) -> None:
        super().__init__("unknown_schema")
        self.schema_id = schema_id


class Head(NamedTuple):
    """A record with its head open and its body closed."""

    name: str
    meta: dict[str, Any]


class Feed(NamedTuple):
    """A field of a record type, the attribute it speaks to, and which part of its value where that is a record."""

    field: str
    attribute: str
    part: str | None


def feeds_of(fields: Iterable[Mapping[str, Any]]) -> list[Feed]:
    """Which field speaks to which attribute, in field order."""
    return [Feed(field["name"], *_target(field["feeds"])) for field in fields if "feeds" in field]


def _target(feeds: str) -> tuple[str, str | None]:
    _kind, attribute, *part = feeds.split(".")
    return attribute, part[0] if part else None


@dataclass(frozen=True, slots=True)
class Published:
    """One published file."""

    name: str
    id: int
    document: dict[str, Any]
    parsed: Any
    frame: bytes
    write: compiled.Write
    read: compiled.Read

    @property
    def department(self) -> str:
        """The department whose record type this is; the folder of the file."""
        return folder_of(self.name)

    @property
    def subject(self) -> str | None:
        """The subject kind of a record type; none for the product's own schemas."""
        kind = self.document.get("subject")
        return kind if isinstance(kind, str) else None

    def feeds(self) -> list[Feed]:
        """Which field speaks to which attribute, in field order."""
        return feeds_of(self.document["fields"])


class Contract:
    """All published schemas, and encoding and decoding by them."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """`files`: name (like `local_tax/taxpayer-1`) to the bytes of the .avsc file."""
        self._by_name = {name: _publish(name, content) for name, content in files.items()}
        self._by_id = {schema.id: schema for schema in self._by_name.values()}
        if len(self._by_id) != len(self._by_name):
            message = "two published files share a schema id: change the text of the newer one"
            raise ValueError(message)
        meta = next(schema.document["fields"][0]["type"] for schema in self._by_name.values() if schema.subject)
        self._meta = fastavro.parse_schema(meta)
        self._read_meta = compiled.reader(meta)

    def __getitem__(self, name: str) -> Published:
        return self._by_name[name]

    def names(self) -> list[str]:
        """Every published name, sorted."""
        return sorted(self._by_name)

    def newest(self, family: str) -> str:
        """The name with the highest number: `registry/legal-person` gives `registry/legal-person-2`."""
        return newest_name(family, self._by_name)

    def encode(self, name: str, value: Mapping[str, Any]) -> bytes:
        """`value` in its frame; raises what fastavro raises when it does not fit its schema: a defect, not bad data."""
        schema = self._by_name[name]
        out = bytearray(schema.frame)
        try:
            schema.write(value, out)
        except Exception:  # noqa: BLE001 - whatever it is, the reference writes the value or says what is wrong
            return by_the_reference(schema, value)
        return bytes(out)

    def schema_of(self, value: bytes) -> Published:
        """Which published file the frame names."""
        if len(value) <= FRAME_BYTES or value[0] != 0:
            reason = "not_framed"
            raise UndecodableError(reason)
        if len(value) > MAX_VALUE_BYTES:
            reason = "too_large"
            raise UndecodableError(reason)
        number = int.from_bytes(value[1:FRAME_BYTES], "big")
        if number not in self._by_id:
            raise UnknownSchemaError(number)
        return self._by_id[number]

    def decode(self, value: bytes) -> tuple[str, dict[str, Any]]:
        """Name and content; for bytes of our own making."""
        schema = self.schema_of(value)
        content = _read_plainly(schema.read, value)
        return schema.name, _read(schema.parsed, value) if content is None else content

    def decode_strictly(self, value: bytes) -> tuple[str, dict[str, Any]]:
        """Name and content; for bytes from outside: what does not encode back to the same bytes is refused.

        Avro readers accept trailing bytes, negative indexes and over-long varints; the round trip does not.
        """
        schema = self.schema_of(value)
        plain = _read_plainly(schema.read, value)
        if plain is not None:
            return schema.name, plain
        content = _read(schema.parsed, value)
        try:
            again = by_the_reference(schema, content)
        except Exception as exc:  # whatever fastavro makes of hostile bytes
            raise UndecodableError("malformed") from exc
        if again != value:
            raise UndecodableError("not_canonical")
        return schema.name, content

    def head(self, value: bytes) -> Head:
        """A record's name and meta; the body stays closed."""
        schema = self.schema_of(value)
        if schema.subject is None:
            raise UndecodableError("not_a_record")
        content = _read_plainly(self._read_meta, value, whole=False)
        return Head(schema.name, _read(self._meta, value) if content is None else content)

    def content(self, name: str, record: Mapping[str, Any]) -> bytes:
        """The canonical bytes of what a record says, whatever its version: what `row_hash` is taken over."""
        meta = {**record["meta"], **_VERSION, "observed_at": 0}
        return self.encode(name, {**record, "meta": meta})


def _publish(name: str, content: bytes) -> Published:
    document = json.loads(content)
    number = schema_id(content)
    parsed = fastavro.parse_schema(document)
    frame = b"\0" + number.to_bytes(4, "big")
    return Published(name, number, document, parsed, frame, compiled.writer(document), compiled.reader(document))


def by_the_reference(schema: Published, value: Mapping[str, Any]) -> bytes:
    """What fastavro makes of a value, frame included."""
    out = io.BytesIO()
    out.write(schema.frame)
    fastavro.schemaless_writer(out, schema.parsed, value, strict=True)
    return out.getvalue()


def _read_plainly(read: compiled.Read, value: bytes, *, whole: bool = True) -> dict[str, Any] | None:
    """The content, where the value is written the one way we write; None: let the reference look."""
    try:
        content, end = read(value, FRAME_BYTES)
    except Exception:  # noqa: BLE001 - hostile bytes may lead to any
        return None
    return content if end == len(value) or not whole else None


def _read(parsed: Any, value: bytes) -> dict[str, Any]:
    stream = io.BytesIO(value)
    stream.seek(FRAME_BYTES)
    try:
        content = fastavro.schemaless_reader(stream, parsed, None)
    except Exception as exc:  # fastavro raises anything from EOFError to OverflowError on hostile bytes
        raise UndecodableError("malformed") from exc
    if not isinstance(content, dict):
        raise UndecodableError("malformed")
    return content


@cache
def contract() -> Contract:
    """The contract this distribution ships."""
    return Contract(published_files())
