"""Statements: a department's word on one row as the exchange keeps it, and how a new version joins it.

A statement is three maxima joined one by one - the highest version with a body, the highest deletion, the
highest refusal - and an erasure above them. Joining is commutative, associative and idempotent, so order,
repeats, batches and restarts cannot change what comes out: Kafka's transactions are needed for atomic
visibility, not for the content.

A version is (epoch, cycle) and compares only within one statement. At equal versions a body beats a
deletion: re-keying sends both at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar


class Version(NamedTuple):
    """Epoch and cycle of one reading of a row."""

    epoch: int
    cycle: int


class Identity(NamedTuple):
    """Which statement of a subject."""

    source: str
    record_id: str
    part: str


class Body(NamedTuple):
    """A full image; `value` is the department's message as it came, empty once a deletion is above it."""

    version: Version
    operation: str
    rows: int
    value: bytes


class Deletion(NamedTuple):
    """DELETE or WITHDRAW; `moved_to` names the key a re-keyed part went to, empty otherwise."""

    version: Version
    operation: str
    moved_to: str


class Refusal(NamedTuple):
    """The version that could not be used, and how many source rows it stands for."""

    version: Version
    rows: int


class Rows(NamedTuple):
    """Source rows a statement stands for: usable, or refused in their newest version."""

    live: int
    refused: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a subject."""

    identity: Identity
    body: Body | None = None
    deleted: Deletion | None = None
    refused: Refusal | None = None
    erased: Version | None = None

    @property
    def live(self) -> bool:
        """Whether its body counts."""
        return (
            self.body is not None
            and self.erased is None
            and not (self.deleted and self.deleted.version > self.body.version)
        )

    @property
    def newest_refused(self) -> bool:
        """Whether the newest version is one that could not be used."""
        if self.refused is None or self.erased is not None:
            return False
        others = [part.version for part in (self.body, self.deleted) if part is not None]
        return all(self.refused.version > version for version in others)

    @property
    def in_question(self) -> bool:
        """Whether its body counts although a newer version of the row could not be used."""
        return self.live and self.newest_refused

    @property
    def lost(self) -> bool:
        """Whether what it said was taken away: the row vanished or was erased, not moved, not withdrawn as a mistake.

        A row that never said anything (only noted, or always refused) takes nothing away.
        """
        if self.body is None or self.live:
            return False
        if self.deleted is not None and self.deleted.version > self.body.version:
            return self.deleted.operation == "DELETE" and not self.deleted.moved_to
        return True

    @property
    def newest(self) -> Version:
        """The newest version of any kind."""
        versions = [part.version for part in (self.body, self.deleted, self.refused) if part is not None]
        return max([*versions, *([self.erased] if self.erased else [])])

    @property
    def rows(self) -> Rows:
        """What it adds to the count of its source."""
        if self.newest_refused and self.refused is not None:
            return Rows(0, self.refused.rows)
        return Rows(self.body.rows, 0) if self.body is not None and self.live else Rows(0, 0)


def stated(meta: Mapping[str, Any], value: bytes) -> Statement:
    """The statement that one message makes by itself."""
    identity = Identity(meta["source"], meta["record_id"], meta["part"])
    version = Version(meta["epoch"], meta["cycle"])
    match meta["operation"]:
        case "UPSERT" | "END" as operation:
            return Statement(identity, body=Body(version, operation, meta["rows"], value))
        case "DELETE" | "WITHDRAW" as operation:
            return Statement(identity, deleted=Deletion(version, operation, meta["moved_to"] or ""))
        case "REFUSED":
            return Statement(identity, refused=Refusal(version, meta["rows"]))
        case _:
            return Statement(identity, erased=version)


def join(one: Statement, other: Statement) -> Statement:
    """Both words on one row as one: the maximum of each part.

    The value breaks ties between bodies of one version: two bodies for one version should not be, and whoever
    comes first must not decide.
    """
    joined = Statement(
        one.identity,
        _greater(one.body, other.body),
        _greater(one.deleted, other.deleted),
        _greater(one.refused, other.refused),
        _greater(one.erased, other.erased),
    )
    if joined.body is not None and joined.body.value and not joined.live:
        return Statement(joined.identity, joined.body._replace(value=b"", operation="UPSERT", rows=0), *_rest(joined))
    return joined


def settled(statement: Statement) -> Statement:
    """A statement alone, without the bytes of a body that no longer counts."""
    return join(statement, Statement(statement.identity))


Part = TypeVar("Part", bound=tuple[Any, ...])


def _greater(one: Part | None, other: Part | None) -> Part | None:
    found = [part for part in (one, other) if part is not None]
    return max(found) if found else None


def _rest(statement: Statement) -> tuple[Deletion | None, Refusal | None, Version | None]:
    return statement.deleted, statement.refused, statement.erased


def to_record(statement: Statement) -> dict[str, Any]:
    """As `state/statement-1`."""
    return {
        **statement.identity._asdict(),
        "body": statement.body and _flat(statement.body),
        "deleted": statement.deleted and _flat(statement.deleted) | {"moved_to": statement.deleted.moved_to or None},
        "refused": statement.refused and _flat(statement.refused),
        "erased": statement.erased and statement.erased._asdict(),
    }


def _flat(part: Body | Deletion | Refusal) -> dict[str, Any]:
    fields = part._asdict()
    version: Version = fields.pop("version")
    return {**version._asdict(), **fields}


def of_record(record: Mapping[str, Any]) -> Statement:
    """From `state/statement-1`."""
    body, deleted, refused, erased = (record[name] for name in ("body", "deleted", "refused", "erased"))
    return Statement(
        Identity(record["source"], record["record_id"], record["part"]),
        Body(_version(body), body["operation"], body["rows"], body["value"]) if body else None,
        Deletion(_version(deleted), deleted["operation"], deleted["moved_to"] or "") if deleted else None,
        Refusal(_version(refused), refused["rows"]) if refused else None,
        _version(erased) if erased else None,
    )


def _version(record: Mapping[str, Any]) -> Version:
    return Version(record["epoch"], record["cycle"])
