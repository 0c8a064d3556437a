"""Sums of what a partition holds, per source and bucket: what an inventory of the source is compared with.

Kept statement by statement as state changes, in LMDB only: they follow from the statements, so a store that is
restored counts them anew from the state it reads.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from exchange import statements
from exchange.ledger import Place, Stored, subject_of, sum_bytes, sum_of, sum_place
from exchange.statements import Statement
from schemas.audit import AuditKey, Sum
from schemas.codec import Contract


def counted(subject: str, statement: Statement | None, audit: AuditKey, contract: Contract) -> Sum:
    """What a statement adds to the sum of its bucket; nothing where it no longer stands for anything."""
    if statement is None or not (statement.live or statement.newest_refused):
        return Sum()
    _, record_id, part = statement.identity
    return audit.of_statement(record_id, part, subject, row_hash(statement, contract), sum(statement.rows))


def row_hash(statement: Statement, contract: Contract) -> bytes | None:
    """The row hash of the body that counts; none where the newest version is refused."""
    if statement.newest_refused or statement.body is None:
        return None
    found: bytes = contract.head(statement.body.value).meta["row_hash"]
    return found


def recounted(
    changed: Mapping[Place, bytes | None], stored: Stored, audit: AuditKey, contract: Contract
) -> dict[Place, bytes | None]:
    """The sums that change when state read from its topic is written over what is stored."""
    sums: dict[Place, Sum] = {}
    for place, difference in _differences(changed, stored, audit, contract).items():
        sums[place] = sum_of(stored.get(place)).plus(difference)
    return {place: sum_bytes(each) for place, each in sums.items()}


def _differences(
    changed: Mapping[Place, bytes | None], stored: Stored, audit: AuditKey, contract: Contract
) -> Mapping[Place, Sum]:
    found: dict[Place, Sum] = defaultdict(Sum)
    for place, value in changed.items():
        subject = subject_of(place.key)
        if subject is None:
            continue
        for statement, adds in _both(value, stored.get(place), contract):
            source, record_id, _ = statement.identity
            where = sum_place(place.partition, source, audit.bucket(record_id))
            each = counted(subject, statement, audit, contract)
            found[where] = found[where].plus(each) if adds else found[where].minus(each)
    return found


def _both(new: bytes | None, old: bytes | None, contract: Contract) -> Iterator[tuple[Statement, bool]]:
    for value, adds in ((new, True), (old, False)):
        if value:
            yield statements.of_record(contract.decode(value)[1]), adds
