"""The ledger: what the owner of a partition knows, with the batch in hand laid over what is stored.

Everything is a key and its bytes, the same in `exchange.state`, in LMDB and here. What a batch changes is
staged until its Kafka transaction has committed; in doubt it is dropped, and the store has never seen it.
Sums by bucket are the exception: they follow from the statements, so they are in LMDB and here alone.
"""

import struct
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

from exchange import statements, watermarks
from exchange.statements import Identity, Statement
from exchange.watermarks import Source
from schemas.audit import Sum
from schemas.codec import Contract

MAX_SUBJECT_BYTES = 240
_LONG_IDENTITY = 250
_STATEMENT, _HEAD, _SOURCE, _PARTITION, _BUCKET = b"s\0", b"h\0", b"a\0", b"p", b"b\0"
_HASHED = 32
_SUM = struct.Struct(">q16s")

Head = dict[str, Any]
PartitionState = dict[str, Any]
NEW_PARTITION: PartitionState = {"tick": None, "policy": None, "journal_hash": None, "transactions": 0}


class Place(NamedTuple):
    """Where a piece of state lies: partition and key."""

    partition: int
    key: bytes


class Stored(Protocol):
    """What lies under the ledger."""

    def get(self, place: Place) -> bytes | None:
        """The bytes at that place."""

    def scan(self, partition: int, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Every key that begins so, with its bytes, in the order of keys."""


class Ledger:
    """Reads and stages state by what it means; what a batch changes is encoded once, at its end."""

    def __init__(self, stored: Stored, contract: Contract) -> None:
        self._stored = stored
        self._contract = contract
        self.drop()

    def drop(self) -> None:
        """Forget the batch."""
        self._statements: dict[tuple[int, str], dict[Identity, Statement]] = {}
        self._heads: dict[tuple[int, str], Head] = {}
        self._sources: dict[tuple[int, str], Source] = {}
        self._partitions: dict[int, PartitionState] = {}
        self._sums: dict[Place, Sum] = {}

    def sums_staged(self) -> dict[Place, bytes | None]:
        """What the batch has changed of the sums: for the store alone."""
        return {place: sum_bytes(each) for place, each in self._sums.items()}

    def staged(self) -> dict[Place, bytes]:
        """What the batch has changed, as it is stored."""
        return dict(self._encoded())

    def _encoded(self) -> Iterator[tuple[Place, bytes]]:
        encode = self._contract.encode
        for (partition, subject), changed in self._statements.items():
            for identity, statement in changed.items():
                place = Place(partition, _statement_key(subject, identity))
                yield place, encode("state/statement-1", statements.to_record(statement))
        for (partition, subject), head in self._heads.items():
            yield _head_place(partition, subject), encode("state/head-1", head)
        for (partition, name), source in self._sources.items():
            yield _source_place(partition, name), encode("state/source-2", watermarks.to_record(source))
        for partition, known in self._partitions.items():
            yield Place(partition, _PARTITION), encode("state/partition-1", known)

    # --- statements --------------------------------------------------------------------------------------------------
    def statement(self, partition: int, subject: str, identity: Identity) -> Statement | None:
        """One statement of a subject."""
        if changed := self._statements.get((partition, subject), {}).get(identity):
            return changed
        found = self._read(Place(partition, _statement_key(subject, identity)))
        return statements.of_record(found) if found else None

    def statements(self, partition: int, subject: str) -> list[Statement]:
        """All statements of a subject."""
        stored = self._scan(partition, _STATEMENT + subject.encode() + b"\0")
        found = {statement.identity: statement for statement in (statements.of_record(record) for _, record in stored)}
        return list((found | self._statements.get((partition, subject), {})).values())

    def put_statement(self, partition: int, subject: str, statement: Statement) -> None:
        """Stage a statement."""
        self._statements.setdefault((partition, subject), {})[statement.identity] = statement

    def held(self, partition: int, source: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Statement]]:
        """Every statement of a source whose row is wanted, with its subject; told by the key, most are never opened."""
        staged = {
            _statement_key(subject, identity): (subject, statement)
            for (where, subject), changed in self._statements.items()
            if where == partition
            for identity, statement in changed.items()
        }
        found = (each for each in staged.values() if each[1].identity.source == source)
        yield from (each for each in found if wanted(each[1].identity.record_id))
        for key, value in self._stored.scan(partition, _STATEMENT):
            if key in staged or not _perhaps(key, source, wanted):
                continue
            statement = statements.of_record(self._contract.decode(value)[1])
            if statement.identity.source == source and wanted(statement.identity.record_id):
                yield subject_of(key) or "", statement

    # --- sums --------------------------------------------------------------------------------------------------------
    def add_to_sum(self, partition: int, source: str, bucket: int, difference: Sum) -> None:
        """Stage a bucket's sum with something added."""
        place = sum_place(partition, source, bucket)
        known = self._sums[place] if place in self._sums else sum_of(self._stored.get(place))
        self._sums[place] = known.plus(difference)

    def sums(self, partition: int, source: str) -> dict[int, Sum]:
        """A source's sums by bucket, as they are now."""
        prefix = _BUCKET + source.encode() + b"\0"
        places = {Place(partition, key): sum_of(value) for key, value in self._stored.scan(partition, prefix)}
        places |= {p: each for p, each in self._sums.items() if p.partition == partition and p.key.startswith(prefix)}
        return {int.from_bytes(place.key[-2:], "big"): each for place, each in places.items()}

    # --- heads -------------------------------------------------------------------------------------------------------
    def head(self, partition: int, subject: str) -> Head | None:
        """What was last published of a subject."""
        return self._heads.get((partition, subject)) or self._read(_head_place(partition, subject))

    def heads(self, partition: int) -> Iterator[tuple[str, Head]]:
        """Every subject of the partition with what was last published of it."""
        for key, head in self._scan(partition, _HEAD):
            subject = key.removeprefix(_HEAD).decode()
            if (partition, subject) not in self._heads:
                yield subject, head
        yield from [(subject, head) for (where, subject), head in self._heads.items() if where == partition]

    def put_head(self, partition: int, subject: str, head: Head) -> None:
        """Stage what is published of a subject."""
        self._heads[partition, subject] = head

    # --- sources and the partition -----------------------------------------------------------------------------------
    def source(self, partition: int, name: str) -> Source:
        """What is known of a source here; nothing yet where it is new."""
        if staged := self._sources.get((partition, name)):
            return staged
        found = self._read(_source_place(partition, name))
        return watermarks.of_record(found) if found else Source()

    def sources(self, partition: int) -> Iterator[tuple[str, Source]]:
        """Every source heard of here."""
        stored = self._scan(partition, _SOURCE)
        found = {key.removeprefix(_SOURCE).decode(): watermarks.of_record(record) for key, record in stored}
        found |= {name: source for (where, name), source in self._sources.items() if where == partition}
        yield from sorted(found.items())

    def put_source(self, partition: int, name: str, known: Source) -> None:
        """Stage what is known of a source."""
        self._sources[partition, name] = known

    def partition(self, partition: int) -> PartitionState:
        """What is known of the partition as a whole."""
        return self._partitions.get(partition) or self._read(Place(partition, _PARTITION)) or NEW_PARTITION

    def put_partition(self, partition: int, known: PartitionState) -> None:
        """Stage what is known of the partition."""
        self._partitions[partition] = known

    # --- what lies under it ------------------------------------------------------------------------------------------
    def _read(self, place: Place) -> dict[str, Any] | None:
        value = self._stored.get(place)
        return self._contract.decode(value)[1] if value else None

    def _scan(self, partition: int, prefix: bytes) -> Iterator[tuple[bytes, dict[str, Any]]]:
        for key, value in self._stored.scan(partition, prefix):
            yield key, self._contract.decode(value)[1]


def subject_of(key: bytes) -> str | None:
    """The subject whose statement a key holds; none for another kind of key."""
    return key.split(b"\0", 2)[1].decode() if key.startswith(_STATEMENT) else None


def sum_place(partition: int, source: str, bucket: int) -> Place:
    """Where a bucket's sum lies."""
    return Place(partition, _BUCKET + source.encode() + b"\0" + bucket.to_bytes(2, "big"))


def sum_bytes(each: Sum) -> bytes | None:
    """A sum as it is stored; one of nothing is not."""
    return None if each == Sum() else _SUM.pack(each.count, each.digest_bytes)


def sum_of(stored: bytes | None) -> Sum:
    """A sum as it was stored."""
    return Sum.of(*_SUM.unpack(stored)) if stored else Sum()


def _perhaps(key: bytes, source: str, wanted: Callable[[str], bool]) -> bool:
    """Whether a statement may be a wanted row's, by its key; a long identity has to be opened."""
    told = key.split(b"\0", 2)[2]
    named, _, rest = told.partition(b"\0")
    if named == source.encode():
        return wanted(rest.partition(b"\0")[0].decode())
    return len(told) == _HASHED


def _head_place(partition: int, subject: str) -> Place:
    return Place(partition, _HEAD + subject.encode())


def _source_place(partition: int, name: str) -> Place:
    return Place(partition, _SOURCE + name.encode())


def _statement_key(subject: str, identity: Identity) -> bytes:
    """Statements of a subject stand together; a long identity by its hash, for LMDB takes 511 bytes."""
    told = "\0".join(identity).encode()
    if len(told) > _LONG_IDENTITY:
        told = blake2b(told, digest_size=_HASHED).digest()
    return _STATEMENT + subject.encode() + b"\0" + told
