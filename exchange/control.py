"""What is fixed at first publish, and the days: `exchange.control`, the same in every partition.

The generation is written once; every process refuses to start against another, because keys made with
another district key or another partition count would lie beside the old ones for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, NamedTuple
from uuid import uuid4

from process.errors import SettingsError, TransientError
from process.messages import say
from schemas import topics
from schemas.codec import Contract
from schemas.subjects import GRAMMAR, DistrictKey
from transport.client import Client, Outgoing, TopicPartition

CIVIL_TIME = timezone(timedelta(hours=8), "Asia/Shanghai")  # no summer time since 1991

POLICIES = ("control/policy-1", "control/policy-2")  # the first did not say what its hash is taken over

Generation = Mapping[str, Any]


class Policy(NamedTuple):
    """A policy that was activated: its hash, and what that is taken over where the record says it."""

    hash: str
    content: str | None = None


@dataclass(slots=True)
class Control:
    """What one partition of `exchange.control` says; policies in the order they were activated."""

    generation: Generation | None = None
    policies: tuple[Policy, ...] = ()
    tick: date | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation that has been applied: its generation, its policies, and the newest day of each partition."""

    generation: Generation
    policies: tuple[Policy, ...]
    ticks: Mapping[int, date] = field(default_factory=dict)

    @property
    def policy(self) -> str:
        """The policy that is activated."""
        return self.policies[-1].hash


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
        case policy if policy in POLICIES:
            control.policies += (Policy(content["policy"], content.get("content")),)
        case "control/tick-1":
            control.tick = max(control.tick or content["day"], content["day"])


def installation(client: Client, prefix: str, contract: Contract) -> Installation:
    """What has been applied under this prefix; TransientError while that is not complete."""
    found = read(client, prefix, contract)
    if not found:
        raise TransientError(say("exchange.not_applied", topic=topics.control(prefix)))
    for number, control in found.items():
        if control.generation is None or not control.policies or control.tick is None:
            raise TransientError(say("exchange.half_applied", partition=number, topic=topics.control(prefix)))
    first = found[0]
    ticks = {number: control.tick for number, control in found.items() if control.tick}
    return Installation(first.generation or {}, first.policies, ticks)


def require_generation(found: Generation, wanted: Mapping[str, Any]) -> None:
    """Refuse settings that do not belong to this generation; only the fields of `wanted` are compared."""
    for name, value in wanted.items():
        if found[name] != value:
            raise SettingsError(say("exchange.other_generation", field=name))


def first_words(
    prefix: str, number: int, known: Control, begun: Generation, policy: Policy, contract: Contract
) -> list[Outgoing]:
    """What a partition still lacks of its beginning: generation, policy, day."""
    missing = []
    if known.generation is None:
        value = contract.encode("control/generation-1", begun)
        missing.append(Outgoing(topics.control(prefix), number, b"generation", value))
    if not known.policies:
        missing.append(activation(prefix, number, policy, contract))
    if known.tick is None:
        missing.append(tick(prefix, number, civil_day(), contract))
    return missing


def activation(prefix: str, number: int, policy: Policy, contract: Contract) -> Outgoing:
    """The word that a policy is activated, to one partition."""
    told = {"policy": policy.hash, "activated_by": "topics apply", "content": policy.content}
    return Outgoing(topics.control(prefix), number, b"policy", contract.encode("control/policy-2", told))


def tick(prefix: str, number: int, day: date, contract: Contract) -> Outgoing:
    """The word that a day has begun, to one partition."""
    return Outgoing(topics.control(prefix), number, b"tick", contract.encode("control/tick-1", {"day": day}))
