"""The ledger: what the owner of a partition knows, with the batch in hand laid over what is stored.

Everything is a key and its bytes, the same in `exchange.state`, in LMDB and here. What a batch changes is
staged until its Kafka transaction has committed; in doubt it is dropped, and the store has never seen it.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

from exchange import statements, watermarks
from exchange.statements import Identity, Statement
from exchange.watermarks import Source
from schemas.codec import Contract

MAX_SUBJECT_BYTES = 240
_LONG_IDENTITY = 250
_STATEMENT, _HEAD, _SOURCE, _PARTITION = b"s\0", b"h\0", b"a\0", b"p"

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
            yield _source_place(partition, name), encode("state/source-1", watermarks.to_record(source))
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


def _head_place(partition: int, subject: str) -> Place:
    return Place(partition, _HEAD + subject.encode())


def _source_place(partition: int, name: str) -> Place:
    return Place(partition, _SOURCE + name.encode())


def _statement_key(subject: str, identity: Identity) -> bytes:
    """Statements of a subject stand together; a long identity by its hash, for LMDB takes 511 bytes."""
    told = "\0".join(identity).encode()
    if len(told) > _LONG_IDENTITY:
        told = blake2b(told, digest_size=32).digest()
    return _STATEMENT + subject.encode() + b"\0" + told
