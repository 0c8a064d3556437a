"""Looking into the registry from outside: `get`, `dump`, `status`, `quarantine list`.

They read the topics to their end, as any consumer would; none opens a running worker's files.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exchange.standing import Standing, heard
from exchange.take import WATERMARK_PREFIX
from exchange.watermarks import Source, of_record
from process.errors import SettingsError
from process.messages import say
from schemas import identifiers, topics
from schemas.codec import Contract, UndecodableError
from schemas.identifiers import BAD_FORM
from schemas.subjects import DistrictKey, legal_subjects, partition, person_subject
from transport.client import Client, Message, TopicPartition

_LAST = 5_000
_SUBJECT_PREFIXES = ("legal:", "person:", "row:")


def read_all(client: Client, topic: str, partitions: Sequence[int] | None = None) -> Iterator[Message]:
    """Every committed message of a topic, or of some of its partitions."""
    numbers = range(_partitions(client, topic)) if partitions is None else partitions
    if not numbers:
        return
    reader = client.reader({TopicPartition(topic, number): -2 for number in numbers})
    try:
        yield from reader.to_end()
    finally:
        reader.close()


def read_last(client: Client, topic: str, count: int) -> Iterator[Message]:
    """The newest committed messages of a topic of one partition, at most so many; none of one that does not exist."""
    if _partitions(client, topic) == 0:
        return
    place = TopicPartition(topic, 0)
    admin = client.admin()
    try:
        start = max(admin.end_offsets([place])[place] - count, 0)
    finally:
        admin.close()
    reader = client.reader({place: start or -2})
    try:
        yield from reader.to_end()
    finally:
        reader.close()


def _partitions(client: Client, topic: str) -> int:
    admin = client.admin()
    try:
        return admin.partitions(topic)
    finally:
        admin.close()


def latest(messages: Iterator[Message]) -> dict[bytes, bytes]:
    """What a compacted topic comes to: the newest value of every key; a null removes it."""
    table: dict[bytes, bytes] = {}
    for message in messages:
        if message.value is None:
            table.pop(message.key or b"", None)
        else:
            table[message.key or b""] = message.value
    return table


# --- get and dump ----------------------------------------------------------------------------------------------------
def entries(client: Client, prefix: str, kind: str, contract: Contract) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every entry and alias of a kind of subject, by key; watermarks left out."""
    table = latest(read_all(client, topics.registry(prefix, kind)))
    for key in sorted(table):
        if not key.startswith(WATERMARK_PREFIX.encode()):
            yield key.decode(), shown(key.decode(), table[key], contract)


def shown(subject: str, value: bytes, contract: Contract) -> dict[str, Any]:
    """A registry value as it is printed: an alias with its key, an entry as it is."""
    name, content = contract.decode(value)
    return {"subject": subject, **content} if name == "registry/alias-1" else content


def get(
    client: Client, prefix: str, subjects: Sequence[str], partitions: int, contract: Contract
) -> dict[str, Any] | None:
    """The entry of the first of these keys that has one, an alias followed one step."""
    for subject in subjects:
        found = _one(client, prefix, subject, partitions, contract)
        if found and "alias_of" in found:
            return _one(client, prefix, found["alias_of"], partitions, contract)
        if found:
            return found
    return None


def _one(client: Client, prefix: str, subject: str, partitions: int, contract: Contract) -> dict[str, Any] | None:
    where = [partition(subject, partitions)]
    kinds = ("natural-person",) if subject.startswith("person:") else topics.KINDS
    for kind in kinds:
        value = latest(read_all(client, topics.registry(prefix, kind), where)).get(subject.encode())
        if value is not None:
            return shown(subject, value, contract)
    return None


def subjects_of(identifier: str, key: DistrictKey, divisions: Sequence[str]) -> list[str]:
    """The subject keys that an identifier may name, the likeliest first: 15 digits can be of several kinds."""
    if identifier.startswith(_SUBJECT_PREFIXES):
        return [identifier]
    checks = (
        identifiers.credit_code(identifier),
        identifiers.organisation_code(identifier),
        identifiers.registration_number(identifier),
        identifiers.tax_number(identifier, divisions),
    )
    found = [subject for checked in checks for subject in legal_subjects([checked], key)]
    resident = identifiers.resident_number(identifier)
    if resident.verdict != BAD_FORM:
        found.append(person_subject(resident, key))
    if not found:
        raise SettingsError(say("exchange.unreadable_identifier"))
    return list(dict.fromkeys(found))


# --- status ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class SourceStatus:
    """Promise 1 of one source: at source = live + refused + missing - extra, at its newest watermark."""

    source: str
    cycle: int | None
    rows_at_source: int | None
    live: int
    refused: int
    missing: int
    extra: int
    unopened: int
    complete_until: datetime | None
    present_until: datetime | None
    breaks: Sequence[str]
    partitions: int
    """How many partitions have taken this cycle's watermark; the count holds when all have."""
    behind: int
    """How many have not."""
    clean_inventory: int | None
    verified_until: datetime | None
    """Every row older than this has been counted on both sides."""
    open_since: datetime | None
    open_breaks: Mapping[str, int]
    """By kind; what no resend has named yet stands as UNNAMED, in buckets."""
    by_partition: Sequence[Mapping[str, Any]]

    @property
    def balanced(self) -> bool:
        """Whether every row at the source is accounted for."""
        counted = self.rows_at_source is not None and self.behind == 0
        return counted and self.missing == 0 and self.extra == 0 and not self.breaks and not self.open_breaks


