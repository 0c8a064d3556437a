"""Looking up: from a number to a subject, and from a subject to all that is known of it at a time."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, and_, func, or_, select

from approval.evidence import NONE, Evidence, Watermark, facts_of, newest_of, unclear_by_aliases, watermark_of
from approval.view import aliases, entries, identifiers, meta_of, past_entries, past_watermarks, watermarks
from process.errors import PermanentError
from process.messages import say
from schemas.codec import contract
from schemas.identifiers import (
    BAD_FORM,
    Checked,
    credit_code,
    organisation_code,
    registration_number,
    resident_number,
    tax_number,
)
from schemas.subjects import DistrictKey, legal_subjects, partition, person_subject


class UnreadableNumberError(PermanentError):
    """The number given for a role is none that anybody could carry."""

    role: str | None = None


class ErasedError(PermanentError):
    """What was on record at that time is erased."""


class Found(NamedTuple):
    """A subject, or why the number does not tell which."""

    subject: str | None
    unclear: str | None = None


def find(connection: Connection, kind: str, number: str, key: DistrictKey, divisions: Collection[str]) -> Found:
    """The subject a number belongs to, whichever kind of number it is.

    The subject key the number gives comes first; subjects that carry the number as one of several are found by
    the view's index. A number that several subjects carry names none of them.
    """
    checked = _readings(kind, number, divisions)
    keys = _keys(kind, checked, key)
    known = {_canonical(connection, subject) for subject in keys if _on_record(connection, subject)}
    carrying = {_canonical(connection, subject) for subject in _carriers(connection, checked, key)}
    found = sorted(known | carrying)
    if len(found) > 1 or (not found and len(keys) > 1):
        return Found(None, "several_subjects")
    if not found and not keys:
        raise UnreadableNumberError(say("approval.unreadable_number"))
    return Found(keys[0]) if known or not found else Found(found[0])


def _readings(kind: str, number: str, divisions: Collection[str]) -> list[Checked]:
    if kind == "natural_person":
        readings = [resident_number(number)]
    else:
        readings = [
            credit_code(number),
            organisation_code(number),
            registration_number(number),
            tax_number(number, divisions),
        ]
    return [reading for reading in readings if reading.verdict != BAD_FORM]


def _keys(kind: str, checked: Iterable[Checked], key: DistrictKey) -> list[str]:
    if kind == "natural_person":
        return [person_subject(number, key) for number in checked]
    return legal_subjects(checked, key)


def _on_record(connection: Connection, subject: str) -> bool:
    return any(
        connection.execute(select(t.c.subject).where(t.c.subject == subject)).first() for t in (entries, aliases)
    )


def _carriers(connection: Connection, checked: Iterable[Checked], key: DistrictKey) -> Iterable[str]:
    for number in checked:
        value = key.pseudonym(number.scheme, number.value) if number.personal else number.value
        carries = and_(identifiers.c.scheme == number.scheme, identifiers.c.value == value)
        yield from connection.scalars(select(identifiers.c.subject).where(carries))


def _canonical(connection: Connection, subject: str) -> str:
    """The key an alias stands for; an alias is followed one step."""
    return connection.scalar(select(aliases.c.alias_of).where(aliases.c.subject == subject)) or subject


def evidence(connection: Connection, kind: str, found: Found, at: datetime | None = None) -> Evidence:
    """What is known of the subject now, or what was known at an earlier time (`at`)."""
    told = meta_of(connection)
    partitions = json.loads(told["generation"])["partitions"] if told else 0
    sources = frozenset(connection.scalars(select(watermarks.c.source).where(watermarks.c.kind == kind).distinct()))
    caught_up = told.get("caught_up") == "true"
    if found.subject is None or not partitions:
        return Evidence(kind, None, NONE, sources=sources, caught_up=caught_up, unclear=found.unclear)
    subject = _canonical(connection, found.subject)
    here = _watermarks(connection, kind, partition(subject, partitions), at)
    there = None
    if subject != found.subject:
        there = _watermarks(connection, kind, partition(found.subject, partitions), at)
    entry, epoch = _entry(connection, subject, at)
    epoch = max(epoch, _alias_epoch(connection, found.subject))
    return Evidence(
        kind=kind,
        subject=subject,
        condition=NONE if entry is None else entry["condition"],
        facts={} if entry is None else facts_of(entry),
        newest={} if entry is None else newest_of(entry),
        watermarks={mark.source: mark for mark in here},
        sources=sources,
        caught_up=caught_up,
        unclear=_moving(entry) or unclear_by_aliases(epoch, here, there),
        apart=_apart(connection, subject),
    )


def _apart(connection: Connection, subject: str) -> bool:
    """Whether another subject carries a number this one carries."""
    own, other = identifiers.alias(), identifiers.alias()
    same = and_(other.c.scheme == own.c.scheme, other.c.value == own.c.value, other.c.subject != own.c.subject)
    shared = select(other.c.subject).join_from(own, other, same).where(own.c.subject == subject)
    return connection.execute(shared).first() is not None


def _moving(entry: dict[str, Any] | None) -> str | None:
    return "moving" if entry is not None and entry["condition"] == "moving" else None


def _alias_epoch(connection: Connection, subject: str) -> int:
    return connection.scalar(select(aliases.c.alias_epoch).where(aliases.c.subject == subject)) or 0


def _entry(connection: Connection, subject: str, at: datetime | None) -> tuple[dict[str, Any] | None, int]:
    """The entry, and the alias epoch it was published under."""
    row = connection.execute(select(entries).where(entries.c.subject == subject)).first()
    if at is not None and (row is None or row.recorded_at > _ms(at)):
        return _past_entry(connection, subject, at), 0
    return (None, 0) if row is None else (contract().decode(row.value)[1], row.alias_epoch)


def _past_entry(connection: Connection, subject: str, at: datetime) -> dict[str, Any] | None:
    then = and_(
        past_entries.c.subject == subject,
        past_entries.c.recorded_from <= _ms(at),
        or_(past_entries.c.recorded_to.is_(None), past_entries.c.recorded_to > _ms(at)),
    )
    row = connection.execute(select(past_entries).where(then)).first()
    if row is not None and row.value is None:
        raise ErasedError(say("approval.erased"))
    return None if row is None else contract().decode(row.value)[1]


def _watermarks(connection: Connection, kind: str, number: int, at: datetime | None) -> list[Watermark]:
    values = _current(connection, kind, number) if at is None else _past(connection, kind, number, at)
    return [watermark_of(contract().decode(value)[1]) for value in values]


def _current(connection: Connection, kind: str, number: int) -> Iterable[bytes]:
    return connection.scalars(select(watermarks.c.value).where(_of(watermarks, kind, number)))


def _past(connection: Connection, kind: str, number: int, at: datetime) -> Iterable[bytes]:
    past = past_watermarks
    earlier = and_(_of(past, kind, number), past.c.recorded_at <= _ms(at))
    newest = select(func.max(past.c.offset)).where(earlier).group_by(past.c.source)
    return connection.scalars(select(past.c.value).where(earlier, past.c.offset.in_(newest)))


def _of(table: Table, kind: str, number: int) -> Any:
    return and_(table.c.kind == kind, table.c.partition == number)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
