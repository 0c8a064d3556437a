"""What has to be sent of a row, given what was sent before: pure, and the heart of publishing.

The store keeps a *note* per statement that may stand at the exchange: part, type, subject, and the hash of
what was sent, or none while that is in doubt. A row changes its subject by a DELETE under every noted key that
is not its own any more, and an UPSERT under the new one, in one transaction and at one version. So, whatever
was lost in between: when a change has been committed, no key but the row's own has a claim of it.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from connectors.mapper import Mapped, Record, Refusal, Target
from schemas.codec import NO_HASH


class Note(NamedTuple):
    """A statement that may stand at the exchange; `row_hash` None: what it says is in doubt."""

    target: Target
    row_hash: bytes | None
    refused: bool


Notes = tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A message to be, but for its version."""

    target: Target
    operation: str
    rows: int
    row_hash: bytes = NO_HASH
    moved_to: str | None = None
    value: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """All that has to be sent of one row; `after` is noted once it is committed, `during` before it is sent."""

    record_id: str
    before: Notes
    after: Notes
    statements: tuple[Statement, ...]
    refusal: Refusal | None = None
    rows: int = 1
    vanished: bool = False

    @property
    def during(self) -> Notes:
        """Every statement that was or is about to be sent, none of them certain."""
        targets = {_statement_of(note.target): note.target for note in (*self.before, *self.after)}
        return tuple(Note(target, None, refused=False) for target in targets.values())


def changed(mapped: Mapped, noted: Notes) -> Change | None:
    """What has to be sent of a row that is there; None: the exchange has it as it is."""
    after = _after(mapped, noted)
    if set(after) == set(noted):
        return None
    statements = _refused(after, mapped.rows) if mapped.refusal else _full_images(mapped.records, noted)
    gone = _gone(noted, after)
    return Change(mapped.record_id, noted, after, (*gone, *statements), mapped.refusal, mapped.rows)


def vanished(record_id: str, noted: Notes) -> Change:
    """What has to be sent of a row that is not there any more."""
    return Change(record_id, noted, (), _gone(noted, ()), vanished=True)


def _after(mapped: Mapped, noted: Notes) -> Notes:
    if mapped.refusal is None:
        return tuple(Note(record.target, record.row_hash, refused=False) for record in mapped.records)
    # A refused row is refused wherever it is known: under the keys that can be read in it, and under those it
    # was sent under before, for it may still speak of them.
    known = {_statement_of(note.target): note.target for note in noted}
    known |= {_statement_of(target): target for target in mapped.refusal.readable}
    targets = sorted(known.values(), key=_byte_order) or [mapped.refusal.fallback]
    return tuple(Note(target, mapped.refusal.row_hash, refused=True) for target in targets)


def _statement_of(target: Target) -> tuple[str, str]:
    return target.part, target.subject


def _byte_order(target: Target) -> tuple[bytes, str]:
    return target.subject.encode(), target.part


def _refused(after: Notes, rows: int) -> tuple[Statement, ...]:
    """The rows are counted on the first key in byte order, and on no other."""
    return tuple(Statement(note.target, "REFUSED", rows if at == 0 else 0) for at, note in enumerate(after))


def _full_images(records: tuple[Record, ...], noted: Notes) -> tuple[Statement, ...]:
    known = {note.target: note.row_hash for note in noted if not note.refused}
    return tuple(_image(record) for record in records if known.get(record.target) != record.row_hash)


def _image(record: Record) -> Statement:
    head = record.value["meta"]
    return Statement(record.target, head["operation"], head["rows"], record.row_hash, value=record.value)


def _gone(noted: Notes, after: Notes) -> tuple[Statement, ...]:
    stays = {_statement_of(note.target) for note in after}
    went = {note.target.part: note.target.subject for note in after}
    gone = [note.target for note in noted if _statement_of(note.target) not in stays]
    return tuple(Statement(t, "DELETE", 0, moved_to=went.get(t.part)) for t in sorted(gone, key=_byte_order))
