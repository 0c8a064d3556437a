"""What is fixed at first publish, and the days: `exchange.control`, the same in every partition.

The generation is written once; every process refuses to start against another, because keys made with
another district key or another partition count would lie beside the old ones for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

from process.errors import SettingsError, TransientError
from process.messages import say
from schemas import topics
from schemas.codec import Contract
from schemas.subjects import GRAMMAR, DistrictKey
from transport.client import Client, Outgoing, TopicPartition

CIVIL_TIME = timezone(timedelta(hours=8), "Asia/Shanghai")  # no summer time since 1991

Generation = Mapping[str, Any]


@dataclass(slots=True)
class Control:
    """What one partition of `exchange.control` says."""

    generation: Generation | None = None
    policy: str | None = None
    tick: date | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation that has been applied: its generation, its policy, and the newest day of each partition."""

    generation: Generation
    policy: str
    ticks: Mapping[int, date] = field(default_factory=dict)


def civil_day() -> date:
    """Today in civil time."""
    return datetime.now(UTC).astimezone(CIVIL_TIME).date()


def generation(partitions: int, key: DistrictKey, audit_fingerprint: str) -> dict[str, Any]:
    """The generation these settings would begin, with an id of its own."""
    return {
        "installation": uuid4().hex,
        "partitions": partitions,
        **of_key(key),
        "key_grammar": GRAMMAR,
        "audit_fingerprint": audit_fingerprint,
        "id_mode": "lock",
    }


def of_key(key: DistrictKey) -> dict[str, Any]:
    """What a generation remembers of the district's key."""
    return {"key_fingerprint": key.fingerprint, "key_letter": key.letter, "key_function": key.function}


def read(client: Client, prefix: str, contract: Contract) -> dict[int, Control]:
    """What every partition says; empty where the topic does not exist."""
    topic = topics.control(prefix)
    admin = client.admin()
    try:
        partitions = admin.partitions(topic)
    finally:
        admin.close()
    if partitions == 0:
        return {}
    found = {number: Control() for number in range(partitions)}
    reader = client.reader({TopicPartition(topic, number): -2 for number in found})
    try:
        for message in reader.to_end():
            _note(found[message.partition], *contract.decode(message.value or b""))
    finally:
        reader.close()
    return found


def _note(control: Control, name: str, content: Mapping[str, Any]) -> None:
    match name:
        case "control/generation-1":
            control.generation = control.generation or content
        case "control/policy-1":
            control.policy = content["policy"]
        case "control/tick-1":
            control.tick = max(control.tick or content["day"], content["day"])


def installation(client: Client, prefix: str, contract: Contract) -> Installation:
    """What has been applied under this prefix; TransientError while that is not complete."""
    found = read(client, prefix, contract)
    if not found:
        raise TransientError(say("exchange.not_applied", topic=topics.control(prefix)))
    for number, control in found.items():
        if control.generation is None or control.policy is None or control.tick is None:
            raise TransientError(say("exchange.half_applied", partition=number, topic=topics.control(prefix)))
    first = found[0]
    ticks = {number: control.tick for number, control in found.items() if control.tick}
    return Installation(first.generation or {}, first.policy or "", ticks)


def require_generation(found: Generation, wanted: Mapping[str, Any]) -> None:
    """Refuse settings that do not belong to this generation; only the fields of `wanted` are compared."""
    for name, value in wanted.items():
        if found[name] != value:
            raise SettingsError(say("exchange.other_generation", field=name))


def first_words(
    prefix: str, number: int, known: Control, begun: Generation, policy: str, contract: Contract
) -> list[Outgoing]:
    """What a partition still lacks of its beginning: generation, policy, day."""
    topic = topics.control(prefix)
    missing: list[tuple[bytes, str, Mapping[str, Any]]] = []
    if known.generation is None:
        missing.append((b"generation", "control/generation-1", begun))
    if known.policy is None:
        missing.append((b"policy", "control/policy-1", {"policy": policy, "activated_by": "topics apply"}))
    if known.tick is None:
        missing.append((b"tick", "control/tick-1", {"day": civil_day()}))
    return [Outgoing(topic, number, key, contract.encode(name, content)) for key, name, content in missing]


def tick(prefix: str, number: int, day: date, contract: Contract) -> Outgoing:
    """The word that a day has begun, to one partition."""
    return Outgoing(topics.control(prefix), number, b"tick", contract.encode("control/tick-1", {"day": day}))
