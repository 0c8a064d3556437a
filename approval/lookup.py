"""Looking up: from a number to a subject, and from a subject to all that is known of it at a time."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Table, and_, func, or_, select

from approval.evidence import (
    NONE,
    Evidence,
    Watermark,
    facts_of,
    lists_of,
    newest_of,
    unclear_by_aliases,
    watermark_of,
)
from approval.view import aliases, entries, identifiers, meta_of, past_entries, past_watermarks, watermarks
from process.errors import PermanentError
from process.messages import say
from schemas.codec import Contract
from schemas.identifiers import (
    BAD_FORM,
    CREDIT_CODE,
    ORGANISATION_CODE,
    REGISTRATION_NUMBER,
    SCHEMES,
    TAX_NUMBER,
    Checked,
    check,
    other_length,
)
from schemas.subjects import DistrictKey, legal_subjects, partition, person_subject, person_subjects


class UnreadableNumberError(PermanentError):
    """The number given for a role is none that anybody could carry."""

    role: str | None = None


class ErasedError(PermanentError):
    """What was on record at that time is erased."""


class Found(NamedTuple):
    """A subject, or why the number does not tell which.

    `twins` are subjects under another form of the same number, which nobody has joined with this one.
    """

    subject: str | None
    unclear: str | None = None
    twins: tuple[str, ...] = ()


def find(connection: Connection, kind: str, number: str, key: DistrictKey, divisions: Collection[str]) -> Found:
    """The subject a number belongs to, whichever kind of number it is.

    The subject key the number gives comes first; subjects that carry the number as one of several are found by
    the view's index. A number that several subjects carry names none of them.
    """
    checked = _readings(kind, number, key, divisions)
    keys = _keys(kind, checked, key)
    known = {_canonical(connection, subject) for subject in keys if _on_record(connection, subject)}
    found = sorted(known | _carriers(connection, kind, checked, key))
    if len(found) > 1 or (not found and len(keys) > 1):
        return Found(None, "several_subjects")
    if not found and not keys:
        raise UnreadableNumberError(say("approval.unreadable_number"))
    subject = keys[0] if known or not found else found[0]
    return Found(subject, twins=_twins(connection, kind, checked, key, _canonical(connection, subject)))


# Numbers of social insurance mean nothing outside the system that gave them, and have the form of many others.
_LEGAL_SCHEMES: Final = (CREDIT_CODE, ORGANISATION_CODE, REGISTRATION_NUMBER, TAX_NUMBER)


def _readings(kind: str, number: str, key: DistrictKey, divisions: Collection[str]) -> list[Checked]:
    """What the number can be; of a person's, a local number only where it has the form of no national one."""
    natural = kind == "natural_person"
    schemes = _schemes(kind) if natural else _LEGAL_SCHEMES
    # Several schemes may answer with the same reading: a column of one holds numbers of others.
    checked = list(dict.fromkeys(check(scheme, number, divisions) for scheme in schemes))
    readings = [reading for reading in checked if reading.verdict != BAD_FORM]
    naming = [reading for reading in readings if natural and person_subjects([reading], key)]
    return naming or readings


def _schemes(kind: str) -> list[str]:
    return [name for name, scheme in SCHEMES.items() if scheme.subject == kind]


def _keys(kind: str, checked: Iterable[Checked], key: DistrictKey) -> list[str]:
    return person_subjects(checked, key) if kind == "natural_person" else legal_subjects(checked, key)


def _twins(
    connection: Connection, kind: str, checked: Iterable[Checked], key: DistrictKey, subject: str
) -> tuple[str, ...]:
    """Other subjects that the number names in its other length, 15 digits for 18 or 18 for 15."""
    others = [other for number in checked if (other := other_length(number)) is not None]
    named = {_canonical(connection, person_subject(other, key)) for other in others}
    carrying = _carriers(connection, kind, others, key)
    return tuple(sorted({each for each in named | carrying if each != subject and _is_live(connection, each)}))


def _is_live(connection: Connection, subject: str) -> bool:
    live = and_(entries.c.subject == subject, entries.c.condition != "gone")
    return connection.execute(select(entries.c.subject).where(live)).first() is not None


def _on_record(connection: Connection, subject: str) -> bool:
    return any(
        connection.execute(select(t.c.subject).where(t.c.subject == subject)).first() for t in (entries, aliases)
    )


