"""Evaluation: an item's materials decided for the numbers given, from the view as it is at one moment."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select

from approval.decide import decide
from approval.elements import Others
from approval.evidence import Evidence
from approval.items import Item
from approval.lookup import Found, UnreadableNumberError, evidence, find
from approval.verdicts import Decision
from approval.view import meta_of, offsets
from schemas.codec import Contract
from schemas.subjects import DistrictKey


@dataclass(frozen=True, slots=True)
class Seen:
    """The view an evaluation rests on: which installation's, and the offsets it was read to, by partition."""

    installation: str | None
    caught_up: bool
    offsets: Mapping[str, list[int]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was decided, of whom, as of when, and from what."""

    item: Item
    at: datetime
    subjects: Mapping[str, Evidence]
    decisions: tuple[Decision, ...]
    seen: Seen
    # Subjects whom facts named, by key: those that had to be looked up.
    others: Others = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Register:
    """The view as questions are put to it: its database, the schemas of what it holds, and how numbers are read."""

    engine: Engine
    contract: Contract
    key: DistrictKey
    divisions: Collection[str]


def evaluate(
    register: Register,
    item: Item,
    numbers: Mapping[str, str],
    at: datetime | None,
    now: Callable[[], datetime],
) -> Evaluation:
    """The item's materials decided for whom the numbers (by role) name, at an earlier time, or now (`at`: None)."""
    with register.engine.begin() as connection:

        def known_of(kind: str, found: Found) -> Evidence:
            return evidence(connection, register.contract, kind, found, at)

        found = {role: _find(connection, item, role, numbers[role], register) for role in item.subjects}
        subjects = {role: known_of(item.subjects[role], each) for role, each in found.items()}
        seen = _seen(connection)
        # Taken when the view's state is fixed: what it shows is of an earlier time, never of a later one.
        moment = at or now()
        others, decisions = _settled(item, subjects, moment, known_of)
    return Evaluation(item, moment, subjects, decisions, seen, others)


def _settled(
    item: Item, subjects: Mapping[str, Evidence], moment: datetime, known_of: Callable[[str, Found], Evidence]
) -> tuple[Others, tuple[Decision, ...]]:
    """The decisions, and those whom facts name that they rest on: each looked up once it decides something."""
    others: dict[str, Evidence] = {}
    while True:
        decisions = decide(item, subjects, moment, others)
        wanted = {each for decision in decisions for each in decision.wanted}
        if not wanted:
            return others, decisions
        for role, subject in sorted(wanted):
            others[subject] = known_of(item.kinds[role], Found(subject))


def _find(connection: Connection, item: Item, role: str, number: str, register: Register) -> Found:
    try:
        return find(connection, item.subjects[role], number, register.key, register.divisions)
    except UnreadableNumberError as exc:
        exc.role = role
        raise


def _seen(connection: Connection) -> Seen:
    told = meta_of(connection)
    generation: dict[str, Any] = json.loads(told.get("generation", "{}"))
    read: dict[str, list[int]] = {}
    for row in connection.execute(select(offsets).order_by(offsets.c.topic, offsets.c.partition)):
        read.setdefault(row.topic, []).append(row.next)
    return Seen(generation.get("installation"), told.get("caught_up") == "true", read)
