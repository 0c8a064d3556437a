"""Registry messages as the exchange publishes them, for tests that read them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from schemas import topics
from schemas.catalogue import catalogues
from schemas.codec import contract
from schemas.entry import FAMILIES
from schemas.subjects import DistrictKey, partition
from transport.client import Message, Outgoing

PREFIX = "t."
PARTITIONS = 3
KEY = DistrictKey(bytes(range(32)))
SEEN = datetime(2024, 5, 20, 1, 0, tzinfo=UTC)
MARKET = "market_supervision.enterprise"
TAX = "local_tax.taxpayer"
GENERATION = {
    "partitions": PARTITIONS,
    "key_fingerprint": KEY.fingerprint,
    "key_letter": KEY.letter,
    "key_function": KEY.function,
    "key_grammar": 1,
    "audit_fingerprint": "0" * 16,
    "id_mode": "lock",
    "installation": "test",
}


def fact(value: Any, member: int | None = 0, state: str = "known", **changed: Any) -> dict[str, Any]:
    told = {"reason": None, "tier": 1, "normaliser": "text-1", "effective_from": None, "effective_to": None}
    return {"value": value, "member": member, "state": state, "observed_at": SEEN, "dissent": [], **told, **changed}


def code(canonical: str | None, raw: str = "1") -> dict[str, Any]:
    return {"raw": raw, "canonical": canonical, "list": "scjg-status-2025"}


FIRM = {
    "name": fact("示例食品有限公司"),
    "status": fact(code("ACTIVE")),
    "scope": fact("食品销售;日用百货"),
    "address": fact("示例区测试路1号", dissent=[{"value": "示例区测试路2号", "member": 1, "tier": 2}]),
    "legal_representative": fact("张三"),
    "tax_status": fact(code("NORMAL"), member=1),
}


def entry(
    subject: str,
    facts: Mapping[str, Any] = FIRM,
    numbers: Iterable[tuple[str, str]] = (),
    condition: str = "live",
    cycle: int = 1,
    kind: str = "legal_person",
    sources: Mapping[str, int] | None = None,
) -> bytes:
    """An entry as the registry holds it; without facts it has no members either.

    `sources`: those that speak of it, facts name them by their place, and how many of its rows each had to refuse.
    """
    spoken = {MARKET: 0, TAX: 0} if sources is None else sources
    member = {"record_id": "r1", "part": "", "epoch": 1, "cycle": cycle, "in_question": False}
    told = {
        "subject": subject,
        "condition": condition,
        "moving_to": None,
        "facts": {a.name: facts.get(a.name, _NOTHING[a.cardinality]) for a in catalogues()[kind].attributes},
        "relations": [],
        "identifiers": [{"scheme": s, "value": v, "verdict": "OK", "member": 0} for s, v in numbers],
        "conflicts": [],
        "members": [{"source": source, **member} for source in spoken] if facts else [],
        "sources": [{"source": s, "epoch": 1, "cycle": cycle, "refused": refused} for s, refused in spoken.items()],
        "content_hash": bytes(16),
    }
    return contract().encode(contract().newest(FAMILIES[kind]), told)


_NOTHING: Mapping[str, Any] = {"one": None, "many": []}


def person(subject: str) -> bytes:
    """A natural person's entry of whom nothing is stated."""
    return entry(subject, {}, kind="natural_person")


def watermark(source: str, number: int, until: datetime, cycle: int = 1, **changed: Any) -> bytes:
    counts = dict.fromkeys(("read", "sent", "unchanged", "refused", "refused_unreadable", "deleted", "held"), 0)
    times = dict.fromkeys(("read_until", "complete_until", "present_until", "identity_until"), until)
    value = {
        "source": source,
        "partition": number,
        "epoch": 1,
        "cycle": cycle,
        "snapshot_at": until,
        "alias_epoch": 0,
        "inventory": False,
        "clean_inventory": 0,
        "opens_resend": None,
        "rows_at_source": 0,
        **counts,
        "sum_count": 0,
        "sum_digest": bytes(16),
        **times,
        "complete_cycle": cycle,
        "stated": False,
        "broken_since": None,
        "break_kind": None,
        **changed,
    }
    return contract().encode("registry/watermark-1", value)


def of_entry(
    subject: str, value: bytes | None, change: int = 1, prefix: str = PREFIX, kind: str = "legal-person"
) -> Outgoing:
    headers = (("change", str(change).encode()), ("alias_epoch", b"0"), ("policy", b"p"), ("content_hash", b"00" * 16))
    return Outgoing(topics.registry(prefix, kind), partition(subject, PARTITIONS), subject.encode(), value, headers)


def of_history(subject: str, value: bytes | None, change: int, prefix: str = PREFIX) -> Outgoing:
    told = {"subject": subject, "change": change, "previous_hash": bytes(16), "entry": value, "entry_hash": bytes(16)}
    record = contract().encode("registry/history-1", {**told, "causes": []})
    number = partition(subject, PARTITIONS)
    return Outgoing(topics.history(prefix), number, f"{subject}#{change}".encode(), record)


def of_alias(subject: str, alias_of: str, epoch: int = 0, prefix: str = PREFIX, kind: str = "legal-person") -> Outgoing:
    value = contract().encode("registry/alias-1", {"alias_of": alias_of, "alias_epoch": epoch})
    return of_entry(subject, value, prefix=prefix, kind=kind)


def of_watermark(
    source: str, number: int, value: bytes | None, prefix: str = PREFIX, kind: str = "legal-person"
) -> Outgoing:
    return Outgoing(topics.registry(prefix, kind), number, f"~watermark:{source}:{number}".encode(), value)


def everywhere(
    source: str,
    until: datetime,
    cycle: int = 1,
    prefix: str = PREFIX,
    kind: str = "legal-person",
    **changed: Any,
) -> list[Outgoing]:
    """A source's watermark in every partition."""
    marks = ((number, watermark(source, number, until, cycle, **changed)) for number in range(PARTITIONS))
    return [of_watermark(source, number, value, prefix, kind) for number, value in marks]


def generation(prefix: str = PREFIX) -> list[Outgoing]:
    value = contract().encode("control/generation-1", GENERATION)
    return [Outgoing(topics.control(prefix), number, b"generation", value) for number in range(PARTITIONS)]


def as_read(records: Iterable[Outgoing], started_ms: int = 1_700_000_000_000) -> list[Message]:
    """The records as a reader gets them: with offsets, a second apart."""
    offsets: dict[tuple[str, int], int] = {}
    messages = []
    for number, record in enumerate(records):
        place = (record.topic, record.partition)
        offset = offsets.setdefault(place, 0)
        offsets[place] += 1
        at = started_ms + 1000 * number
        messages.append(Message(*place, offset, record.key, record.value, record.headers, at))
    return messages