def _carriers(connection: Connection, kind: str, checked: Iterable[Checked], key: DistrictKey) -> set[str]:
    """Subjects of the kind that carry one of the numbers: a company that carries a person's is not that person."""
    found: set[str] = set()
    for number in checked:
        value = key.pseudonym(number.scheme, number.value) if number.personal else number.value
        carries = and_(identifiers.c.scheme == number.scheme, identifiers.c.value == value, entries.c.kind == kind)
        of_kind = select(identifiers.c.subject).join(entries, entries.c.subject == identifiers.c.subject)
        found |= {_canonical(connection, subject) for subject in connection.scalars(of_kind.where(carries))}
    return found


def _canonical(connection: Connection, subject: str) -> str:
    """The key an alias stands for; an alias is followed one step."""
    return connection.scalar(select(aliases.c.alias_of).where(aliases.c.subject == subject)) or subject


def evidence(
    connection: Connection, contract: Contract, kind: str, found: Found, at: datetime | None = None
) -> Evidence:
    """What is known of the subject now, or what was known at an earlier time (`at`)."""
    told = meta_of(connection)
    partitions = json.loads(told["generation"])["partitions"] if told else 0
    sources = frozenset(connection.scalars(select(watermarks.c.source).where(watermarks.c.kind == kind).distinct()))
    caught_up = told.get("caught_up") == "true"
    if found.subject is None or not partitions:
        return Evidence(kind, None, NONE, sources=sources, caught_up=caught_up, unclear=found.unclear)
    subject = _canonical(connection, found.subject)
    here = _watermarks(connection, contract, kind, partition(subject, partitions), at)
    there = None
    if subject != found.subject:
        there = _watermarks(connection, contract, kind, partition(found.subject, partitions), at)
    entry, epoch = _entry(connection, contract, subject, at)
    epoch = max(epoch, _alias_epoch(connection, found.subject))
    return Evidence(
        kind=kind,
        subject=subject,
        condition=NONE if entry is None else entry["condition"],
        facts={} if entry is None else facts_of(entry),
        lists={} if entry is None else lists_of(entry),
        newest={} if entry is None else newest_of(entry),
        watermarks={mark.source: mark for mark in here},
        sources=sources,
        caught_up=caught_up,
        unclear=_moving(entry) or unclear_by_aliases(epoch, here, there),
        apart=bool(found.twins) or _apart(connection, kind, subject),
    )


def _apart(connection: Connection, kind: str, subject: str) -> bool:
    """Whether another subject carries a number of the kind that this one carries."""
    own, other = identifiers.alias(), identifiers.alias()
    same = and_(other.c.scheme == own.c.scheme, other.c.value == own.c.value, other.c.subject != own.c.subject)
    # An employee's row may carry the unit's numbers, and a company's its owner's: those they do not share.
    theirs = and_(own.c.subject == subject, own.c.scheme.in_(_schemes(kind)))
    shared = select(other.c.subject).join_from(own, other, same).where(theirs)
    return connection.execute(shared).first() is not None


def _moving(entry: dict[str, Any] | None) -> str | None:
    return "moving" if entry is not None and entry["condition"] == "moving" else None


def _alias_epoch(connection: Connection, subject: str) -> int:
    return connection.scalar(select(aliases.c.alias_epoch).where(aliases.c.subject == subject)) or 0


def _entry(
    connection: Connection, contract: Contract, subject: str, at: datetime | None
) -> tuple[dict[str, Any] | None, int]:
    """The entry, and the alias epoch it was published under."""
    row = connection.execute(select(entries).where(entries.c.subject == subject)).first()
    if at is not None and (row is None or row.recorded_at > _ms(at)):
        return _past_entry(connection, contract, subject, at), 0
    return (None, 0) if row is None else (contract.decode(row.value)[1], row.alias_epoch)


def _past_entry(connection: Connection, contract: Contract, subject: str, at: datetime) -> dict[str, Any] | None:
    then = and_(
        past_entries.c.subject == subject,
        past_entries.c.recorded_from <= _ms(at),
        or_(past_entries.c.recorded_to.is_(None), past_entries.c.recorded_to > _ms(at)),
    )
    row = connection.execute(select(past_entries).where(then)).first()
    if row is not None and row.value is None:
        raise ErasedError(say("approval.erased"))
    return None if row is None else contract.decode(row.value)[1]


def _watermarks(
    connection: Connection, contract: Contract, kind: str, number: int, at: datetime | None
) -> list[Watermark]:
    values = _current(connection, kind, number) if at is None else _past(connection, kind, number, at)
    return [watermark_of(contract.decode(value)[1]) for value in values]


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