def status(client: Client, prefix: str, contract: Contract) -> list[SourceStatus]:
    """Every source the owners have heard of."""
    partitions = _partitions(client, topics.state(prefix))
    known: dict[str, dict[int, Source]] = {}
    table = latest(_named(read_all(client, topics.state(prefix)), b"a\0"))
    for key, value in sorted(table.items()):
        _, source, number = key.decode().split("\0")
        known.setdefault(source, {})[int(number)] = of_record(contract.decode(value)[1])
    stands = _standings(client, prefix, {source.partition(".")[0] for source in known}, contract)
    return [_status(source, here, partitions, stands.get(source, Standing())) for source, here in sorted(known.items())]


def _standings(client: Client, prefix: str, departments: Collection[str], contract: Contract) -> dict[str, Standing]:
    """How every source stands by its reconciliation topic; the last messages tell, for inventories are many."""
    found: dict[str, Standing] = {}
    for department in sorted(departments):
        for message in read_last(client, topics.reconciliation(prefix, department), _LAST):
            try:
                name, told = contract.decode(message.value or b"")
            except UndecodableError:
                continue  # the auditor says so
            found[told["source"]] = heard(found.get(told["source"], Standing()), name, told)
    return found


def _named(messages: Iterator[Message], prefix: bytes) -> Iterator[Message]:
    """Messages with that kind of key, made distinct by their partition: state keys are partition-local."""
    for message in messages:
        key = message.key or b""
        if key.startswith(prefix):
            yield message._replace(key=key + b"\0" + str(message.partition).encode())


def _status(source: str, known: Mapping[int, Source], partitions: int, standing: Standing) -> SourceStatus:
    here = list(known.values())
    marks = [known.watermark for known in here if known.watermark is not None]
    newest = max(marks, key=_cycle, default=None)
    up_to_date = sum(_cycle(mark) == _cycle(newest) for mark in marks) if newest else 0
    heard = marks if len(marks) == partitions else []
    rows = [k.counted_rows if k.watermark else k.rows for k in here]
    live, refused = sum(each.live for each in rows), sum(each.refused for each in rows)
    at_source = newest["rows_at_source"] if newest else None
    missing, extra = _difference(0 if at_source is None else at_source - live - refused, standing)
    return SourceStatus(
        source=source,
        cycle=newest["cycle"] if newest else None,
        rows_at_source=at_source,
        live=live,
        refused=refused,
        missing=missing,
        extra=extra,
        unopened=sum(known.unopened for known in here),
        complete_until=_least(heard, "complete_until"),
        present_until=_least(heard, "present_until"),
        breaks=sorted({known.break_kind for known in here if known.break_kind}),
        partitions=up_to_date,
        behind=partitions - up_to_date,
        clean_inventory=standing.clean_inventory or None,
        verified_until=standing.verified_until,
        open_since=standing.open_since,
        open_breaks=standing.breaks or ({"UNNAMED": standing.buckets} if standing.open_since else {}),
        by_partition=[_partition_status(number, each) for number, each in sorted(known.items())],
    )


def _difference(net: int, standing: Standing) -> tuple[int, int]:
    """Missing and extra rows; what the newest inventory told apart, where it comes to the same."""
    if standing.missing - standing.extra == net and not standing.clean:
        return standing.missing, standing.extra
    return max(net, 0), max(-net, 0)


def _partition_status(number: int, source: Source) -> dict[str, Any]:
    mark = source.watermark or {}
    rows = source.counted_rows if source.watermark else source.rows
    return {
        "partition": number,
        "live": rows.live,
        "refused": rows.refused,
        "unopened": source.unopened,
        "cycle": mark.get("cycle"),
        "break": source.break_kind,
        "broken_since": source.broken_since,
        "clean_inventory": source.clean_inventory or None,
        "complete_until": mark.get("complete_until"),
        "present_until": mark.get("present_until"),
    }


def _cycle(mark: Mapping[str, Any]) -> tuple[int, int]:
    return mark["epoch"], mark["cycle"]


def _least(marks: Sequence[Mapping[str, Any]], name: str) -> datetime | None:
    found = [mark[name] for mark in marks]
    return None if not found or None in found else min(found)


# --- quarantine ------------------------------------------------------------------------------------------------------
def quarantined(client: Client, prefix: str, department: str, contract: Contract) -> Iterator[dict[str, Any]]:
    """What was refused of a department, without a value: bodies and keys stay where they are."""
    for message in read_all(client, topics.quarantine(prefix, department)):
        if message.value is None:
            continue
        refusal = contract.decode(message.value)[1]
        told = (
            "source",
            "stage",
            "reason",
            "fields",
            "topic",
            "partition",
            "offset",
            "epoch",
            "cycle",
            "observed_at",
            "rows",
        )
        yield {"at": f"{message.partition}:{message.offset}", **{name: refusal[name] for name in told}}


def by_reason(refusals: Iterator[dict[str, Any]]) -> Counter[tuple[str, str, str]]:
    """How many by source, stage and reason."""
    return Counter((refusal["source"], refusal["stage"], refusal["reason"]) for refusal in refusals)
