"""Keyed additive digests: two sides that never compare rows can still tell that they hold the same.

Adding is commutative and can be undone, so a sum is kept message by message, in any order; the key keeps
a digest of guessable numbers from being a dictionary. (Bellare and Micciancio's AdHash, modulo 2^128.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

MODULUS = 1 << 128
BUCKETS = 1 << 12  # of record ids: what differs is looked at and sent again by the bucket

Buckets = Mapping[int, "Sum"]
"""Sums by bucket; a bucket that holds nothing is left out."""


@dataclass(frozen=True, slots=True)
class Sum:
    """How many messages, and the sum of their digests modulo 2^128."""

    count: int = 0
    digest: int = 0

    def plus(self, other: "Sum") -> "Sum":
        """Both together."""
        return Sum(self.count + other.count, (self.digest + other.digest) % MODULUS)

    def minus(self, other: "Sum") -> "Sum":
        """What is left without the other."""
        return Sum(self.count - other.count, (self.digest - other.digest) % MODULUS)

    @property
    def digest_bytes(self) -> bytes:
        """The digest as it travels: 16 bytes, big-endian."""
        return self.digest.to_bytes(16, "big")

    @classmethod
    def of(cls, count: int, digest: bytes) -> "Sum":
        """A sum as it travelled."""
        return cls(count, int.from_bytes(digest, "big"))


@dataclass(frozen=True, slots=True)
class AuditKey:
    """The key that connectors and exchange share for counting; not the district's."""

    secret: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """What may be shown and compared: it says nothing about the key."""
        return blake2b(b"tongban audit fingerprint", key=self.secret[:64], digest_size=8).hexdigest()

    def of_message(self, key: bytes, value: bytes | None) -> Sum:
        """The sum of one message: its key and value."""
        body = b"\0" if value is None else b"\1" + value
        data = len(key).to_bytes(4, "big") + key + body
        return Sum(
            1, int.from_bytes(blake2b(data, key=self.secret[:64], digest_size=16, person=b"message").digest(), "big")
        )

    def bucket(self, record_id: str) -> int:
        """The bucket of a row; keyed, so that nobody can choose it."""
        digest = blake2b(record_id.encode(), key=self.secret[:64], digest_size=2, person=b"bucket").digest()
        return int.from_bytes(digest, "big") % BUCKETS

    def of_statement(self, record_id: str, part: str, subject: str, row_hash: bytes | None, rows: int) -> Sum:
        """The sum of one statement: `rows` rows, and the digest of what it says; no hash stands for a refused one."""
        told = [part.encode() for part in (record_id, part, subject)]
        data = b"".join(len(each).to_bytes(4, "big") + each for each in told) + (row_hash or b"refused")
        digest = blake2b(data, key=self.secret[:64], digest_size=16, person=b"statement").digest()
        return Sum(rows, int.from_bytes(digest, "big"))

    def row_hash(self, schema: str, content: bytes) -> bytes:
        """16 bytes over schema name and canonical content: differs when either does."""
        name = schema.encode()
        data = len(name).to_bytes(2, "big") + name + content
        return blake2b(data, key=self.secret[:64], digest_size=16, person=b"row").digest()


def buckets_told(buckets: Buckets) -> list[dict[str, Any]]:
    """Sums as they travel in `reconciliation/inventory-1`."""
    held = ((number, each) for number, each in sorted(buckets.items()) if each != Sum())
    return [{"bucket": number, "count": each.count, "digest": each.digest_bytes} for number, each in held]


def buckets_of(told: Sequence[Mapping[str, Any]]) -> dict[int, Sum]:
    """Sums as they travelled."""
    return {each["bucket"]: Sum.of(each["count"], each["digest"]) for each in told}
