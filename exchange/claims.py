"""Claims: what a live statement says on each attribute, read out of the department's own message.

The body is opened only here, and only when a statement changed or its subject was not at hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from exchange.statements import Identity, Statement, Version
from schemas.codec import Contract, Feed

NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Word:
    """A statement with its claims open and its body closed again: all that deriving needs.

    `claims` has a key for every attribute the record type speaks to; the value is None where the department
    left it blank, a mapping where it is a record. Empty for a statement that is not live.
    """

    identity: Identity
    department: str
    newest: Version
    version: Version
    live: bool
    lost: bool
    newest_refused: bool
    observed_at: datetime | None
    effective_from: date | None
    effective_to: date | None
    identifiers: tuple[tuple[str, str, str], ...]
    claims: Mapping[str, Any]

    @property
    def in_question(self) -> bool:
        """Whether it counts although a newer version could not be used."""
        return self.live and self.newest_refused


def opened(statement: Statement, contract: Contract) -> Word:
    """The statement's word."""
    if not statement.live or statement.body is None:
        return _word(statement, statement.newest, NOTHING, NOTHING)
    name, record = contract.decode(statement.body.value)
    return _word(statement, statement.body.version, record["meta"], _claims(record, contract[name].feeds()))


def _claims(record: Mapping[str, Any], feeds: Sequence[Feed]) -> Mapping[str, Any]:
    claims: dict[str, Any] = {feed.attribute: record[feed.field] for feed in feeds if feed.part is None}
    for attribute in {feed.attribute: None for feed in feeds if feed.part is not None}:
        value = {feed.part: record[feed.field] for feed in feeds if feed.attribute == attribute}
        claims[attribute] = value if any(part is not None for part in value.values()) else None
    return claims


def _word(statement: Statement, version: Version, meta: Mapping[str, Any], claims: Mapping[str, Any]) -> Word:
    return Word(
        identity=statement.identity,
        department=statement.identity.source.split(".", 1)[0],
        newest=statement.newest,
        version=version,
        live=statement.live,
        lost=statement.lost,
        newest_refused=statement.newest_refused,
        observed_at=meta.get("observed_at"),
        effective_from=meta.get("effective_from"),
        effective_to=meta.get("effective_to"),
        identifiers=tuple((n["scheme"], n["value"], n["verdict"]) for n in meta.get("identifiers", ())),
        claims=claims,
    )
