"""The generation: what can never change under a prefix, and what every process checks before it starts."""

from dataclasses import dataclass
from typing import Any

from process.errors import SettingsError, TransientError
from process.messages import say
from schemas import topics
from schemas.audit import AuditKey
from schemas.codec import Contract
from schemas.subjects import GRAMMAR, DistrictKey
from transport.client import Client, TopicPartition

_KEY = b"generation"
_EARLIEST = -2


@dataclass(frozen=True, slots=True)
class Generation:
    """Of it, what a connector needs."""

    partitions: int


def check(client: Client, contract: Contract, prefix: str, district: DistrictKey, audit: AuditKey) -> Generation:
    """The generation in force, when it is the one this process is set for."""
    found = _read(client, contract, prefix)
    if found is None:
        raise TransientError(say("connectors.no_generation", topic=topics.control(prefix)))
    ours: dict[str, object] = {
        "key_fingerprint": district.fingerprint,
        "key_letter": district.letter,
        "key_function": district.function,
        "key_grammar": GRAMMAR,
        "audit_fingerprint": audit.fingerprint,
        "id_mode": "lock",
    }
    for field, own in ours.items():
        if found[field] != own:
            text = say("connectors.other_generation", field=field, setting=_SETTING.get(field, "-"), prefix=prefix)
            raise SettingsError(text)
    return Generation(found["partitions"])


def require_topics(client: Client, prefix: str, department: str) -> None:
    """Wait for a department whose topics are not there yet: a site's own, before it was applied."""
    topic = topics.positions(prefix, department)
    admin = client.admin()
    try:
        there = admin.partitions(topic) > 0
    finally:
        admin.close()
    if not there:
        raise TransientError(say("connectors.no_topic", topic=topic, department=department))


_SETTING = {
    "key_fingerprint": "district_key_file",
    "key_letter": "district_key_letter",
    "key_function": "district_key_function",
    "audit_fingerprint": "audit_key_file",
}


def _read(client: Client, contract: Contract, prefix: str) -> dict[str, Any] | None:
    """The first generation record: it is written once, and nothing written later may change it."""
    admin = client.admin()
    try:
        if admin.partitions(topics.control(prefix)) == 0:
            return None
    finally:
        admin.close()
    reader = client.reader({TopicPartition(topics.control(prefix), 0): _EARLIEST})
    try:
        for message in reader.to_end():
            if message.key == _KEY and message.value is not None:
                return contract.decode(message.value)[1]
    finally:
        reader.close()
    return None
